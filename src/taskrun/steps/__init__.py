"""The step types, one module for each tag.

The docstring of a module shows the XML of the tag and its rules; the method ``run`` of the class performs the step. The
modules ``sequence``, ``loop``, ``fork``, ``join``, ``graph`` and ``invoke`` contain base classes and functions that
several step types use. A module here imports only such shared ones from this package; from outside it imports core,
script, calls, durable and model. Begin with ``delay``, then ``if_step`` and ``loop``; the base class of all steps is in
``core.step``.
"""
