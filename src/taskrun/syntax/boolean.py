"""Parse boolean expressions, such as the condition of a switch, into functions that evaluate them.

    fast and not (draft or EMPTY)                the flags of a step
    shop.audit && !(shop.level < 2)              the configuration of ``feature:on``

Rules: ``not`` binds tighter than ``and``, and ``and`` tighter than ``or``. What an operand such as ``fast`` or
``shop.level < 2`` means is not fixed here. Each kind of expression has a ``Grammar``, which contains the pattern of a
token and a function that parses one operand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

Subject = TypeVar("Subject")
Condition: TypeAlias = Callable[[Subject], bool]
"""Function that evaluates an expression for a subject, such as the flags of a step: True or False."""

_NOT = frozenset({"not", "!"})


class Tokens:
    """Tokens of one expression, such as ``not``, ``(`` and ``fast``; they are consumed from left to right."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        """Split ``text`` into matches of ``pattern``; raise ValueError where ``pattern`` does not match."""
        self._words: list[str] = []
        self._next = 0
        position, text = 0, text.strip()
        while position < len(text):
            found = pattern.match(text, position)
            if found is None:
                raise ValueError(f"'{text[position:]}' is not understood")
            self._words.append(found[0])
            position = found.end()
            while text[position : position + 1].isspace():
                position += 1

    @property
    def next(self) -> str:
        """The next token, ``""`` at the end of the expression; reading it does not consume it."""
        return self._words[self._next] if self._next < len(self._words) else ""

    def accept(self, words: frozenset[str]) -> bool:
        """Consume the next token if it is one of ``words``; return True if it was, else False."""
        found = self.next in words
        self._next += found
        return found

    def take(self, expected: str) -> str:
        """Consume the next token and return it; raise ValueError at the end of the expression.

        ``expected`` says in the message what is missing there, such as ``a value``.
        """
        word = self.next
        if not word:
            raise ValueError(f"{expected} is missing at the end")
        self._next += 1
        return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar(Generic[Subject]):
    """Grammar of one kind of boolean expressions: its tokens, its operands, and the words for ``and`` and ``or``.

    ``token`` is the pattern of one token, without the white space around it. ``operand`` parses one operand: a function
    of the operand's first token, which is consumed already, and of the tokens behind it. It returns the condition for
    the operand, or raises ValueError. ``operand_name`` is the word for an operand in messages, such as
    ``a flag's name``.
    """

    token: re.Pattern[str]
    operand: Callable[[str, Tokens], Condition[Subject]]
    operand_name: str
    and_words: frozenset[str] = frozenset({"and"})
    or_words: frozenset[str] = frozenset({"or"})

    def parse(self, text: str) -> Condition[Subject]:
        """Return the condition for the expression ``text``: a function that returns True or False for a subject.

        A subject is what the operands are looked up in, such as the configuration. Raises ValueError if the text is not
        a valid expression.
        """
        tokens = Tokens(text, self.token)
        condition = self._disjunction(tokens)
        if tokens.next:
            raise ValueError(f"'{tokens.next}' is not expected here")
        return condition

    def _disjunction(self, tokens: Tokens) -> Condition[Subject]:
        condition = self._conjunction(tokens)
        while tokens.accept(self.or_words):
            condition = _either(condition, self._conjunction(tokens))
        return condition

    def _conjunction(self, tokens: Tokens) -> Condition[Subject]:
        condition = self._operand(tokens)
        while tokens.accept(self.and_words):
            condition = _both(condition, self._operand(tokens))
        return condition

    def _operand(self, tokens: Tokens) -> Condition[Subject]:
        word = tokens.take(self.operand_name)
        if word in _NOT:
            negated = self._operand(tokens)
            return lambda subject: not negated(subject)
        if word == "(":
            condition = self._disjunction(tokens)
            if not tokens.accept(frozenset(")")):
                raise ValueError("a ')' is missing")
            return condition
        if word == ")" or word in self.and_words or word in self.or_words:
            raise ValueError(f"'{word}' is not {self.operand_name}")
        return self.operand(word, tokens)


def _either(left: Condition[Subject], right: Condition[Subject]) -> Condition[Subject]:
    return lambda subject: left(subject) or right(subject)


def _both(left: Condition[Subject], right: Condition[Subject]) -> Condition[Subject]:
    return lambda subject: left(subject) and right(subject)
