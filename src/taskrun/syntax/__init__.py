"""Task files as data: read XML, YAML and JSON, merge deltas, check the schema, rewrite into the kernel language.

Each stage is a function of the root ``Node`` of a file. It knows elements and attributes, but no step classes. This
package imports only ``taskrun.source``, ``taskrun.errors`` and ``taskrun.resources``. It has two subpackages: ``delta``
is the extend stage, ``forms`` reads and writes YAML and JSON. Begin with ``node.py``, then read the stages in their
order: ``load.py``, ``delta/extend.py``, ``validate.py``, ``normalize.py``.
"""
