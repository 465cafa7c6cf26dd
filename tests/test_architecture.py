"""Holds the shape of the source tree: sizes, layers, lazy imports, and that the grammar and the classes say the same."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import taskrun
from taskrun import Completion, Frame, Step, TaskManager
from taskrun.core.fields import Expr
from taskrun.core.flow import Header, compile_flow
from taskrun.core.lint import PLATFORM_WORDS
from taskrun.core.refusals import ATTRIBUTES, ELEMENTS
from taskrun.core.registry import Registry
from taskrun.core.step import Decorator, decorator, step
from taskrun.errors import PluginError
from taskrun.syntax.load import parse
from taskrun.syntax.normalize import normalize
from taskrun.syntax.schema import ElementDeclaration, Schema

PACKAGE = Path(taskrun.__file__).parent
MOST_LINES = 300

LAYERS = {
    "source": (),
    "result": (),
    "errors": ("source",),
    "shipped": ("errors",),
    "syntax": ("source", "errors", "shipped"),
    "script": ("source", "errors", "syntax.node"),
    "core": ("source", "errors", "syntax", "script"),
    "steps": ("source", "errors", "syntax", "script", "core"),
    "decorators": ("source", "errors", "syntax", "script", "core"),
    "observers": ("source", "errors", "core"),
    "testing": (),
    "manager": ("source", "result", "errors", "shipped", "syntax", "script", "core", "observers"),
    "cli": ("",),
}
"""What the modules of a layer may import, besides their own layer."""

SHARED_BASES = {"steps.join", "steps.fork", "steps.loop", "steps.graph", "steps.graph_edges"} | {
    "decorators.retry",
    "decorators.shipped",
}
"""The only modules that steps and decorators import from their own layer."""

HEAVY = {
    "lxml": ("syntax.validate", "syntax.schema", "syntax.explain", "cli"),
    "xmlschema": ("syntax.schema",),
    "asteval": ("script.evaluator",),
    "jinja2": ("cli",),
    "rich": ("cli",),
    "yaml": ("cli",),
    "loky": ("core.workers",),
    "cloudpickle": ("core.calling",),
    "jsonschema": ("core.schema_check",),
}
"""The packages that take long to import, and who may import them, in functions."""

RANKS = {
    "decorator": 10,
    "catch": 20,
    "finally": 21,
}


def modules() -> dict[str, ast.Module]:
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(file.read_text("utf-8"))
    return found


MODULES = modules()


def is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(tree: ast.AST, *, types_too: bool, inside_functions: bool = True) -> Iterator[str]:
    """Yield the full names of the modules that a tree imports."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt) and is_for_types(node) and not types_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not used"
            yield node.module or ""
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, types_too=types_too, inside_functions=inside_functions)


def layer_of(module: str) -> str:
    return module.partition(".")[0]


def within(module: str, allowed: tuple[str, ...]) -> bool:
    return any(not name or module == name or module.startswith(name + ".") for name in allowed)


def test_modules_are_short() -> None:
    sizes = {file: len(file.read_text("utf-8").splitlines()) for file in PACKAGE.rglob("*.py")}
    assert not {file: size for file, size in sizes.items() if size > MOST_LINES}


def test_module_names_say_what_they_hold() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [name for name in MODULES if vague & set(name.split("."))]


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__"])
def test_layers(module: str) -> None:
    layer = layer_of(module)
    found = imports(MODULES[module], types_too=layer != "core")
    ours = [name.removeprefix("taskrun.") for name in found if name.startswith("taskrun.")]
    for name in ours:
        if layer_of(name) == layer:
            assert layer not in {"steps", "decorators"} or name in SHARED_BASES, f"{module} imports {name}"
        else:
            assert within(name, LAYERS[layer]), f"{module} imports {name}"


def test_the_package_itself_imports_nothing() -> None:
    assert not [name for name in imports(MODULES["__init__"], types_too=False) if name.startswith("taskrun")]


