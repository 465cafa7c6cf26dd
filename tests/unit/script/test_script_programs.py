"""Small programs with their values and assigned variables, and cases that interpreters of syntax trees get wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from decimal import Decimal
from typing import Any

import pytest

from taskrun.core.scope import Scope

VALUES = [
    ("", None),
    ("# nothing but a comment", None),
    ("1 + 2", 3),
    ("1 + 2;", 3),
    ("x = 1; x + 1;", 2),
    ("x = 1", None),
    ("return 5", 5),
    ("return", None),
    ("5\nx = 6", 5),
    ("if 1: 'yes'\nelse: 'no'", "yes"),
    ("for i in [1, 2, 3]: i * 10", 30),
    ("def f(): 7\nx = f()", None),
    ("if True:\n    return 1\nreturn 2", 1),
    ("for i in range(9):\n    if i == 3: return i", 3),
    ("i = 0\nwhile True:\n    i += 1\n    if i > 4: return i", 5),
    ("try:\n    return 1\nfinally:\n    x = 2", 1),
    ("try:\n    return 1\nfinally:\n    return 2", 2),
    ("def f(): return 9\ntry:\n    return 1\nfinally:\n    f()", 1),
    ("for i in range(3):\n    try:\n        continue\n    finally:\n        last = i\nlast", 2),
    ("for i in range(3):\n    try:\n        1 / 0\n    finally:\n        break\ni", 0),
    ("for i in []: pass\nelse: 'empty'", "empty"),
    ("for i in [1]: break\nelse: 'no'", None),
    ("while False: pass\nelse: 'done'", "done"),
    ("1 < 2 < 3, 1 < 2 > 5, 3 > 2 == 2", (True, False, True)),
    ("1 in [1], 2 not in [1], None is None, [] is not []", (True, True, True, True)),
    ("0 or [] or 'x', 1 and '' and 2, not 1", ("x", "", False)),
    ("{**{'a': 1, 'b': 1}, 'b': 2}", {"a": 1, "b": 2}),
    ("{'b': 2, **{'b': 3}}", {"b": 3}),
    ("[*range(2), 5, *'ab']", [0, 1, 5, "a", "b"]),
    ("(*[1], 2), {*[1, 1]}", ((1, 2), {1})),
    ("max(*[3, 9], 4)", 9),
    ("dict(**{'a': 1}, b=2)", {"a": 1, "b": 2}),
    ("a, *b = [1, 2, 3]\n[a, b]", [1, [2, 3]]),
    ("*a, b = 'xyz'\n[a, b]", [["x", "y"], "z"]),
    ("a, (b, *c), d = 1, (2, 3, 4), 5\n[a, b, c, d]", [1, 2, [3, 4], 5]),
    ("[a, b] = {1: 2, 3: 4}\na, b", (1, 3)),
    ("a = b = [1]\na += [2]\nb", [1, 2]),
    ("d = {'n': 1}\nd['n'] += 4\nd['n'] **= 2\nd", {"n": 25}),
    ("d = [1, 2, 3, 4]\nd[1:3] = [9]\ndel d[0]\nd", [9, 4]),
    ("x: int = 3\ny: undefined\nx", 3),
    ("(y := 5) + y", 10),
    ("[y := i for i in range(3)]\ny", 2),
    ("x = 'outer'\n[x for x in range(2)]\nx", "outer"),
    ("[(i, j) for i in range(3) if i for j in range(i) if j != 1]", [(1, 0), (2, 0)]),
    ("{i % 2 for i in range(5)}, {k: v for k, v in [(1, 2)]}", ({0, 1}, {1: 2})),
    ("sum(i * i for i in range(4))", 14),
    ("any(i == 0 or 1 / i for i in range(3))", True),
    ("f'{1 + 1}|{\"a\"!r:>5}|{3.14159:.{2}f}|{{}}'", "2|  'a'|3.14|{}"),
    ("s = '{x.__class__}'\nf'{s}'", "{x.__class__}"),
    ("'%s-%03d' % ('a', 7), 7 % 4", ("a-007", 3)),
    ("(lambda a, b=2, *c, d, e=5, **f: (a, b, c, d, e, f))(1, d=4, z=9)", (1, 2, (), 4, 5, {"z": 9})),
    ("def f(a, /, b, *, c=3): return a, b, c\nf(1, b=2)", (1, 2, 3)),
    ("def f(a, items=[]):\n    items.append(a)\n    return items\nf(1)\nf(2)", [1, 2]),
    ("def f(a):\n    def g(b): return a + b\n    return g\nf(1)(10) + f(2)(20)", 33),
    ("fs = [lambda: i for i in range(3)]\n[f() for f in fs]", [2, 2, 2]),
    ("fs = [lambda i=i: i for i in range(3)]\n[f() for f in fs]", [0, 1, 2]),
    ("def fact(n): return 1 if n < 2 else n * fact(n - 1)\nfact(20)", 2432902008176640000),
    ("def f():\n    return [n for n in range(3) if (lambda m: m)(n)]\nf()", [1, 2]),
    ("def f():\n    if any((hit := n) > 1 for n in range(5)): return hit\nf()", 2),
    ("def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)\neven(6)", True),
    ("sorted('bca', key=lambda c: -ord(c))", ["c", "b", "a"]),
    ("list(map(lambda a, b: a + b, [1, 2], [3, 4]))", [4, 6]),
    ("_, b = 1, 2\nfor _ in range(2): pass\nb", 2),
    ("(lambda _: 5)(1)", 5),
    ("sum = 3\nsum + 1", 4),
    ("~5, -5, +5, not 5", (-6, -5, 5, False)),
    ("7 // 2, 7 % 2, 2 ** 10, 7 / 2, 1 << 4, 256 >> 4, 6 & 3, 6 | 3, 6 ^ 3", (3, 1, 1024, 3.5, 16, 16, 2, 7, 5)),
    ("[0, 1, 2, 3][1:3], 'abc'[::-1], 'abc'[-1]", ([1, 2], "cba", "c")),
    ("1 if [] else 2", 2),
    ("math.floor(math.sqrt(17)), math.pi > 3, math.prod([2, 3])", (4, True, 6)),
    ("json.loads(json.dumps({'a': [1, None, 'ü']}))", {"a": [1, None, "ü"]}),
    ("json.dumps('ü')", '"ü"'),
    ("Decimal('1.1') + 1", Decimal("2.1")),
    ("date(2024, 2, 28) + timedelta(days=2)", dt.date(2024, 3, 1)),
    ("datetime(2024, 1, 2, 3).isoformat()", "2024-01-02T03:00:00"),
    ("today() <= now().date()", True),
    ("len(uuid())", 36),
    ("isinstance(1, (str, int)), isinstance(True, bool), isinstance('x', list)", (True, True, False)),
    ("round(2.567, 1), round(2.5), pow(2, 5), pow(2, 5, 7)", (2.6, 2, 32, 4)),
    ("'a,b'.split(','), '-'.join(['x', 'y']), 'ab'.replace('a', 'xx'), 'a'.ljust(3, '.')", (["a", "b"], "x-y", "xxb", "a..")),
    ("'abc'.encode().decode('ascii')", "abc"),
    ("dict.fromkeys('ab'), int.from_bytes(b'\\x01\\x00', 'big')", ({"a": None, "b": None}, 256)),
    ("d = {}\nfor d['k'] in range(3): pass\nd", {"k": 2}),
    ("x = [1]\nx.extend([2])\nx.append(3)\nx", [1, 2, 3]),
    ("try:\n    a = 1\nexcept ValueError:\n    a = 2\nelse:\n    a = 3\na", 3),
]  # fmt: skip

HANDLING = [
    ("log = []\ntry:\n    try: 1 / 0\n    except ValueError: log.append('no')\n    finally: log.append('f')\nexcept ArithmeticError: log.append('e')\nlog", ["f", "e"]),
    ("try: {}['k']\nexcept (ValueError, KeyError) as e: repr(e)", "KeyError('k')"),
    ("try: raise custom('m', 7)\nexcept ValueError: 'wrong'\nexcept custom as e: e.code", 7),
    ("try: raise ValueError\nexcept custom: 'wrong'\nexcept ValueError as e: e.args", ()),
    ("try: a, b = [1, 2, 3]\nexcept ValueError as e: str(e)", "too many values to unpack (expected 2)"),
    ("try: a, b = [1]\nexcept ValueError as e: str(e)", "not enough values to unpack (expected 2, got 1)"),
    ("try: a, *b, c = [1]\nexcept ValueError as e: str(e)", "not enough values to unpack (expected at least 2, got 1)"),
    ("try:\n    for i in 5: pass\nexcept TypeError as e: str(e)", "'int' object is not iterable"),
    ("try: (1,)[0] = 2\nexcept TypeError: 'handled'", "handled"),
    ("try: del missing\nexcept NameError: 'handled'", "handled"),
    ("try: assert 1 > 2, 'm' + 'n'\nexcept AssertionError as e: str(e)", "mn"),
    ("try: assert False\nexcept AssertionError as e: e.args", ()),
    ("try:\n    try: 1 / 0\n    except ZeroDivisionError: raise\nexcept ArithmeticError: 'again'", "again"),
    ("try:\n    try: 1 / 0\n    except ZeroDivisionError as e: raise ValueError('v') from e\nexcept ValueError as e: str(e)", "v"),
    ("try: unknown_name\nexcept NameError as e: 'NameError'", "NameError"),
    ("try: 1 / 0\nexcept: 'all'", "all"),
    ("try: raise 5\nexcept TypeError as e: str(e)", "exceptions must derive from BaseException"),
    ("try: 1 / 0\nexcept 5: 'no'\n", TypeError),
    ("try: len(5, 6, 7)\nexcept TypeError: 'handled'", "handled"),
    ("try: (lambda a: a)()\nexcept TypeError as e: str(e)", "<lambda>() missing 1 required positional argument: 'a'"),
    ("def f(a, b): pass\ntry: f(1, b=2, c=3)\nexcept TypeError as e: str(e)", "f() got an unexpected keyword argument 'c'"),
    ("def f(**k): pass\ntry: f(a=1, **{'a': 2})\nexcept TypeError: 'handled'", "handled"),
    ("try: {**[('a', 1)]}\nexcept TypeError: 'handled'", "handled"),
    ("def f():\n    x = y\n    y = 1\ntry: f()\nexcept UnboundLocalError: 1\nexcept NameError: 'local'", NameError),
    ("y = 1\ndef f():\n    y = y + 1\ntry: f()\nexcept NameError: 'local'", "local"),
    ("def f(n): return f(n + 1)\ntry: f(0)\nexcept RecursionError: 'deep'", "deep"),
    ("with lock: locked = lock.locked()\n[locked, lock.locked()]", [True, False]),
    ("with suppress(KeyError):\n    {}['x']\n    after = 1\n'on'", "on"),
    ("for i in range(3):\n    with lock as got, suppress(ValueError): break\n[i, got, lock.locked()]", [0, True, False]),
    ("def f():\n    with lock: return lock.locked()\nf(), lock.locked()", (True, False)),
]  # fmt: skip


class CustomError(Exception):
    """Exception with a constructor of its own."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value(run: Any, text: str, expected: object) -> None:
    assert run(text) == expected


