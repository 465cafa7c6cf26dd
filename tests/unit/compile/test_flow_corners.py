"""Rare cases of the engine, each shown by a small flow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from templates import flow_templates_of

from taskrun import Completion, Decorator, Step, TaskManager, decorator, step
from taskrun.calls.remote_scripts import compile_with_defaults, evaluate_text
from taskrun.compile.bind import Binder
from taskrun.compile.registry import Registry
from taskrun.core.fields import Own
from taskrun.errors import FlowError, PluginError, StepError
from taskrun.syntax.load import parse
from taskrun.value_types import type_of

STEP = '<step name="a"><source>1</source></step>'


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a flow into the test's folder and return its path."""

    def make(text: str, name: str = "flow.task.xml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return make


@pytest.mark.parametrize(
    "part",
    [
        '<step name="a"><revert>1 // 0</revert><source>1</source></step>',
        '<step name="a"><onReload>1 // 0</onReload><source>1</source></step>',
        '<step name="a" saveState="true"><source>1</source></step>',
        '<sequential name="s" persisVars="x"><steps><step name="a"><source>1</source></step></steps></sequential>',
        '<step name="a" allowStartIfComplete="true"><source>1</source></step>',
        '<step name="a"><input name="x" value="${1}" persist="false"/><source>x</source></step>',
        '<step name="a"><source>1</source><output name="x" value="${RESULT}" persist="true"/></step>',
        '<step name="a"><source>1</source><retry maxRetryCount="1" revertAll="true"/></step>',
    ],
)  # fmt: skip
def test_durable_attributes_need_no_store(write, part):
    """Attributes about records have no effect on the outputs of a run that is not recorded."""
    result = TaskManager.run(write(f"<task><steps>{part}</steps></task>"))
    assert (result.status, result.result) == ("SUCCEEDED", 1)


@pytest.mark.parametrize(
    "text",
    [
        f'<task defaultSaveState="false" restartable="true"><steps>{STEP}</steps></task>',
        (
            '<task><steps><step name="a" allowStartIfComplete="false"><input name="RESULT" persist="true"/>'
            '<source>1</source><output name="RESULT" persist="false"/></step></steps></task>'
        ),
    ],
)
def test_durable_attributes_with_their_defaults(write, text):
    """Attributes with their default values change nothing."""
    assert TaskManager.run(write(text)).result == 1


def test_the_schema_reference_chooses_the_dialect(write):
    """A file with the schema of the Java engine is xscript, unless it declares another dialect."""
    text = (
        '<task x:schema="/nop/schema/task/task.xdef" {}><steps><step name="a"><source>{}</source></step></steps></task>'
    )
    assert TaskManager.run(write(text.format("", "true ? 1 : 2"))).result == 1
    assert TaskManager.run(write(text.format('scriptLang="python"', "1 if True else 2"))).result == 1


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("", "needs taskModelPath or taskName"),
        ('taskName="x" taskModelPath="y.task.xml"', "remove one of them"),
        ('taskModelPath="y.task.xml" taskVersion="2"', "taskVersion is for taskName"),
        ('taskName="x" taskVersion="2"', "'x' version 2 not found"),
    ],
)
def test_ways_of_naming_a_task(write, attributes, message):
    """A task is named by its path or by its name, not by both."""
    with pytest.raises(FlowError, match=message):
        TaskManager.load(write(f"<task><steps><call-task {attributes}/></steps></task>"))


def test_problems_of_a_called_file_are_located_in_it(write):
    """Only the problems of the called file are reported."""
    write("<task><steps><stepp/></steps></task>", "called.task.xml")
    with pytest.raises(FlowError, match=r"called\.task\.xml:1:14: error\[unknown-element\]"):
        TaskManager.load(write('<task><steps><call-task taskModelPath="called.task.xml"/></steps></task>'))


def test_calls_that_go_too_deep(write):
    """An endless recursion fails with the chain of files."""
    path = write(
        '<task><input name="n" type="int"/><steps><call-task name="c" taskModelPath="flow.task.xml">'
        '<when>n >= 0</when><input name="n" value="${n + 1}"/></call-task></steps></task>'
    )
    with pytest.raises(StepError, match="more than 32 deep") as caught:
        TaskManager.run(path, {"n": 0})
    assert str(caught.value.__cause__).count("flow.task.xml") > 2


