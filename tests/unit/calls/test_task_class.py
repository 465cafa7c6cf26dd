"""Tasks by themselves: what they ask for and give, as OpenStack TaskFlow's documentation says."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest

import taskrun
from taskrun import StepContext, Task, function_task, task
from taskrun.calls.provides import keys_by_name, provided
from taskrun.errors import RunError


class MyTask(task.Task):
    """The first example of TaskFlow's chapter on arguments."""

    def execute(self, spam: Any, eggs: Any, bacon: Any = None) -> Any:
        """Add two."""
        return spam + eggs


class UniTask(task.Task):
    """Takes whatever comes."""

    def execute(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing."""


class SpawnVM(Task):
    """TaskFlow's example of rebinding."""

    def execute(self, vm_name: str, vm_image_id: str, **kwargs: Any) -> Any:
        """Return what it was given."""
        return vm_name, vm_image_id, kwargs


class Undone(Task):
    """Can be undone."""

    def execute(self, order: Any, size: int = 1) -> Any:
        """Do it."""

    def revert(self, result: Any, order: Any, size: int = 1, reason: str = "") -> Any:
        """Compensation it."""


def test_names_are_inferred() -> None:
    """The snippets of the documentation."""
    assert sorted(MyTask().requires) == ["eggs", "spam"]
    assert sorted(MyTask().optional) == ["bacon"]
    assert sorted(UniTask().requires) == sorted(UniTask().optional) == []
    assert MyTask().name.endswith("MyTask")
    assert MyTask("other").name == "other"
    assert repr(MyTask("other")) == "MyTask('other')"


def test_it_is_exported_and_imported_late() -> None:
    """``taskrun.Task`` is the class; importing taskrun does not load it."""
    assert taskrun.Task is task.Task
    program = "import sys, taskrun; print([name for name in sys.modules if name.startswith('taskrun.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_can_be_sent() -> None:
    """To a process, by anybody's pickle."""
    sent = pickle.loads(pickle.dumps(Undone(rebind=["id"], inject={"size": 2}, provides={"a": None})))
    assert (sent.requires, sent.rebind, sent.save_as) == ({"id"}, {"order": "id", "size": "size"}, {"a": None})


def test_execute_is_abstract() -> None:
    """A task without work cannot be made."""
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
    """By parameter or by position; what is left over goes to ``**kwargs`` under its own name."""
    spawn = SpawnVM(rebind=rebind)
    assert sorted(spawn.requires) == requires
    assert spawn.rebind == names


def test_an_optional_argument_that_is_rebound_is_required() -> None:
    """Who says where it comes from wants it to come."""
    rebound = MyTask(rebind={"bacon": "ham"})
    assert sorted(rebound.requires) == ["eggs", "ham", "spam"]
    assert rebound.optional == frozenset()


def test_requires_beyond_the_signature() -> None:
    """They are for ``**kwargs``; inference can be left out."""
    assert sorted(SpawnVM(requires="key").requires) == ["key", "vm_image_id", "vm_name"]
    chosen = SpawnVM(requires=("vm_name", "vm_image_id", "x"), auto_extract=False)
    assert sorted(chosen.requires) == ["vm_image_id", "vm_name", "x"]
    assert sorted(MyTask(ignore_list=["bacon"]).optional) == []


def test_injected_values_are_not_asked_for() -> None:
    """As in the snippet of ``create_task``: what is injected is named in ``requires`` for ``**kwargs``."""
    assert sorted(MyTask(inject={"eggs": 2, "bacon": 1}).requires) == ["spam"]
    assert MyTask(inject={"bacon": 1}).optional == frozenset()
    assert MyTask(rebind={"eggs": "yolk"}, inject={"yolk": 2}).requires == {"spam"}
    inject = {"context": 1, "parameters": 2}
    made = function_task(lambda *_, **kwargs: kwargs, inject=inject, requires=[*inject, "checkpoint"], name="hook")
    assert made.requires == {"checkpoint"}


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"rebind": ["a", "b", "c"]}, ValueError, "cannot take 'c', .*; its parameters are: spam, eggs, bacon"),
        ({"rebind": {"egs": "x"}}, ValueError, "cannot take 'egs'"),
        ({"requires": ["more"]}, ValueError, "cannot take 'more'"),
        ({"auto_extract": False}, ValueError, "nothing gives 'spam', 'eggs': name it in requires"),
        ({"inject": {"nobody": 1}}, ValueError, "inject gives 'nobody', which neither"),
        ({"rebind": "spam"}, TypeError, "rebind is a list of names or a mapping"),
        ({"provides": 3}, TypeError, "provides is a name, a tuple, a set or a mapping of names, not a int"),
        ({"provides": (1,)}, TypeError, "has a name, not 1"),
        ({"provides": "RESULT"}, ValueError, "RESULT is the whole result"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], error: type[Exception], text: str) -> None:
    """They are refused when the object is made."""
    with pytest.raises(error, match=text):
        MyTask("my", **settings)


