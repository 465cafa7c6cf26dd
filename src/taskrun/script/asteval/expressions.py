"""Functions that evaluate expressions in the evaluator ``asteval``: names, operators, calls, attributes, literals.

Rules: ``on_<node>`` evaluates the AST node of that name and returns its value. Operands are evaluated in Python's
order, each once; so is the truth of a condition. Attributes and the results of calls pass the guard.
"""

# ruff: noqa: D103 - a handler on_<node> evaluates the node of that name

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.asteval.activation import Activation, NodeHandlers
from taskrun.script.asteval.lower import LocalVariable
from taskrun.script.asteval.targets import bind
from taskrun.script.sandbox.bounded_operators import BINARY, checked_sequence
from taskrun.script.sandbox.bounded_text import checked_format_spec, checked_printable
from taskrun.script.sandbox.budget import container, ticked
from taskrun.script.sandbox.guard import PLAIN, guarded_getattr, guarded_result
from taskrun.script.sandbox.metered_types import metered_callable

_MISSING = object()
_CONVERSIONS: Mapping[int, Callable[[Any], str]] = MappingProxyType({115: str, 114: repr, 97: ascii})
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = MappingProxyType(
    {
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
        ast.Is: operator.is_,
        ast.IsNot: operator.is_not,
        ast.In: lambda a, b: a in container(b),
        ast.NotIn: lambda a, b: a not in container(b),
    }
)


def on_name(activation: Activation, node: ast.Name) -> Any:
    name = node.id
    found = activation.scope.find(name, _MISSING)
    if found is _MISSING:
        found = activation.namespace.get(name, _MISSING)
    if found is _MISSING:
        raise activation.unknown_variable_error(name)
    return found


def on_localvariable(activation: Activation, node: LocalVariable) -> Any:
    name = node.id
    try:
        return (activation.ancestor(node.hops) if node.hops else activation).variables[name]
    except KeyError:
        unbound = UnboundLocalError(f"the local variable '{name}' is read before it has a value")
    raise unbound


def on_attribute(activation: Activation, node: ast.Attribute) -> Any:
    return guarded_getattr(activation.run(node.value), node.attr)


def on_call(activation: Activation, node: ast.Call) -> Any:
    function = metered_callable(activation.run(node.func))
    arguments = element_values(activation, node.args)
    keywords = keyword_values(activation, node.keywords) if node.keywords else {}
    result = function(*arguments, **keywords)
    return result if result.__class__ in PLAIN else guarded_result(result, function)


def keyword_values(activation: Activation, nodes: Iterable[ast.keyword]) -> dict[str, Any]:
    """Return the keyword arguments of a call as a dict, including those of ``**mapping``.

    Raises TypeError if an argument is given twice.
    """
    keywords: dict[str, Any] = {}
    for node in nodes:
        value = activation.run(node.value)
        added = {node.arg: value} if node.arg else {**value}
        for name in added:
            if name in keywords:
                raise TypeError(f"the call has several values for the argument '{name}'")
        keywords.update(added)
    return keywords


def element_values(activation: Activation, nodes: Iterable[ast.expr]) -> list[Any]:
    """Return the values of the positional arguments of a call, or of the elements of a list, tuple or set.

    A starred element such as ``*items`` contributes all its items; they are charged to the budget.
    """
    values: list[Any] = []
    for node in nodes:
        if node.__class__ is ast.Starred:
            values.extend(ticked(activation.run(node.value)))
        else:
            values.append(activation.run(node))
    return values


def on_binop(activation: Activation, node: ast.BinOp) -> Any:
    left = activation.run(node.left)
    return BINARY[node.op.__class__](left, activation.run(node.right))


def on_boolop(activation: Activation, node: ast.BoolOp) -> Any:
    stop = node.op.__class__ is ast.Or
    *others, last = node.values
    for other in others:
        value = activation.run(other)
        if bool(value) is stop:
            return value
    return activation.run(last)


def on_compare(activation: Activation, node: ast.Compare) -> Any:
    left = activation.run(node.left)
    *firsts, last = zip(node.ops, node.comparators, strict=True)
    for oper, comparator in firsts:
        right = activation.run(comparator)
        result = _COMPARISONS[oper.__class__](left, right)
        if not result:
            return result
        left = right
    return _COMPARISONS[last[0].__class__](left, activation.run(last[1]))


def on_slice(activation: Activation, node: ast.Slice) -> slice:
    lower, upper, step = (activation.run(part) if part else None for part in (node.lower, node.upper, node.step))
    return slice(lower, upper, step)


def on_list(activation: Activation, node: ast.List) -> list[Any]:
    return element_values(activation, node.elts)


def on_tuple(activation: Activation, node: ast.Tuple) -> tuple[Any, ...]:
    return tuple(element_values(activation, node.elts))


def on_set(activation: Activation, node: ast.Set) -> set[Any]:
    return set(element_values(activation, node.elts))


def on_dict(activation: Activation, node: ast.Dict) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            result.update({**activation.run(value)})
        else:
            name = activation.run(key)
            result[name] = activation.run(value)
    return result


def on_namedexpr(activation: Activation, node: ast.NamedExpr) -> Any:
    value = activation.run(node.value)
    bind(activation, node.target, value)
    return value


def on_joinedstr(activation: Activation, node: ast.JoinedStr) -> str:
    text: str = checked_sequence("".join([activation.run(part) for part in node.values]))
    return text


def on_formattedvalue(activation: Activation, node: ast.FormattedValue) -> str:
    value = checked_printable(activation.run(node.value))
    if node.conversion in _CONVERSIONS:
        value = _CONVERSIONS[node.conversion](value)
    return format(value, checked_format_spec(activation.run(node.format_spec)) if node.format_spec else "")


EXPRESSION_HANDLERS: NodeHandlers = MappingProxyType(
    {
        ast.Name: on_name,
        LocalVariable: on_localvariable,
        ast.Attribute: on_attribute,
        ast.Call: on_call,
        ast.BinOp: on_binop,
        ast.BoolOp: on_boolop,
        ast.Compare: on_compare,
        ast.Slice: on_slice,
        ast.List: on_list,
        ast.Tuple: on_tuple,
        ast.Set: on_set,
        ast.Dict: on_dict,
        ast.NamedExpr: on_namedexpr,
        ast.JoinedStr: on_joinedstr,
        ast.FormattedValue: on_formattedvalue,
    }
)
"""The handlers of expressions other than functions and comprehensions."""
