"""Steps as Python classes: ``from taskrun.task import Task, function_task`` (see ``calls/task_class.py``)."""

from taskrun.calls.task_class import FunctionTask, Task, function_task

__all__ = ["FunctionTask", "Task", "function_task"]
