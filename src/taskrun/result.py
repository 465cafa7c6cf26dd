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
    """A step at which a suspended run waits: the path of the step, a title for people, and the requested inputs."""

    path: str
    title: str
    requested: tuple[RequestedInput, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the wait point as a dict that JSON can represent."""
        return {"path": self.path, "title": self.title, "inputs": [item._asdict() for item in self.requested]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WaitPoint:
        """Return the wait point that ``as_json`` converted to ``data``."""
        return cls(data["path"], data["title"], tuple(RequestedInput(**item) for item in data["inputs"]))

    def __str__(self) -> str:
        text = f"{self.path}: {self.title}" if self.title else self.path
        return text + (f" (requests {', '.join(map(str, self.requested))})" if self.requested else "")


class RequestedInput(NamedTuple):
    """An input that a wait point requests from the user.

    ``mandatory`` is true for an input that must not be null and has no default; ``default`` is the text of the default.
    """

    name: str
    type: str = ""
    description: str = ""
    mandatory: bool = False
    default: str = ""

    @classmethod
    def of(cls, item: Input) -> RequestedInput:
        """Return the request for the value of a declared input."""
        mandatory = item.mandatory and item.default_value is None
        default = item.default_value.text if item.default_value else ""
        return cls(item.name, item.type.name if item.type else "", (item.description or "").strip(), mandatory, default)

    def __str__(self) -> str:
        return self.name + (f" ({self.type})" if self.type else "")


def requested_names(wait_points: Iterable[WaitPoint]) -> list[str]:
    """Return the names of all inputs that the wait points request, each name once."""
    return list(dict.fromkeys(item.name for point in wait_points for item in point.requested))
