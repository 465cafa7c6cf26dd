"""The kernel: steps, decorators and the engine that runs them, without any particular step or decorator.

Modules here import ``source``, ``errors``, ``plugins``, ``syntax`` and ``script``; no other package of taskrun.
Packages above (steps, decorators, compile, optimize, durable, …) implement its classes and protocols.
Begin with ``step`` (base classes of steps and decorators), then ``frame`` (one activation of a step), ``run`` (one
execution of a flow), ``body`` (steps in order), ``weave`` (decorators around steps), ``execution`` (a run from its
inputs to its outputs). The other modules, by topic:

- Types of steps: ``traits`` (facts that the engine needs), ``fields`` (types of class fields), ``duration``,
  ``script_language`` (languages of ``<script>``).
- Flows: ``flow`` (a compiled file), ``link_context`` (the stage ``link``), ``beans`` (objects that flows use by name).
- Variables: ``scope``, ``inputs``, ``outputs``, ``types`` (conversion, JSON Schema), ``script_views`` (for scripts).
- Results: ``completion`` (signals, jumps), ``events`` (for observers), ``states`` (of runs and steps),
  ``traceback_notes`` (the steps that an exception passed).
- Execution: ``services`` (shared by all runs), ``control`` (cancel, suspend, abort), ``branches`` (concurrency),
  ``workers`` (threads, processes), ``timers`` (pauses, time limits), ``limits`` (throttles, rate limits).
- Durability: ``journal`` (records of a run), ``revert`` (the element ``<revert>``), ``rollback`` (compensations).
"""
