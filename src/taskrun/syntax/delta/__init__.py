"""The extend stage: merge a file with its bases, layers and generated parts into one tree.

This package imports from ``taskrun.syntax`` (nodes, PARTS of ``normalize``), ``taskrun.errors`` and ``taskrun.source``.
Begin with ``extend.py``, which calls the others in order: ``features`` (switches), ``short_forms``, ``merge`` (one delta
over one base, by ``merge_keys``, ``merge_order`` and ``operators``) and ``prototypes`` (cleaning). ``layers`` finds the
files; ``origins`` remembers where each part came from; ``difference`` is the inverse, for ``taskrun diff``.
"""
