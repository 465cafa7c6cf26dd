"""Lexer of XScript: converts a text into tokens with their positions.

    let total = order?.price ?? 0; // → LET NAME ASSIGN NAME OPTIONAL NAME COALESCE NUMBER SEMI

Rules: comments and blanks are skipped. A template literal (text between backquotes) becomes several tokens: its pieces
of text, and the tokens of each expression ``${…}`` in it. The parser therefore needs no special treatment of such
expressions. Characters and words that XScript does not support raise ProblemsError, with a hint what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from taskrun.script.problems import SYNTAX, UNSUPPORTED, Problem, ProblemsError

_TOKEN = re.compile(
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
_UNSUPPORTED_WORDS: Mapping[str, str] = MappingProxyType(
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
_OPERATOR_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "...": "SPREAD", "=>": "ARROW", "?.": "OPTIONAL", "??": "COALESCE", "&&": "AND", "||": "OR", "==": "EQUAL",
        "!=": "UNEQUAL", "<=": "LE", ">=": "GE", "++": "STEP", "--": "STEP", "+=": "CHANGE", "-=": "CHANGE",
        "*=": "CHANGE", "/=": "CHANGE", "%=": "CHANGE", "-": "MINUS", "+": "PLUS", "*": "TIMES", "/": "DIVIDE",
        "%": "REMAINDER", "<": "LT", ">": "GT", "=": "ASSIGN", "!": "BANG", "?": "QUESTION", ":": "COLON", ";": "SEMI",
        ",": "COMMA", ".": "DOT", "(": "LPAR", ")": "RPAR", "{": "LBRACE", "}": "RBRACE", "[": "LSQUARE",
        "]": "RSQUARE", "|": "BAR",
    }
)  # fmt: skip
_OPERATOR_HINTS: Mapping[str, str] = MappingProxyType({"===": "write ==", "!==": "write !=", "&": "write &&"})


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an XScript: a name, literal, keyword or sign.

    Attributes:
        kind: The kind of token, such as ``"NAME"``, ``"NUMBER"`` or ``"LPAR"``.
        text: The characters of the token as they are in the source.
        start: The index of its first character.
        end: The index behind its last character.
        newline: Whether a line break precedes the token.
    """

    kind: str
    text: str
    start: int
    end: int
    newline: bool


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text.

    Raises ProblemsError at the first character or word that XScript does not support.
    """
    found = list(_scan(text))
    return [_keyword_as_name(found, index) for index in range(len(found))]


def _scan(text: str) -> Iterator[Token]:
    """Yield the tokens of a text.

    A keyword has the kind of that keyword even where it is used as a name, as in ``a.default``; ``_keyword_as_name``
    changes that later.
    """
    position, newline = 0, False
    open_brackets = [""]  # innermost last; "`" stands for the "${" of a template
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ProblemsError([Problem(position, SYNTAX, _unexpected_character(text, position))])
        kind, source, end = match.lastgroup, match[0], match.end()
        if kind == "BLANK":
            newline = newline or "\n" in source or "\r" in source
            position = end
            continue
        if kind == "SIGN":
            kind = _operator_kind(source, position, text)
            if source in "({[":
                open_brackets.append(source)
            elif source in ")}]" and len(open_brackets) > 1 and open_brackets.pop() == "`":
                yield Token("HOLE_END", source, position, end, newline)
                end = yield from _template(text, end, open_brackets)
                position, newline = end, False
                continue
        elif kind == "NAME":
            kind = _name_kind(source, position, text)
        if source == "`":
            yield Token("TEMPLATE", source, position, end, newline)
            end = yield from _template(text, end, open_brackets)
        else:
            yield Token(kind, source, position, end, newline)
        position, newline = end, False


def _template(text: str, start: int, open_brackets: list[str]) -> Generator[Token, None, int]:
    """Yield the next piece of text of a template literal, and the token behind it; return the index behind that token.

    The second token is the closing backquote, or the ``${`` of an expression. ``start`` is the index of the piece of
    text. ``open_brackets`` are the brackets that are open there; a ``${`` is added to them.
    """
    chunk = _CHUNK.match(text, start)
    end = chunk.end() if chunk else start
    yield Token("CHUNK", text[start:end], start, end, newline=False)
    if text.startswith("${", end):
        open_brackets.append("`")
        yield Token("HOLE", "${", end, end + 2, newline=False)
        return end + 2
    if not text.startswith("`", end):
        raise ProblemsError([Problem(start - 1, SYNTAX, "not valid XScript: this '`' has no end")])
    yield Token("TEMPLATE_END", "`", end, end + 1, newline=False)
    return end + 1


def _keyword_as_name(found: list[Token], index: int) -> Token:
    """Return the token at ``index`` of the list ``found``, as a NAME if it is a keyword that is used as a name.

    That is a keyword behind a dot, or before the colon of a map entry.
    """
    token = found[index]
    if token.text not in KEYWORDS or token.kind in {"TEXT", "CHUNK"}:
        return token
    before = found[index - 1].kind if index else ""
    after = found[index + 1].kind if index + 1 < len(found) else ""
    is_key = after == "COLON" and (before == "COMMA" or (before == "LBRACE" and token.text not in {"default", "case"}))
    if before in {"DOT", "OPTIONAL"} or is_key:
        return Token("NAME", token.text, token.start, token.end, token.newline)
    return token


def _operator_kind(source: str, position: int, text: str) -> str:
    """Return the kind of token for an operator or bracket, such as ``+=``; ``source`` is how it is written.

    ``position`` is its index in ``text``, the whole script. Raises ProblemsError if XScript does not support it.
    """
    if source == "`":
        return "TEMPLATE"
    if text.startswith("/*", position):
        raise ProblemsError([Problem(position, SYNTAX, "not valid XScript: this comment has no end")])
    if source not in _OPERATOR_KINDS:
        hint = _OPERATOR_HINTS.get(source, "")
        raise ProblemsError([Problem(position, UNSUPPORTED, f"'{source}' is not an operator of XScript", hint)])
    return _OPERATOR_KINDS[source]


def _name_kind(source: str, position: int, text: str) -> str:
    """Return the kind of the word ``source``: that of a keyword, or NAME.

    Raises ProblemsError for a word of JavaScript that XScript does not support, such as ``class``.
    """
    if source in KEYWORDS:
        return source.upper()
    if (
        source in _UNSUPPORTED_WORDS
        and not text[:position].rstrip().endswith(".")
        and not _is_key(text, position, source)
    ):
        message = f"'{source}' is not possible in XScript"
        raise ProblemsError([Problem(position, UNSUPPORTED, message, _UNSUPPORTED_WORDS[source])])
    return "NAME"


def _is_key(text: str, position: int, source: str) -> bool:
    """Return whether the word ``source`` at ``position`` names an entry of a map, as in ``{word: …}``."""
    return text[position + len(source) :].lstrip().startswith(":") and text[:position].rstrip().endswith(("{", ","))


def _unexpected_character(text: str, position: int) -> str:
    """Return the message for the character at ``position``, which begins no token."""
    if text[position] in "\"'":
        return "not valid XScript: this string has no end on its line"
    return f"not valid XScript: '{text[position]}' is unexpected here"


def unescape(source: str) -> str:
    """Return the text of a string or template literal.

    ``source`` is the source text between the quotes. Its escape sequences, such as a backslash and ``n`` for a line
    feed, are replaced by their characters.
    """

    def replacement(match: re.Match[str]) -> str:
        escape = match[1]
        if escape[0] in "ux" and len(escape) > 1:
            number = int(escape[1:].strip("{}"), 16)
            return chr(number) if number <= 0x10FFFF else "\ufffd"  # noqa: PLR2004 - the last code point of Unicode
        return "" if escape in {"\n", "\r\n"} else _ESCAPED.get(escape, escape)

    return _ESCAPE.sub(replacement, source)


def parse_number(source: str) -> int | float:
    """Return the value of a number literal.

    A suffix as in Java is allowed: D and F make a float, L is ignored.
    """
    if source[:2] in {"0x", "0X"}:
        return int(source, 16)
    digits = source.rstrip("lLdDfF")
    if digits.isdecimal() and source[-1] not in "dDfF":
        return int(digits)
    return float(ast.literal_eval(digits.lstrip("0") or "0") if digits[0] == "0" and "." not in digits else digits)
