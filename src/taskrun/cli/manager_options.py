"""Options for the settings of the TaskManager, such as search paths, allowed imports and the store.

Rules: the store is that of ``--store``, else of the variable ``TASKRUN_STORE``, else a file in the user's state folder.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskrun.errors import PluginError

if TYPE_CHECKING:
    from taskrun.manager import TaskManager

STORE_VARIABLE = "TASKRUN_STORE"
"""The environment variable with the URL of the store."""


def add_manager_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the settings of the TaskManager."""
    parser.add_argument("--path", action="append", metavar="DIR", help="search for tasks and libraries in DIR too")
    text = "allow flows to import modules like 'shop.*'"
    parser.add_argument("--allow", action="append", default=[], metavar="PATTERN", help=text)
    text = "set a configuration value that feature:on and feature:off test"
    parser.add_argument("-P", "--property", action="append", default=[], metavar="KEY=VALUE", help=text)
    text = "apply the deltas of the folder _delta/LAYER to the flows"
    parser.add_argument("--delta", type=_parse_layer_name, action="append", default=[], metavar="LAYER", help=text)
    text = "allow tags to read and write files in DIR too"
    parser.add_argument("--folder", action="append", default=[], metavar="DIR", help=text)
    text = "the evaluator of scripts (default: compiled)"
    parser.add_argument("--evaluator", default="compiled", choices=("compiled", "asteval"), help=text)
    text = "time limit of a script: 500 (milliseconds), 2s or 1m for example (default: 10s)"
    parser.add_argument("--script-timeout", type=_parse_timeout, metavar="TIME", help=text)


def format_manager_options(arguments: argparse.Namespace) -> list[str]:
    """Return the parsed manager options as words of a command line, for a command that the user can paste."""
    words = [("--evaluator", arguments.evaluator)] if arguments.evaluator != "compiled" else []
    if arguments.script_timeout is not None:
        words.append(("--script-timeout", f"{arguments.script_timeout:g}s"))
    given = {"--path": arguments.path, "--allow": arguments.allow, "-P": arguments.property}
    given |= {"--delta": arguments.delta, "--folder": arguments.folder}
    words += [(option, value) for option, values in given.items() for value in values or ()]
    return [word for pair in words for word in pair]


def add_store_options(parser: argparse.ArgumentParser, *, recording: bool = False) -> None:
    """Add ``--store``; with ``recording`` also ``--no-record``. Only one of the two can be given."""
    group = parser.add_mutually_exclusive_group()
    text = f"the store of runs, such as sqlite:///runs.db (default: {STORE_VARIABLE}, or a file in your state folder)"
    group.add_argument("--store", metavar="URL", help=text)
    if recording:
        group.add_argument("--no-record", action="store_true", help="do not record this run")


def store_url(arguments: argparse.Namespace) -> str:
    """Return the URL of the store that the command line or the environment selects; the store is not created."""
    selected: str | None = arguments.store
    if selected is not None:
        return selected
    return os.environ.get(STORE_VARIABLE) or _default_url()


def _default_url() -> str:
    """Return the URL of the default store, a file in the user's state folder; nothing is created."""
    from urllib.parse import quote

    from platformdirs import user_state_path

    return "sqlite:///" + quote((user_state_path("taskrun", appauthor=False) / "runs.db").as_posix(), safe="/:")


def create_manager(arguments: argparse.Namespace, **settings: Any) -> TaskManager:
    """Create a TaskManager with the parsed manager options and the ``[tool.taskrun]`` table of pyproject.toml.

    Parameters:
        arguments: the parsed options; if they have a ``flow``, the delta layers must exist for it.
        settings: further parameters of TaskManager.

    Raises FlowError if a delta layer does not exist, PluginError if pyproject.toml is wrong.
    """
    from taskrun.manager import TaskManager

    sys.path.insert(0, "")  # find modules of flows in the current folder too, as python -m does
    if arguments.script_timeout is not None:
        from taskrun.script.limits import Limits

        settings["limits"] = Limits(seconds=arguments.script_timeout)
    manager = TaskManager(
        path=arguments.path,
        allow=[*arguments.allow, *_read_allow_list()],
        evaluator=arguments.evaluator,
        config=_parse_properties(arguments.property),
        delta=arguments.delta,
        folders=arguments.folder,
        check_mutation=getattr(arguments, "check_mutation", False),
        **settings,
    )
    if "flow" in arguments:
        manager.flows.check_layers(arguments.flow)
    return manager


def _parse_properties(words: list[str]) -> dict[str, str]:
    """Return the configuration values of the options ``-P KEY=VALUE`` by key; ``-P KEY`` alone means ``"true"``."""
    pairs = [word.partition("=") for word in words]
    return {name.strip(): value if sign else "true" for name, sign, value in pairs}


def _parse_layer_name(text: str) -> str:
    from taskrun.syntax.delta.layers import layer_name

    try:
        return layer_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parse_timeout(text: str) -> float:
    from taskrun.core.duration import EXPECTED, parse_duration

    seconds = parse_duration(text)
    if seconds is None or seconds <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time: expected {EXPECTED}")
    return seconds


def _read_allow_list() -> list[str]:
    """Return ``[tool.taskrun] allow`` of pyproject.toml in the current folder, ``[]`` without that file."""
    file = Path("pyproject.toml")
    if not file.is_file():
        return []
    import tomllib

    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginError(f"pyproject.toml: {error}") from None
    allow = settings.get("tool", {}).get("taskrun", {}).get("allow", [])
    if not isinstance(allow, list) or not all(isinstance(pattern, str) for pattern in allow):
        raise PluginError("pyproject.toml: [tool.taskrun] allow must be a list of patterns such as ['shop.*']")
    return allow
