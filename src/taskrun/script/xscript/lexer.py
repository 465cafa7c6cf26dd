"""The words of XScript: names, numbers, texts, operators, with the place of each.

    let total = order?.price ?? 0; // → LET NAME ASSIGN NAME OPTIONAL NAME COALESCE NUMBER SEMI

Rules: comments and blanks are left out; ``newline`` says whether a line ended before a word. A template text becomes a
sequence of words, so that the expressions in it are parsed with everything else. What is no word of the language is an
error that says what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from taskrun.script.problems import SYNTAX, UNSUPPORTED, Problem, ProblemsError

_WORD = re.compile(
    r"""(?P<BLANK>[ \t\f\r\n\ufeff\u00a0]+|//[^\r\n]*|/\*.*?\*/)
    |(?P<NUMBER>0[xX][0-9a-fA-F]+|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[lLdDfF]?\b)
    |(?P<NAME>[^\W\d][\w$]*|\$[\w$]*)
    |(?P<TEXT>"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*')
    |(?P<SIGN>===|!==|\.\.\.|=>|\?\.|\?\?|&&|\|\||==|!=|<=|>=|\+\+|--|\+=|-=|\*=|/=|%=|[-+*/%<>=!?:;,.(){}\[\]`|&^~@\#])""",
    re.VERBOSE | re.DOTALL,
)
_CHUNK = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*", re.DOTALL)
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPED = MappingProxyType({"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"})

KEYWORDS = frozenset(
    {
        "let", "const", "var", "function", "if", "else", "for", "of", "while", "do", "switch", "case", "default", "break",
        "continue", "return", "try", "catch", "finally", "throw", "new", "import", "typeof", "instanceof", "null", "true",
        "false", "and", "or", "not",
    }
)  # fmt: skip
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "class": "use a map, or a Python class of your own and an import",
        "async": "call async functions with an <invoke> step",
        "await": "call async functions with an <invoke> step",
        "yield": "build a list and return it",
        "undefined": "write null",
        "delete": "write map.remove(key)",
        "void": "leave it out",
        "this": "pass the object as an argument",
        "super": "there are no classes",
        "extends": "there are no classes",
        "with": "name the object each time",
        "debugger": "write logDebug(…)",
        "enum": "use a map",
        "in": "write map.containsKey(key), or for (… of …)",
    }
)
_SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "...": "SPREAD", "=>": "ARROW", "?.": "OPTIONAL", "??": "COALESCE", "&&": "AND", "||": "OR", "==": "EQUAL",
        "!=": "UNEQUAL", "<=": "LE", ">=": "GE", "++": "STEP", "--": "STEP", "+=": "CHANGE", "-=": "CHANGE",
        "*=": "CHANGE", "/=": "CHANGE", "%=": "CHANGE", "-": "MINUS", "+": "PLUS", "*": "TIMES", "/": "DIVIDE",
        "%": "REMAINDER", "<": "LT", ">": "GT", "=": "ASSIGN", "!": "BANG", "?": "QUESTION", ":": "COLON", ";": "SEMI",
        ",": "COMMA", ".": "DOT", "(": "LPAR", ")": "RPAR", "{": "LBRACE", "}": "RBRACE", "[": "LSQUARE",
        "]": "RSQUARE", "|": "BAR",
    }
)  # fmt: skip
_INSTEAD: Mapping[str, str] = MappingProxyType({"===": "write ==", "!==": "write !=", "&": "write &&"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word: its kind, what was written, where it starts and ends, and whether a line ended before it."""

    kind: str
    text: str
    start: int
    end: int
    newline: bool


def words(text: str) -> list[Word]:
    """Return the words of a text, or raise ProblemsError at the first thing that is none."""
    found = list(_words(text))
    return [_as_name(found, index) for index in range(len(found))]


def _words(text: str) -> Iterator[Word]:
    position, newline, inside = 0, False, [""]  # inside: what each open bracket is, "`" for that of a template
    while position < len(text):
        match = _WORD.match(text, position)
        if match is None or match.lastgroup is None:
            raise ProblemsError([Problem(position, SYNTAX, _strange(text, position))])
        kind, written, end = match.lastgroup, match[0], match.end()
        if kind == "BLANK":
            newline = newline or "\n" in written or "\r" in written
            position = end
            continue
        if kind == "SIGN":
            kind = _sign(written, position, text)
            if written in "({[":
                inside.append(written)
            elif written in ")}]" and len(inside) > 1 and inside.pop() == "`":
                yield Word("HOLE_END", written, position, end, newline)
                end = yield from _template(text, end, inside)
                position, newline = end, False
                continue
        elif kind == "NAME":
            kind = _name(written, position, text)
        if written == "`":
            yield Word("TEMPLATE", written, position, end, newline)
            end = yield from _template(text, end, inside)
        else:
            yield Word(kind, written, position, end, newline)
        position, newline = end, False


def _template(text: str, start: int, inside: list[str]) -> Generator[Word, None, int]:
    chunk = _CHUNK.match(text, start)
    end = chunk.end() if chunk else start
    yield Word("CHUNK", text[start:end], start, end, newline=False)
    if text.startswith("${", end):
        inside.append("`")
        yield Word("HOLE", "${", end, end + 2, newline=False)
        return end + 2
    if not text.startswith("`", end):
        raise ProblemsError([Problem(start - 1, SYNTAX, "not valid XScript: this '`' has no end")])
    yield Word("TEMPLATE_END", "`", end, end + 1, newline=False)
    return end + 1


def _as_name(found: list[Word], index: int) -> Word:
    """Return a word that is a keyword as a name where only a name can be: after a dot, and before a colon in a map."""
    word = found[index]
    if word.text not in KEYWORDS or word.kind in {"TEXT", "CHUNK"}:
        return word
    before = found[index - 1].kind if index else ""
    after = found[index + 1].kind if index + 1 < len(found) else ""
    is_key = after == "COLON" and (before == "COMMA" or (before == "LBRACE" and word.text not in {"default", "case"}))
    if before in {"DOT", "OPTIONAL"} or is_key:
        return Word("NAME", word.text, word.start, word.end, word.newline)
    return word


def _sign(written: str, position: int, text: str) -> str:
    if written == "`":
        return "TEMPLATE"
    if text.startswith("/*", position):
        raise ProblemsError([Problem(position, SYNTAX, "not valid XScript: this comment has no end")])
    if written not in _SIGNS:
        hint = _INSTEAD.get(written, "")
        raise ProblemsError([Problem(position, UNSUPPORTED, f"'{written}' is not an operator of XScript", hint)])
    return _SIGNS[written]


def _name(written: str, position: int, text: str) -> str:
    if written in KEYWORDS:
        return written.upper()
    if written in _REFUSED and not text[:position].rstrip().endswith(".") and not _is_key(text, position, written):
        message = f"'{written}' is not possible in XScript"
        raise ProblemsError([Problem(position, UNSUPPORTED, message, _REFUSED[written])])
    return "NAME"


def _is_key(text: str, position: int, written: str) -> bool:
    return text[position + len(written) :].lstrip().startswith(":") and text[:position].rstrip().endswith(("{", ","))


def _strange(text: str, position: int) -> str:
    if text[position] in "\"'":
        return "not valid XScript: this text has no end on its line"
    return f"not valid XScript: '{text[position]}' is unexpected here"


def unescaped(written: str) -> str:
    """Return what a text means: its escapes resolved."""

    def one(match: re.Match[str]) -> str:
        escape = match[1]
        if escape[0] in "ux" and len(escape) > 1:
            number = int(escape[1:].strip("{}"), 16)
            return chr(number) if number <= 0x10FFFF else "\ufffd"  # noqa: PLR2004 - the last character there is
        return "" if escape in {"\n", "\r\n"} else _ESCAPED.get(escape, escape)

    return _ESCAPE.sub(one, written)


def number(written: str) -> int | float:
    """Return the value of a number; Java's suffixes are allowed and ignored."""
    if written[:2] in {"0x", "0X"}:
        return int(written, 16)
    digits = written.rstrip("lLdDfF")
    if digits.isdecimal() and written[-1] not in "dDfF":
        return int(digits)
    return float(ast.literal_eval(digits.lstrip("0") or "0") if digits[0] == "0" and "." not in digits else digits)
