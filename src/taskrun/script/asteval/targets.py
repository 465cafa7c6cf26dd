"""Targets of assignments and deletions in the evaluator ``asteval``: variables, items, tuples and lists of targets."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import islice
from typing import Any

from taskrun.script.asteval.activation import Activation
from taskrun.script.asteval.lower import LocalVariable
from taskrun.script.sandbox.budget import ticked
from taskrun.script.sandbox.size_limits import check_size

_END = object()


def bind(activation: Activation, target: ast.expr, value: Any) -> None:
    """Assign ``value`` to an assignment target: a variable, an item, a slice, or a tuple or list of targets."""
    if target.__class__ is ast.Name:
        activation.scope[target.id] = value
    elif isinstance(target, LocalVariable):
        activation.ancestor(target.hops).variables[target.id] = value
    elif isinstance(target, ast.Subscript):
        container = activation.run(target.value)
        index = activation.run(target.slice)
        if isinstance(index, slice) and hasattr(value, "__len__"):
            check_size(len(container) + len(value))
        container[index] = value
    elif isinstance(target, (ast.Tuple, ast.List)):
        bind_unpacked(activation, target.elts, value)


def bind_unpacked(activation: Activation, targets: Sequence[ast.expr], value: Any) -> None:
    """Assign the items of ``value`` to several targets, as ``a, b = value`` does.

    One target may be starred (``*c``): it receives a list of the items that the others leave. Raises ValueError if
    there are too few or too many items, TypeError if ``value`` is not iterable.
    """
    count = len(targets)
    star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    kind = type(value)
    if not (hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")):
        raise TypeError(f"cannot unpack non-iterable {kind.__name__} object")
    iterator = iter(value)
    if star is None:
        values = list(islice(iterator, count))
        if len(values) < count:
            raise ValueError(f"not enough values to unpack (expected {count}, got {len(values)})")
        if next(iterator, _END) is not _END:
            raise ValueError(f"too many values to unpack (expected {count})")
    else:
        values = list(ticked(iterator))
        if len(values) < count - 1:
            raise ValueError(f"not enough values to unpack (expected at least {count - 1}, got {len(values)})")
        values[star : len(values) - (count - 1 - star)] = [values[star : len(values) - (count - 1 - star)]]
    for target, item in zip(targets, values, strict=True):
        bind(activation, target.value if isinstance(target, ast.Starred) else target, item)


def delete_target(activation: Activation, target: ast.expr) -> None:
    """Delete one target of a ``del``: a variable, an item, or a tuple or list of targets.

    Raises NameError if the variable does not exist.
    """
    if isinstance(target, ast.Subscript):
        container = activation.run(target.value)
        del container[activation.run(target.slice)]
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            delete_target(activation, element)
    elif isinstance(target, LocalVariable) and not remove_variable(activation, target):
        raise UnboundLocalError(f"the local variable '{target.id}' has no value that could be deleted")
    elif (
        isinstance(target, ast.Name)
        and not isinstance(target, LocalVariable)
        and not remove_variable(activation, target)
    ):
        raise NameError(f"'{target.id}' is not a variable of this step, so it cannot be deleted")


def remove_variable(activation: Activation, name: ast.Name) -> bool:
    """Delete a variable, of the scope or a local one; return whether it existed."""
    variables: Any = activation.ancestor(name.hops).variables if isinstance(name, LocalVariable) else activation.scope
    return variables.pop(name.id, _END) is not _END
