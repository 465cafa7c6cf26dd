"""Parser of XScript: converts tokens into a syntax tree with lark and the grammar in ``grammar.lark``.

Rules: a missing semicolon is inserted where JavaScript inserts it: at the end of the text; after ``return``, ``break``,
``continue`` and ``throw`` at the end of a line; and before a token that the grammar does not allow at its place, if the
token is ``}`` or on a new line. ``{`` begins a block wherever the grammar allows one, otherwise a map. ``(`` begins the
parameters of an arrow function if ``=>`` follows its ``)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.script.limits import Limits
from taskrun.script.problems import SYNTAX, UNSUPPORTED, Problem, ProblemsError
from taskrun.script.xscript.lexer import Token, tokenize

if TYPE_CHECKING:
    import lark

_DROPPED_KINDS = frozenset(
    {
        "LET", "VAR", "FUNCTION", "IF", "ELSE", "FOR", "OF", "WHILE", "DO", "SWITCH", "CASE", "DEFAULT", "BREAK",
        "CONTINUE", "RETURN", "TRY", "CATCH", "FINALLY", "THROW", "NEW", "IMPORT", "TYPEOF", "INSTANCEOF", "NOT",
        "TEMPLATE", "TEMPLATE_END", "HOLE", "HOLE_END", "SPREAD", "ARROW", "OPTIONAL", "ASSIGN", "BANG", "QUESTION",
        "COLON", "SEMI", "COMMA", "DOT", "LPAR", "RPAR", "LBRACE", "RBRACE", "LSQUARE", "RSQUARE", "BLOCK", "PARAMETERS",
    }
)  # fmt: skip
_ENDED_BY_NEWLINE = frozenset({"RETURN", "BREAK", "CONTINUE", "THROW"})
_UNSUPPORTED_SYNTAX = MappingProxyType(
    {
        "ASSIGN": ("an assignment inside an expression is not possible", "assign it in a statement of its own"),
        "CHANGE": ("an assignment inside an expression is not possible", "assign it in a statement of its own"),
        "STEP": ("'++' and '--' inside an expression are not possible", "write it as a statement of its own"),
        "FUNCTION": ("a function expression is not possible", "write an arrow function: (a, b) => …"),
    }
)


class SyntaxNode(NamedTuple):
    """Syntax node of an XScript: one construct of the text, such as a call, with the constructs inside it.

    Attributes:
        kind: The name of the grammar rule, such as ``"call"``.
        children: The syntax nodes and tokens inside it, in the order of the text.
        start: The index in the text at which it starts.
        end: The index in the text behind its last character.
    """

    kind: str
    children: tuple[Any, ...]
    start: int
    end: int

    @property
    def nodes(self) -> list[SyntaxNode]:
        """The children that are syntax nodes, without the tokens."""
        return [part for part in self.children if isinstance(part, SyntaxNode)]


def parse(text: str, limits: Limits, *, expression: bool) -> SyntaxNode:
    """Return the syntax tree of an XScript; with ``expression``, the text must be exactly one expression.

    Raises ProblemsError with the first syntax error, or if the tree is larger or deeper than ``limits`` allow.
    """
    found = list(_with_lookahead(tokenize(text)))
    parser = _parser().parse_interactive(start="expression" if expression else "start")
    length = len(text.rstrip())
    end = Token("$END", "", length, length, newline=True)
    for token in [*found, end]:
        parser = _feed_with_semicolon(parser, token, text)
    return _convert_tree(parser.result, limits)


@cache
def _parser() -> lark.Lark:
    """Return the parser that lark builds from the grammar; it is built at the first call and then shared."""
    import lark

    grammar = files("taskrun.script.xscript").joinpath("grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="lalr", lexer="basic", start=["start", "expression"], propagate_positions=True)


def _with_lookahead(found: list[Token]) -> Iterator[Token]:
    """Yield the tokens, changed where the grammar alone would have to look too far ahead.

    A ``(`` that begins the parameters of an arrow function gets the kind PARAMETERS, and the name in ``x => …`` the
    kind ARROW_NAME. A semicolon is inserted after ``return``, ``break``, ``continue`` or ``throw`` at the end of a
    line.
    """
    types: set[int] = set()  # indexes of names that are the return type of an arrow function
    for index, token in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        closing = _arrow_parameters(found, index) if token.kind == "LPAR" else 0
        if closing:
            types.add(closing + 2)
            yield _with_kind(token, "PARAMETERS")
        elif token.kind == "NAME" and following and following.kind == "ARROW" and index not in types:
            yield _with_kind(token, "ARROW_NAME")
        else:
            yield token
        if token.kind in _ENDED_BY_NEWLINE and following and following.newline and following.kind != "SEMI":
            yield Token("SEMI", "", token.end, token.end, newline=False)


def _with_kind(token: Token, kind: str) -> Token:
    """Return a copy of a token that has another kind."""
    return Token(kind, token.text, token.start, token.end, token.newline)


def _arrow_parameters(found: list[Token], index: int) -> int:
    """Return the index of the ``)`` that ends the arrow function parameters which begin with the ``(`` at ``index``.

    Returns 0 if this ``(`` begins something else: then neither ``=>`` nor ``: Type =>`` follows its ``)``.
    """
    depth = 0
    for position in range(index, len(found)):
        kind = found[position].kind
        depth += (kind in {"LPAR", "LBRACE", "LSQUARE", "HOLE"}) - (kind in {"RPAR", "RBRACE", "RSQUARE", "HOLE_END"})
        if depth == 0:
            after = [token.kind for token in found[position + 1 : position + 4]]
            typed = after == ["COLON", "NAME", "ARROW"] and (index == 0 or found[index - 1].kind != "QUESTION")
            return position if after[:1] == ["ARROW"] or typed else 0
    return 0


def _feed_with_semicolon(parser: Any, token: Token, text: str) -> Any:
    """Pass a token to the parser, with a semicolon before it if one is missing, and return the parser to go on with.

    The returned parser can be a copy of the given one. Raises ProblemsError if the grammar does not allow the token.
    """
    may_lack = token.newline or token.kind in {"RBRACE", "$END"}
    for semicolon in (False, True):
        attempt = parser.copy(deepcopy_values=False) if may_lack else parser
        if semicolon and (
            not may_lack or not _feed_token(attempt, Token("SEMI", "", token.start, token.start, newline=False))
        ):
            break
        if _feed_token(attempt, token):
            return attempt
    raise ProblemsError([_syntax_problem(parser, token, text)])


def _feed_token(parser: Any, token: Token) -> bool:
    """Pass a token to the parser; return True if the grammar allows the token, else False.

    Sets ``parser.result``, which is the syntax tree of lark after the last token.
    """
    import lark

    kind = token.kind
    if kind == "LBRACE" and "BLOCK" in parser.choices():
        kind = "BLOCK"
    lark_token = lark.Token(
        kind, token.text, token.start, end_pos=token.end, line=1, column=1, end_line=1, end_column=1
    )
    try:
        parser.result = parser.feed_token(lark_token)
    except lark.UnexpectedInput:
        return False
    return True


def _syntax_problem(parser: Any, token: Token, text: str) -> Problem:
    """Return the problem for a token that the grammar does not allow at its place."""
    if token.kind in _UNSUPPORTED_SYNTAX and (token.kind in {"FUNCTION", "STEP"} or "NAME" not in parser.choices()):
        message, hint = _UNSUPPORTED_SYNTAX[token.kind]
        return Problem(token.start, UNSUPPORTED, message, hint)
    if token.kind == "$END":
        what = "the script ends too early" if text.strip() else "an expression is expected here, but there is nothing"
        return Problem(token.start, SYNTAX, f"not valid XScript: {what}", _hint(parser))
    return Problem(token.start, SYNTAX, f"not valid XScript: '{token.text}' is unexpected here", _hint(parser))


def _hint(parser: Any) -> str:
    """Return a hint that says what is expected next: a name, an expression or a sign such as ``)``; else ``""``."""
    signs = {"RPAR": ")", "RBRACE": "}", "RSQUARE": "]", "COLON": ":", "OF": "of", "HOLE_END": "}"}
    choices = {kind for kind in parser.choices() if kind.isupper() or kind.startswith("$")}
    if choices <= {"NAME", "LBRACE", "LSQUARE"} and "NAME" in choices:
        return "a name is expected"
    if {"NAME", "NUMBER", "LPAR"} <= choices:
        return "an expression is expected"
    closing = [sign for kind, sign in signs.items() if kind in choices]
    return f"'{closing[0]}' is expected" if len(closing) == 1 else ""


def _convert_tree(top: Any, limits: Limits) -> SyntaxNode:
    """Convert the syntax tree of lark into SyntaxNodes; raise ProblemsError if it is nested too deeply or too large."""
    order: list[tuple[Any, int]] = [(top, 0)]
    for node, depth in order:
        if depth > limits.source_depth:
            message = f"the script is nested more than {limits.source_depth} deep"
            raise ProblemsError(
                [Problem(_span(node)[0], SYNTAX, message, "assign parts of it to variables: let x = …")]
            )
        order.extend((child, depth + 1) for child in getattr(node, "children", ()))
    if len(order) > limits.source_nodes * 4:
        raise ProblemsError([Problem(0, SYNTAX, f"the script has more than {limits.source_nodes:,} parts")])
    part: SyntaxNode = _convert_node(top)
    return part


def _convert_node(node: Any) -> Any:
    """Convert one node or token of lark, with everything inside it, into a SyntaxNode or Token.

    Tokens that say no more than the kind of the node, such as brackets and most keywords, are left out.
    """
    if not hasattr(node, "children"):
        return Token(node.type, str(node), node.start_pos, node.end_pos, newline=False)
    children: Iterable[Any] = node.children
    converted = tuple(_convert_node(child) for child in children if getattr(child, "type", "") not in _DROPPED_KINDS)
    start, end = _span(node)
    return SyntaxNode(str(node.data), converted, start, end)


def _span(node: Any) -> tuple[int, int]:
    """Return the indexes in the text at which a node or token of lark starts and ends."""
    if hasattr(node, "children"):
        return getattr(node.meta, "start_pos", 0), getattr(node.meta, "end_pos", 0)
    return node.start_pos, node.end_pos
