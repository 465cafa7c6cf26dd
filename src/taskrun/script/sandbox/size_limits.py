"""How much one step of a script may make.

Rules: no number of more than ``MAX_BITS`` bits, no text of more than ``MAX_TEXT`` characters, no sequence of more than
``MAX_ITEMS`` items, no decimal number of more than ``MAX_DIGITS`` digits; otherwise OverflowError.
"""

from __future__ import annotations

MAX_BITS = 262_144
MAX_TEXT = 50_000_000
MAX_ITEMS = 10_000_000
MAX_DIGITS = 10_000


def within(length: float, text: bool = False) -> None:
    """Raise OverflowError when a text, or another sequence, of that length is too long for a script."""
    if length > (MAX_TEXT if text else MAX_ITEMS):
        what, most = ("text", MAX_TEXT) if text else ("sequence", MAX_ITEMS)
        raise OverflowError(f"a script cannot make a {what} of {length:,} items; {most:,} are allowed")
