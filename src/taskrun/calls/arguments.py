"""Which names a function's arguments are found under: inferred from its signature, changed by ``requires`` and ``rebind``.

    def execute(self, spam, eggs, bacon=None): ...      requires spam and eggs; bacon is optional
    rebind=["ham", "yolk"]                              spam is found under the name ham, eggs under yolk
    rebind={"spam": "ham"}                              the same for spam alone

Rules: an argument has a parameter, which the function knows, and a name, which the flow knows. A parameter without a
default is required, one with a default is optional unless ``requires`` or ``rebind`` name it. A list of ``rebind`` goes
by the position of what is required; what is left over needs a parameter of that name, or ``**kwargs``. These are
OpenStack TaskFlow's rules.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Rebind: TypeAlias = Sequence[str] | Mapping[str, str]
"""Names by the position of the parameters, or by the parameter."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a function: those without a default, all, and whether it takes any other name too."""

    required: tuple[str, ...]
    all: tuple[str, ...]
    any_name: bool

    @classmethod
    def of(cls, owner: str, function: Callable[..., Any]) -> Parameters:
        """Return the parameters of a function of ``owner``; raises ValueError when they cannot be given by name."""
        called = f"{owner}: {getattr(function, '__name__', type(function).__name__)}()"
        try:
            found = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            raise ValueError(f"{called} does not tell its parameters: wrap it into a def") from None
        for item in found:
            if item.kind is item.POSITIONAL_ONLY:
                raise ValueError(f"{called} cannot take '{item.name}' by name: leave out the '/' behind it")
        named = [item for item in found if item.kind in {item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY}]
        return cls(
            tuple(item.name for item in named if item.default is item.empty),
            tuple(item.name for item in named),
            any(item.kind is item.VAR_KEYWORD for item in found),
        )

    def takes(self, name: str) -> bool:
        """Whether the function can be called with an argument of that name."""
        return self.any_name or name in self.all


@dataclass(frozen=True, slots=True)
class ArgumentNames:
    """Where the arguments of a function come from: ``names`` by parameter, and which of the names it needs."""

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
        """Return the names for a function with these parameters.

        Parameters: ``requires`` are further parameters to fill, ``rebind`` names them anew, ``auto_extract`` adds those
        of the signature, but for ``ignored``. Raises ValueError when the function cannot take an argument, or needs one
        that nobody fills.
        """
        wanted = [name for name in parameters.required if name not in ignored]
        names = dict.fromkeys((*(wanted if auto_extract else ()), *requires))
        filled = {name: name for name in names}
        filled.update(_rebound(owner, tuple(filled), rebind))
        _check(owner, parameters, wanted, filled)
        optional = [
            name for name in parameters.all if auto_extract and name not in filled and name not in ignored
        ]  # fmt: skip
        return cls(
            {**filled, **{name: name for name in optional}},
            tuple(dict.fromkeys(filled.values())),
            tuple(optional),
            parameters,
        )

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by parameter, from values by name; raises LookupError for one that is needed."""
        found = {}
        for parameter, name in self.names.items():
            if name in values:
                found[parameter] = values[name]
            elif name not in self.optional:
                raise LookupError(f"there is no value '{name}' for the parameter '{parameter}'")
        return found


def _rebound(owner: str, parameters: Sequence[str], rebind: Rebind) -> Mapping[str, str]:
    if isinstance(rebind, Mapping):
        return rebind
    if isinstance(rebind, str) or not isinstance(rebind, Sequence):
        raise TypeError(f"{owner}: rebind is a list of names or a mapping of parameters to names, not {rebind!r}")
    left_over = rebind[len(parameters) :]
    return {**dict(zip(parameters, rebind, strict=False)), **{name: name for name in left_over}}


def _check(owner: str, parameters: Parameters, wanted: Iterable[str], filled: Mapping[str, str]) -> None:
    extra = [name for name in filled if not parameters.takes(name)]
    if extra:
        takes = "its parameters are: " + ", ".join(parameters.all) if parameters.all else "it has no parameters"
        raise ValueError(f"{owner}: it cannot take {_listed(extra)}, which requires or rebind give; {takes}")
    missing = [name for name in wanted if name not in filled]
    if missing:
        raise ValueError(f"{owner}: nothing gives {_listed(missing)}: name it in requires, or leave auto_extract on")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
