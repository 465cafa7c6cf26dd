"""Codecs: conversion of values to JSON text that restores them exactly.

    codecs = Codecs()
    codecs.loads(codecs.dumps({"when": date(2026, 2, 3)}))

Modules here import ``taskrun.core`` and ``taskrun.errors``. Begin with ``codec``. ``builtin_types`` lists the supported
types of the standard library, ``classes`` handles enums, dataclasses and models, ``exception_state`` handles
exceptions, ``script_views`` the objects that scripts see of finished steps.
"""
