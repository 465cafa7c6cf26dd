"""Words of XScript to a tree, by lark and the grammar in ``grammar.lark``.

Rules: a missing semicolon is put in where JavaScript does it: before a word that cannot follow, when a line ended before
it, or it is ``}``, or the text ends; and after ``return``, ``break``, ``continue`` and ``throw`` at the end of a line.
Whether ``{`` begins a block or a map is what the parser expects there, a block first. ``(`` begins parameters when an
arrow follows its ``)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.script.limits import Limits
from taskrun.script.problems import SYNTAX, UNSUPPORTED, Problem, ProblemsError
from taskrun.script.xscript.lexer import KEYWORDS, Word, words

if TYPE_CHECKING:
    import lark

_SILENT = frozenset(
    {
        "LET", "VAR", "FUNCTION", "IF", "ELSE", "FOR", "OF", "WHILE", "DO", "SWITCH", "CASE", "DEFAULT", "BREAK",
        "CONTINUE", "RETURN", "TRY", "CATCH", "FINALLY", "THROW", "NEW", "IMPORT", "TYPEOF", "INSTANCEOF", "NOT",
        "TEMPLATE", "TEMPLATE_END", "HOLE", "HOLE_END", "SPREAD", "ARROW", "OPTIONAL", "ASSIGN", "BANG", "QUESTION",
        "COLON", "SEMI", "COMMA", "DOT", "LPAR", "RPAR", "LBRACE", "RBRACE", "LSQUARE", "RSQUARE", "BLOCK", "PARAMETERS",
    }
)  # fmt: skip
_ENDS_LINE = frozenset({"RETURN", "BREAK", "CONTINUE", "THROW"})
_MESSAGES = MappingProxyType(
    {
        "ASSIGN": ("an assignment inside an expression is not possible", "assign it in a statement of its own"),
        "CHANGE": ("an assignment inside an expression is not possible", "assign it in a statement of its own"),
        "STEP": ("'++' and '--' inside an expression are not possible", "write it as a statement of its own"),
        "FUNCTION": ("a function expression is not possible", "write an arrow function: (a, b) => …"),
    }
)


class Part(NamedTuple):
    """A node of the tree: what it is, its parts (nodes and words), and where it starts and ends in the text."""

    kind: str
    parts: tuple[Any, ...]
    start: int
    end: int

    @property
    def nodes(self) -> list[Part]:
        """The parts that are nodes."""
        return [part for part in self.parts if isinstance(part, Part)]


def parse(text: str, limits: Limits, *, expression: bool) -> Part:
    """Return the tree of a program, or of one expression; raises ProblemsError with its first mistake."""
    found = list(_marked(words(text)))
    parser = _parser().parse_interactive(start="expression" if expression else "start")
    length = len(text.rstrip())
    end = Word("$END", "", length, length, newline=True)
    for word in [*found, end]:
        parser = _fed(parser, word, text)
    return _tree(parser.result, limits)


@cache
def _parser() -> lark.Lark:
    import lark

    grammar = files("taskrun.script.xscript").joinpath("grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="lalr", lexer="basic", start=["start", "expression"], propagate_positions=True)


def _marked(found: list[Word]) -> Iterator[Word]:
    """Yield the words with what only a look ahead tells: arrow parameters, and statements that a line's end ends."""
    types: set[int] = set()  # where a name is the type that an arrow function returns
    for index, word in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        closing = _arrow_parameters(found, index) if word.kind == "LPAR" else 0
        if closing:
            types.add(closing + 2)
            yield _as(word, "PARAMETERS")
        elif word.kind == "NAME" and following and following.kind == "ARROW" and index not in types:
            yield _as(word, "ARROW_NAME")
        else:
            yield word
        if word.kind in _ENDS_LINE and following and following.newline and following.kind != "SEMI":
            yield Word("SEMI", "", word.end, word.end, newline=False)


def _as(word: Word, kind: str) -> Word:
    return Word(kind, word.text, word.start, word.end, word.newline)


