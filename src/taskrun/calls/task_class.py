"""Task: base class for steps in Python that can be undone; FunctionTask and function_task make such steps of functions.

    class Spawn(Task):
        default_provides = "server"

        def execute(self, image, size="small"):
            return cloud.start(image, size)

        def revert(self, result, image):
            cloud.stop(result)

    TaskManager(beans={"spawn": Spawn(rebind={"image": "image_id"})})         <simple bean="spawn"/>

Rules: names and meaning of the settings are those of OpenStack TaskFlow. The parameters of ``execute`` and ``revert``
are read from their signatures when the object is created, and wrong settings are refused then. One object is shared by
all steps and runs, concurrently. ``revert`` may be called on another object in another process, so it must get its data
from ``result``, not from ``self``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from taskrun.calls.arguments import ArgumentNames, Parameters, Rebind
from taskrun.calls.provides import Provides, keys_by_name

REVERT_ONLY = ("result", "flow_failures", "failure")
"""The parameters of ``revert`` that the engine fills.

``result`` is the value or exception of ``execute``, ``flow_failures`` are all exceptions by step path, and ``failure``
is the exception that started the rollback.
"""


class Task(ABC):
    """Base class of steps in Python: ``execute`` does the work, ``revert`` undoes it.

    Parameters:
        name: the name in messages; default: the class with its module.
        provides: output names for the result or its items, see ``Provides``; default: ``default_provides``.
        requires: further parameters that must get an argument: optional ones, or names for ``**kwargs``.
        auto_extract: whether each parameter in the signatures of ``execute`` and ``revert`` gets an argument.
        rebind: the names of the arguments in the flow: a list, by position, or a mapping from parameters to names.
        inject: values by name, which replace those of the flow.
        ignore_list: parameters that get no argument.
        revert_rebind: ``rebind`` for ``revert``; default: the names of ``execute``.
        revert_requires: ``requires`` for ``revert``; default: none.

    Attributes: ``requires`` are the names of the values that the flow must have, ``optional`` of those that it may
    have. ``provides`` are the names of the outputs, ``save_as`` maps them to the keys of the result. ``rebind`` and
    ``revert_rebind`` map parameters to names in the flow.

    >>> class Add(Task):
    ...     def execute(self, spam, eggs, bacon=None):
    ...         return spam + eggs
    >>> sorted(Add().requires), sorted(Add().optional), sorted(Add(rebind={"eggs": "yolk"}).requires)
    (['eggs', 'spam'], ['bacon'], ['spam', 'yolk'])
    """

    default_provides: ClassVar[Provides | None] = None
    """The setting ``provides`` of objects of this class that are created without it."""

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
            Parameters.by_name(self.name, self.execute),
            requires=_tuple(requires),
            rebind=rebind or (),
            auto_extract=auto_extract,
            ignored=ignored,
        )
        self.execute_names: ArgumentNames = names
        revert_names = self._names_of_revert(_tuple(requires), revert_rebind, revert_requires, auto_extract, ignored)
        self.revert_names: ArgumentNames = revert_names
        self.rebind: Mapping[str, str] = names.names
        self.revert_rebind: Mapping[str, str] = revert_names.names
        self.revert_requires: frozenset[str] = self._from_flow(revert_names.required)
        self.revert_optional: frozenset[str] = self._from_flow(revert_names.optional)
        self.requires: frozenset[str] = self._from_flow(names.required) | self.revert_requires
        self.optional: frozenset[str] = (self._from_flow(names.optional) | self.revert_optional) - self.requires
        self._check_inject()
        self.step_parameters: Parameters = self._parameters_of_step()

    @abstractmethod
    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work of the step and return its result; may be ``async``. A subclass declares the parameters."""

    def revert(self, *args: Any, **kwargs: Any) -> Any:  # noqa: B027 - a task need not have a compensation
        """Undo the work of ``execute``; may be ``async``. Without this method the step has no compensation.

        A subclass declares the parameters that it needs: those of ``execute``, ``result`` (the value that ``execute``
        returned or the exception that it raised), ``failure`` (the exception that started the rollback) and
        ``flow_failures`` (all exceptions by the path of the step).
        """

    def pre_execute(self) -> Any:  # noqa: B027 - a hook
        """Prepare ``execute``; called directly before it. The default does nothing."""

    def post_execute(self) -> Any:  # noqa: B027 - a hook
        """Clean up after ``execute``; called after it, also if ``execute`` or ``pre_execute`` failed.

        The default does nothing.
        """

    def pre_revert(self) -> Any:  # noqa: B027 - a hook
        """Prepare ``revert``; called directly before it. The default does nothing."""

    def post_revert(self) -> Any:  # noqa: B027 - a hook
        """Clean up after ``revert``; called after it, also if ``revert`` or ``pre_revert`` failed.

        The default does nothing.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def has_revert(self) -> bool:
        """Whether the class or object has a ``revert`` of its own, so that its step has a compensation."""
        return overridden(self, "revert")

    def _names_of_revert(
        self,
        requires: tuple[str, ...],
        revert_rebind: Rebind | None,
        revert_requires: str | Iterable[str] | None,
        auto_extract: bool,
        ignored: tuple[str, ...],
    ) -> ArgumentNames:
        """Return the names under which the flow passes the arguments of ``revert``.

        Without ``revert_rebind``, a parameter that ``execute`` has too gets its value under the same name as there.
        """
        if not self.has_revert:
            return ArgumentNames.of(f"revert() of {self.name}", Parameters(any_name=True))
        parameters = Parameters.by_name(self.name, self.revert)
        if revert_rebind is None:
            own = self.execute_names.parameters.named
            revert_rebind = {
                parameter: name
                for parameter, name in self.execute_names.names.items()
                if (parameter != name or parameter not in own or parameter in requires)
                and (parameter in parameters.named or (parameters.any_name and parameter not in own))
            }
        return ArgumentNames.of(
            f"revert() of {self.name}",
            parameters,
            requires=_tuple(revert_requires),
            rebind=revert_rebind,
            auto_extract=auto_extract,
            ignored=(*ignored, *REVERT_ONLY),
        )

    def _from_flow(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of the ``names`` whose values come from the flow, because ``inject`` does not contain them."""
        return frozenset(names).difference(self.inject)

    def _check_inject(self) -> None:
        """Raise ValueError if ``inject`` contains a name that neither ``execute`` nor ``revert`` uses."""
        used = {*self.rebind.values(), *self.revert_rebind.values()}
        for name in self.inject:
            if name not in used:
                text = "neither execute() nor revert() takes: name it in requires when it is for **kwargs"
                raise ValueError(f"{self.name}: inject contains '{name}', which {text}")

    def _parameters_of_step(self) -> Parameters:
        """Return the parameters of ``execute`` and ``revert`` together, under their names in the flow.

        The step must pass a value for each required one. Injected values are not among them.
        """
        names, revert_names = self.execute_names, self.revert_names
        required, optional = (*names.required, *revert_names.required), (*names.optional, *revert_names.optional)
        in_order = dict.fromkeys((*required, *optional))
        return Parameters(
            required=tuple(name for name in in_order if name in self.requires),
            optional=tuple(name for name in in_order if name in self.optional),
            any_name=names.parameters.any_name,
        )


class FunctionTask(Task):
    """Task made of a function, which is its ``execute``, and optionally a second function, its ``revert``.

    ``settings`` are the other parameters of Task. See ``function_task``, which creates these objects.
    """

    def __init__(
        self, function: Callable[..., Any], *, revert: Callable[..., Any] | None = None, name: str, **settings: Any
    ) -> None:
        vars(self)["execute"] = function
        if revert is not None:
            vars(self)["revert"] = revert
        super().__init__(name, **settings)

    def execute(self) -> Any:
        """Never called: each object has its function under this name."""


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
    """Return a Task made of functions: ``function`` does the work, ``revert`` undoes it. For the settings see Task.

    Raises TypeError if one of the two is not callable, and ValueError if the settings do not match their signatures.

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
    """Return whether a Task has an implementation of its own of a method that does nothing in the class Task."""
    return getattr(getattr(task, method), "__func__", None) is not getattr(Task, method)


def _tuple(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the names as a tuple: of a single text that text, of None none."""
    return (names,) if isinstance(names, str) else tuple(names or ())