def test_a_recursion_that_ends(write):
    """A task may call itself."""
    path = write(
        '<task><input name="n" type="int"/><steps><if name="i"><input name="n"/><condition>n > 1</condition>'
        '<then useParentScope="true"><steps><call-task name="c" taskModelPath="flow.task.xml"><input name="n" value="${n - 1}"/>'
        '</call-task><step name="times"><input name="n"/><input name="RESULT"/><source>n * RESULT</source></step></steps></then>'
        "<else><steps><step><source>1</source></step></steps></else></if></steps></task>"
    )
    assert TaskManager.run(path, {"n": 5}).result == 120


def test_beans_of_the_caller(write):
    """With useParentBeanContainer a called task can use the beans that its caller defines."""
    called = '<task useParentBeanContainer="{}"><steps><step name="a"><source>inject("word").text</source></step></steps></task>'
    path = write(
        '<task><beans><bean id="word" class="types:SimpleNamespace"><property name="text" value="hi"/></bean></beans>'
        '<steps><call-task name="c" taskModelPath="called.task.xml"/></steps></task>'
    )
    write(called.format("true"), "called.task.xml")
    assert TaskManager(allow=["types"]).run(path).result == "hi"
    write(called.format("false"), "called.task.xml")
    with pytest.raises(StepError, match="there is no bean 'word'"):
        TaskManager(allow=["types"]).run(path)


@decorator("loud", rank=10, attribute=True)
class Loud(Decorator):
    """A foreign decorator that is written as an attribute."""

    loud: bool

    async def around(self, frame: Any, inner: Any) -> Any:
        """Run the step and change its result to capitals."""
        done = await inner(frame)
        return Completion({"RESULT": done.result.upper()}) if self.loud else done


@decorator("greeting", rank=11)
class Greeting(Decorator):
    """A foreign decorator whose element is a script, with a documented attribute."""

    body: Own
    mark: Annotated[str, "what comes behind"] = "!"

    async def around(self, frame: Any, inner: Any) -> Any:
        """Run the step and add a greeting to its result."""
        done = await inner(frame)
        return Completion({"RESULT": frame.eval(self.body) + done.result + self.mark})


def test_foreign_decorators(write):
    """Decorators of other packages need no entry in the schema and no change of the engine."""
    path = write(
        '<task><steps><step name="a" loud="true"><source>"ada"</source><greeting mark="?">"hello "</greeting></step>'
        '<step name="b" loud="false"><input name="RESULT"/><source>RESULT</source></step></steps></task>'
    )
    assert TaskManager(steps=[Loud, Greeting]).run(path).result == "hello ADA?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A part of a foreign step."""

    text: str


@step("words")
class Words(Step):
    """A foreign step with parts that are no steps."""

    word: tuple[Word, ...] = ()

    async def run(self, frame: Any) -> Completion:
        """Return the joined texts of the parts."""
        return Completion({"RESULT": " ".join(word.text for word in self.word)})


def test_a_foreign_step_with_parts():
    """Parts are bound like the step; they are not steps inside it."""
    node = parse("flow", b'<words name="w"><word text="a"/><word text="b"/></words>')
    binder = Binder(Registry([Words]), flow_templates_of(node))
    made = binder.step(node, "python")
    assert [word.text for word in made.word] == ["a", "b"]
    assert list(made.children()) == []


def test_a_variable_of_another_step_is_hinted(write):
    """The hint names the step that has the variable."""
    with pytest.raises(FlowError, match="it is a variable of 'l', whose scope is not seen from here"):
        TaskManager.load(
            write(
                '<task><input name="x"/><steps><loop name="l" itemsExpr="[1]" varName="item"><steps>'
                '<step name="a"><source>item</source></step></steps></loop></steps></task>'
            )
        )


def test_variables_of_every_enclosing_step(write):
    """With useParentScope on all enclosing steps, their variables are known."""
    path = write(
        '<task defaultUseParentScope="true"><input name="x"/><steps><loop name="l" itemsExpr="[x]" varName="item"><steps>'
        '<step name="a"><source>item + x</source></step></steps></loop></steps></task>'
    )
    assert TaskManager.run(path, {"x": 2}).result == 4


def test_python_steps_in_a_library(write):
    """The variables that their functions need are checked where the library step is called."""
    write('<task><steps><simple name="add" bean="add"/></steps></task>', "lib.task-lib.xml")
    path = write(
        '<task><input name="a"/><steps><call-step name="c" libModelPath="lib.task-lib.xml" stepName="add">'
        '<input name="a"/><input name="b" value="${2}"/></call-step></steps></task>'
    )
    assert TaskManager(beans={"add": lambda a, b: a + b}).run(path, {"a": 1}).result == 3
    path = write(
        '<task><input name="a"/><input name="b"/><steps><call-step name="c" libModelPath="lib.task-lib.xml" stepName="add"/>'
        "</steps></task>"
    )
    assert TaskManager(beans={"add": lambda a, b: a + b}).run(path, {"a": 1, "b": 5}).result == 6


