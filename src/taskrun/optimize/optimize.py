"""Stage ``optimize``: replace woven steps by equivalent ones that cost less to run."""

from __future__ import annotations

from taskrun.core.weave import Program


def optimize(program: Program) -> Program:
    """Return a program that does the same and costs less to run."""
    return program
