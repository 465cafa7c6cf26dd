"""Attributes and values that the sandbox refuses, and limits that stop scripts without an end."""

from __future__ import annotations

import asyncio
import codecs
import functools
import json
import operator
import re
import string
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from taskrun.core.scope import Scope
from taskrun.errors import BindError
from taskrun.script.sandbox.guard import guarded_getattr
from taskrun.script.script import Limits, ScriptBudgetError, ScriptSettings


class Mail(str):
    """Subclass of str, whose ``format`` must be refused too."""

    __slots__ = ()


class User:
    """Ordinary object of the host."""

    secret = "s3cret"

    def name(self) -> str:  # noqa: D102
        return "bob"


async def fetch() -> int:
    return 1


async def stream() -> Any:
    yield 1


def numbers() -> Iterator[int]:
    yield 1


def raised() -> Exception:
    try:
        User().nothing  # type: ignore[attr-defined] # noqa: B018
    except AttributeError as error:
        return error
    raise AssertionError


class Awaited:
    """Awaitable that is neither a coroutine nor a task."""

    def __await__(self) -> Any:
        yield


@pytest.fixture
def exposed() -> Iterator[dict[str, Any]]:
    """Return dangerous variables that a careless host might put into a scope."""
    loop = asyncio.new_event_loop()
    coroutine = fetch()
    task = loop.create_task(fetch())
    error = raised()
    yield {
        "user": User(), "User": User, "Mail": Mail, "mail": Mail("x"), "fetch": fetch, "stream": stream, "numbers": numbers,
        "coroutine": coroutine, "task": task, "future": loop.create_future(), "generator": numbers(), "awaited": Awaited(),
        "json_module": json, "re": re, "codecs": codecs, "operator": operator, "string": string, "error": error,
        "traceback": error.__traceback__, "frame": sys._getframe(), "code": fetch.__code__, "frames": sys._getframe,
        "partial": functools.partial(print, "x"), "Formatter": string.Formatter, "formatter": string.Formatter(),
        "modules": lambda: sys, "tracebacks": lambda: error.__traceback__, "lookup": {"t": task, "c": coroutine},
    }  # fmt: skip
    coroutine.close()
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


COMPILE_TIME = r"""
().__class__.__base__.__subclasses__()
''.__class__.__mro__[1]
(lambda: 0).__globals__
(lambda: 0).__code__
user.__init__.__globals__
user.__dict__
user.__reduce_ex__(2)
user.name.__func__.__globals__
user.name.im_func
user.name.func_globals
len.__self__
__builtins__
__import__('os')
__name__
User.mro()
int.mro()
user.__class__ = int
User.secret = 'pwn'
user.secret = 'pwn'
del User.secret
user.secret += 'x'
for user.secret in [1]: pass
with user as user.secret: pass
[user.x for user.x in [1]]
(user.x, a) = 1, 2
coroutine.cr_frame.f_builtins['eval']('1')
coroutine.cr_code
generator.gi_frame
generator.gi_code.co_consts
stream().ag_frame
task.get_coro().cr_frame
task.get_stack()[0].f_builtins
traceback.tb_frame.f_globals
frame.f_back.f_globals
error.__traceback__
error.with_traceback(None)
error.__context__
'{0.__class__}'.format(user)
'{0.__class__}'.format_map({})
f'{user}'.format(user)
import os
from os import path
class A: pass
async def f(): pass
await fetch()
def f(): yield 1
def f(): yield from [1]
def f():\n    nonlocal x
global x
user.ｃｌａｓｓ__ if 0 else user.＿_class__
def __f(): pass
lambda __x: 1
def f(*__a): pass
def f(**__k): pass
f(__a=1)
try: 1\nexcept Exception as __e: pass
with user as __x: pass
(__x := 1)
__x += 1
del __x
[1 for __x in [1]]
@user\ndef f(): pass
match user:\n    case User(__class__=c): c
try: 1\nexcept* Exception: pass
exec('1') if __debug__ else 1
f'{user.__class__}'
f'{1:{user.__class__}}'
"""

