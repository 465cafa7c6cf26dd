"""Tests of Task without a run: the names that it reads and provides, as in the documentation of OpenStack TaskFlow."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest

import taskrun
from taskrun import FunctionTask, StepContext, Task, function_task
from taskrun.calls.provides import keys_by_name, provided_outputs
from taskrun.errors import RunError


class MyTask(Task):
    """The first example of TaskFlow's chapter on arguments."""

    def execute(self, spam: Any, eggs: Any, bacon: Any = None) -> Any:
        """Add two."""
        return spam + eggs


class UniTask(Task):
    """A task with any arguments."""

    def execute(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing."""


class SpawnVM(Task):
    """TaskFlow's example of rebinding."""

    def execute(self, vm_name: str, vm_image_id: str, **kwargs: Any) -> Any:
        """Return the arguments."""
        return vm_name, vm_image_id, kwargs


class Revertible(Task):
    """A task with a compensation."""

    def execute(self, order: Any, size: int = 1) -> Any:
        """Do nothing."""

    def revert(self, result: Any, order: Any, size: int = 1, reason: str = "") -> Any:
        """Do nothing."""


def test_names_are_inferred() -> None:
    """The examples in the documentation of TaskFlow give the documented names."""
    assert sorted(MyTask().requires) == ["eggs", "spam"]
    assert sorted(MyTask().optional) == ["bacon"]
    assert sorted(UniTask().requires) == sorted(UniTask().optional) == []
    assert MyTask().name.endswith("MyTask")
    assert MyTask("other").name == "other"
    assert repr(MyTask("other")) == "MyTask('other')"


def test_task_is_exported_and_imported_lazily() -> None:
    """``taskrun`` exports Task and FunctionTask, but imports no module of its own when it is imported."""
    assert taskrun.Task is Task
    assert isinstance(function_task(print_), FunctionTask)
    program = "import sys, taskrun; print([name for name in sys.modules if name.startswith('taskrun.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_task_can_be_pickled() -> None:
    """A Task can be pickled."""
    sent = pickle.loads(pickle.dumps(Revertible(rebind=["id"], inject={"size": 2}, provides={"a": None})))
    assert (sent.requires, sent.rebind, sent.save_as) == ({"id"}, {"order": "id", "size": "size"}, {"a": None})


def test_execute_is_abstract() -> None:
    """A subclass of Task without ``execute`` cannot be created."""
    with pytest.raises(TypeError, match="execute"):
        Task()  # type: ignore[abstract]


@pytest.mark.parametrize(
    ("rebind", "requires", "names"),
    [
        ({"vm_name": "name"}, ["name", "vm_image_id"], {"vm_name": "name", "vm_image_id": "vm_image_id"}),
        (["name"], ["name", "vm_image_id"], {"vm_name": "name", "vm_image_id": "vm_image_id"}),
        (("name", "image"), ["image", "name"], {"vm_name": "name", "vm_image_id": "image"}),
        (
            ("name", "image", "key"),
            ["image", "key", "name"],
            {"vm_name": "name", "vm_image_id": "image", "key": "key"},
        ),
    ],
)
def test_rebinding(rebind: Any, requires: list[str], names: dict[str, str]) -> None:
    """``rebind`` gives names by parameter or by position; further names go to ``**kwargs``."""
    spawn = SpawnVM(rebind=rebind)
    assert sorted(spawn.requires) == requires
    assert spawn.rebind == names


def test_an_optional_argument_that_is_rebound_is_required() -> None:
    """A parameter with a default that ``rebind`` names needs a value."""
    rebound = MyTask(rebind={"bacon": "ham"})
    assert sorted(rebound.requires) == ["eggs", "ham", "spam"]
    assert rebound.optional == frozenset()


def test_requires_beyond_the_signature() -> None:
    """``requires`` names arguments for ``**kwargs``; ``auto_extract=False`` ignores the signature."""
    assert sorted(SpawnVM(requires="key").requires) == ["key", "vm_image_id", "vm_name"]
    chosen = SpawnVM(requires=("vm_name", "vm_image_id", "x"), auto_extract=False)
    assert sorted(chosen.requires) == ["vm_image_id", "vm_name", "x"]
    assert sorted(MyTask(ignore_list=["bacon"]).optional) == []


def test_injected_values_are_not_required() -> None:
    """Injected values for ``**kwargs`` are named in ``requires`` too, as in TaskFlow."""
    assert sorted(MyTask(inject={"eggs": 2, "bacon": 1}).requires) == ["spam"]
    assert MyTask(inject={"bacon": 1}).optional == frozenset()
    assert MyTask(rebind={"eggs": "yolk"}, inject={"yolk": 2}).requires == {"spam"}
    inject = {"context": 1, "parameters": 2}
    made = function_task(lambda *_, **kwargs: kwargs, inject=inject, requires=[*inject, "checkpoint"], name="hook")
    assert made.requires == {"checkpoint"}


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"rebind": ["a", "b", "c"]}, ValueError, "does not accept 'c' .*; its parameters are: spam, eggs, bacon"),
        ({"rebind": {"egs": "x"}}, ValueError, "does not accept 'egs'"),
        ({"requires": ["more"]}, ValueError, "does not accept 'more'"),
        ({"auto_extract": False}, ValueError, "no argument for 'spam', 'eggs': name it in requires"),
        ({"inject": {"nobody": 1}}, ValueError, "inject contains 'nobody', which neither"),
        ({"rebind": "spam"}, TypeError, "rebind is a list of names or a mapping"),
        ({"provides": 3}, TypeError, "provides is a name, a tuple, a set or a mapping of names, not a int"),
        ({"provides": (1,)}, TypeError, "provides consists of names, not 1"),
        ({"provides": "RESULT"}, ValueError, "RESULT is the whole result"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], error: type[Exception], text: str) -> None:
    """Wrong settings are refused when the object is created."""
    with pytest.raises(error, match=text):
        MyTask("my", **settings)


