"""What a run gives back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskrun.durable.suspension import WaitPoint


class RunResult(Mapping[str, Any]):
    """The outputs of a run, as a read-only mapping.

    ``status`` is the run's state: SUCCEEDED, or SUSPENDED, when ``waiting`` says for what and there are no outputs yet.
    ``run_id`` is its id, ``result`` the value of the last step (RESULT).

    >>> result = RunResult({"b": 3}, "SUCCEEDED", "1", None)
    >>> result["b"], result == {"b": 3}
    (3, True)
    """

    __slots__ = ("_outputs", "result", "run_id", "status", "waiting")

    def __init__(
        self, outputs: Mapping[str, Any], status: str, run_id: str, result: Any, waiting: tuple[WaitPoint, ...] = ()
    ) -> None:
        self._outputs = dict(outputs)
        self.status = str(status)
        self.run_id = run_id
        self.result = result
        self.waiting = waiting

    def __getitem__(self, name: str) -> Any:
        return self._outputs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def __repr__(self) -> str:
        return f"RunResult({self._outputs!r}, status={self.status!r}, run_id={self.run_id!r})"
