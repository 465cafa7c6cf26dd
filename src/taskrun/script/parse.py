"""Parser of Python scripts that accepts any indentation of the script in its file.

Rules: no character of the text is replaced. Text is only added before and after it, and whitespace at its ends (behind
an expression also ``;``) is left out. Therefore strings of several lines keep their content, and every position in the
syntax tree can be converted to an index of the text. An indented script is parsed as the body of an ``if 1:``. If a
script begins on the line of its tag, the indentation of its first line is unknown; the indentations of the other lines
are tried for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from taskrun.script.problems import SYNTAX, Problem, ProblemsError

_BLOCK = "if 1:\n"
_NEWLINE = re.compile(r"\r\n|\r|\n")
_INDENT = re.compile(r"[ \t\f]*")
_CODE_LINE = re.compile(r"^([ \t\f]*)[^\s#]", re.MULTILINE)
_ON_LINE = re.compile(r" on line \d+")
_BLANKS = " \t\f\r\n"
_MAX_INDENTS = 16  # the number of different indentations that are tried for the first line
_XSCRIPT = re.compile(
    r"&&|\|\||=>|===|\b(?:let|const|var|function|new)\s+\w|\?\.|\?\?|\}\s*else\b|^\s*//", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Syntax tree of a script (``body``), with the conversion of its positions to indices of the script text.

    ``source`` is the text that was parsed: the script text with additions. An index of ``source`` plus ``shift`` is an
    index of the script text.
    """

    body: list[ast.stmt]
    source: str
    shift: int

    def index(self, line: int, column: int) -> int:
        """Convert a position of the syntax tree to an index in the script text.

        Parameters: ``line`` counts from 1, ``column`` counts UTF-8 bytes from 0, as in ``ast``.
        """
        return _index(self.source, line, column) + self.shift


def parse_program(text: str) -> Parsed:
    """Parse a script of any number of statements; raises ProblemsError if it has a syntax error.

    Only one error is reported. If several indentations were tried, it is the error that lies furthest behind in the
    text.
    """
    failures = []
    for prefix, start in _layouts(text):
        source = prefix + text[start:]
        parsed = _parse(source, start - len(prefix), text)
        if isinstance(parsed, Problem):
            failures.append(parsed)
            continue
        if not prefix:
            return parsed
        block, *others = parsed.body
        astray = block.orelse + others if isinstance(block, ast.If) else others
        if isinstance(block, ast.If) and not astray:
            return Parsed(block.body, source, parsed.shift)
        index = parsed.index(astray[0].lineno, astray[0].col_offset)
        failures.append(_problem(text, index, "unindent does not match any outer indentation level"))
    raise ProblemsError([max(failures, key=lambda problem: problem.at)])


def parse_expression(text: str) -> Parsed:
    """Parse a text that must be exactly one expression; it may span several lines and end with ``;``.

    Raises ProblemsError if the text is empty, has a syntax error or is more than one expression.
    """
    start = len(text) - len(text.lstrip(_BLANKS))
    stripped = text.strip(_BLANKS + ";")
    if not stripped:
        raise ProblemsError([Problem(0, SYNTAX, "an expression is expected here, but there is nothing")])
    prefix, suffix = ("[", "\n]") if _NEWLINE.search(stripped) else ("", "")
    parsed = _parse(prefix + stripped + suffix, start - len(prefix), text)
    if isinstance(parsed, Problem):
        raise ProblemsError([parsed])
    statement = parsed.body[0]
    if len(parsed.body) == 1 and isinstance(statement, ast.Expr):
        if not prefix:
            return parsed
        outer = statement.value
        if isinstance(outer, ast.List) and len(outer.elts) == 1 and not isinstance(outer.elts[0], ast.Starred):
            inner = ast.copy_location(ast.Expr(outer.elts[0]), outer.elts[0])
            return Parsed([inner], parsed.source, parsed.shift)
    astray = parsed.body[-1]
    message = "this is not one expression; statements are possible in a <source> only"
    raise ProblemsError([Problem(parsed.index(astray.lineno, astray.col_offset), SYNTAX, message)])


def _layouts(text: str) -> Iterator[tuple[str, int]]:
    """Yield the ways to parse a script, in the order of trying.

    Each way is a prefix that is added before the text, and the number of characters that are skipped at its start.
    Several ways are tried because the script may be indented in its file.
    """
    first_code = _CODE_LINE.search(text)
    if first_code is None or _NEWLINE.search(text, 0, first_code.end()):
        yield (_BLOCK if first_code and first_code[1] else ""), 0
        return
    start = len(first_code[1])
    yield "", start
    indents = {_indent(line) for line in _NEWLINE.split(text)[1:] if line.strip(_BLANKS)} - {""}
    for indent in sorted(indents, key=lambda indent: (len(indent), indent))[:_MAX_INDENTS]:
        yield _BLOCK + indent, start


def _indent(line: str) -> str:
    """Return the whitespace at the start of a line."""
    found = _INDENT.match(line)
    return found[0] if found else ""


def _parse(source: str, shift: int, text: str) -> Parsed | Problem:
    """Parse ``source`` and return the syntax tree, or a Problem if it has a syntax error.

    The problem has an index in ``text``, the script text: an index of ``source`` plus ``shift`` is an index of
    ``text``.
    """
    try:
        return Parsed(ast.parse(source).body, source, shift)
    except SyntaxError as error:
        number = error.lineno or 1
        line = "".join(_NEWLINE.split(source)[number - 1 : number])
        before = _indent(line) if isinstance(error, IndentationError) else line[: max(0, (error.offset or 1) - 1)]
        return _problem(text, _index(source, number, len(before.encode())) + shift, error.msg)
    except (RecursionError, MemoryError):
        return Problem(0, SYNTAX, "the script is nested too deeply to be parsed")
    except ValueError as error:
        return Problem(0, SYNTAX, f"not valid Python: {error}")


def _problem(text: str, index: int, message: str) -> Problem:
    """Return the Problem of a syntax error at an index; it has a hint if the text looks like XScript."""
    place = min(max(index, 0), len(text.rstrip(_BLANKS)))
    hint = 'if this is meant to be XScript, set scriptLang="xscript"' if _XSCRIPT.search(text) else ""
    return Problem(place, SYNTAX, f"not valid Python: {_ON_LINE.sub('', message)}", hint)


def _index(source: str, line: int, column: int) -> int:
    """Return the index in ``source`` of a position; ``line`` counts from 1, ``column`` counts UTF-8 bytes from 0."""
    start = 0
    for number, end in enumerate(_NEWLINE.finditer(source), 1):
        if number == line:
            break
        start = end.end()
    found = _NEWLINE.search(source, start)
    content = source[start : found.start() if found else len(source)]
    return start + len(content.encode()[:column].decode(errors="ignore"))