RUN_TIME = """
open('/etc/passwd').read()
compile('1', '', 'eval')
getattr(user, '__class__')
setattr(user, 'x', 1)
hasattr(user, 'x')
vars(user)
dir(user)
globals()
locals()
type(user)
object()
super()
input()
breakpoint()
memoryview(b'')
bytearray(5)
classmethod(len)
BaseException
SystemExit
KeyboardInterrupt
GeneratorExit
ExceptionGroup
raise SystemExit
mail.format(user)
Mail.format('{0.__class__}', user)
Mail.format_map('{x.__class__}', {'x': user})
str.format('{0.__class__}', user)
str.format_map('{x}', {})
list(map(str.format, ['{0.__class__}'], [user]))
formatter.format('{0.__class__.__init__.__globals__}', user)
Formatter().format('{0.__class__}', user)
fetch().close()
c = fetch()
[fetch() for i in range(1)]
fetch().throw
stream()
stream().asend(1)
coroutine.close()
coroutine.send(None)
lookup['c'].close()
lookup['t'].result()
task.cancel()
task.result()
task.add_done_callback(print)
future.set_result(1)
awaited.x
generator.send(1)
generator.close()
numbers().send(1)
numbers().throw(ValueError)
frame.clear()
traceback.anything
code.replace()
frames(0)
frames()
modules()
modules().path
tracebacks()
json_module.loads('1')
json_module.codecs.builtins.eval('1')
re.match('a', 'a')
re.enum.bltns.eval('1')
codecs.open('/tmp/pwn', 'w')
operator.attrgetter('__class__')(user)
operator.methodcaller('format', user)('{0}')
string.Formatter()
partial.func
partial.args
partial.keywords
user.name.anything
len.anything
str.join.anything
fetch.anything
(lambda: 0).name
(lambda: 0).run
error.obj
math.anything
math.name
json.codecs
json.dumps(1, cls=user)
json.loads('1', object_hook=user)
str.ljust('a', 10**9)
"""


def payloads(text: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in text.strip().splitlines()]


@pytest.mark.parametrize("payload", payloads(COMPILE_TIME))
def test_refused_at_compile_time(script: Any, payload: str) -> None:
    with pytest.raises(BindError) as caught:
        script(payload)
    assert {found.code for found in caught.value.diagnostics} <= {
        "script-forbidden",
        "script-unsupported",
        "script-syntax",
    }


@pytest.mark.parametrize("payload", payloads(RUN_TIME))
def test_refused_at_run_time(script: Any, exposed: dict[str, Any], payload: str) -> None:
    compiled = script(payload)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a coroutine that was never awaited
        with pytest.raises((NameError, AttributeError, TypeError)):
            compiled.run(Scope(Scope(None, **exposed)))
    assert exposed["User"].secret == "s3cret"


def test_allowed_operations_on_objects(run: Any) -> None:
    from enum import Enum

    Color = Enum("Color", "RED GREEN")
    assert run("user.name() + User.secret", user=User(), User=User) == "bobs3cret"
    assert run("c.RED.name, c.RED.value", c=Color) == ("RED", 1)
    assert run("p('y')", p=functools.partial("{}{}".format, "x")) == "xy"
    assert run("e.args, e.name", e=raised())[1] == "nothing"


def test_an_async_function_is_refused_with_a_hint(run: Any) -> None:
    with pytest.raises(TypeError, match=r"'fetch' is an async function; write 'await' before the call"):
        run("fetch()", fetch=fetch)


def test_the_guard_checks_names_too() -> None:
    for name in ("__class__", "cr_frame", "mro"):
        with pytest.raises(AttributeError, match="refused"):
            guarded_getattr(1, name)


def test_names_of_a_script_do_not_clash_with_the_evaluator(outcome: Any) -> None:
    names = ["self", "node", "machine", "budget", "scope", "functions", "locals", "lambda_", "script"]
    text = "".join(f"{name} = {index}\n" for index, name in enumerate(names))
    assert outcome(text + "(lambda self, node, locals, dict: self + node)(1, 2, 3, 4)")[0] == 3


