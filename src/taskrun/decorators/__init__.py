"""The decorators, one module for each tag or attribute; ``implied`` has those that the weaver adds by itself.

The docstring of a module shows the XML and the rules; the method ``around`` of the class runs the step. ``rank`` is the
only rule of order: a decorator with a smaller rank is nearer to the step. Modules here import core, script, syntax,
calls, codec, durable and model, and neither steps nor compile. Begin with ``timeout``, then ``catch`` and ``retry``;
the base class is in ``core.step``.
"""
