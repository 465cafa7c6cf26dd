"""Implied decorators: the weaver adds them to the steps that need them, without an element or attribute in the file.

What they do: call a step (``call``, ``outputs``), record and replay it (``replay``, ``persist_outputs``,
``persist_variables``), compensate it (``compensate``, ``register_compensation``, ``child_failures``), trace it
(``trace``), suspend the run after it (``suspend_after``), and check that it does not change its inputs
(``check_mutation``). The classmethod ``implied`` receives a step and returns the decorator for it, or None if the step
does not need one. The method ``around`` runs the step. Modules here may import what ``decorators`` may import; they
import ``call`` and ``outputs``, but no other module of this package. Begin with ``call``, then ``outputs`` and
``replay``.
"""
