"""Templates: bodies and tag libraries (``.xlib``) written with tags, compiled to async functions.

A package that is imported only when a file contains tags. Exceptions are ``flow_templates`` and ``tag_lookup``: every
flow imports them, and they import the other modules inside functions. The package may import ``core``, ``errors``,
``plugins``, ``script`` and ``syntax``. Begin reading at ``flow_templates`` (the templates of one flow), then ``api``
(compile one template), ``compile`` (one element) and ``closures`` (what elements are compiled to). ``core_tags`` lists
the tags of the prefix ``c:``.
"""
