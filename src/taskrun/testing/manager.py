"""TaskManager for tests: a step fails if it changes its inputs.

assert TaskManager().run("order.task.xml", {"order": 7})["total"] == 12
"""

from __future__ import annotations

from typing import Any

from taskrun import manager


class TaskManager(manager.TaskManager):
    """TaskManager with ``check_mutation`` enabled by default.

    Parameters: ``check_mutation`` makes a step fail that changes its inputs; ``settings`` are the parameters of
    ``taskrun.TaskManager``.
    """

    def __init__(self, *, check_mutation: bool = True, **settings: Any) -> None:
        super().__init__(check_mutation=check_mutation, **settings)
