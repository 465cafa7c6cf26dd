"""Calls of Python code from steps: functions, objects of the class Task, and scripts in other threads and processes.

It may import ``core``, ``script`` and ``syntax.node``, but neither ``steps`` nor ``durable``. Begin with ``arguments``
(the parameters of a function, and the names under which a flow passes their values). Then read ``python_calls``
(functions and executors), ``task_class`` and ``task_calls`` (classes with ``execute`` and ``revert``). The others are
``context`` (what a function gets as ``context``), ``provides`` (the outputs of a Task) and ``remote_scripts``.
"""
