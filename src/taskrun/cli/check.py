"""``taskrun check``: report every problem of task files without running them.

Rules: an unknown bean is only a warning here, because the program that uses the flow may provide the bean. With
``--strict`` warnings count as errors, and the files are validated by the package xmlschema too.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from taskrun.cli.exit_codes import SUCCEEDED, WRONG_USE
from taskrun.cli.manager_options import add_manager_options, create_manager
from taskrun.cli.stderr import report
from taskrun.cli.stdout import pluralize, print_result
from taskrun.syntax.search_path import FORMS

if TYPE_CHECKING:
    from taskrun.errors import Diagnostic
    from taskrun.manager import TaskManager

FILE_SUFFIXES = tuple(kind + form for kind in (".task", ".task-lib") for form in FORMS)
LAYER_FOLDER = "_delta"
"""Name of the folders of delta layers; their files are no flows, they are checked with the flows that they change."""
_EXPECTED = f".task or .task-lib and {', '.join(FORMS[:-1])} or {FORMS[-1]}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun check``."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a task file, or a folder with task files below it")
    parser.add_argument("--json", action="store_true", help="print the problems as a JSON array, for editors and CI")
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors; validate with xmlschema too")
    add_manager_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check files and return the exit status: 2 if one of them has an error, else 0."""
    files = list(_find_files(arguments.files))
    if not files:
        report(f"taskrun check: no task files in {', '.join(arguments.files)} (their names end in {_EXPECTED})")
        return WRONG_USE
    manager = create_manager(arguments)
    problems = [
        problem for file in files for problem in dict.fromkeys(_find_problems(manager, file, strict=arguments.strict))
    ]
    errors = sum(problem.severity == "error" for problem in problems)
    if arguments.json:
        status = print_result(
            json.dumps([_problem_json(problem) for problem in problems], ensure_ascii=False, indent=2)
        )
        if status:
            return status
    else:
        for problem in problems:
            report(str(problem))
        others = len(problems) - errors
        more = f", {'1 warning or note' if others == 1 else f'{others} warnings and notes'}" if others else ""
        report(f"taskrun check: {pluralize(len(files), 'file')}, {pluralize(errors, 'error')}{more}")
    return WRONG_USE if errors else SUCCEEDED


def _find_files(paths: Sequence[str]) -> Iterator[str]:
    """Yield the given files, and for each given folder the task files in it and in its subfolders."""
    for path in paths:
        if Path(path).is_dir():
            yield from sorted(
                str(file)
                for file in Path(path).rglob("*")
                if file.name.endswith(FILE_SUFFIXES) and LAYER_FOLDER not in file.relative_to(path).parts
            )
        else:
            yield os.fspath(path)


def _find_problems(manager: TaskManager, file: str, *, strict: bool) -> Iterator[Diagnostic]:
    """Yield the problems of a file with the severity that they have for this command.

    An unknown bean is a warning; with ``strict`` every other warning is an error.
    """
    found = manager.check(file)
    for problem in found:
        if problem.code == "unknown-bean":
            yield replace(problem, severity="warning")
        elif strict and problem.severity == "warning":
            yield replace(problem, severity="error")
        else:
            yield problem
    if strict and not any(problem.severity == "error" for problem in found):
        yield from manager.flows.cross_check(file)


def _problem_json(problem: Diagnostic) -> dict[str, object]:
    """Return a problem as a JSON object of ``--json``."""
    return {
        "path": problem.location.path,
        "line": problem.location.line,
        "column": problem.location.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
