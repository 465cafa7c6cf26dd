"""Bundled tag libraries: ``files``, ``http``, ``sh``, ``task`` and ``text``; the other modules are parts of these.

Each public function of a library is a tag, and its parameters are the attributes of the tag. The parameter ``context``
is no attribute: the engine passes it. An ``async def`` runs on the event loop; a plain ``def`` runs in a worker thread,
so it may block. Modules here import ``taskrun.core``, ``taskrun.languages.process`` and ``taskrun.errors``. Begin with
``text``, the shortest library, and ``context``, the value that every tag can receive.
"""