def test_functions_that_cannot_be_called_by_name() -> None:
    """Arguments are given by name."""
    with pytest.raises(ValueError, match="cannot take 'a' by name: leave out the '/'"):
        function_task(eval("lambda a, /: a"))
    with pytest.raises(ValueError, match="does not tell its parameters: wrap it into a def"):
        function_task(dict)
    with pytest.raises(ValueError, match=r"cannot take 'x', .*; it has no parameters"):
        function_task(lambda: 1, requires="x")
    for wrong in ({"function": 1}, {"function": print, "revert": 1}):
        with pytest.raises(TypeError, match="takes functions, not 1"):
            function_task(**wrong)


def test_provides() -> None:
    """A name, names by position, by key, or with their keys; a default of the class."""
    assert keys_by_name("t", None) == {}
    assert provided("t", keys_by_name("t", "answer"), 42) == {"answer": 42}
    assert provided("t", keys_by_name("t", ["a", "b"]), ("x", "y")) == {"a": "x", "b": "y"}
    assert provided("t", keys_by_name("t", {"a", "b"}), {"a": 1, "b": 2, "c": 3}) == {"a": 1, "b": 2}
    assert provided("t", keys_by_name("t", {"a": "key", "all": None}), {"key": 1}) == {"a": 1, "all": {"key": 1}}

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
def test_what_the_result_does_not_have(provides: Any, result: Any, text: str) -> None:
    """It is a failure that names it."""
    with pytest.raises(LookupError, match=text):
        provided("t", keys_by_name("t", provides), result)


def test_what_revert_asks_for() -> None:
    """It has its own signature and, unless told otherwise, the names of ``execute``."""
    undone = Undone(rebind=["id"])
    assert undone.has_revert
    assert undone.revert_rebind == {"order": "id", "size": "size", "reason": "reason"}
    assert (undone.revert_requires, undone.revert_optional) == ({"id"}, {"size", "reason"})
    assert (undone.requires, undone.optional) == ({"id"}, {"size", "reason"})
    other = Undone(revert_rebind=["of"])
    assert (other.requires, other.revert_requires) == ({"order", "of"}, {"of"})
    assert not MyTask().has_revert
    assert MyTask().revert_requires == MyTask().revert_optional == frozenset()


def test_revert_with_any_argument_gets_what_was_required() -> None:
    """And no parameter of ``execute`` that it does not name."""

    class Any_(SpawnVM):
        def revert(self, **kwargs: Any) -> Any:
            return kwargs

    assert Any_(rebind=("name", "image", "key"), requires="more").revert_rebind == {"more": "key"}
    assert Any_(requires=("more", "vm_name")).revert_rebind == {"more": "more"}
    assert Any_(revert_requires="x").revert_requires == {"x"}


def test_a_function_that_is_undone_by_another() -> None:
    """It is a task like any other."""
    made = function_task(lambda x, y: x + y, revert=lambda x, flow_failures: x, provides="sum")
    assert (made.requires, made.provides, made.has_revert) == ({"x", "y"}, {"sum"}, True)
    assert made.execute(1, 2) == 3
    assert not function_task(print_).has_revert


def print_(text: str) -> None:
    """Do nothing."""


def test_context_of_a_process() -> None:
    """It can be sent, keeps its key, and says that nobody hears of its progress."""
    told: list[Any] = []
    context = StepContext("r1", "main/a", 2, lambda *what: told.append(what), lambda: True)
    assert (context.idempotency_key, context.is_cancelled) == ("r1/main/a/2", True)
    context.progress(1, "done")
    assert told == [(1.0, "done")]
    sent = pickle.loads(pickle.dumps(context))
    assert sent == context
    assert (sent.idempotency_key, sent.is_cancelled) == ("r1/main/a/2", False)
    with pytest.raises(RunError, match="a worker process cannot tell its progress"):
        sent.progress(0.5)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), True, "1"])
def test_progress_is_a_fraction(fraction: Any) -> None:
    """Everything else is refused."""
    with pytest.raises(ValueError, match="progress goes from 0 to 1"):
        StepContext("r", "p", tell=lambda *_: None).progress(fraction)
