"""Calls of Python code from steps: functions, Tasks, and scripts in other threads and processes.

It may import ``core``, ``script`` and ``syntax.node``, but neither ``steps`` nor ``durable``. Begin with ``arguments``
(parameters and their names in the flow), then read ``python_calls`` (functions and executors), ``task_class`` and
``task_calls`` (classes with ``execute`` and ``revert``).
"""