@pytest.mark.parametrize(("text", "expected"), HANDLING)
def test_exceptions_are_handled_as_python_does(run: Any, text: str, expected: object) -> None:
    variables = {"custom": CustomError, "lock": threading.Lock(), "suppress": contextlib.suppress}
    if isinstance(expected, type):
        with pytest.raises(expected):
            run(text, **variables)
    else:
        assert run(text, **variables) == expected


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a = 1; b = [a]", {"a": 1, "b": [1]}),
        ("for i in range(3): j = i", {"i": 2, "j": 2}),
        ("[k for k in range(3)]; (lambda p: p)(1); {k: 1 for k in 'ab'}; sum(k for k in [1])", {}),
        ("def f(p):\n    q = p\n    return q\nf(1)\ndel f", {}),
        ("try: 1 / 0\nexcept ArithmeticError as e: seen = 1", {"seen": 1}),
        ("e = 5\ntry: 1 / 0\nexcept ArithmeticError as e: pass", {}),
        ("try: 1 / 0\nexcept ArithmeticError as e: del e", {}),
        ("[last := k for k in range(3)]", {"last": 2}),
        ("_ = 1\n_, a = 2, 3", {"a": 3}),
        ("x = 1\ndel x", {}),
        ("x = 1; y = 2; del (x, y)", {}),
        ("outer = outer + 1", {"outer": 6}),
        ("outer += 1", {"outer": 6}),
        ("d: dict = {}", {"d": {}}),
        ("with box as b: pass", {"b": "entered"}),
    ],
)
def test_only_assigned_variables_remain(outcome: Any, text: str, left: dict[str, object]) -> None:
    assert outcome(text, outer=5, box=contextlib.nullcontext("entered"))[1] == left


