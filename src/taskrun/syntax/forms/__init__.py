"""Flows in YAML and JSON: read them into the same tree of nodes as XML, and write them.

This package imports from ``taskrun.syntax`` (nodes, the schema, the XML reader), ``taskrun.errors`` and ``taskrun.source``.
Begin with ``yaml_form.py``, whose docstring has the rules of the form. Reading: ``yaml_text`` or ``json_text`` (text →
``marked_values``), then ``yaml_form`` with ``form_keys`` (values → nodes, by the ``shapes`` of the schema) and ``fragment``
(XML inside a value). Writing: ``form_write`` (nodes → maps and lists), then ``yaml_write``.
"""
