"""Binding of elements to steps: values of every type, and every problem at its exact location."""

from __future__ import annotations

import re
from typing import Any

import pytest
from small_flows import Bench, found, task
from templates import flow_templates_of

from taskrun.compile.bind import bind
from taskrun.compile.registry import Registry
from taskrun.errors import BindError
from taskrun.syntax.delta.extend import language_of
from taskrun.syntax.load import parse
from taskrun.syntax.normalize import normalize

ONE = '<step name="a"><source>1</source></step>'


def root(text: str) -> Any:
    """Return the kernel tree of a text that is not validated by the schema."""
    return normalize(parse("flow.task.xml", text.encode()))


def bound(text: str) -> Any:
    """Bind a tree that is not validated by the schema."""
    tree = root(text)
    return bind(tree, Registry(), flow_templates_of(tree))


def refused(text: str) -> list[tuple[str, int, int, str]]:
    """Return code, line, column and message of each problem of such a tree."""
    with pytest.raises(BindError) as caught:
        bound(text)
    return [(item.code, *item.location[1:], item.message) for item in caught.value.diagnostics]


def test_values_of_every_kind() -> None:
    """Attributes and children become values of the types of the fields."""
    header, step = bound(
        """<task name="n" version="3" useParentBeanContainer="1" recordMetrics="false" tagSet="a, b c">
        <description>words</description>
        <import as="M" class="math"/>
        <beans><bean id="b" class="x:Y" destroyMethod="end">
          <constructor-arg value="1"/><constructor-arg name="k" ref="c"/><property name="p" value="${1}"/>
        </bean></beans>
        <steps>
          <retry-less/>
          <parallel joinType="anySuccess" autoCancelUnfinished="false"><steps>
            <delay delayMillisExpr="2s"/><delay delayMillisExpr="n * 2"/><delay delayMillisExpr="${n}s"/>
          </steps></parallel>
        </steps></task>""".replace("<retry-less/>", "")
    )
    assert (header.name, header.version, header.use_parent_bean_container, header.record_metrics) == (
        "n",
        3,
        True,
        False,
    )
    assert [(item.as_, item.class_) for item in header.imports] == [("M", "math")]
    (bean,) = header.definitions
    assert (bean.id, bean.class_, bean.destroy_method) == ("b", "x:Y", "end")
    assert [(item.name, item.ref) for item in bean.arguments] == [(None, None), ("k", "c")]
    assert [(item.name, item.value.run({})) for item in bean.properties] == [("p", 1)]
    assert step.description == "words"
    assert step.tag_set == {"a", "b", "c"}
    (parallel,) = step.steps
    assert parallel.join_type.value == "anySuccess"
    assert not parallel.auto_cancel_unfinished
    constant, *computed = (item.delay_millis for item in parallel.steps)
    assert constant == (2.0, None)
    assert [item.constant for item in computed] == [None, None]
    assert [item.script.text for item in computed] == ["n * 2", "${n}s"]


def test_disabled_steps_and_extensions_are_left_out() -> None:
    """Neither disabled elements nor elements of foreign namespaces become steps."""
    _, step = bound(
        f'<task xmlns:my="my"><my:thing/><steps>text<my:step/><step disabled="true"/><step disabled="1"/>{ONE}</steps></task>'
    )
    assert [child.name for child in step.steps] == ["a"]


@pytest.mark.parametrize(
    ("attributes", "language"),
    [
        ("", "python"),
        ('scriptLang="xscript"', "xscript"),
        ('x:schema="/nop/schema/task/task.xdef"', "xscript"),
        ('x:schema="/nop/schema/task/task.xdef" scriptLang="python"', "python"),
        ('x:schema="task.xsd"', "python"),
    ],
)
def test_the_dialect_of_a_file(attributes: str, language: str) -> None:
    """The dialect is the declared one, else that of the schema that the file names."""
    assert (language_of(parse("t", f"<task {attributes}/>".encode())) or "python") == language


