"""What a suspended run waits for: the places where it stands, and the inputs that each of them asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from taskrun.core.inputs import Input


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
