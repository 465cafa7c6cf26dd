"""A TaskManager for tests: it fails steps that change what they are given.

from taskrun.testing import TaskManager

def test_order() -> None:
    assert TaskManager().run("order.task.xml", {"order": 7})["total"] == 12
"""

from __future__ import annotations

from typing import Any

from taskrun import manager


class TaskManager(manager.TaskManager):
    """A TaskManager with ``check_mutation`` unless it is switched off; its parameters are those of the other."""

    def __init__(self, *, check_mutation: bool = True, **settings: Any) -> None:
        super().__init__(check_mutation=check_mutation, **settings)
