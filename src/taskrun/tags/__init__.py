"""Bundled tag libraries: ``files``, ``http``, ``sh``, ``task`` and ``text``; the other modules are parts of these.

Each public function of a library is a tag, and its keywords are the attributes of the tag, except ``context``, which
the engine passes. An ``async def`` runs on the event loop; a plain ``def`` may block, since it runs in a worker thread.
Modules here import ``taskrun.core``, ``taskrun.languages.process`` and ``taskrun.errors``.
Begin with ``text``, the shortest library, and ``context``, the value that every tag can receive.
"""
