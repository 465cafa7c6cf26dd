"""Flows in YAML and JSON: read them into the same tree of nodes as XML, and write them.

This package imports from ``taskrun.syntax`` (nodes, the schema, the XML reader), ``taskrun.errors`` and
``taskrun.source``. Begin with ``yaml_form.py``, whose docstring has the rules of the form. Reading has two steps:
``yaml_text`` or ``json_text`` turns text into ``marked_values``; ``yaml_form`` turns these into nodes, with
``form_keys`` (the meaning of a key by the ``shapes`` of the schema) and ``fragment`` (XML inside a value). Writing has
two steps, too: ``form_write`` turns nodes into maps and lists, ``yaml_write`` turns these into text.
"""
