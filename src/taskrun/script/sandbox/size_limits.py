"""Size limits of the result of one operation of a script.

Rules: an integer has at most ``MAX_BITS`` bits, a text ``MAX_TEXT`` characters, another sequence ``MAX_ITEMS`` items, a
decimal number ``MAX_DIGITS`` digits. An operation that would exceed its limit raises OverflowError.
"""

from __future__ import annotations

MAX_BITS = 262_144
MAX_TEXT = 50_000_000
MAX_ITEMS = 10_000_000
MAX_DIGITS = 10_000


def check_size(length: float, text: bool = False) -> None:
    """Raise OverflowError if a sequence or, with ``text``, a text of this length is longer than a script may create."""
    if length > (MAX_TEXT if text else MAX_ITEMS):
        what, most = ("text", MAX_TEXT) if text else ("sequence", MAX_ITEMS)
        raise OverflowError(f"a script cannot make a {what} of {length:,} items; {most:,} are allowed")
