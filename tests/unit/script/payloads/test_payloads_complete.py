"""Completeness of the checks: every node type of Python, and everything that RestrictedPython and asteval refuse."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import pytest
from asteval.astutils import safe_getattr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from RestrictedPython import compile_restricted
from script_payloads import hosts

from taskrun.errors import BindError
from taskrun.script.sandbox import checks
from taskrun.script.sandbox.guard import guarded_getattr
from taskrun.script.script import compile_script
from taskrun.syntax.load import parse

REFUSED = {
    "AsyncFor", "AsyncFunctionDef", "AsyncWith", "ClassDef", "Global", "Import", "ImportFrom", "Nonlocal", "TryStar",
    "Yield", "YieldFrom",
}  # fmt: skip
NOT_OF_A_PROGRAM = {
    # old names that Python keeps, roots of trees, abstract classes, and the signs inside of other nodes
    "AST", "AugLoad", "AugStore", "Bytes", "Ellipsis", "ExtSlice", "Index", "NameConstant", "Num", "Param", "Str", "Suite",
    "Expression", "FunctionType", "Interactive", "Module", "TypeIgnore", "alias", "boolop", "cmpop", "excepthandler",
    "expr", "expr_context", "mod", "operator", "pattern", "slice", "stmt", "type_ignore", "unaryop",
    "Add", "And", "BitAnd", "BitOr", "BitXor", "Del", "Div", "Eq", "FloorDiv", "Gt", "GtE", "In", "Invert", "Is", "IsNot",
    "LShift", "Load", "Lt", "LtE", "MatMult", "Mod", "Mult", "Not", "NotEq", "NotIn", "Or", "Pow", "RShift", "Store", "Sub",
    "UAdd", "USub",
    # Python 3.12 to 3.14: refused by not being listed among those that are allowed
    "ParamSpec", "TypeAlias", "TypeVar", "TypeVarTuple", "type_param", "Interpolation", "TemplateStr",
}  # fmt: skip


def test_every_node_of_python_is_allowed_or_refused() -> None:
    """Fail if a new Python version adds a node type for which no decision has been made."""
    classes = {name for name, found in vars(ast).items() if isinstance(found, type) and issubclass(found, ast.AST)}
    parts: Any = checks._PARTS
    allowed = {kind.__name__ for kind in (*checks.STATEMENTS, *checks.EXPRESSIONS, *parts)}
    assert classes - allowed - REFUSED - NOT_OF_A_PROGRAM == set()
    assert not allowed & REFUSED


def refused_by_us(text: str) -> bool:
    try:
        compile_script(parse("f.xml", f"<source><![CDATA[{text}]]></source>".encode()), awaits=True)
    except BindError:
        return True
    return False


def refused_by_restricted_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile_restricted(text, "<x>", "exec")
    except SyntaxError:
        return True
    return False


CORPUS = [
    "_x", "x._y", "x.__class__", "x._y = 1", "del x._y", "def _f(): pass", "lambda _x: 1", "def f(_x): pass",
    "def f(*_x): pass", "def f(**_x): pass", "def f(*, _x): pass", "import _os", "from x import _y", "import a as _b",
    "class _A: pass", "with a as _b: pass", "for _x in y: _x", "[_x for _x in y]", "try: 1\nexcept A as _e: _e", "exec('1')",
    "_getattr_", "_write_", "_print", "__metaclass__ = type", "x.f_locals", "x.f_globals", "x.gi_frame", "x.cr_frame",
    "x.ag_frame", "x.tb_frame", "x.gi_code", "x.cr_code", "x.co_code", "x.f_back", "x.f_builtins", "x.gi_yieldfrom",
    "x.cr_await", "x.tb_next", "async def f(): pass", "async def f():\n  async for x in y: pass", "class A(metaclass=B): pass",
    "try: 1\nexcept* ValueError: 2", "a: int = 1", "global _x", "nonlocal x", "def f(a__roles__): pass", "x__roles__ = 1",
    "printed", "f(_x=1)", "(_x := 1)", "match x:\n  case _y: 1", "match x:\n  case A(_b=c): 1", "x.y.z._w", "f'{x._y}'",
    "f'{_x}'", "x[_y]", "yield 1", "await x", "lambda: (yield)", "type X = int",
]  # fmt: skip
KNOWN = {
    # RestrictedPython refuses these for reasons of its own: roles of Zope, helpers of its own name, old limits
    "def f(a__roles__): pass", "x__roles__ = 1", "printed", "await x", "a: int = 1", "match x:\n  case _y: 1",
}  # fmt: skip


@pytest.mark.parametrize("text", CORPUS)
def test_programs_that_restricted_python_refuses_are_refused(text: str) -> None:
    assert refused_by_us(text) or not refused_by_restricted_python(text) or text in KNOWN


NAMES = st.text(st.sampled_from("abcfgt_"), min_size=1, max_size=6).filter(str.isidentifier)
SHAPES = st.sampled_from(
    [
        "x.{}",
        "x.{} = 1",
        "{} = 1",
        "{}",
        "f({}=1)",
        "def {}(): pass",
        "lambda {}: 1",
        "[y for {} in x]",
        "x.y.{}()",
        "del x.{}",
    ]
)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    SHAPES, NAMES | st.sampled_from(["f_back", "tb_frame", "gi_code", "co_names", "cr_frame", "ag_code", "__class__"])
)
def test_generated_names_that_restricted_python_refuses_are_refused(shape: str, name: str) -> None:
    text = shape.format(name)
    if refused_by_restricted_python(text) and not (name == "_" and refused_by_restricted_python("_ = 1")):
        assert refused_by_us(text)


ATTRIBUTES = [
    "__class__", "__dict__", "__globals__", "__code__", "__self__", "__func__", "__closure__", "__mro__", "mro", "func_code",
    "func_globals", "im_func", "gi_frame", "gi_code", "cr_frame", "f_globals", "f_back", "tb_frame", "co_consts", "format",
    "format_map", "__traceback__", "__builtins__", "__reduce__", "__getattribute__", "__subclasses__", "__bases__", "upper",
    "append", "owner", "balance", "limit", "_pin", "real", "dumps", "codecs", "obj", "args", "keys", "items", "name", "func",
]  # fmt: skip


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_that_asteval_refuses_are_refused(name: str) -> None:
    def refused(read: Any, value: Any) -> bool:
        try:
            read(value, name)
        except Exception:  # noqa: BLE001 - refused, or not there
            return True
        return False

    def by_asteval(value: Any, name: str) -> Any:
        return safe_getattr(
            value, name, lambda _node, exc=AttributeError, msg="": (_ for _ in ()).throw(exc(msg)), None
        )

    values = {
        **hosts(),
        "text": "x",
        "list": [],
        "dict": {},
        "number": 1,
        "function": lambda: 1,
        "type": int,
        "str": str,
    }
    values.pop("generator").close()
    for value in values.values():
        if hasattr(value, name) and refused(by_asteval, value):
            assert refused(guarded_getattr, value), (value, name)