def test_a_comprehension_does_not_copy_variables(outcome: Any) -> None:
    lock = threading.Lock()
    value, left = outcome("[x for x in [1]]\nx is same", x=lock, same=lock)
    assert (value, left) == (True, {})


def test_the_original_exception_is_raised_with_one_note(run: Any) -> None:
    error = CustomError("no", 3)
    cause = KeyError("cause")

    def fail() -> None:
        raise error from cause

    with pytest.raises(CustomError) as caught:
        run("x = 1\ny = [fail() for i in range(3)]", fail=fail)
    assert caught.value is error
    assert error.__cause__ is cause
    assert error.__notes__ == ["in script at flow.task.xml:2:6: y = [fail() for i in range(3)]</source>"]
    frames = []
    step = error.__traceback__
    while step:
        frames.append(step.tb_frame.f_code.co_name)
        step = step.tb_next
    assert frames[-1] == "fail"
    assert "on_call" not in frames


def test_an_exception_that_passes_two_scripts_is_noted_once(script: Any) -> None:
    inner = script("1 / zero")
    scope = Scope(None, zero=0)
    scope["again"] = lambda: inner.run(Scope(scope))
    with pytest.raises(ZeroDivisionError) as caught:
        script("x = again()").run(scope)
    assert caught.value.__notes__ == ["in script at flow.task.xml:1:9: <source>1 / zero</source>"]


