"""``taskrun check``: say everything that is wrong with files, without running them.

Rules: every problem of every file, in the order of the files. Beans may come from the program that embeds a flow, so an
unknown one is only a warning here. ``--strict`` counts warnings as errors and asks a second validator, xmlschema.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from taskrun.cli.parser import Parser, add_settings, make_manager
from taskrun.core.search_path import FORMS

if TYPE_CHECKING:
    from taskrun.errors import Diagnostic
    from taskrun.manager import TaskManager

DESCRIPTION = "Say everything that is wrong with task files, without running them."
ENDINGS = tuple(kind + form for kind in (".task", ".task-lib") for form in FORMS)

_ENDINGS_SHORT = f".task or .task-lib and {', '.join(FORMS[:-1])} or {FORMS[-1]}"
LAYERS = "_delta"  # what is in such a folder lies over flows and is no flow


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("check", DESCRIPTION)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a task file, or a folder with task files below it")
    parser.add_argument("--json", action="store_true", help="print the problems as a JSON array, for editors and CI")
    parser.add_argument("--strict", action="store_true", help="count warnings as errors; ask a second validator too")
    add_settings(parser)
    arguments = parser.parse_args(words)
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _check(arguments))


def _check(arguments: argparse.Namespace) -> int:
    from taskrun.cli.exit_codes import say
    from taskrun.cli.stdout import counted, write

    files = list(_files(arguments.files))
    if not files:
        say(f"taskrun check: no task files in {', '.join(arguments.files)} (their names end in {_ENDINGS_SHORT})")
        return 2
    manager = make_manager(arguments)
    problems = [
        problem for file in files for problem in dict.fromkeys(_problems(manager, file, strict=arguments.strict))
    ]
    errors = sum(problem.severity == "error" for problem in problems)
    if arguments.json:
        status = write(json.dumps([_as_mapping(problem) for problem in problems], ensure_ascii=False, indent=2))
        if status:
            return status
    else:
        for problem in problems:
            say(str(problem))
        others = len(problems) - errors
        more = f", {'1 warning or note' if others == 1 else f'{others} warnings and notes'}" if others else ""
        say(f"taskrun check: {counted(len(files), 'file')}, {counted(errors, 'error')}{more}")
    return 2 if errors else 0


def _files(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if Path(word).is_dir():
            yield from sorted(
                str(file)
                for file in Path(word).rglob("*")
                if file.name.endswith(ENDINGS) and LAYERS not in file.relative_to(word).parts
            )
        else:
            yield os.fspath(word)


def _problems(manager: TaskManager, file: str, *, strict: bool) -> Iterator[Diagnostic]:
    found = manager.check(file)
    for problem in found:
        if problem.code == "unknown-bean":
            problem = replace(problem, severity="warning")  # noqa: PLW2901 - the same problem, taken more lightly
            yield problem
        elif strict and problem.severity == "warning":
            yield replace(problem, severity="error")
        else:
            yield problem
    if strict and not any(problem.severity == "error" for problem in found):
        yield from manager.flows.cross_check(file)


def _as_mapping(problem: Diagnostic) -> dict[str, object]:
    return {
        "path": problem.location.path,
        "line": problem.location.line,
        "column": problem.location.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
