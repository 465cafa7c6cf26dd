"""Copying of the parameter list of a function in a script, for both evaluators."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def without_annotations(
    arguments: ast.arguments, *, defaults: Iterable[ast.expr], keyword_defaults: Iterable[ast.expr | None]
) -> ast.arguments:
    """Return a copy of a function's parameter list without annotations and with other default values.

    Parameters: ``defaults`` are the default values of the last positional parameters, as in ``ast.arguments``.
    ``keyword_defaults`` has one item per keyword-only parameter, None for a parameter without default.
    """

    def plain(argument: ast.arg | None) -> ast.arg | None:
        return ast.arg(argument.arg) if argument else None

    return ast.arguments(
        posonlyargs=[ast.arg(argument.arg) for argument in arguments.posonlyargs],
        args=[ast.arg(argument.arg) for argument in arguments.args],
        vararg=plain(arguments.vararg),
        kwonlyargs=[ast.arg(argument.arg) for argument in arguments.kwonlyargs],
        kw_defaults=list(keyword_defaults),
        kwarg=plain(arguments.kwarg),
        defaults=list(defaults),
    )