def _arrow_parameters(found: list[Word], index: int) -> int:
    """Return where the parameters of an arrow function end that begin here, 0 when this is something else."""
    depth = 0
    for position in range(index, len(found)):
        kind = found[position].kind
        depth += (kind in {"LPAR", "LBRACE", "LSQUARE", "HOLE"}) - (kind in {"RPAR", "RBRACE", "RSQUARE", "HOLE_END"})
        if depth == 0:
            after = [word.kind for word in found[position + 1 : position + 4]]
            typed = after == ["COLON", "NAME", "ARROW"] and (index == 0 or found[index - 1].kind != "QUESTION")
            return position if after[:1] == ["ARROW"] or typed else 0
    return 0


def _fed(parser: Any, word: Word, text: str) -> Any:
    """Return the parser after a word; a semicolon is put in before it where it may be missing."""
    may_lack = word.newline or word.kind in {"RBRACE", "$END"}
    for semicolon in (False, True):
        attempt = parser.copy(deepcopy_values=False) if may_lack else parser
        if semicolon and (not may_lack or not _feed(attempt, Word("SEMI", "", word.start, word.start, newline=False))):
            break
        if _feed(attempt, word):
            return attempt
    raise ProblemsError([_unexpected(parser, word, text)])


def _feed(parser: Any, word: Word) -> bool:
    import lark

    kind = word.kind
    if kind == "LBRACE" and "BLOCK" in parser.choices():
        kind = "BLOCK"
    token = lark.Token(kind, word.text, word.start, end_pos=word.end, line=1, column=1, end_line=1, end_column=1)
    try:
        parser.result = parser.feed_token(token)
    except lark.UnexpectedInput:
        return False
    return True


def _unexpected(parser: Any, word: Word, text: str) -> Problem:
    if word.kind in _MESSAGES and (word.kind in {"FUNCTION", "STEP"} or "NAME" not in parser.choices()):
        message, hint = _MESSAGES[word.kind]
        return Problem(word.start, UNSUPPORTED, message, hint)
    if word.kind == "$END":
        what = "the script ends too early" if text.strip() else "an expression is expected here, but there is nothing"
        return Problem(word.start, SYNTAX, f"not valid XScript: {what}", _hint(parser))
    return Problem(word.start, SYNTAX, f"not valid XScript: '{word.text}' is unexpected here", _hint(parser))


def _hint(parser: Any) -> str:
    signs = {"RPAR": ")", "RBRACE": "}", "RSQUARE": "]", "COLON": ":", "OF": "of", "HOLE_END": "}"}
    choices = {kind for kind in parser.choices() if kind.isupper() or kind.startswith("$")}
    if choices <= {"NAME", "LBRACE", "LSQUARE"} and "NAME" in choices:
        return "a name is expected"
    if {"NAME", "NUMBER", "LPAR"} <= choices:
        return "an expression is expected"
    closing = [sign for kind, sign in signs.items() if kind in choices]
    return f"'{closing[0]}' is expected" if len(closing) == 1 else ""


def _tree(top: Any, limits: Limits) -> Part:
    """Return lark's tree without the words that say nothing, or raise ProblemsError when it is nested too deep."""
    order: list[tuple[Any, int]] = [(top, 0)]
    for node, depth in order:
        if depth > limits.source_depth:
            message = f"the script is nested more than {limits.source_depth} deep"
            raise ProblemsError([Problem(_place(node)[0], SYNTAX, message, "give parts of it names: let x = …")])
        order.extend((child, depth + 1) for child in getattr(node, "children", ()))
    if len(order) > limits.source_nodes * 4:
        raise ProblemsError([Problem(0, SYNTAX, f"the script has more than {limits.source_nodes:,} parts")])
    part: Part = _part(top)
    return part


def _part(node: Any) -> Any:
    if not hasattr(node, "children"):
        return Word(node.type, str(node), node.start_pos, node.end_pos, newline=False)
    children: Iterable[Any] = node.children
    kept = tuple(_part(child) for child in children if getattr(child, "type", "") not in _SILENT)
    start, end = _place(node)
    return Part(str(node.data), kept, start, end)


def _place(node: Any) -> tuple[int, int]:
    if hasattr(node, "children"):
        return getattr(node.meta, "start_pos", 0), getattr(node.meta, "end_pos", 0)
    return node.start_pos, node.end_pos


__all__ = ["KEYWORDS", "Part", "parse"]