TOO_LARGE = r"""
9 ** 9 ** 9
((10 ** 10000) ** 10000) ** 50
pow(9, 9 ** 9)
1 << 10 ** 9
x = 3\nwhile True: x = x * x
x = 3\nwhile True: x *= x
'a' * 10 ** 10
10 ** 10 * 'a'
b'a' * 10 ** 10
[0] * 10 ** 10
(0,) * 10 ** 10
x = [0]\nx *= 10 ** 10
s = 'ab'\nwhile True: s = s + s
s = 'ab'\nwhile True: s += s
s = [1]\nwhile True: s = s + s
s = [1]\nwhile True: s += s
s = [1]\nwhile True: s.extend(s)
s = [1]\nwhile True: s[len(s):] = s
s = 'ab'\nwhile True: s = f'{s}{s}'
s = 'ab'\nwhile True: s = ''.join([s, s, s])
s = 'ab'\nwhile True: s = s.replace('a', 'aaaa')
'a'.ljust(10 ** 10)
'a'.zfill(10 ** 10)
'a'.center(width) if False else 'a'.center(10 ** 10)
('\t' * 1000).expandtabs(10 ** 9)
(1).to_bytes(10 ** 10, 'big')
f'{1:>10000000000}'
f'{1:{10 ** 10}}'
'%10000000000d' % 1
'%*d' % (10 ** 10, 1)
b'%10000000000d' % 1
for i in range(10 ** 12): pass
sum(range(10 ** 10))
max(range(10 ** 11))
list(range(0, -(10 ** 11), -1))
round(1, -(10 ** 9))
math.factorial(10 ** 7)
math.comb(10 ** 7, 10 ** 6)
math.prod([10 ** 10000] * 10000)
int('9' * 200000)
"""


@pytest.mark.parametrize("payload", payloads(TOO_LARGE))
def test_results_have_a_limited_size(run: Any, payload: str) -> None:
    start = time.monotonic()
    with pytest.raises((OverflowError, ValueError)):
        run(payload)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "payload",
    [
        "while True: pass",
        "for x in endless: pass",
        "[x for x in endless]",
        "list(x for x in endless)",
        "while True:\n    try: 1 / 0\n    except: pass",
        "while True:\n    try: x = 1\n    finally: continue",
        "def f():\n    while True: pass\ntry: f()\nexcept Exception: 'handled'",
        "d = {}\nwhile True: d[len(d)] = 1",
        "sorted([1, 2], key=lambda x: [y for y in endless])",
        "list(map(lambda x: x, endless))",
    ],
)
@pytest.mark.parametrize("limits", [Limits(ticks=20_000), Limits(seconds=0.02)])
def test_endless_scripts_are_stopped(script: Any, payload: str, limits: Limits) -> None:
    endless = iter(int, 1)
    with pytest.raises(ScriptBudgetError, match="the script was stopped"):
        script(payload, settings=ScriptSettings(limits=limits)).run(Scope(None, endless=endless))


def test_a_function_that_outlives_its_script_has_a_budget_of_its_own(script: Any) -> None:
    scope = Scope(None)
    settings = ScriptSettings(limits=Limits(ticks=1_000))
    script("def f(n): return sum(i for i in range(n))\ng = (i for i in range(3_000))", settings=settings).run(scope)
    assert [scope["f"](100) for _ in range(20)] == [4950] * 20
    with pytest.raises(ScriptBudgetError):
        scope["f"](2_000)
    with pytest.raises(ScriptBudgetError):
        list(scope["g"])


def test_a_deadline_does_not_apply_to_functions_called_later(script: Any) -> None:
    scope = Scope(None)
    settings = ScriptSettings(limits=Limits(seconds=0.01))
    script("g = (i for i in range(2000))", settings=settings).run(scope)
    time.sleep(0.02)
    assert len(list(scope["g"])) == 2000