def test_cause_and_context_are_set_as_in_python(run: Any) -> None:
    with pytest.raises(ValueError, match="v") as caught:
        run("try: 1 / 0\nexcept ArithmeticError: raise ValueError('v')")
    assert isinstance(caught.value.__context__, ZeroDivisionError)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit])
def test_base_exceptions_are_propagated(script: Any, kind: type[BaseException]) -> None:
    def stop() -> None:
        raise kind

    scope = Scope(None, stop=stop, log=[])
    with pytest.raises(kind) as caught:
        script("try: stop()\nexcept: log.append('caught')\nfinally: log.append('finally')").run(scope)
    assert scope["log"] == ["finally"]
    assert not hasattr(caught.value, "__notes__")


def test_a_property_is_read_once(run: Any) -> None:
    class Order:
        reads = 0

        @property
        def total(self) -> int:
            Order.reads += 1
            return 5

    assert run("order.total + 1", order=Order()) == 6
    assert Order.reads == 1


def test_truth_is_evaluated_once(run: Any) -> None:
    asked = []

    class Truth:
        def __bool__(self) -> bool:
            asked.append(self)
            return False

    truth = Truth()
    assert run("a or b", a=truth, b=2) == 2
    assert run("b and a", a=truth, b=2) is truth
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("totl + 1", "unknown variable 'totl'; did you mean 'total'?"),
        ("lenn([])", "unknown variable 'lenn'; did you mean 'len'?"),
        ("open('x')", "unknown variable 'open'; scripts do not have this name of Python"),
        ("null", "unknown variable 'null'; Python writes None"),
        ("[zzz for i in range(1)]", "unknown variable 'zzz'"),
    ],
)
def test_an_unknown_variable_has_a_near_name(run: Any, text: str, message: str) -> None:
    from taskrun.script.script import UnknownVariableError

    with pytest.raises(UnknownVariableError) as caught:
        run(text, total=1)
    assert str(caught.value) == message
    assert issubclass(UnknownVariableError, NameError)


def test_logging_and_print(run: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG, "taskrun.script")
    run("logInfo('{} of {}', 1, 2)\nlogWarn('a {0}', 3)\nlogError('x')\nlogDebug('{}')\nprint('p', 1, sep='-')")
    assert caplog.messages == ["1 of 2", "a {0} 3", "x", "{}", "p-1"]
    assert capsys.readouterr() == ("", "")


def test_a_function_outlives_its_script(script: Any) -> None:
    scope = Scope(None, base=10)
    script("def add(n): return base + n").run(scope)
    scope["base"] = 20
    assert scope["add"](1) == 21
    assert script("add(2)").run(Scope(scope, base=99)) == 22
    assert scope["add"].__name__ == "add"


def test_a_generator_expression_is_lazy_and_used_up(run: Any) -> None:
    seen: list[int] = []
    assert run("g = (seen.append(i) or i for i in range(9))\nany(i == 2 for i in g), list(g)", seen=seen) == (
        True,
        [3, 4, 5, 6, 7, 8],
    )
    assert seen == list(range(9))


def test_a_generator_of_python_code_becomes_an_iterator(run: Any) -> None:
    def numbers() -> Any:
        yield from range(3)

    assert run("it = numbers()\nlist(it)", numbers=numbers) == [0, 1, 2]
