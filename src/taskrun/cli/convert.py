"""``taskrun convert``: write a flow in another form: XML, YAML or JSON.

    taskrun convert flow.task.xml flow.task.yaml
    taskrun convert flow.task.yaml - --to xml

Rules: the endings of the names say the forms. Everything but comments and layout is kept: what was written is read again
before it goes anywhere, and has to be the same flow. Nothing is overwritten unless ``--force`` says so. A flow need not be
right to be converted, only well-formed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from taskrun.cli.parser import Parser

if TYPE_CHECKING:
    from taskrun.syntax.node import Node
    from taskrun.syntax.schema import Schema

DESCRIPTION = "Write the flow of a file in another form: XML, YAML or JSON, as the endings of the names say."
FORMS = ("xml", "yaml", "json")
STANDARD_OUTPUT = "-"
_WRONG_USE = 2
_CANNOT_WRITE = 1


def execute(words: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    parser = Parser("convert", DESCRIPTION)
    parser.add_argument("file", metavar="FILE", help="the file to read: .xml, .yaml, .yml or .json")
    parser.add_argument("output", metavar="OUTPUT", help="the file to write; - is standard output, in the form of --to")
    parser.add_argument("--to", choices=FORMS, help="the form to write, where OUTPUT does not say it")
    parser.add_argument("--force", action="store_true", help="overwrite OUTPUT if it is there")
    parser.add_argument(
        "--tidy", action="store_true", help="take away the indentation that the lines of a script share"
    )
    arguments = parser.parse_args(words)
    form = _form(arguments.output)
    if not _form(arguments.file):
        parser.error(f"'{arguments.file}' ends in none of .xml, .yaml, .yml and .json")
    if arguments.output == STANDARD_OUTPUT and not arguments.to:
        parser.error("standard output needs its form: --to xml, --to yaml or --to json")
    if arguments.output != STANDARD_OUTPUT and not form:
        parser.error(f"'{arguments.output}' ends in none of .xml, .yaml, .yml and .json")
    if form and arguments.to and form != arguments.to:
        parser.error(f"--to {arguments.to} does not go with the ending of '{arguments.output}'")
    from taskrun.cli.exit_codes import guarded

    return guarded(lambda: _convert(arguments, form or arguments.to))


def _form(path: str) -> str:
    ending = Path(path).suffix.lower().removeprefix(".")
    return {"yml": "yaml"}.get(ending, ending if ending in FORMS else "")


def _convert(arguments: argparse.Namespace, form: str) -> int:
    from taskrun.cli.exit_codes import say
    from taskrun.cli.stdout import write
    from taskrun.compile.registry import Registry
    from taskrun.syntax.dedent import tidy
    from taskrun.syntax.load import load

    output = Path(arguments.output)
    if arguments.output != STANDARD_OUTPUT and output.exists() and not arguments.force:
        say(f"taskrun convert: '{output}' is there already; --force overwrites it")
        return _WRONG_USE
    schema = Registry().schema
    root = load(arguments.file, schema)
    if arguments.tidy:
        root = tidy(root, schema.opaque, indented=form == "xml")
    text = written(root, form, schema)
    if not text:
        say(
            f"taskrun convert: '{arguments.file}' has something that cannot be said in {form.upper()}; nothing is written"
        )
        return _CANNOT_WRITE
    if arguments.output == STANDARD_OUTPUT:
        return write(text.removesuffix("\n"))
    try:
        output.write_bytes(text.encode("utf-8"))
    except OSError as error:
        say(f"taskrun convert: cannot write '{output}': {error.strerror or error}")
        return _CANNOT_WRITE
    return 0


def written(root: Node, form: str, schema: Schema) -> str:
    """Return a flow's text in a form, ``""`` when it would not read back as the same flow."""
    from taskrun.errors import XmlError
    from taskrun.syntax.forms.shapes import Shapes
    from taskrun.syntax.forms.yaml_write import write_json, write_yaml
    from taskrun.syntax.load import parse, parse_form
    from taskrun.syntax.node import same
    from taskrun.syntax.xml_write import write_xml

    try:
        if form == "xml":
            text = write_xml(root)
            again = parse(root.source.path, text.encode("utf-8"))
        else:
            text = (write_yaml if form == "yaml" else write_json)(root, Shapes(schema))
            again = parse_form(f"again.{form}", text.encode("utf-8"), schema)
    except XmlError:
        return ""
    return text if same(root, again) else ""