@pytest.mark.parametrize("package", HEAVY)
def test_heavy_packages_are_imported_where_they_are_needed(package: str) -> None:
    users = {
        name
        for name, tree in MODULES.items()
        if package in {layer_of(found) for found in imports(tree, types_too=False)}
    }
    assert not {user for user in users if not within(user, HEAVY[package])}


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_imported_in_functions(module: str) -> None:
    found = set(imports(MODULES[module], types_too=False, inside_functions=False))
    heavy = {name for name in found if layer_of(name) in HEAVY}
    if module == "script.evaluator":  # it derives a class from asteval's, and is itself imported in functions
        assert heavy == {"asteval"}
    else:
        assert not heavy
        assert "taskrun.script.evaluator" not in found


def test_importing_the_engine_imports_no_heavy_package() -> None:
    program = f"import sys, taskrun.manager; print([name for name in {sorted(HEAVY)!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("module", MODULES)
def test_modules_hold_no_mutable_state(module: str) -> None:
    displays = ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp
    makers = {"dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict"}
    for node in MODULES[module].body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            value = node.value
            made = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in makers
            assert not made, f"{module}:{node.lineno}"
            assert not isinstance(value, displays), f"{module}:{node.lineno}"


def test_the_pipeline_is_one_short_function() -> None:
    lines, _ = inspect.getsourcelines(compile_flow)
    assert len(lines) <= 15


def test_ranks_of_decorators() -> None:
    assert {tag: cls.rank for tag, cls in Registry().decorators.items()} == RANKS


@step("shout")
class Shout(Step):
    """A step of another package: its text in capitals."""

    text: Expr
    mark: str = "!"

    async def run(self, frame: Frame) -> Completion:
        """Return the text in capitals."""
        return Completion({"RESULT": str(frame.eval(self.text)).upper() + self.mark})


@step("shout")
class Other(Shout):
    """Another class for the same tag."""


@decorator("polite", rank=55)
class Polite(Decorator):
    """A decorator of another package: adds a word to the result."""

    word: str

    async def around(self, frame: Frame, inner: Any) -> Completion:
        """Run the step and add the word."""
        done = await inner(frame)
        return Completion({"RESULT": f"{done.result} {self.word}"})


@decorator("loudness", rank=56, attribute=True)
class Loudness(Decorator):
    """An attribute of another package: repeats the result's last character."""

    loudness: int

    async def around(self, frame: Frame, inner: Any) -> Completion:
        """Run the step and repeat the end of its result."""
        done = await inner(frame)
        return Completion({"RESULT": done.result + done.result[-1] * self.loudness})


def test_a_foreign_step_and_decorators_need_no_edit(tmp_path: Path) -> None:
    flow = tmp_path / "shout.task.xml"
    flow.write_text(
        textwrap.dedent("""\
            <task version="1">
              <input name="who"/>
              <steps>
                <shout name="a" textExpr="'hi ' + who" mark="?" loudness="2">
                  <input name="who"/>
                  <polite word="please"/>
                </shout>
              </steps>
            </task>
            """)
    )
    manager = TaskManager(steps=[Shout, Polite, Loudness])
    assert not manager.check(flow)
    assert manager.run(flow, {"who": "ada"}).result == "HI ADA? pleaseee"
    wrong = tmp_path / "wrong.task.xml"
    wrong.write_text('<task version="1"><steps><shout textExpr="1" marc="?"/><shout/></steps></task>')
    assert [item.code for item in manager.check(wrong)] == ["unknown-attribute", "missing-attribute"]


def test_two_owners_of_a_tag_are_both_named() -> None:
    with pytest.raises(PluginError) as caught:
        TaskManager(steps=[Shout, Other])
    assert "Shout" in str(caught.value)
    assert "Other" in str(caught.value)


@dataclass(frozen=True)
class Meeting:
    """A place of the grammar and the classes that elements there are read into."""

    chain: tuple[str, ...]
    declared: ElementDeclaration
    classes: tuple[Any, ...]
    is_step: bool


HANDLED = {
    "name": "by the binder, on steps",
    "disabled": "by the binder",
    "scriptLang": "by the binder",
    "graphMode": "by normalize",
    "defaultUseParentScope": "by normalize",
    "role": "lint: no effect",
    "roles": "lint: no effect",
    **dict.fromkeys(PLATFORM_WORDS, "lint: no effect"),
    **dict.fromkeys(ATTRIBUTES, "refused"),
    "persist": "refused unless it is the default",
}
HANDLED_CHILDREN = {"auth": "lint: no effect", "meta": "free data", **dict.fromkeys(ELEMENTS, "refused")}


