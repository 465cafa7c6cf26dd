"""Result of a run: its outputs or, for a suspended run, the points at which it waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from taskrun.core.inputs import Input


class RunResult(Mapping[str, Any]):
    """The outputs of a run, as a read-only mapping from names to values.

    ``status`` is the state of the run: SUCCEEDED or SUSPENDED. A suspended run has no outputs yet; ``waiting`` are its
    wait points. ``run_id`` is the id of the run, ``result`` the value of its last step (RESULT).

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
    """A step at which a suspended run waits: its path, a title for people, and the inputs that a resume has to give."""

    path: str
    title: str
    requested: tuple[RequestedInput, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the wait point as a dict of values that JSON can represent; ``from_json`` converts it back."""
        return {"path": self.path, "title": self.title, "inputs": [item._asdict() for item in self.requested]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WaitPoint:
        """Create a wait point from the dict that ``as_json`` returned."""
        return cls(data["path"], data["title"], tuple(RequestedInput(**item) for item in data["inputs"]))

    def __str__(self) -> str:
        text = f"{self.path}: {self.title}" if self.title else self.path
        return text + (f" (requests {', '.join(map(str, self.requested))})" if self.requested else "")


class RequestedInput(NamedTuple):
    """An input that the one who resumes a run has to give, for example to show a form for it.

    ``mandatory`` is True if the value must not be null and there is no default. ``default`` is the text of the default,
    as it is written in the file.
    """

    name: str
    type: str = ""
    description: str = ""
    mandatory: bool = False
    default: str = ""

    @classmethod
    def of(cls, item: Input) -> RequestedInput:
        """Create the description of a requested input from the declared ``<input>``."""
        mandatory = item.mandatory and item.default_value is None
        default = item.default_value.text if item.default_value else ""
        return cls(item.name, item.type.name if item.type else "", (item.description or "").strip(), mandatory, default)

    def __str__(self) -> str:
        return self.name + (f" ({self.type})" if self.type else "")


def requested_names(wait_points: Iterable[WaitPoint]) -> list[str]:
    """Return the names of all inputs that the wait points request; each name occurs once."""
    return list(dict.fromkeys(item.name for point in wait_points for item in point.requested))
