"""Result of a run: its outputs, or the points at which it waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from taskrun.core.inputs import Input


class RunResult(Mapping[str, Any]):
    """The outputs of a run, as a read-only mapping.

    ``status`` is the state of the run: SUCCEEDED, or SUSPENDED, which has no outputs yet and has its wait points in
    ``waiting``. ``run_id`` is the id of the run, ``result`` the value of its last step (RESULT).

    >>> result = RunResult({"b": 3}, "SUCCEEDED", "1", None)
    >>> result["b"], result == {"b": 3}
    (3, True)
    """

    __slots__ = ("_outputs", "result", "run_id", "status", "waiting")

    def __init__(
        self, outputs: Mapping[str, Any], status: str, run_id: str, result: Any, waiting: tuple[WaitPoint, ...] = ()
    ) -> None:
        self._outputs = dict(outputs)
        self.status: str = str(status)
        self.run_id: str = run_id
        self.result: Any = result
        self.waiting: tuple[WaitPoint, ...] = waiting

    def __getitem__(self, name: str) -> Any:
        return self._outputs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def __repr__(self) -> str:
        return f"RunResult({self._outputs!r}, status={self.status!r}, run_id={self.run_id!r})"


class WaitPoint(NamedTuple):
    """One place where a run stands: the path of its step, what the step is called, and what it asks for."""

    path: str
    title: str
    asked: tuple[RequestedInput, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold of it."""
        return {"path": self.path, "title": self.title, "inputs": [item._asdict() for item in self.asked]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WaitPoint:
        """Return the place of which ``as_json`` made ``data``."""
        return cls(data["path"], data["title"], tuple(RequestedInput(**item) for item in data["inputs"]))

    def __str__(self) -> str:
        text = f"{self.path}: {self.title}" if self.title else self.path
        return text + (f" (asks for {', '.join(map(str, self.asked))})" if self.asked else "")


class RequestedInput(NamedTuple):
    """An input that somebody has to give: name, type, description, whether it is needed, the text of its default."""

    name: str
    type: str = ""
    description: str = ""
    mandatory: bool = False
    default: str = ""

    @classmethod
    def of(cls, item: Input) -> RequestedInput:
        """Return what is asked by a declared input."""
        needed = item.mandatory and item.default_value is None
        default = item.default_value.text if item.default_value else ""
        return cls(item.name, item.type.name if item.type else "", (item.description or "").strip(), needed, default)

    def __str__(self) -> str:
        return self.name + (f" ({self.type})" if self.type else "")


def requested_names(places: Iterable[WaitPoint]) -> list[str]:
    """Return the names of all inputs that are asked for."""
    return list(dict.fromkeys(item.name for place in places for item in place.asked))
