"""Tests of Task objects in ``<simple>``: arguments, hooks, provided names, compensation, context of functions."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
from small_flows import Bench, found, task

from taskrun import Completion, Decorator, Frame, StepContext, Task, decorator, function_task
from taskrun.calls.task_calls import has_revert, names_for_revert, revert_with, values_for_revert
from taskrun.core.events import StepFinished, StepProgress
from taskrun.errors import RunError
from taskrun.observers.json_lines import JsonLines
from taskrun.observers.progress import Progress

SIMPLE = '<simple name="s" bean="f"/>'
X, Y = '<input name="x"/>', '<input name="y"/>'


def add(x: int, y: int = 10) -> int:
    return x + y


class Noting(Task):
    """A Task that notes the calls of its methods, and fails in the method ``failing``."""

    def __init__(self, failing: str = "") -> None:
        super().__init__("noting")
        self.failing = failing
        self.notes: list[str] = []

    def note(self, what: str) -> None:
        """Note a call, with a star when it runs in a worker thread."""
        self.notes.append(what if threading.current_thread() is threading.main_thread() else f"{what}*")
        if what == self.failing:
            raise OSError(what)

    def execute(self) -> int:
        """Note the call."""
        self.note("execute")
        return 1

    def revert(self) -> str:
        """Note the call."""
        self.note("revert")
        return "reverted"

    def pre_execute(self) -> None:
        """Note the call before ``execute``."""
        self.note("pre")

    def post_execute(self) -> None:
        """Note the call after ``execute``."""
        self.note("post")

    def pre_revert(self) -> None:
        """Note the call before ``revert``."""
        self.note("before")

    def post_revert(self) -> None:
        """Note the call after ``revert``."""
        self.note("after")


class NotingAsync(Noting):
    """The same Task with async methods."""

    async def execute(self) -> int:
        """Note the call on the event loop."""
        return super().execute()

    async def pre_execute(self) -> None:
        """Note the call before ``execute``."""
        super().pre_execute()


class Bits(Task):
    """A Task that provides two names."""

    default_provides = ("bits", "pieces")

    def execute(self) -> Any:
        """Return the values of the two names."""
        return "BITs", "PIECEs"


def test_arguments_are_inputs_by_the_names_of_the_task(bench: Bench) -> None:
    inputs = '<input name="a" value="${1}"/>'
    flow = task(f'<simple name="s" bean="f">{inputs}</simple>')
    assert bench.run(flow, beans={"f": function_task(add, rebind={"x": "a"})}).result == 11
    assert bench.run(flow, beans={"f": function_task(add, rebind={"x": "a"}, inject={"y": 5})}).result == 6
    (_, problem) = bench.problems(flow, beans={"f": function_task(add, name="add")})
    assert (problem.code, problem.location.line) == ("wrong-arguments", 3)
    assert "'s' calls add: it has no parameter 'a'" in problem.message
    (problem,) = bench.problems(flow, beans={"f": function_task(add, rebind={"x": "a"}, inject={"a": 5})})
    assert "it has no parameter 'a'" in problem.message


def test_arguments_without_inputs_are_variables_of_the_caller(bench: Bench) -> None:
    flow = task(SIMPLE, head='<input name="a"/><input name="y" optional="true"/>')
    renamed = function_task(add, rebind=["a"])
    assert bench.run(task(SIMPLE, head='<input name="a"/>'), {"a": 1}, beans={"f": renamed}).result == 11
    assert bench.run(flow, {"a": 1, "y": 2}, beans={"f": renamed}).result == 3
    injecting = function_task(add, rebind=["a"], inject={"y": 7})
    assert bench.run(flow, {"a": 1, "y": 2}, beans={"f": injecting}).result == 8


def test_a_missing_argument_is_reported_before_the_run(bench: Bench) -> None:
    flow = task(SIMPLE, head='<input name="b"/>\n')
    assert found(bench.problems(flow, beans={"f": function_task(add)})) == [("missing-argument", 4, 1)]
    reverted = function_task(lambda: 1, revert=lambda order: order, name="pay")
    (problem,) = bench.problems(flow, beans={"f": reverted})
    assert problem.message == "'s' calls pay, whose parameter 'order' has no input or variable"


def test_further_inputs_go_to_any_name(bench: Bench) -> None:
    made = function_task(lambda x, **more: (x, more), revert=lambda y: y, inject={"x": 0})
    flow = task('<simple name="s" bean="f"><input name="y" value="${1}"/><input name="z" value="${2}"/></simple>')
    assert bench.run(flow, beans={"f": made}).result == (0, {"z": 2})


@pytest.mark.parametrize(
    ("failing", "notes"),
    [("", "pre execute post"), ("execute", "pre execute post"), ("pre", "pre post"), ("post", "pre execute post")],
)
def test_hooks(bench: Bench, failing: str, notes: str) -> None:
    """The hook after ``execute`` runs after a failure too, then the task is reverted; all run in the executor."""
    undoing = ["before", "revert", "after"] if failing else []
    for cls, threads in ((Noting, {"pre", "execute", "post"}), (NotingAsync, {"post"})):
        bean = cls(failing)
        ran = bench.run(task(SIMPLE), beans={"f": bean})
        assert str(ran.cause if failing else ran.result) == (failing or "1")
        count = len(notes.split())
        assert bean.notes[:count] == [f"{word}*" if word in threads else word for word in notes.split()]
        assert [word.removesuffix("*") for word in bean.notes[count:]] == undoing
    bean = Noting()
    bench.run(task('<simple name="s" bean="f" executor="inline"/>'), beans={"f": bean})
    assert bean.notes == ["pre", "execute", "post"]


def test_in_a_process(bench: Bench) -> None:
    """A task runs in a process with its hooks; its context has no progress there."""
    flow = task('<simple name="s" bean="f" executor="process"/>')
    assert bench.run(flow, beans={"f": Noting()}).result == 1
    made = function_task(lambda context: (context.path, context.is_cancelled))
    assert bench.run(flow, beans={"f": made}).result == ("main/s", False)
    ran = bench.run(flow, beans={"f": lambda context: context.progress(0.5)})
    assert isinstance(ran.cause, RunError)
    assert "a worker process cannot report progress" in str(ran.cause)


def test_provided_names_are_outputs(bench: Bench) -> None:
    body = '<simple name="s" bean="f"><output name="pieces" exportAs="p"/><output name="bits"/></simple>'
    flow = task(body, tail='<output name="p"/><output name="bits"/><output name="pieces"/>', head=X)
    assert bench.run(flow, beans={"f": Bits()}).outputs == {"p": "PIECEs", "bits": "BITs", "pieces": None}


def test_without_outputs_all_provided_values_are_exported(bench: Bench) -> None:
    body = f'<sequential name="in"><steps>{SIMPLE}<step name="t"><input name="bits"/><source>bits</source></step></steps></sequential>'
    flow = task(body, head=X)
    assert bench.run(flow, beans={"f": Bits()}).result == "BITs"
    assert bench.run(task(SIMPLE, tail='<output name="bits"/>'), beans={"f": Bits}).outputs == {"bits": "BITs"}
    closed = task(SIMPLE + '<step name="t"><source>bit</source></step>', head=X)
    (problem,) = bench.problems(closed, beans={"f": Bits()})
    assert (problem.message, problem.hint) == ("unknown variable 'bit'", "did you mean 'bits'?")
    assert "unknown variable 'bits'" in str(bench.problems(flow, beans={"f": print})[0].message)


def test_values_provided_by_beans_of_the_run_are_unknown_before_the_run(bench: Bench) -> None:
    beans = '<beans><bean id="f" class="small_task_beans:Bits"/></beans>'
    flow = task(SIMPLE + '<step name="t"><source>pieces</source></step>', head=f"{X}{beans}")
    with pytest.MonkeyPatch.context() as patch:
        module = type(threading)("small_task_beans")
        module.Bits = Bits  # type: ignore[attr-defined]
        patch.setitem(__import__("sys").modules, "small_task_beans", module)
        assert bench.run(flow, allow=["small_task_beans"]).result == "PIECEs"


def test_a_missing_item_of_the_result_is_a_failure(bench: Bench) -> None:
    ran = bench.run(task(SIMPLE), beans={"f": Bits(provides=("a", "b", "c"))})
    assert str(ran.cause).endswith("provides 'c' as item 2 of its result, which is a tuple that has no such item")


def test_beans_that_cannot_be_used(bench: Bench) -> None:
    class Careless(Bits):
        def __init__(self) -> None:
            pass

    class Needy(Bits):
        def __init__(self, what: str) -> None:
            super().__init__(what)

    @dataclass
    class Positional:
        def execute(self, x: int, /) -> None:
            """Do nothing."""

        def revert(self) -> None:
            """Do nothing."""

    for bean, text in (
        (Careless(), "Careless.__init__() does not call super().__init__()"),
        (Needy, "Needy cannot be created without arguments ("),
        (Positional(), "cannot take 'x' by name"),
    ):
        (problem,) = bench.problems(task(SIMPLE), beans={"f": bean})
        assert problem.code == "unknown-method"
        assert text in problem.message


@decorator("reverted", rank=95)
class Undone(Decorator):
    """A decorator that reverts a step as soon as it has ended."""

    bean: str

    async def around(self, frame: Frame, inner: Any) -> Completion:
        """Run the step, revert it, and return the value of its ``revert``."""
        bean = frame.run.beans.get(self.bean)
        values = values_for_revert(frame, bean)
        assert values.keys() <= names_for_revert(bean)
        failure = RuntimeError("later")
        try:
            result = (await inner(frame)).result
        except Exception as error:  # noqa: BLE001 - whatever it is
            result = error
        reverted = await revert_with(
            frame, bean, values, result=result, failure=failure, failures={"main/z": failure}
        )  # fmt: skip
        return Completion({"RESULT": reverted})


REVERTED = '<simple name="s" bean="f">{}<reverted bean="f"/></simple>'


def reverted(bench: Bench, bean: Any, inputs: str = X + Y, **settings: Any) -> Any:
    """Return the value of the ``revert`` of a bean; the inputs x and y are 1 and 2."""
    flow = task(REVERTED.format(inputs), head=X + Y)
    return bench.run(flow, {"x": 1, "y": 2}, steps=[Undone], beans={"f": bean}, **settings).result


@dataclass
class Plain:
    """An object with both methods that is not a Task."""

    calls: list[Any] = field(default_factory=list)

    def execute(self, x: int, y: int) -> int:
        """Return the sum."""
        return x + y

    def revert(self, y: int, result: Any, failure: Any, flow_failures: Any) -> Any:
        """Return the arguments."""
        return y, result, str(failure), list(flow_failures)


def test_reverting(bench: Bench) -> None:
    """``revert`` receives the arguments of ``execute``, its result, and the failures."""
    expected = (2, 3, "later", ["main/z"])
    assert has_revert(Plain())
    assert names_for_revert(Plain()) == {"y"}
    assert reverted(bench, Plain()) == reverted(bench, Plain(), "") == expected
    made = function_task(add, revert=lambda **rest: sorted(rest), requires=[], rebind={"x": "y"}, inject={"y": 4})
    assert reverted(bench, made, "") == ["failure", "flow_failures", "result"]
    renamed = function_task(lambda a: a, revert=lambda a, result: (a, result), rebind={"a": "x"})
    assert reverted(bench, renamed, X) == (1, 1)
    injecting = function_task(add, revert=lambda x, y, result: (x, y, result), inject={"y": 5})
    assert names_for_revert(injecting) == {"x"}
    assert reverted(bench, injecting, X) == (1, 5, 6)


def text_of(result: object) -> str:
    return repr(result)


def test_reverting_a_failed_step(bench: Bench) -> None:
    """The result passed to ``revert`` of a failed step is its failure."""

    def fail() -> None:
        raise OSError("broken")

    assert reverted(bench, function_task(fail, revert=text_of), "") == "OSError('broken')"


def test_reverting_without_a_revert(bench: Bench) -> None:
    assert not has_revert(Bits)
    assert not has_revert(print)
    assert names_for_revert(Bits()) == names_for_revert(print) == frozenset()
    assert reverted(bench, Bits(), "") is None


def test_hooks_of_reverting(bench: Bench) -> None:
    bean = Noting()
    assert reverted(bench, bean, "") == "reverted"
    assert bean.notes == ["pre*", "execute*", "post*", "before*", "revert*", "after*"]


def test_a_value_that_was_not_recorded(bench: Bench) -> None:
    @decorator("lossy", rank=95)
    class Lossy(Decorator):
        async def around(self, frame: Frame, inner: Any) -> Completion:
            bean = frame.run.beans.get("f")
            await inner(frame)
            failure = RuntimeError()
            return Completion({"RESULT": await revert_with(frame, bean, {}, result=1, failure=failure, failures={})})

    flow = task(
        '<simple name="s" bean="f"><input name="x" value="${1}"/><input name="y" value="${2}"/><lossy/></simple>'
    )
    ran = bench.run(flow, steps=[Lossy], beans={"f": Plain()})
    assert str(ran.cause) == "there is no value 'y' for the parameter 'y'"


def describe(context: StepContext) -> Any:
    return context.run_id, context.path, context.attempt, context.idempotency_key


def describe_renamed(c: StepContext) -> Any:
    return describe(c)


def test_the_context(bench: Bench) -> None:
    """Functions and tasks receive the context as ``context``, unless a variable or input has that name."""
    for bean in (describe, function_task(describe), function_task(describe_renamed, rebind={"c": "context"})):
        run_id, path, attempt, key = bench.run(task(SIMPLE, head=X), beans={"f": bean}).result
        assert (path, attempt) == ("main/s", 1)
        assert key == f"{run_id}/main/s/1"
    given = function_task(lambda context: context)
    assert bench.run(task(SIMPLE, head='<input name="context"/>'), {"context": 5}, beans={"f": given}).result == 5
    one = task('<simple name="s" bean="f"><input name="context" value="${6}"/></simple>')
    assert bench.run(one, beans={"f": lambda context=None: context}).result == 6
    assert bench.run(one, beans={"f": given}).result == 6


def test_the_context_in_a_called_task_and_a_retry(bench: Bench) -> None:
    """The context has the run that was started, and another idempotency key for each attempt."""
    calls: list[Any] = []

    def work(context: StepContext) -> None:
        calls.append(describe(context))
        if context.attempt == 1:
            raise OSError

    inner = bench.write(task('<simple name="s" bean="f"><retry maxRetryCount="1"/></simple>'), "inner.task.xml")
    flow = task(f'<call-task name="c" taskModelPath="{inner.name}"/>')
    bench.run(flow, beans={"f": work})
    (run_id, *first), (same, *second) = calls
    assert run_id == same
    assert first == ["main/c/s", 1, f"{run_id}/main/c/s/1"]
    assert second == ["main/c/s#2", 2, f"{run_id}/main/c/s#2/2"]


def test_the_context_beside_declared_inputs(bench: Bench) -> None:
    """The context needs no declared input, and an async task without hooks receives it too."""

    async def later(x: int, context: StepContext) -> Any:
        return x, context.attempt

    flow = task('<simple name="s" bean="f"><input name="x" value="${1}"/></simple>')
    for bean in (later, function_task(later)):
        assert bench.run(flow, beans={"f": bean}).result == (1, 1)


def test_the_context_of_revert_is_not_cancelled(bench: Bench) -> None:
    """The context of ``revert`` is not cancelled when the run is, because a rollback runs to its end."""

    def cancelled(context: StepContext, run: Any) -> bool:
        run[-1].control.cancelled = "kill"
        return context.is_cancelled

    run: list[Any] = []

    @decorator("cancelled", rank=96)
    class Cancelled(Decorator):
        async def around(self, frame: Frame, inner: Any) -> Completion:
            run.append(frame.run)
            try:
                return await inner(frame)
            finally:
                frame.run.control.cancelled = None

    flow = task(REVERTED.replace("<reverted", "<cancelled/><reverted").format(""))
    bean = function_task(lambda: 1, revert=cancelled, inject={"run": run})
    assert bench.run(flow, steps=[Undone, Cancelled], beans={"f": bean}).result is False
    working = function_task(cancelled, inject={"run": run})
    flow = task('<simple name="s" bean="f"><cancelled/></simple>')
    assert bench.run(flow, steps=[Cancelled], beans={"f": working}).result is True


async def progress_on_the_loop(context: StepContext) -> None:
    context.progress(0.4, "half")


def progress_in_a_thread(context: StepContext) -> None:
    context.progress(0.4, "half")


@pytest.mark.parametrize("function", [progress_on_the_loop, progress_in_a_thread])
def test_progress_is_an_event(bench: Bench, function: Any) -> None:
    """Progress is an event before the end of its step; later progress is dropped."""
    contexts: list[StepContext] = []
    lines, shown = StringIO(), StringIO()

    def keeping(context: StepContext) -> Any:
        contexts.append(context)
        return function(context)

    ran = bench.run(
        task(SIMPLE), beans={"f": keeping}, watch=True, observers=[JsonLines(lines), Progress(shown)]
    )  # fmt: skip
    seen = [event for event in ran.events if isinstance(event, StepProgress | StepFinished)]
    assert [type(event).__name__ for event in seen] == ["StepProgress", "StepFinished"]
    assert seen[0] == StepProgress(seen[0].run_id, "main/s", 0.4, "half")
    assert '"event": "StepProgress"' in lines.getvalue()
    assert "main/s  40% half\n" in shown.getvalue()
    contexts[0].progress(0.9)
    assert bench.run(task(SIMPLE), beans={"f": function}).result is None  # nobody watches


def test_the_context_in_a_thread_is_cancelled(bench: Bench) -> None:
    """The context in a thread is cancelled by a time-out too; after that, progress is dropped."""
    stopped = threading.Event()

    def work(context: StepContext) -> None:
        while not context.is_cancelled:
            threading.Event().wait(0.001)
        context.progress(1)
        stopped.set()

    ran = bench.run(task('<simple name="s" bean="f" timeout="20"/>'), beans={"f": work}, watch=True)
    assert type(ran.cause).__name__ == "StepTimeout"
    assert stopped.wait(5)
    assert not [event for event in ran.events if isinstance(event, StepProgress)]
