"""The extend stage: merge a file with its bases, its layers and the output of its templates into one tree.

This package imports from ``taskrun.syntax`` (nodes, PARTS of ``normalize``), ``taskrun.errors`` and ``taskrun.source``.
Begin with ``extend.py``, which calls in this order: ``features`` (apply switches), ``short_forms`` (rewrite ``in:`` and
``out:``), ``merge`` (one delta over one base, by ``merge_keys``, ``merge_order`` and ``operators``) and ``prototypes``
(apply prototypes, drop what controlled the merge). ``layers`` finds the files. ``origins`` remembers from which file
each part came. ``difference`` is the inverse of a merge, for ``taskrun diff``, and ``relocate`` adapts relative paths.
"""
