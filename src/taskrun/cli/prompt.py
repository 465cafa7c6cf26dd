"""``--interactive``: ask on a terminal for what a run waits for.

    main/approve: Shall the order be paid?
      approved (bool), may it be paid: true

Rules: questions go to standard error, answers are read from standard input and mean what they mean behind ``--input``. An
empty answer is the default, or nothing. What is wrong is asked again. Ctrl-D, and Ctrl-C, leave the run suspended.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.cli.exit_codes import say
from taskrun.cli.inputs import input_value
from taskrun.core.types import type_of
from taskrun.errors import InputError
from taskrun.result import RequestedInput, WaitPoint

if TYPE_CHECKING:
    from taskrun.result import RunResult


def ask_and_go_on(result: RunResult, going: Callable[[RunResult, dict[str, Any]], RunResult]) -> RunResult | None:
    """Ask for what the run waits for and go on with it; None when it is to stay suspended."""
    while (answers := ask(result.waiting, {})) is not None:
        try:
            return going(result, answers)
        except InputError as error:
            for problem in error.problems:
                say(f"  {problem}")
    return None


def ask(places: tuple[WaitPoint, ...], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answers to what the places ask for, with those that are given; None when nobody answers."""
    answers = dict(given)
    try:
        for place in places:
            say(place.path + (f": {place.title}" if place.title else ""))
            if not place.asked:
                _line("  Enter goes on, Ctrl-D leaves the run suspended: ")
            for item in place.asked:
                if item.name not in answers:
                    value = _answer(item)
                    if value is not None:
                        answers[item.name] = value
    except (EOFError, KeyboardInterrupt):
        say("")
        return None
    return answers


def _answer(item: RequestedInput) -> Any:
    kind = type_of(item.type) if item.type else None
    words = [item.type] if item.type else []
    words += [f"default {item.default}"] if item.default else [] if item.mandatory else ["may be left out"]
    question = f"  {item.name} ({', '.join(words)})" if words else f"  {item.name}"
    question += f", {' '.join(item.description.split())}" if item.description else ""
    while True:
        text = _line(f"{question}: ")
        if not text:
            if not item.mandatory:
                return None
            say("    it is needed")
            continue
        try:
            value = input_value(text, typed=kind is not None)
            return value if kind is None else kind.convert(value)
        except ValueError as error:
            say(f"    {error}")


def _line(question: str) -> str:
    """Return a line from standard input, without its end; EOFError when there is none."""
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\r\n")
