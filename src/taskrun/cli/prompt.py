"""Prompts for the inputs of wait points on a terminal (``--interactive``).

    main/approve: Shall the order be paid?
      approved (bool), may it be paid: true

Rules: prompts go to standard error. Answers are read from standard input and parsed in the same way as the values of
``--input``. An empty answer means the default of the input, or no value if it is optional. After a wrong answer the
user is asked again. Ctrl-D and Ctrl-C leave the run suspended.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.cli.inputs import parse_input_value
from taskrun.cli.stderr import report
from taskrun.errors import InputError
from taskrun.result import RequestedInput, WaitPoint
from taskrun.value_types import type_of

if TYPE_CHECKING:
    from taskrun.result import RunResult


def prompt_and_resume(result: RunResult, resume: Callable[[str, dict[str, Any]], RunResult]) -> RunResult | None:
    """Prompt for the inputs of a suspended run and resume it.

    Parameters:
        result: the result of the suspended run.
        resume: a function that receives the id of the run and the inputs, and resumes the run. If it raises InputError,
            the user is asked again.

    Returns the result of the resumed run, None if the user has pressed Ctrl-D or Ctrl-C.
    """
    while (inputs := prompt_inputs(result.waiting, {})) is not None:
        try:
            return resume(result.run_id, inputs)
        except InputError as error:
            for problem in error.problems:
                report(f"  {problem}")
    return None


def prompt_inputs(wait_points: tuple[WaitPoint, ...], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Prompt for the inputs of the wait points and return them, together with ``given``.

    An input in ``given`` is not asked for. Returns None if the user has pressed Ctrl-D or Ctrl-C.
    """
    inputs = dict(given)
    try:
        for point in wait_points:
            report(point.path + (f": {point.title}" if point.title else ""))
            if not point.requested:
                _read_line("  Enter resumes the run, Ctrl-D leaves it suspended: ")
            for item in point.requested:
                if item.name not in inputs:
                    value = _prompt_input(item)
                    if value is not None:
                        inputs[item.name] = value
    except (EOFError, KeyboardInterrupt):
        report("")
        return None
    return inputs


def _prompt_input(item: RequestedInput) -> Any:
    """Ask for an input until the answer is valid, and return its value; None for an empty answer."""
    kind = type_of(item.type) if item.type else None
    words = [item.type] if item.type else []
    words += [f"default {item.default}"] if item.default else [] if item.mandatory else ["optional"]
    prompt = f"  {item.name} ({', '.join(words)})" if words else f"  {item.name}"
    prompt += f", {' '.join(item.description.split())}" if item.description else ""
    while True:
        text = _read_line(f"{prompt}: ")
        if not text:
            if not item.mandatory:
                return None
            report("    a value is required")
            continue
        try:
            value = parse_input_value(text, typed=kind is not None)
            return value if kind is None else kind.convert(value)
        except ValueError as error:
            report(f"    {error}")


def _read_line(prompt: str) -> str:
    """Return a line of standard input without its line end; raises EOFError at the end of the input."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\r\n")
