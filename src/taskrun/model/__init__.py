"""Facts about the model of a flow, which the stages of the compiler and the step types share.

A class's fields as a plan of how its XML is read, the variables that each step can read, references to other flows and
the graph of calls, checks of the Python callables that a step calls. Modules here import core, calls, script and syntax.
Begin with ``binding_plan``, then ``variables``.
"""
