"""The standard tag libraries, one module each: a public function of a module is a tag, its keywords are the attributes.

Rules: a library's ``__all__`` names its tags and errors, and the libraries are ``files``, ``http``, ``sh`` and ``text``: the
other modules here are their parts; ``async def`` runs in the loop, plain ``def`` may block as it runs in a worker thread;
``context`` is what the engine gives a tag, never an attribute.
"""
