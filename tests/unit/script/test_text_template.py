"""Text templates: output, sandbox, limits, and locations of problems and failures."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from xml.sax.saxutils import escape

import pytest
from script_payloads import SECRET, hosts

from taskrun.core.scope import Scope
from taskrun.core.script_views import ErrorBean, StepResults
from taskrun.errors import BindError
from taskrun.script.script import Limits, ScriptBudgetError, ScriptSettings
from taskrun.script.text_template import TextTemplate, compile_text_template
from taskrun.syntax.load import parse


def template(text: str, *, awaits: bool = False, **settings: Any) -> TextTemplate:
    """Compile a text as the ``<source>`` of flow.task.xml."""
    node = parse("flow.task.xml", f"<source>{escape(text)}</source>".encode())
    return compile_text_template(node, awaits=awaits, settings=ScriptSettings(**settings))


@pytest.fixture(params=[False, True], ids=["now", "awaited"])
def made(request: pytest.FixtureRequest) -> Any:
    """Return a function that evaluates a template with variables: once synchronous, once asynchronous."""

    def make(text: str, limits: Limits | None = None, **variables: Any) -> str:
        compiled = template(text, awaits=request.param, limits=limits or Limits(seconds=2))
        value = compiled.run(Scope(None, **variables))
        return asyncio.run(value) if request.param else value

    return make


TEXTS = {
    "Dear {{ who|title }}!": "Dear Ada!",
    "\n{% for x in xs %}\n- {{ x }}\n{% endfor %}\nend\n  \n": "- 1\n- 2\nend",
    "  a\n\n  b  \n": "  a\n\n  b",
    "{{ None }}|{{ 1.5 }}|{{ true }}": "|1.5|True",
    "{{ '<b>' }} {{ '<b>'|e }}": "<b> &lt;b&gt;",
    "{{ row.name }} {{ row['name'] }} {{ table.key }} {{ table['key'] }}": "n n k k",
    "{{ xs[0] }} {{ xs[-1:] }} {{ nope|d('none') }} {{ nope is defined }}": "1 [2] none False",
    "{{ 1 ~ 'x' ~ None ~ 2.5 }}": "1x2.5",
    "{{ 'a'|center(5) }}|{{ 'a\nb'|indent(2) }}|{{ 'a\n\nb\n'|indent('-', true, true) }}": "  a  |a\n  b|-a\n-\n-b\n",
    "{{ '%s-%s'|format(1, 2) }} {{ '%(a)s'|format(a=1) }} {{ 'aa'|replace('a', 'b', 1) }}": "1-2 1 ba",
    "{{ xs|sum }} {{ [{'n': {'m': 2}}]|sum(attribute='n.m', start=1) }} {{ xs|join('+') }}": "3 3 1+2",
    "{{ [{'a': ['x']}]|join(',', attribute='a.0') }} {{ [None, 1]|join('-') }}": "x -1",
    "{{ 2.567|round(2) }} {{ 2.1|round(0, 'ceil') }} {{ {'a': [1, 'ä']}|tojson }}": '2.57 3.0 {"a": [1, "ä"]}',
    "{{ xs|map('string')|list }} {{ [3, 1, 1]|sort|unique|list }}": "['1', '2'] [1, 3]",
    "{% for g in [{'a': 1}, {'a': 1}]|groupby('a') %}{{ g.grouper }}:{{ g.list|length }}{% endfor %}": "1:2",
    "{% for x in xs %}{{ loop.index }}/{{ loop.length }}{{ ',' if not loop.last }}{% endfor %}": "1/2,2/2",
    "{% for x in [[1, [2]]] recursive %}{{ loop(x) if x is iterable else x }};{% endfor %}": "1;2;;;",
    "{% for x in range(9) %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}": "01",
    "{% macro m(a) %}<{{ a }}{{ caller() if caller is defined }}>{% endmacro %}{% call m(1) %}c{% endcall %}{{ m(2) }}": "<1c><2>",
    "{% set n = namespace(i=1) %}{% for x in xs %}{% set n.i = n.i + x %}{% endfor %}{{ n.i }}": "4",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}": "aba",
    "{% set t %}x{{ 1 }}{% endset %}{{ t }}{% filter upper %}y{% endfilter %}": "x1Y",
    "{{ len(xs) }} {{ str(1) }} {{ math.sqrt(4) }} {{ json.dumps({'a': 1}) }} {{ sorted([2, 1]) }}": '2 1 2.0 {"a": 1} [1, 2]',
    "{{ dict(a=1).a }} {{ '7'|int + 1 }} {{ 7 // 2 }} {{ 2 ** 3 }} {{ '%02d' % 7 }}": "1 8 3 8 07",
    "{% raw %}{{ x }}{% endraw %}{# not this #}": "{{ x }}",
}


@pytest.mark.parametrize("text", TEXTS)
def test_text(made: Any, text: str) -> None:
    class Row:
        name = "n"

    assert made(text, who="ada", xs=[1, 2], row=Row(), table={"key": "k"}) == TEXTS[text]


def test_variables_that_a_template_reads() -> None:
    """Optional variables are not required."""
    compiled = template("{{ a }}{% for b in c %}{{ b }}{% endfor %}{{ len(d|d(1)) }}{% if e is defined %}{% endif %}")
    assert compiled.reads == {"a", "c"}
    assert compiled.uses == {"len", "d", "e"}
    assert (compiled.stores, compiled.suspends) == (frozenset(), False)


def test_an_attribute() -> None:
    node = parse("flow.task.xml", b'<p title="Dear {{ who }}"/>')
    assert compile_text_template(node, "title").run(Scope(None, who="Ada")) == "Dear Ada"


def test_variables_hide_names_of_the_table(made: Any) -> None:
    assert made("{{ len }}", len=3) == "3"


def test_async_functions_are_awaited() -> None:
    """Async functions can be called by asynchronous templates only."""

    async def fetch(name: str) -> list[str]:
        await asyncio.sleep(0)
        return [name, "x"]

    text = "{{ fetch('a')[0] }}{% for x in fetch('b') %}{{ x }}{% endfor %}{{ fetch('c')|join('-') }}"
    assert asyncio.run(template(text, awaits=True).run(Scope(None, fetch=fetch))) == "abxc-x"
    with pytest.raises(TypeError, match="'fetch' is an async function"):
        template(text).run(Scope(None, fetch=fetch))


def test_waiting_costs_no_time_but_macros_do() -> None:
    async def wait() -> str:
        await asyncio.sleep(0.2)
        return "w"

    text = "{% macro m() %}{{ wait() }}{% endmacro %}{{ m() }}"
    compiled = template(text, awaits=True, limits=Limits(seconds=0.1))
    assert asyncio.run(compiled.run(Scope(None, wait=wait))) == "w"


def test_results_of_steps_can_be_read(made: Any) -> None:
    """Step results can be read; attributes that lead to the engine are refused."""
    results = StepResults()
    text = "{{ ERROR.description }} {{ results.size() }}"
    assert made(text, ERROR=ErrorBean(ValueError("no")), results=results) == "no 0"
    with pytest.raises(TypeError, match="'inject' of the engine"):
        made("{{ inject('db') }}", inject=Scope(None).find)


ESCAPES = [
    "{{ ''.__class__.__mro__ }}", "{{ ''['__class__'] }}", "{{ cycler.__init__.__globals__ }}", "{{ lipsum.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}", "{{ namespace.__init__.__globals__ }}", "{{ namespace().__class__ }}",
    "{{ '{0.__class__}'.format(1) }}", "{{ '{0.__class__}'['format'](1) }}", "{{ 'x'.format_map }}",
    "{{ loud.format(account) }}", "{{ ''|attr('__class__') }}", "{{ ['__class__']|map('attr')|list }}",
    "{{ [account]|map(attribute='_pin')|join }}", "{{ [account]|map(attribute='__class__.reveal')|list }}",
    "{{ [account]|sum(attribute='_pin', start='') }}", "{{ [account]|join(attribute='_pin') }}",
    "{{ [account]|selectattr('_pin')|join }}",
    "{{ account._pin }}", "{{ account['_pin'] }}", "{{ account.__class__.reveal() }}", "{{ account.balance.__self__._pin }}",
    "{{ account.balance.__func__.__globals__ }}", "{{ Account() }}", "{{ Account.reveal() }}", "{{ cls(account) }}",
    "{{ fetch.__globals__ }}", "{{ fetch().cr_frame }}", "{{ generator.gi_frame }}", "{{ frame() }}", "{{ partial() }}",
    "{{ partial.func }}", "{{ error.__traceback__.tb_frame }}", "{{ error.with_traceback(none) }}", "{{ trace }}",
    "{{ trace.tb_frame }}", "{{ code.co_consts }}", "{{ json_module }}", "{{ json_module.decoder }}",
    "{{ string_module.Formatter() }}", "{{ formatter.format('{0._pin}', account) }}", "{{ formatter.vformat }}",
    "{{ formatter.get_field('0._pin', [account], {}) }}", "{{ self._TemplateReference__context }}", "{{ self.x() }}",
    "{{ nope._undefined_name }}", "{{ nope.__class__ }}", "{{ xs.append(4) }}", "{{ xs.clear() }}", "{{ {}.update(a=1) }}",
    "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}", "{% for x in [1] %}{{ loop._context }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}", "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{% call m() %}{% endcall %}", "{{ int.__class__ }}",
    "{{ math._members }}", "{{ context }}", "{{ environment }}", "{{ str.__subclasses__() }}", "{{ dict.fromkeys }}",
    "{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{% from 'os' import path %}", "{% extends 'x' %}",
    "{% block x %}{% endblock %}", "{{ [json_module][0].decoder }}", "{{ {'m': json_module}.m }}", "{{ type(1) }}",
    "{{ 'x'|pprint }}", "{{ account|xmlattr }}", "{{ xs|map }}", "{{ ticks() }}", "{{ account.balance }}",
    "{{ fetch }}",
]  # fmt: skip


@pytest.mark.parametrize("text", ESCAPES)
def test_no_escape(made: Any, text: str) -> None:
    """Each payload is refused at compile time or at run time."""
    variables = hosts()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what each of them raises is not the point
        made(text, **variables)
    assert not isinstance(caught.value, AssertionError)
    assert SECRET not in str(caught.value)
    assert variables["xs"] == [1, 2, 3]


@pytest.mark.parametrize("name", ["groupby", "sort", "unique", "min", "map"])
def test_refused_attributes_select_no_items(made: Any, name: str) -> None:
    """A filter that selects by a refused attribute finds no items."""
    argument = "attribute='_pin'"
    assert SECRET not in made(f"{{{{ [account]|{name}({argument})|string }}}}", account=hosts()["account"])


GREEDY = [
    "{{ range(10**12) }}", "{{ 'x' * 10**9 }}", "{{ 10**9 * 'x' }}", "{{ [0] * 10**9 }}", "{{ 10 ** (10 ** 8) }}",
    "{{ '%999999999d' % 1 }}", "{{ '%999999999d'|format(1) }}", "{{ 'x'|center(10**9) }}", "{{ 'x'|indent(10**9) }}",
    "{{ 'x'.center(10**9) }}", "{{ [1]|batch(10**9, 0)|list }}", "{{ [1]|slice(10**9, 0)|list }}", "{{ 'x'.zfill(10**9) }}",
    "{{ ('b' * 10**6)|replace('b', 'b' * 10**6) }}", "{{ range(10**6)|join('x' * 10**3) }}",
    "{{ 'xy'.join(['x' * 10**6] * 1000) }}", "{{ [[[[1]] * 1000] * 1000] * 1000 }}", "{{ 1|round(10**9) }}",
    "{% set x = [[[[1]] * 1000] * 1000] * 1000 %}{{ x|string }}", "{% set x = [[[[1]] * 1000] * 1000] * 1000 %}{{ x|tojson }}",
    "{% set n = namespace(s='x') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "{% set n = namespace(s='x') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "{% set n = namespace(s='x') %}{% for i in range(99) %}{% set t %}{{ n.s }}{{ n.s }}{% endset %}{% set n.s = t %}{% endfor %}",
    "{% for x in range(10**6) %}" + "x" * 1000 + "{% endfor %}", "{% for x in range(10**6) %}{{ 'x' * 1000 }}{% endfor %}",
    "{% set t %}{% for x in range(10**6) %}" + "x" * 1000 + "{% endfor %}{% endset %}",
    "{{ [[0] * 10**6] * 200|int }}{{ ([[0] * 10**6] * 200)|sum(start=[]) }}", "{{ math.factorial(10**6) }}",
    "{{ json.dumps([1], indent=10**9) }}", "{{ {'a': 1}|tojson(10**9) }}", "{{ 'a'|wordwrap(10**9) }}",
]  # fmt: skip


@pytest.mark.parametrize("text", GREEDY, ids=range(len(GREEDY)))
def test_results_have_a_limited_size(made: Any, text: str) -> None:
    began = time.monotonic()
    with pytest.raises((OverflowError, ScriptBudgetError)):
        made(text)
    assert time.monotonic() - began < 20


ENDLESS = [
    "{% for a in range(10**6) %}{% for b in range(10**6) %}{% endfor %}{% endfor %}",
    "{% for a in range(99) %}{% for b in range(99) %}{% for c in range(99) %}{% for d in range(99) %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(50) }}",
    "{% for x in xs recursive %}{{ loop(xs) if loop.depth < 50 }}{% endfor %}",
    "{% for x in endless %}{% endfor %}", "{{ endless|list }}", "{{ endless|sum }}", "{{ endless|map('string')|join }}",
    "{{ endless|unique|list }}", "{{ sorted(endless) }}", "{{ endless|reject('none')|first }}{{ endless|max }}",
]  # fmt: skip


@pytest.mark.parametrize("text", ENDLESS, ids=range(len(ENDLESS)))
def test_endless_loops_are_stopped(made: Any, text: str) -> None:
    began = time.monotonic()
    limits = Limits(seconds=0.5, ticks=1_000_000)
    with pytest.raises(ScriptBudgetError):
        made(text, limits, endless=hosts()["endless"], xs=[1, 2])
    assert time.monotonic() - began < 20


def test_endless_recursion(made: Any) -> None:
    with pytest.raises(RecursionError):
        made("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")


WRONG = {
    "a\n{% if %}": ("script-syntax", 2, "Expected an expression"),
    "{{ 'a' }": ("script-syntax", 1, "unexpected '}'"),
    "a\n  {% for x in y %}\nb": ("script-syntax", 3, "Unexpected end of template"),
    "\n\n{{ x|uper }}": ("script-unsupported", 3, "unknown filter 'uper'"),
    "{% if x is evn %}{% endif %}": ("script-unsupported", 1, "unknown test 'evn'"),
    "a\n{% include 'x' %}": ("script-unsupported", 2, "cannot use other files or blocks"),
    "{{ self }}": ("script-forbidden", 1, "the name 'self' is reserved"),
    "{{ " + "(" * 90 + "1" + ")" * 90 + " }}{{ " + "-" * 200 + "1 }}": ("script-syntax", 1, "nested too deeply"),
    "{% for a in b %}" * 25 + "{% endfor %}" * 25: ("script-syntax", 1, "nested too deeply"),
    "{{ " + "[" * 5000 + "]" * 5000 + " }}": ("script-syntax", 1, "nested too deeply"),
    "x" * 50_001: ("script-syntax", 1, "50,001 characters; 50,000 are allowed"),
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_wrong(text: str) -> None:
    with pytest.raises(BindError) as caught:
        template(text)
    code, line, message = WRONG[text]
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.location.line) == (code, line)
    assert message in problem.message


def test_hint_for_a_filter() -> None:
    with pytest.raises(BindError, match="did you mean 'upper'"):
        template("{{ x|uper }}")


def test_all_problems_at_once() -> None:
    with pytest.raises(BindError) as caught:
        template("{{ x|foo }}\n{{ x|bar }}")
    assert [problem.location.line for problem in caught.value.diagnostics] == [1, 2]


FAILURES = {
    "\n\n  {{ nope }}": (NameError, "3:3", "unknown variable 'nope'"),
    "{{ nowho }}": (NameError, "1:9", "did you mean 'now'"),
    "a\n{{ 1 / zero }}": (ZeroDivisionError, "2:1", "division by zero"),
    "{% for x in [1] %}\n{{ row.nme }}\n{% endfor %}": (LookupError, "2:1", "has no attribute 'nme'"),
    "{{ nope + 1 }}": (NameError, "1:9", "unknown variable 'nope'"),
    "{{ 1 + row.nope }}": (LookupError, "1:9", "has no attribute 'nope'"),
    "{{ nope() }}": (NameError, "1:9", "unknown variable 'nope'"),
    "{{ zero() }}": (TypeError, "1:9", "not callable"),
    "{{ '%s'|format(1, a=2) }}": (TypeError, "1:9", "not both"),
    "{{ row[1] }}": (LookupError, "1:9", "has no element 1"),
    "{% for x in nope %}{% endfor %}": (NameError, "1:9", "unknown variable 'nope'"),
    "{% if nope %}{% endif %}": (NameError, "1:9", "unknown variable 'nope'"),
}


@pytest.mark.parametrize("text", FAILURES)
def test_place_of_a_failure(made: Any, text: str) -> None:
    kind, place, message = FAILURES[text]
    with pytest.raises(kind, match=None) as caught:
        made(text, zero=0, row={})
    assert message in str(caught.value)
    (note,) = caught.value.__notes__
    assert note.startswith(f"in script at flow.task.xml:{place}: ")


def test_templates_do_not_disturb_each_other() -> None:
    """Concurrent evaluations of one template have variables and budgets of their own."""

    async def pause(value: int) -> int:
        await asyncio.sleep(0.001 * (value % 3))
        return value

    async def many() -> list[str]:
        compiled = template("{% for i in range(5) %}{{ pause(n) }}{% endfor %}", awaits=True)
        return list(await asyncio.gather(*(compiled.run(Scope(None, pause=pause, n=n)) for n in range(20))))

    assert asyncio.run(many()) == [str(n) * 5 for n in range(20)]


def test_async_iterables_of_the_host() -> None:
    """An asynchronous template iterates over them and checks their items."""

    async def items(*values: Any) -> Any:
        for value in values:
            yield value

    text = "{% for x in xs %}{{ x }}{% endfor %}"
    compiled = template(text, awaits=True)
    assert asyncio.run(compiled.run(Scope(None, xs=Async(items, 1, 2)))) == "12"
    with pytest.raises(TypeError, match="does not get the type 'str'"):
        asyncio.run(compiled.run(Scope(None, xs=Async(items, str))))


class Async:
    """Asynchronous iterable."""

    def __init__(self, items: Any, *values: Any) -> None:
        self.items, self.values = items, values

    def __aiter__(self) -> Any:
        return self.items(*self.values)


def test_types_in_values(made: Any) -> None:
    """Types inside values can be passed on but not used."""
    for text in ("{{ t.mro() }}", "{{ t() }}", "{{ t }}", "{{ t[0] }}", "{{ t['mro'] }}", "{{ t.fromkeys }}"):
        with pytest.raises((AttributeError, TypeError)):
            made("{% for t in ts %}" + text + "{% endfor %}", ts=[dict])


def test_a_template_that_is_too_large() -> None:
    with pytest.raises(BindError, match="too large or nested too deeply"):
        template("{{ a }}" * 100, limits=Limits(source_nodes=50))


def test_the_innermost_location_remains() -> None:
    """An error of a nested template keeps the location of the inner one."""
    inner = template("\n\n{{ 1 / 0 }}")
    with pytest.raises(ZeroDivisionError) as caught:
        template("{{ inner() }}").run(Scope(None, inner=lambda: inner.run(Scope(None))))
    assert [note[:34] for note in caught.value.__notes__] == ["in script at flow.task.xml:3:1: {{"]


def test_awaitables_are_called_where_they_can_be_awaited() -> None:
    class Later:
        def __await__(self) -> Any:
            yield

    with pytest.raises(TypeError, match="'later' is an async function"):
        template("{{ later() }}").run(Scope(None, later=_named("later", Later)))


def _named(name: str, kind: type) -> Any:
    def made() -> Any:
        return kind()

    made.__name__ = name
    return made