def test_the_dialect_is_inherited_downwards(bench: Bench) -> None:
    """Each step has the dialect of the nearest enclosing element that declares one."""
    flow = bench.load(
        task(
            '<sequential name="s" scriptLang="python"><steps><delay name="d" delayMillisExpr="5"/></steps></sequential>',
            attributes='x:schema="task.xdef"',
        )
    )
    (sequential,) = flow.model.children()
    (delay,) = sequential.children()
    assert [step.language for step in (flow.model, sequential, delay)] == ["xscript", "python", "python"]


WRONG: dict[str, tuple[tuple[str, int, str], ...]] = {
    '<delay name="a" delayMillisExpr="${1 +}"/>': (("script-syntax", 39, ""),),
    '<delay name="a" delayMillisExpr="1 +"/>': (("script-syntax", 37, ""),),
    '<step name="a" timeout="soon"/>': (("bad-value", 16, "timeout='soon': expected a duration"),),
    '<step name="a"><retry maxRetryCount="x"/></step>': (("bad-value", 23, "maxRetryCount='x': "),),
    '<step name="a" returnType="intt"/>': (("bad-value", 16, "returnType='intt': no type of that name; did you mean"),),
    '<step name="a" returnType="?!"/>': (("bad-value", 16, "returnType='?!': no type of that name; one of"),),
    '<step name="a"><input name="x" value="${"/></step>': (("script-syntax", 39, ""),),
    '<step name="a"><input/></step>': (("missing-attribute", 16, "<input> needs the attribute name"),),
    '<step name="a"><throttle/></step>': (
        ("missing-attribute", 16, "<throttle> needs the attribute maxConcurrency"),
        ("missing-attribute", 16, "<throttle> needs the attribute maxWait"),
    ),
    '<choose name="a"/>': (("missing-element", 1, "<choose> needs a <decider>"),),
    '<if name="a"><then><steps/></then></if>': (("missing-element", 1, "<if> needs a <condition>"),),
    '<loop name="a" itemsExpr="[]"/>': (("missing-element", 1, "<loop> needs a <steps>"),),
    '<step name="a"><source>1</source><source>2</source></step>': (("doubled", 34, "a second <source> in <step>"),),
    '<step name="a"><catch>1</catch><catch>2</catch></step>': (("doubled", 32, "a second <catch> in <step>"),),
    '<step name="a"><source>1 +</source></step>': (("script-syntax", 27, ""),),
    '<step name="a"><source><c:if/></source></step>': (("missing-attribute", 24, "<c:if> needs the attribute test"),),
    '<step name="a"><when><isNull/></when></step>': (("missing-attribute", 22, "<isNull> needs the attribute name"),),
    '<step name="a"><input name="x"><schema>{</schema></input></step>': (("bad-value", 32, "<schema>: "),),
    '<step name="a"><input name="x"><schema>{"type": "x"}</schema></input></step>': (("bad-value", 32, "not a JSON Schema"),),
    '<step name="a"><revert>1 +</revert></step>': (("script-syntax", 27, ""),),
    '<step name="a"><revert>1</revert><revert>2</revert></step>': (("doubled", 34, "a second <revert> in <step>"),),
    '<step name="a"><revert retryDelay="soon">1</revert></step>': (("bad-value", 24, "retryDelay"),),
    '<suspend name="a"><resume-when>1 +</resume-when></suspend>': (("script-syntax", 35, ""),),
    '<stepp name="a"/>': (("unknown-step-type", 1, "there is no step type <stepp>"),),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problems"), WRONG.items(), ids=list(WRONG))
def test_problems_have_exact_locations(text: str, problems: tuple[tuple[str, int, str], ...]) -> None:
    """Each problem is located at its attribute, character or element."""
    actual = refused(f"<task><steps>\n{text}\n</steps></task>")
    assert [item[:3] for item in actual] == [(code, 2, column) for code, column, _ in problems]
    for (*_, message), (*_, expected) in zip(actual, problems, strict=True):
        assert re.search(re.escape(expected), message), message


def test_repeatable_parts_are_no_duplicates() -> None:
    """Inputs, outputs, decorators, foreign elements and cases may be repeated."""
    _, step = bound(
        """<task xmlns:my="my"><steps><choose name="c"><my:a/><my:a/><input name="x"/><input name="y"/>
        <output name="x"/><output name="y"/><decider>1</decider><case match="1"><steps/></case><case match="2"><steps/></case>
        </choose></steps></task>"""
    )
    (choose,) = step.steps
    assert len(choose.inputs) == len(choose.outputs) == len(choose.case) == 2


def test_durable_attributes_become_values() -> None:
    """A missing attribute is None, so that the task or the step decides."""
    header, step = bound(
        '<task defaultSaveState="false" restartable="false"><steps><step name="a" saveState="true" persisVars="x, y"'
        ' allowStartIfComplete="true"><input name="x" persist="false"/><output name="x" persist="false"/><output name="y"/>'
        '<revert timeout="1s" maxRetryCount="2" retryDelay="5">x</revert></step><step name="b"/></steps></task>'
    )
    assert (header.default_save_state, header.restartable) == (False, False)
    a, b = step.steps
    assert (a.save_state, a.allow_start_if_complete, a.persis_vars) == (True, True, {"x", "y"})
    assert ([item.persist for item in a.inputs], [item.persist for item in a.outputs]) == ([False], [False, None])
    assert (a.revert.timeout.constant, a.revert.max_retry_count, a.revert.retry_delay.constant) == (1.0, 2, 0.005)
    assert (b.save_state, b.allow_start_if_complete, b.persis_vars, b.revert) == (None, False, frozenset(), None)


def test_duplicate_imports_and_beans() -> None:
    """A second import, or bean, with the same name is an error."""
    text = """<task>
<import as="A" class="x"/><import as="A" class="y"/>
<beans><bean id="b" class="x"/><other id="b"/><bean id="b" class="y"/></beans><steps/></task>"""
    assert [item[:3] for item in refused(text)] == [("duplicate-name", 2, 35), ("duplicate-name", 3, 53)]


def test_all_problems_are_raised_together(bench: Bench) -> None:
    """Problems of the schema and of values are raised together, in the order of the file, one per location."""
    problems = bench.problems(
        task(
            '<step name="a" tymeout="1"/>\n<step name="b"><source>1 +</source></step>\n<delay delayMillisExpr="1 1"/>\n'
            '<step name="d" timeout="soon"/>'
        )
    )
    assert found(problems) == [
        ("unknown-attribute", 3, 16), ("script-syntax", 4, 27), ("script-syntax", 5, 27), ("bad-value", 6, 16),
    ]  # fmt: skip


def test_problems_of_a_step_and_its_decorators_are_reported_together() -> None:
    """Decorators of a wrong step are checked too, and a wrong decorator does not hide problems of its step."""
    text = '<task><steps>\n<step name="a" timeout="x"><source>1 +</source><retry retryDelay="y"/></step></steps></task>'
    assert [item[:3] for item in refused(text)] == [
        ("bad-value", 2, 16),
        ("script-syntax", 2, 39),
        ("bad-value", 2, 55),
    ]


def test_an_attribute_of_the_step_that_its_decorator_reads() -> None:
    """A field marked OnStep is read from the attribute of the step's element."""
    _, step = bound('<task><steps><step name="a" catchInternalException="true"><catch>1</catch></step></steps></task>')
    assert step.steps.steps[0].decorators[0].catch_internal_exception


def test_prefixed_attributes_are_collected() -> None:
    """Declarations of the prefixes are not included."""
    _, step = bound(
        '<task><steps><step name="a"><decorator name="d" bean="b" d:x="1" d:y="2" xmlns:d="d"/></step></steps></task>'
    )
    assert step.steps.steps[0].decorators[0].parameters == {"x": "1", "y": "2"}
