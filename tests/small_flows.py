"""Small flows for unit tests and properties: written to a file, compiled, and run in virtual time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from taskrun import TaskManager
from taskrun.core.events import Event
from taskrun.core.flow import Flow
from taskrun.errors import Diagnostic, FlowError
from taskrun.testing import run_virtual


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The end of a run: its outputs or its error, the elapsed virtual milliseconds, and its events."""

    outputs: dict[str, Any] | None
    error: BaseException | None
    elapsed: float
    events: list[Event] = field(default_factory=list)

    @property
    def result(self) -> Any:
        """The output RESULT of a run that succeeded."""
        if self.outputs is None:
            assert self.error is not None
            raise self.error
        return self.outputs["RESULT"]

    @property
    def cause(self) -> BaseException:
        """The exception that a step raised in a run that failed."""
        assert self.error is not None, f"the run succeeded with {self.outputs}"
        assert self.error.__cause__ is not None, self.error
        return self.error.__cause__

    @property
    def notes(self) -> list[str]:
        """The notes of that exception that name steps, without their locations."""
        notes = getattr(self.cause, "__notes__", [])
        return [note.rpartition(" (")[0].removeprefix("in step ") for note in notes if note.startswith("in step ")]


def task(body: str, *, head: str = "", tail: str = "", attributes: str = "") -> str:
    """Return the text of a task with these steps, and with the given elements before and behind them."""
    return f"<task{' ' * bool(attributes)}{attributes}>\n{head}<steps>\n{body}\n</steps>{tail}\n</task>\n"


def found(problems: tuple[Diagnostic, ...]) -> list[tuple[str, int, int]]:
    """Return code, line and column of each problem."""
    return [(item.code, item.location.line, item.location.column) for item in problems]


class Bench:
    """A folder for flows, and methods to compile and run them; ``settings`` are those of TaskManager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    def write(self, text: str, name: str | None = None) -> Path:
        """Write a file and return its path; without a name it is a task of its own."""
        path = self.folder / (name or f"flow{next(self._numbers)}.task.xml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def load(self, text: str, **settings: Any) -> Flow:
        """Compile and link a flow."""
        return TaskManager(**settings).load(self.write(text))

    def problems(self, text: str, **settings: Any) -> tuple[Diagnostic, ...]:
        """Return the problems for which a flow is refused."""
        with pytest.raises(FlowError) as caught:
            self.load(text, **settings)
        return caught.value.diagnostics

    def checked(self, text: str, **settings: Any) -> tuple[Diagnostic, ...]:
        """Return all problems that ``check`` reports for a flow."""
        return TaskManager(**settings).check(self.write(text))

    def run(
        self, flow: str | Path, inputs: Mapping[str, Any] | None = None, *, watch: bool = False, **settings: Any
    ) -> Ran:
        """Run a flow, given as text or as a file, in virtual time; ``watch`` collects the events."""
        events: list[Event] = []
        if watch:
            settings["observers"] = (*settings.get("observers", ()), events.append)
        manager = TaskManager(**settings)
        path = self.write(flow) if isinstance(flow, str) else flow

        async def outcome() -> tuple[dict[str, Any] | None, BaseException | None]:
            try:
                return dict(await manager.run_async(path, inputs)), None
            except Exception as error:  # noqa: BLE001 - the outcome
                return None, error

        (outputs, error), elapsed = run_virtual(outcome())
        return Ran(outputs=outputs, error=error, elapsed=elapsed, events=events)
