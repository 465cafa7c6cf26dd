"""Targets of assignments, loops and ``del``: variables, items, slices, and tuples or lists of targets.

Rules: unpacking to a starred target takes any number of items, so it charges the budget one tick for each of them.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from taskrun.script.compiler.ast_builders import STORE, call, load
from taskrun.script.compiler.emitter import Emitter


def assignment_target(emitter: Emitter, node: ast.expr) -> ast.expr:
    """Return the replacement of an assignment target: a variable, an item, a slice, or a tuple or list of targets.

    At run time, an assignment to a slice checks the new size of the list.
    """
    if isinstance(node, ast.Subscript):
        key = emitter.visit(node.slice)
        container = emitter.visit(node.value)
        if isinstance(node.slice, ast.Slice):
            container = call("_sliced", container)
        return ast.Subscript(container, key, node.ctx)
    if isinstance(node, (ast.Tuple, ast.List)):
        return type(node)([assignment_target(emitter, element) for element in node.elts], node.ctx)
    if isinstance(node, ast.Starred):
        return ast.Starred(assignment_target(emitter, node.value), node.ctx)
    target: ast.expr = emitter.visit(node)
    return target


def unpacking_target(emitter: Emitter, target: ast.expr, later: list[ast.stmt]) -> ast.expr:
    """Return the replacement of an assignment target that may be a tuple or list of targets: ``a, (b, *c)``.

    A starred target takes any number of items, so the budget must be charged for them. A nested tuple with a
    starred target is therefore unpacked by a statement of its own. Such statements are appended to ``later``; the
    caller must emit them behind the assignment.
    """
    if not isinstance(target, (ast.Tuple, ast.List)):
        return assignment_target(emitter, target)
    emitter.require_budget(has_starred(target))
    parts: list[ast.expr] = []
    for part in target.elts:
        if has_starred(part):
            own = emitter.new_temporary() or ""
            inner: list[ast.stmt] = []
            new = unpacking_target(emitter, part, inner)
            later += [ast.Assign([new], call("_ticked", load(own))), *inner]
            parts.append(ast.Name(own, STORE))
        elif isinstance(part, ast.Starred):
            parts.append(ast.Starred(unpacking_target(emitter, part.value, later), STORE))
        else:
            parts.append(unpacking_target(emitter, part, later))
    return type(target)(parts, STORE)


def has_starred(target: ast.expr) -> bool:
    """Return whether an assignment target is a tuple or list with a starred part, such as ``a, *b``.

    Unpacking to such a target takes any number of items, so it must charge the budget.
    """
    return isinstance(target, (ast.Tuple, ast.List)) and any(isinstance(part, ast.Starred) for part in target.elts)


def metered_unpacking(items: ast.expr, target: ast.expr) -> ast.expr:
    """Return the iterable of a loop in a form that charges the budget when its items are unpacked.

    Only a ``target`` with a starred part needs it, as in ``for a, *b in items``. For any other target the expression
    ``items`` is returned unchanged.
    """
    return call("_map", load("_ticked"), items) if has_starred(target) else items


def flatten_targets(targets: Sequence[ast.expr]) -> list[ast.expr]:
    """Return the targets of a ``del`` as a flat list of variables and items: ``a, (b, c[0])`` gives a, b, c[0]."""
    found: list[ast.expr] = []
    for target in targets:
        found.extend(flatten_targets(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else [target])
    return found