def test_functions_that_cannot_be_called_by_name() -> None:
    """Functions with positional-only parameters or without a signature are refused."""
    with pytest.raises(ValueError, match="cannot take 'a' by name: remove the '/'"):
        function_task(eval("lambda a, /: a"))
    with pytest.raises(ValueError, match="has no signature that Python can read: wrap it in a def"):
        function_task(dict)
    with pytest.raises(ValueError, match=r"does not accept 'x' .*; it has no parameters"):
        function_task(lambda: 1, requires="x")
    for wrong in ({"function": 1}, {"function": print, "revert": 1}):
        with pytest.raises(TypeError, match="takes functions, not 1"):
            function_task(**wrong)


def test_provides() -> None:
    """``provides`` is a name, names by position, by key or with their keys; ``default_provides`` is the default."""
    assert keys_by_name("t", None) == {}
    assert provided_outputs("t", keys_by_name("t", "answer"), 42) == {"answer": 42}
    assert provided_outputs("t", keys_by_name("t", ["a", "b"]), ("x", "y")) == {"a": "x", "b": "y"}
    assert provided_outputs("t", keys_by_name("t", {"a", "b"}), {"a": 1, "b": 2, "c": 3}) == {"a": 1, "b": 2}
    assert provided_outputs("t", keys_by_name("t", {"a": "key", "all": None}), {"key": 1}) == {
        "a": 1,
        "all": {"key": 1},
    }

    class Answer(UniTask):
        default_provides = ("bits", "pieces")

    assert Answer().provides == {"bits", "pieces"}
    assert Answer(provides="one").provides == {"one"}
    assert Answer(provides=()).provides == frozenset()


@pytest.mark.parametrize(
    ("provides", "result", "text"),
    [
        (("a", "b"), (1,), "t provides 'b' as item 1 of its result, which is a tuple that has no such item"),
        ({"a"}, {"b": 1}, "t provides 'a' as item 'a' of its result, which is a dict"),
        (("a",), None, "t provides 'a' as item 0 of its result, which is a NoneType"),
    ],
)
def test_a_missing_item_of_the_result(provides: Any, result: Any, text: str) -> None:
    """A missing item of the result is a LookupError that names it."""
    with pytest.raises(LookupError, match=text):
        provided_outputs("t", keys_by_name("t", provides), result)


def test_names_of_revert() -> None:
    """``revert`` has a signature of its own and, without ``revert_rebind``, the names of ``execute``."""
    revertible = Revertible(rebind=["id"])
    assert revertible.has_revert
    assert revertible.revert_rebind == {"order": "id", "size": "size", "reason": "reason"}
    assert (revertible.revert_requires, revertible.revert_optional) == ({"id"}, {"size", "reason"})
    assert (revertible.requires, revertible.optional) == ({"id"}, {"size", "reason"})
    other = Revertible(revert_rebind=["of"])
    assert (other.requires, other.revert_requires) == ({"order", "of"}, {"of"})
    assert not MyTask().has_revert
    assert MyTask().revert_requires == MyTask().revert_optional == frozenset()


def test_revert_with_any_argument_gets_what_was_required() -> None:
    """A ``revert`` with ``**kwargs`` gets the arguments of ``requires`` and ``rebind``, not the others of ``execute``."""

    class Any_(SpawnVM):
        def revert(self, **kwargs: Any) -> Any:
            return kwargs

    assert Any_(rebind=("name", "image", "key"), requires="more").revert_rebind == {"more": "key"}
    assert Any_(requires=("more", "vm_name")).revert_rebind == {"more": "more"}
    assert Any_(revert_requires="x").revert_requires == {"x"}


def test_a_function_with_a_revert() -> None:
    """``function_task`` makes a task of two functions."""
    made = function_task(lambda x, y: x + y, revert=lambda x, flow_failures: x, provides="sum")
    assert (made.requires, made.provides, made.has_revert) == ({"x", "y"}, {"sum"}, True)
    assert made.execute(1, 2) == 3
    assert not function_task(print_).has_revert


def print_(text: str) -> None:
    """Do nothing."""


def test_context_of_a_process() -> None:
    """A pickled context has the same idempotency key, but cannot report progress."""
    reported: list[Any] = []
    context = StepContext("r1", "main/a", 2, lambda *progress: reported.append(progress), lambda: True)
    assert (context.idempotency_key, context.is_cancelled) == ("r1/main/a/2", True)
    context.progress(1, "done")
    assert reported == [(1.0, "done")]
    sent = pickle.loads(pickle.dumps(context))
    assert sent == context
    assert (sent.idempotency_key, sent.is_cancelled) == ("r1/main/a/2", False)
    with pytest.raises(RunError, match="a worker process cannot report progress"):
        sent.progress(0.5)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), True, "1"])
def test_progress_is_a_fraction(fraction: Any) -> None:
    """A progress outside 0 to 1 is refused."""
    with pytest.raises(ValueError, match="progress goes from 0 to 1"):
        StepContext("r", "p", report=lambda *_: None).progress(fraction)
