"""Templates: bodies and tag libraries (``.xlib``) written with tags, compiled to async functions.

A package that is imported only when a file contains tags, except ``flow_templates`` and ``tag_lookup``, which every flow
imports and which import the rest inside functions. It may import ``core``, ``errors``, ``plugins``, ``script`` and ``syntax``.
Begin reading at ``flow_templates`` (the templates of one flow), then ``api`` (compile one template), ``compile`` (one
element) and ``closures`` (what elements are compiled to). ``core_tags`` lists the tags of the prefix ``c:``.
"""
