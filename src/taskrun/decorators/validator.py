"""<validator>: a script that refuses a step by raising.

    <validator>assert amount > 0, 'the amount must be positive'</validator>

Rules: it sees the step's inputs and runs before ``onEnter``. Its value is ignored; what it raises is the step's failure.
"""

from __future__ import annotations

from taskrun.core.step import decorator
from taskrun.decorators.entry import Entry


@decorator("validator", rank=91)
class Validator(Entry):
    """A check before a step."""
