"""The step types, one module for each tag.

The docstring of a module shows the XML of the tag and its rules; the method ``run`` of the class performs the step.
Classes that several step types share are in ``sequence``, ``loop``, ``fork``, ``join``, ``graph`` and ``invoke``.
Modules here import core, script, calls, durable and model, and of each other only these shared classes. Begin with
``delay``, then ``if_step`` and ``loop``; the base class is in ``core.step``.
"""