def test_keys_that_are_equal_after_conversion():
    """A conversion that would lose an entry of a mapping fails."""
    with pytest.raises(ValueError, match="is not of type dict"):
        type_of("dict[str, int]").convert({1: 1, "1": 2})


def test_a_script_is_compiled_in_the_worker_process():
    """A script that runs in a process is compiled there, from its element."""
    node = parse("flow", b"<source>y = x + 1\nreturn y * 2</source>")
    assert evaluate_text(compile_with_defaults, node, "python", {"x": 1}) == (4, {"y": 2})


def test_two_owners_of_a_tag():
    """The error names both classes."""

    @step("sleep")
    class Nap(Step):
        """Another sleep."""

        async def run(self, frame: Any) -> Any:
            """Not reached."""

    with pytest.raises(PluginError, match=r"<sleep> has two owners: taskrun\.steps\.sleep\.Sleep and .*Nap"):
        TaskManager(steps=[Nap])


def test_repr_of_a_flow(write):
    """The repr has name, version, file and size."""
    flow = TaskManager.load(write(f'<task name="n" version="3"><steps>{STEP}</steps></task>'))
    assert repr(flow).startswith("Flow('n', version=3, path=")
    assert repr(flow).endswith("steps=1)")


def test_a_timeout_error_of_the_body_is_no_step_timeout(write):
    """A TimeoutError that a step raises within its time is not a StepTimeout."""

    def late() -> None:
        raise TimeoutError("the other side")

    path = write('<task><steps><simple name="a" bean="late" timeout="10s"/></steps></task>')
    with pytest.raises(StepError, match="TimeoutError: the other side"):
        TaskManager(beans={"late": late}).run(path)


@pytest.mark.parametrize("count", [1, 128, 129, 400])
def test_long_bodies(write, count):
    """Yielding to the event loop in a long body does not change the result."""
    steps = "".join(f'<step name="s{n}"><source>{n}</source></step>' for n in range(count))
    assert TaskManager.run(write(f"<task><steps>{steps}</steps></task>")).result == count - 1


def test_a_typed_output_that_is_null(write):
    """Null is valid for every type."""
    path = write(
        '<task><steps><step name="a"><source>None</source><output name="x" type="int"/></step></steps><output name="x"/></task>'
    )
    assert dict(TaskManager.run(path)) == {"x": None}


def test_inputs_whose_scripts_assign_or_fail(write):
    """Assignments of an input's script do not change the caller's variables; its exceptions are propagated unchanged."""
    path = write(
        '<task><steps><step name="a"><input name="x"><source>y = 2\nreturn y</source></input><source>x</source></step>'
        '<step name="b"><source>y</source></step></steps></task>'
    )
    with pytest.raises(StepError, match="unknown variable 'y'"):
        TaskManager.run(path)
    path = write(
        '<task><steps><step name="a"><input name="x" type="int"><source>{}["k"]</source></input></step></steps></task>'
    )
    with pytest.raises(StepError, match="KeyError: 'k'"):
        TaskManager.run(path)


def test_a_missing_variable_among_typed_inputs(write):
    """The missing variable is reported together with the other problems of the inputs."""
    path = write(
        '<task><steps><step name="a"><input name="total"/><input name="n" type="int" value="x"/></step></steps></task>'
    )
    with pytest.raises(StepError, match=r"unknown variable 'total'; did you mean 'totl'\?\ninput 'n'"):
        TaskManager.run(path, {"totl": 1})


def test_catch_of_cancellation_without_a_catch(write):
    """CatchInternalException without a catch is a warning."""
    flow = TaskManager.load(write('<task><steps><step name="a" catchInternalException="true"/></steps></task>'))
    assert [item.code for item in flow.warnings] == ["no-catch"]


def test_a_branch_that_handles_its_cancellation(write):
    """The branch ends by itself, and the run continues and is not cancelled."""
    path = write(
        '<task><steps><parallel name="p" joinType="anySuccess"><steps><sleep name="long" sleepMillisExpr="60000" '
        'catchInternalException="true"><catch>"handled"</catch></sleep><sleep name="short" sleepMillisExpr="1"/></steps>'
        '<aggregator>aggResults.size()</aggregator></parallel><step name="b"><source>taskRt.isCancelled()</source></step></steps></task>'
    )
    assert TaskManager.run(path).result is False
