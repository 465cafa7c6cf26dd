"""Facts about the model of a flow that the stages of the compiler and the step types share.

They are the rules by which the fields of a class are read from XML (binding plans), the variables that each step can
read, references to other flows and the graph of calls, and checks of the Python callables that a step calls. Modules
here import core, calls, script and syntax. Begin with ``binding_plan``, then ``variables``.
"""
