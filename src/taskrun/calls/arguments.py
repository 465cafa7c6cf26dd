"""Parameters of a Python function, and the names under which a flow passes their values.

    def execute(self, spam, eggs, bacon=None): ...      spam and eggs are required, bacon is optional
    rebind=["ham", "yolk"]                              spam gets the variable ham, eggs the variable yolk
    rebind={"spam": "ham"}                              spam gets the variable ham, eggs the variable eggs

Rules: a parameter belongs to the function, a name to the flow. A parameter without a default is required. One with a
default is optional unless ``requires`` or ``rebind`` contains it. The names in a list ``rebind`` belong to the required
parameters, by position. If the list is longer, each further name belongs to the parameter of this name, or to
``**kwargs``. These are the rules of OpenStack TaskFlow.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from taskrun.errors import near_hint

CONTEXT = "context"
"""The name of the parameter that gets the StepContext, unless the flow passes another value under this name."""

Rebind: TypeAlias = Sequence[str] | Mapping[str, str]
"""A value of the setting ``rebind``: names in the order of the parameters, or a mapping from parameters to names."""

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The names of the parameters of a function.

    ``required`` have no default, ``optional`` have one; both can be passed by name. ``positional`` can be passed only
    by position. ``any_name`` is True for a function with ``**kwargs``. ``known`` is False for a built-in function whose
    signature Python cannot read.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    any_name: bool = False
    known: bool = True

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Parameters:
        """Return the parameters of a function, read from its signature."""
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return cls(any_name=True, known=False)
        named = [item for item in parameters if item.kind in _NAMED]
        return cls(
            required=tuple(item.name for item in named if item.default is item.empty),
            optional=tuple(item.name for item in named if item.default is not item.empty),
            positional=tuple(item.name for item in parameters if item.kind is item.POSITIONAL_ONLY),
            any_name=any(item.kind is item.VAR_KEYWORD for item in parameters),
        )

    @classmethod
    def by_name(cls, owner: str, function: Callable[..., Any]) -> Parameters:
        """Return the parameters of a function that is to be called with named arguments only.

        Raises ValueError if it has a positional-only parameter, or no signature. ``owner`` is what the function belongs
        to, for messages.
        """
        parameters = cls.of(function)
        called = f"{owner}: {getattr(function, '__name__', type(function).__name__)}()"
        if not parameters.known:
            raise ValueError(f"{called} has no signature that Python can read: wrap it in a def")
        if parameters.positional:
            raise ValueError(f"{called} cannot take '{parameters.positional[0]}' by name: remove the '/' behind it")
        return parameters

    @property
    def named(self) -> tuple[str, ...]:
        """The parameters that can be passed by name, the required ones first."""
        return (*self.required, *self.optional)

    @property
    def needed(self) -> tuple[str, ...]:
        """The parameters for which the flow must pass values: those without a default, except ``context``."""
        return (*self.positional, *(name for name in self.required if name != CONTEXT))

    @property
    def takes_context(self) -> bool:
        """Whether the function has a parameter ``context``, which gets the StepContext."""
        return CONTEXT in self.required or CONTEXT in self.optional

    def accepts(self, name: str) -> bool:
        """Return whether the function accepts an argument of this name: it has the parameter, or ``**kwargs``."""
        return self.any_name or name in self.required or name in self.optional

    def problems(self, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with a call that passes arguments with these names, in this order.

        Each problem is a pair: the name of the argument that is wrong, "" if an argument is missing, and a message.
        """
        if not self.known:
            return
        if self.positional:
            if len(names) < len(self.positional):
                yield "", f"it takes {len(self.positional)} positional arguments, {len(names)} are given"
            return
        for name in names:
            if not self.accepts(name):
                hint = near_hint(name, self.named) or "its parameters are: " + ", ".join(self.named)
                yield name, f"it has no parameter '{name}'; {hint}"
        for name in self.needed:
            if name not in names:
                yield "", f"its parameter '{name}' is not given: add <input name=\"{name}\"/>"

    def arguments(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the positional and the named arguments of a call with these values, given by name.

        Positional-only parameters get the first values. A function whose signature is not known gets all by position.
        """
        if not self.known:
            return tuple(values.values()), {}
        count = len(self.positional)
        given = list(values.items())
        return tuple(value for _, value in given[:count]), dict(given[count:])


@dataclass(frozen=True, slots=True)
class ArgumentNames:
    """Under which name of the flow each parameter of a function gets its argument.

    ``names`` maps parameters to names of the flow. ``required`` and ``optional`` are the names of the flow that must
    and may have a value. ``parameters`` are all parameters of the function.
    """

    names: Mapping[str, str]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    parameters: Parameters

    @classmethod
    def of(
        cls,
        owner: str,
        parameters: Parameters,
        *,
        requires: Iterable[str] = (),
        rebind: Rebind = (),
        auto_extract: bool = True,
        ignored: Collection[str] = (),
    ) -> ArgumentNames:
        """Decide under which name of the flow each parameter gets its argument.

        Parameters: ``owner`` names the function in messages. ``requires`` are further parameters that must get an
        argument: optional ones, or names for ``**kwargs``. ``rebind`` gives parameters other names. ``auto_extract``:
        all parameters except ``ignored`` get an argument. Raises ValueError if the function does not accept one of
        these, or if a required one gets no argument.
        """
        needed = [name for name in parameters.required if name not in ignored]
        names = dict.fromkeys((*(needed if auto_extract else ()), *requires))
        bound = {name: name for name in names}
        bound.update(_rebound(owner, tuple(bound), rebind))
        _check(owner, parameters, needed, bound)
        optional = [
            name for name in parameters.optional if auto_extract and name not in bound and name not in ignored
        ]  # fmt: skip
        return cls(
            {**bound, **{name: name for name in optional}},
            tuple(dict.fromkeys(bound.values())),
            tuple(optional),
            parameters,
        )

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by parameter; ``values`` are the values by name of the flow.

        Raises LookupError if the value for a required parameter is missing.
        """
        arguments = {}
        for parameter, name in self.names.items():
            if name in values:
                arguments[parameter] = values[name]
            elif name not in self.optional:
                raise LookupError(f"there is no value '{name}' for the parameter '{parameter}'")
        return arguments


def _rebound(owner: str, parameters: Sequence[str], rebind: Rebind) -> Mapping[str, str]:
    """Return ``rebind`` as a mapping from parameters to names; raises TypeError if it is no list or mapping."""
    if isinstance(rebind, Mapping):
        return rebind
    if isinstance(rebind, str) or not isinstance(rebind, Sequence):
        raise TypeError(f"{owner}: rebind is a list of names or a mapping of parameters to names, not {rebind!r}")
    left_over = rebind[len(parameters) :]
    return {**dict(zip(parameters, rebind, strict=False)), **{name: name for name in left_over}}


def _check(owner: str, parameters: Parameters, needed: Iterable[str], bound: Mapping[str, str]) -> None:
    """Raise ValueError if the function does not accept a parameter in ``bound``, or ``bound`` lacks one in ``needed``.

    ``bound`` are the parameters that get an argument, ``needed`` those without a default.
    """
    extra = [name for name in bound if not parameters.accepts(name)]
    if extra:
        named = "its parameters are: " + ", ".join(parameters.named) if parameters.named else "it has no parameters"
        raise ValueError(f"{owner}: it does not accept {_quoted(extra)} (from requires or rebind); {named}")
    missing = [name for name in needed if name not in bound]
    if missing:
        raise ValueError(f"{owner}: no argument for {_quoted(missing)}: name it in requires, or leave auto_extract on")


def _quoted(names: Iterable[str]) -> str:
    """Return the names in quotes, separated by commas, for a message."""
    return ", ".join(f"'{name}'" for name in names)
