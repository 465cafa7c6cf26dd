"""What the sub-commands' command lines share: the parser with near names, the settings of the TaskManager."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from taskrun.manager import TaskManager


class Parser(argparse.ArgumentParser):
    """An argument parser that takes no abbreviations and knows the near name of a wrong option."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(prog=f"taskrun {command}", description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, with the near name of an unknown option, and exit with status 2."""
        from taskrun.errors import near_hint

        _, _, unknown = message.partition("unrecognized arguments: ")
        known = [option for action in self._actions for option in action.option_strings]
        hints = [near_hint(word.partition("=")[0], known) for word in unknown.split() if word.startswith("-")]
        for hint in filter(None, hints):
            message += f"; {hint}"
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n")


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--input`` and ``--inputs``."""
    text = "an input; NAME=@FILE takes the text of a file"
    parser.add_argument("--input", action="append", default=[], metavar="NAME=VALUE", help=text)
    parser.add_argument("--inputs", metavar="FILE", help="inputs as a JSON object; - is standard input")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where flows are found and what they may import."""
    parser.add_argument("--path", action="append", metavar="DIR", help="look tasks and libraries up in DIR too")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="PATTERN", help="let flows import from modules like 'shop.*'"
    )
    parser.add_argument(
        "-P", "--property", action="append", default=[], metavar="KEY=VALUE", help="set what feature:on asks"
    )
    parser.add_argument(
        "--delta",
        type=_layer,
        action="append",
        default=[],
        metavar="LAYER",
        help="lay the files of _delta/LAYER over the flows",
    )
    parser.add_argument(
        "--folder", action="append", default=[], metavar="DIR", help="let tags read and write files in DIR too"
    )
    parser.add_argument(
        "--evaluator", default="compiled", choices=("compiled", "asteval"), help="what evaluates scripts (compiled)"
    )
    parser.add_argument(
        "--script-timeout", type=_seconds, metavar="TIME", help="stop a script after e.g. 500 (ms), 2s or 1m (10s)"
    )


def settings_words(arguments: argparse.Namespace) -> list[str]:
    """Return the words of a command line that say again what the options of ``add_settings`` said."""
    words = [("--evaluator", arguments.evaluator)] if arguments.evaluator != "compiled" else []
    if arguments.script_timeout is not None:
        words.append(("--script-timeout", f"{arguments.script_timeout:g}s"))
    given = {"--path": arguments.path, "--allow": arguments.allow, "-P": arguments.property}
    given |= {"--delta": arguments.delta, "--folder": arguments.folder}
    words += [(option, value) for option, values in given.items() for value in values or ()]
    return [word for pair in words for word in pair]


def make_manager(arguments: argparse.Namespace, **settings: Any) -> TaskManager:
    """Return a TaskManager with the options of ``add_settings`` and the ``[tool.taskrun]`` of pyproject.toml."""
    from taskrun.manager import TaskManager

    sys.path.insert(0, "")  # what a flow may import is looked for in the current folder too, as python -m does
    allow = [*arguments.allow, *_allowed_here()]
    if arguments.script_timeout is not None:
        from taskrun.script.limits import Limits

        settings["limits"] = Limits(seconds=arguments.script_timeout)
    manager = TaskManager(
        path=arguments.path,
        allow=allow,
        evaluator=arguments.evaluator,
        config=_config(arguments.property),
        delta=arguments.delta,
        folders=arguments.folder,
        check_mutation=getattr(arguments, "check_mutation", False),
        **settings,
    )
    if "flow" in arguments:
        manager.flows.check_layers(arguments.flow)
    return manager


def _config(words: list[str]) -> dict[str, str]:
    """Return the configuration that ``-P`` gives; a name alone is on."""
    pairs = [word.partition("=") for word in words]
    return {name.strip(): value if sign else "true" for name, sign, value in pairs}


def _layer(text: str) -> str:
    from taskrun.syntax.delta.layers import layer_name

    try:
        return layer_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    from taskrun.core.duration import EXPECTED, parse_duration

    seconds = parse_duration(text)
    if seconds is None or seconds <= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time: expected {EXPECTED}")
    return seconds


def _allowed_here() -> list[str]:
    file = Path("pyproject.toml")
    if not file.is_file():
        return []
    import tomllib

    from taskrun.errors import PluginError

    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginError(f"pyproject.toml: {error}") from None
    allow = settings.get("tool", {}).get("taskrun", {}).get("allow", [])
    if not isinstance(allow, list) or not all(isinstance(pattern, str) for pattern in allow):
        raise PluginError("pyproject.toml: [tool.taskrun] allow is a list of patterns such as ['shop.*']")
    return allow