def meetings() -> Iterator[Meeting]:
    """Yield each place of the grammar with its classes, once per declaration."""
    registry = Registry()
    root = Schema().declarations()
    seen = {root}
    level = [Meeting((root.tag,), root, (registry.steps["task"], registry.steps["graph-task"], Header), is_step=True)]
    for meeting in level:
        yield meeting
        for tag, child in meeting.declared.children.items():
            if child in seen or child.opaque:
                continue
            seen.add(child)
            chain = (*meeting.chain, tag)
            if meeting.chain[-1] == "steps":
                known = registry.steps.get(normalized(tag))
                level.append(Meeting(chain, child, (known,) if known else (), is_step=True))
                continue
            kinds = [
                registry.plan(cls).children[tag].kind for cls in meeting.classes if tag in registry.plan(cls).children
            ]
            if tag in registry.decorators and meeting.is_step and not kinds:
                kinds = [registry.decorators[tag]]
            classes = tuple(dict.fromkeys(kind for kind in kinds if hasattr(kind, "__dataclass_fields__")))
            level.append(Meeting(chain, child, classes, is_step=any(issubclass(cls, Step) for cls in classes)))


def normalized(tag: str) -> str:
    tree = normalize(parse("t", f"<task><steps><{tag}/></steps></task>".encode()))
    return tree.children[0].children[0].tag


def test_every_word_of_the_grammar_is_read() -> None:
    registry = Registry()
    unread = []
    for meeting in meetings():
        if not meeting.classes:
            continue
        plans = [registry.plan(cls) for cls in meeting.classes]
        for name in meeting.declared.attributes:
            by_decorator = meeting.is_step and name in registry.decorators and registry.decorators[name].attribute
            known = any(name in plan.attributes for plan in plans) or by_decorator or name in HANDLED
            on_step = meeting.is_step and any(
                name in registry.plan(cls).on_step for cls in registry.decorators.values()
            )
            if not known and not on_step:
                unread.append(f"{'/'.join(meeting.chain)}/@{name}")
        for tag in meeting.declared.children:
            known = any(tag in plan.children for plan in plans) or tag in HANDLED_CHILDREN
            by_decorator = meeting.is_step and tag in registry.decorators and not registry.decorators[tag].attribute
            if not known and not by_decorator:
                unread.append(f"{'/'.join(meeting.chain)}/{tag}")
    assert not unread


def test_every_declared_element_has_a_class() -> None:
    registry = Registry()
    tags = {declared.tag for _, declared in Schema().declarations().walk()}
    assert set(registry.steps) - tags == {"graph-task"}
    assert {tag for tag, cls in registry.decorators.items() if not cls.attribute} - tags == set()
    steps = next(declared for chain, declared in Schema().declarations().walk() if chain[-1] == "steps")
    assert {normalized(tag) for tag in steps.children} - set(registry.steps) - set(ELEMENTS) == set()


def test_every_field_is_in_the_grammar() -> None:
    registry = Registry()
    common = registry.plan(Step)
    unknown = []
    for meeting in meetings():
        root = len(meeting.chain) == 1
        for cls in meeting.classes:
            plan = registry.plan(cls)
            left = common if root and cls is not Header else None
            attributes = set(plan.attributes) - set(left.attributes if left else ())
            children = set(plan.children) - set(left.children if left else ())
            unknown.extend(
                f"{cls.__name__}: {'/'.join(meeting.chain)}/{name}"
                for name in (attributes - set(meeting.declared.attributes))
                | (children - set(meeting.declared.children))
            )
        if meeting.is_step and not root:
            for tag, cls in registry.decorators.items():
                names = set(meeting.declared.attributes)
                if not (tag in names if cls.attribute else tag in meeting.declared.children):
                    unknown.append(f"{'/'.join(meeting.chain)}: decorator {tag}")
                unknown.extend(f"{tag} on step: {name}" for name in registry.plan(cls).on_step if name not in names)
    assert not unknown
