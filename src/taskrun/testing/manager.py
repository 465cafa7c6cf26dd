"""TaskManager for tests: a step fails if it changes its inputs.

assert TaskManager().run("order.task.xml", {"order": 7})["total"] == 12
"""

from __future__ import annotations

from typing import Any

from taskrun import manager


class TaskManager(manager.TaskManager):
    """TaskManager for tests: by default a step that changes its inputs fails.

    Parameters: ``check_mutation=False`` switches this check off; ``settings`` are the parameters of
    ``taskrun.TaskManager``.
    """

    def __init__(self, *, check_mutation: bool = True, **settings: Any) -> None:
        super().__init__(check_mutation=check_mutation, **settings)
