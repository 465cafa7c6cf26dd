"""Task: a step written as a Python class, with what undoes it; and a function as such an object.

    class Spawn(Task):
        default_provides = "server"

        def execute(self, image, size="small"):
            return cloud.start(image, size)

        def revert(self, result, image):
            cloud.stop(result)

    TaskManager(beans={"spawn": Spawn(rebind={"image": "image_id"})})         <simple bean="spawn"/>

Rules: these are OpenStack TaskFlow's tasks. What ``execute`` and ``revert`` need is read from their signatures when the
object is made, and wrong settings are refused then. One object serves all steps and runs, at once, and another one may
undo what it did in a process that is gone: what must be kept between the two is the result, not ``self``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from taskrun.calls.arguments import ArgumentNames, Parameters, Rebind
from taskrun.calls.provides import Provides, keys_by_name

REVERT_ONLY = ("result", "flow_failures", "failure")
"""The parameters of ``revert`` that are about the failure and not among what ``execute`` had."""


class Task(ABC):
    """A step as a class: ``execute`` does the work, ``revert`` undoes it.

    Parameters:
        name: what messages call it; the class with its module when left out.
        provides: names for the result or its parts (a name, a tuple, a set or a mapping); else ``default_provides``.
        requires: parameters to fill besides those of the signature, for ``**kwargs``.
        auto_extract: whether the parameters of ``execute`` and ``revert`` are filled without being named.
        rebind: the names under which arguments are found: a list, by position, or a mapping from parameters.
        inject: values for names; they win over those of the flow.
        ignore_list: parameters that are not filled.
        revert_rebind: ``rebind`` for ``revert``; when left out, its arguments are found as those of ``execute`` are.
        revert_requires: ``requires`` for ``revert``; likewise.

    Attributes: ``requires`` and ``optional`` are the names that it asks the flow for, ``provides`` those that it gives,
    ``rebind`` and ``revert_rebind`` the names by parameter, ``save_as`` the keys of the result by name.

    >>> class Add(Task):
    ...     def execute(self, spam, eggs, bacon=None):
    ...         return spam + eggs
    >>> sorted(Add().requires), sorted(Add().optional), sorted(Add(rebind={"eggs": "yolk"}).requires)
    (['eggs', 'spam'], ['bacon'], ['spam', 'yolk'])
    """

    default_provides: ClassVar[Provides | None] = None
    """What is provided when the object does not say it."""

    def __init__(  # noqa: PLR0917 - the order is TaskFlow's
        self,
        name: str | None = None,
        provides: Provides | None = None,
        requires: str | Iterable[str] | None = None,
        auto_extract: bool = True,
        rebind: Rebind | None = None,
        inject: Mapping[str, Any] | None = None,
        ignore_list: Iterable[str] | None = None,
        revert_rebind: Rebind | None = None,
        revert_requires: str | Iterable[str] | None = None,
    ) -> None:
        self.name: str = name or f"{type(self).__module__}.{type(self).__qualname__}"
        self.inject: Mapping[str, Any] = dict(inject or {})
        self.save_as: Mapping[str, Any] = keys_by_name(
            self.name, self.default_provides if provides is None else provides
        )
        self.provides: frozenset[str] = frozenset(self.save_as)
        ignored = (*(ignore_list or ()),)
        names = ArgumentNames.of(
            f"execute() of {self.name}",
            Parameters.of(self.name, self.execute),
            requires=_tuple(requires),
            rebind=rebind or (),
            auto_extract=auto_extract,
            ignored=ignored,
        )
        self.execute_names: ArgumentNames = names
        undo = self._names_of_revert(_tuple(requires), revert_rebind, revert_requires, auto_extract, ignored)
        self.revert_names: ArgumentNames = undo
        self.rebind: Mapping[str, str] = names.names
        self.revert_rebind: Mapping[str, str] = undo.names
        self.revert_requires: frozenset[str] = self._asked(undo.required)
        self.revert_optional: frozenset[str] = self._asked(undo.optional)
        self.requires: frozenset[str] = self._asked(names.required) | self.revert_requires
        self.optional: frozenset[str] = (self._asked(names.optional) | self.revert_optional) - self.requires
        self._check_inject()

    @abstractmethod
    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work and return the result; may be ``async``. A subclass says its parameters."""

    def revert(self, *args: Any, **kwargs: Any) -> Any:  # noqa: B027 - a task need not be undone
        """Compensation what ``execute`` did; may be ``async``. Does nothing unless a subclass says otherwise.

        Its parameters are those of ``execute`` that it names, and ``result`` (what ``execute`` returned, or its failure),
        ``failure`` (what started the undoing) and ``flow_failures`` (step path → failure).
        """

    def pre_execute(self) -> Any:  # noqa: B027 - nothing to do unless a subclass says so
        """Called before ``execute``."""

    def post_execute(self) -> Any:  # noqa: B027 - nothing to do unless a subclass says so
        """Called after ``execute``, also when that or ``pre_execute`` failed."""

    def pre_revert(self) -> Any:  # noqa: B027 - nothing to do unless a subclass says so
        """Called before ``revert``."""

    def post_revert(self) -> Any:  # noqa: B027 - nothing to do unless a subclass says so
        """Called after ``revert``, also when that or ``pre_revert`` failed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def has_revert(self) -> bool:
        """Whether there is anything to undo it."""
        return overridden(self, "revert")

    def _names_of_revert(
        self,
        requires: tuple[str, ...],
        revert_rebind: Rebind | None,
        revert_requires: str | Iterable[str] | None,
        auto_extract: bool,
        ignored: tuple[str, ...],
    ) -> ArgumentNames:
        if not self.has_revert:
            return ArgumentNames.of(f"revert() of {self.name}", Parameters((), (), any_name=True))
        parameters = Parameters.of(self.name, self.revert)
        known = self.execute_names
        if revert_rebind is None:
            own = known.parameters.all
            revert_rebind = {
                parameter: name
                for parameter, name in known.names.items()
                if (parameter != name or parameter not in own or parameter in requires)
                and (parameter in parameters.all or (parameters.any_name and parameter not in own))
            }
        return ArgumentNames.of(
            f"revert() of {self.name}",
            parameters,
            requires=_tuple(revert_requires),
            rebind=revert_rebind,
            auto_extract=auto_extract,
            ignored=(*ignored, *REVERT_ONLY),
        )

    def _asked(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(names) - self.inject.keys()

    def _check_inject(self) -> None:
        taken = {*self.rebind.values(), *self.revert_rebind.values()}
        for name in self.inject:
            if name not in taken:
                text = "neither execute() nor revert() takes: name it in requires when it is for **kwargs"
                raise ValueError(f"{self.name}: inject gives '{name}', which {text}")


class FunctionTask(Task):
    """A function, and perhaps another one that undoes it, as a Task."""

    def __init__(
        self, function: Callable[..., Any], *, revert: Callable[..., Any] | None = None, name: str, **settings: Any
    ) -> None:
        vars(self)["execute"] = function
        if revert is not None:
            vars(self)["revert"] = revert
        super().__init__(name, **settings)

    def execute(self) -> Any:
        """Every object has its function in the place of this."""


def function_task(
    function: Callable[..., Any],
    *,
    revert: Callable[..., Any] | None = None,
    name: str | None = None,
    provides: Provides | None = None,
    requires: str | Iterable[str] | None = None,
    auto_extract: bool = True,
    rebind: Rebind | None = None,
    inject: Mapping[str, Any] | None = None,
    ignore_list: Iterable[str] | None = None,
    revert_rebind: Rebind | None = None,
    revert_requires: str | Iterable[str] | None = None,
) -> Task:
    """Return a Task whose ``execute`` is the function and whose ``revert`` is ``revert``; all else as for Task.

    Raises TypeError when one of the two cannot be called, ValueError when the settings do not fit them.

    >>> function_task(lambda x, y: x + y, provides="sum", inject={"y": 1}, name="add").requires
    frozenset({'x'})
    """
    for item in (function, revert):
        if item is not None and not callable(item):
            raise TypeError(f"function_task takes functions, not {item!r}")
    return FunctionTask(
        function,
        revert=revert,
        name=name or getattr(function, "__qualname__", None) or type(function).__qualname__,
        provides=provides,
        requires=requires,
        auto_extract=auto_extract,
        rebind=rebind,
        inject=inject,
        ignore_list=ignore_list,
        revert_rebind=revert_rebind,
        revert_requires=revert_requires,
    )


def overridden(task: Task, method: str) -> bool:
    """Whether a task has a method of its own instead of that of Task, which does nothing."""
    return getattr(getattr(task, method), "__func__", None) is not getattr(Task, method)


def _tuple(names: str | Iterable[str] | None) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names or ())
