"""Methods that evaluate expressions in the evaluator ``asteval``.

Rules: operands are evaluated in Python's order, each once; so is the truth of a condition. Attributes and the results
of calls pass the guard. A generator expression is evaluated item by item, as it is consumed.
"""

# ruff: noqa: D102 - a handler on_<node> evaluates the node of that name

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from taskrun.script.asteval.activation import Activation
from taskrun.script.asteval.lower import LocalVariable
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


class ExpressionHandlers(Activation):
    """Methods ``on_<node>`` that evaluate names, operators, calls, attributes and literals."""

    def on_name(self, node: ast.Name) -> Any:
        name = node.id
        found = self.scope.find(name, _MISSING)
        if found is _MISSING:
            found = self.namespace.get(name, _MISSING)
        if found is _MISSING:
            raise self.unknown_variable_error(name)
        return found

    def on_localvariable(self, node: LocalVariable) -> Any:
        name = node.id
        try:
            return (self.ancestor(node.hops) if node.hops else self).variables[name]
        except KeyError:
            unbound = UnboundLocalError(f"the local variable '{name}' is read before it has a value")
        raise unbound

    def on_attribute(self, node: ast.Attribute) -> Any:
        return guarded_getattr(self.run(node.value), node.attr)

    def on_call(self, node: ast.Call) -> Any:
        function = metered_callable(self.run(node.func))
        arguments = self.element_values(node.args)
        keywords = self.keyword_values(node.keywords) if node.keywords else {}
        result = function(*arguments, **keywords)
        return result if result.__class__ in PLAIN else guarded_result(result, function)

    def keyword_values(self, nodes: Iterable[ast.keyword]) -> dict[str, Any]:
        """Return the keyword arguments of a call as a dict, including those of ``**mapping``.

        Raises TypeError if an argument is given twice.
        """
        keywords: dict[str, Any] = {}
        for node in nodes:
            value = self.run(node.value)
            added = {node.arg: value} if node.arg else {**value}
            for name in added:
                if name in keywords:
                    raise TypeError(f"the call has several values for the argument '{name}'")
            keywords.update(added)
        return keywords

    def element_values(self, nodes: Iterable[ast.expr]) -> list[Any]:
        """Return the values of the positional arguments of a call, or of the elements of a list, tuple or set.

        A starred element such as ``*items`` contributes all its items; they are charged to the budget.
        """
        values: list[Any] = []
        for node in nodes:
            if node.__class__ is ast.Starred:
                values.extend(ticked(self.run(node.value)))
            else:
                values.append(self.run(node))
        return values

    def on_binop(self, node: ast.BinOp) -> Any:
        left = self.run(node.left)
        return BINARY[node.op.__class__](left, self.run(node.right))

    def on_boolop(self, node: ast.BoolOp) -> Any:
        stop = node.op.__class__ is ast.Or
        *others, last = node.values
        for other in others:
            value = self.run(other)
            if bool(value) is stop:
                return value
        return self.run(last)

    def on_compare(self, node: ast.Compare) -> Any:
        left = self.run(node.left)
        *firsts, last = zip(node.ops, node.comparators, strict=True)
        for oper, comparator in firsts:
            right = self.run(comparator)
            result = _COMPARISONS[oper.__class__](left, right)
            if not result:
                return result
            left = right
        return _COMPARISONS[last[0].__class__](left, self.run(last[1]))

    def on_slice(self, node: ast.Slice) -> slice:
        lower, upper, step = (self.run(part) if part else None for part in (node.lower, node.upper, node.step))
        return slice(lower, upper, step)

    def on_list(self, node: ast.List) -> list[Any]:
        return self.element_values(node.elts)

    def on_tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.element_values(node.elts))

    def on_set(self, node: ast.Set) -> set[Any]:
        return set(self.element_values(node.elts))

    def on_dict(self, node: ast.Dict) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                result.update({**self.run(value)})
            else:
                name = self.run(key)
                result[name] = self.run(value)
        return result

    def on_namedexpr(self, node: ast.NamedExpr) -> Any:
        value = self.run(node.value)
        self.bind(node.target, value)
        return value

    def on_joinedstr(self, node: ast.JoinedStr) -> str:
        text: str = checked_sequence("".join([self.run(part) for part in node.values]))
        return text

    def on_formattedvalue(self, node: ast.FormattedValue) -> str:
        value = checked_printable(self.run(node.value))
        if node.conversion in _CONVERSIONS:
            value = _CONVERSIONS[node.conversion](value)
        return format(value, checked_format_spec(self.run(node.format_spec)) if node.format_spec else "")
