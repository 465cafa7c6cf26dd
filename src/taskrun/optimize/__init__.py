"""The stage after weave: replace programs by equivalent ones that cost less to run.

A program whose parts need no coroutine runs as a plain function, and a step that is only a script as a single one. A
flow does the same without this stage; steps and decorators do not depend on it. Modules here import core, script,
decorators and steps; only ``compile`` imports this package. Begin with ``optimize``, then ``sync_programs`` and ``leaf``.
"""
