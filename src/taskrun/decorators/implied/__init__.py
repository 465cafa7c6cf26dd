"""Implied decorators: the weaver adds them to the steps that need them, without an element or attribute in the file.

They call a step (``call``, ``outputs``), record and replay it (``replay`` and the modules with ``persist``), compensate
it (``compensate``, ``register_compensation``, ``child_failures``), trace it, suspend the run after it, and check its
inputs. The classmethod ``implied`` decides which steps need the decorator, ``around`` runs the step. Modules here may
import what ``decorators`` may import, and ``call`` and ``outputs`` of each other. Begin with ``call``, then ``outputs``
and ``replay``.
"""
