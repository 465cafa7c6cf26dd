"""``taskrun convert``: write a flow in another form: XML, YAML or JSON.

    taskrun convert flow.task.xml flow.task.yaml
    taskrun convert flow.task.yaml - --to xml

Rules: the suffixes of the file names determine the forms; ``-`` is standard output. Comments and layout are lost, but
nothing else: the text is parsed again, and if the result is not the same flow, nothing is written. An existing file is
overwritten only with ``--force``. The input must be well-formed, but it need not be a valid flow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from taskrun.cli.command import UsageError
from taskrun.cli.exit_codes import FAILED, SUCCEEDED, WRONG_USE
from taskrun.cli.stderr import report
from taskrun.cli.stdout import print_result

if TYPE_CHECKING:
    from taskrun.syntax.node import Node
    from taskrun.syntax.schema import Schema

FORMS = ("xml", "yaml", "json")
STANDARD_OUTPUT = "-"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``taskrun convert``."""
    parser.add_argument("file", metavar="FILE", help="the file to read: .xml, .yaml, .yml or .json")
    parser.add_argument("output", metavar="OUTPUT", help="the file to write; - is standard output, in the form of --to")
    parser.add_argument("--to", choices=FORMS, help="the form to write, if the name OUTPUT does not determine it")
    parser.add_argument("--force", action="store_true", help="overwrite OUTPUT if it exists")
    parser.add_argument("--tidy", action="store_true", help="remove the common indentation of the lines of each script")


def run(arguments: argparse.Namespace) -> int:
    """Convert a file and return the exit status."""
    from taskrun.compile.registry import Registry
    from taskrun.syntax.dedent import tidy
    from taskrun.syntax.load import load

    form = _output_form(arguments)
    output = Path(arguments.output)
    if arguments.output != STANDARD_OUTPUT and output.exists() and not arguments.force:
        report(f"taskrun convert: '{output}' exists already; use --force to overwrite it")
        return WRONG_USE
    schema = Registry().schema
    root = load(arguments.file, schema)
    if arguments.tidy:
        root = tidy(root, schema.opaque, indented=form == "xml")
    text = serialize(root, form, schema)
    if not text:
        problem = f"'{arguments.file}' contains something that has no {form.upper()} form; nothing was written"
        report(f"taskrun convert: {problem}")
        return FAILED
    if arguments.output == STANDARD_OUTPUT:
        return print_result(text.removesuffix("\n"))
    try:
        output.write_bytes(text.encode("utf-8"))
    except OSError as error:
        report(f"taskrun convert: cannot write '{output}': {error.strerror or error}")
        return FAILED
    return SUCCEEDED


def _output_form(arguments: argparse.Namespace) -> str:
    """Return the form to write: ``xml``, ``yaml`` or ``json``.

    Raises UsageError if neither the name of the output nor ``--to`` determines it, if both contradict each other, or if
    the form of the input is unknown.
    """
    form, to = _form_of(arguments.output), arguments.to
    if not _form_of(arguments.file):
        raise UsageError(f"'{arguments.file}' does not end in .xml, .yaml, .yml or .json")
    if arguments.output == STANDARD_OUTPUT and not to:
        raise UsageError("standard output needs a form: add --to xml, --to yaml or --to json")
    if arguments.output != STANDARD_OUTPUT and not form:
        raise UsageError(f"'{arguments.output}' does not end in .xml, .yaml, .yml or .json")
    if form and to and form != to:
        raise UsageError(f"--to {to} contradicts the suffix of '{arguments.output}'")
    return form or to


def _form_of(path: str) -> str:
    """Return the form that the suffix of a file name determines (``xml``, ``yaml``, ``json``), ``""`` if none."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    return {"yml": "yaml"}.get(suffix, suffix if suffix in FORMS else "")


def serialize(root: Node, form: str, schema: Schema) -> str:
    """Return the text of a flow in a form (``xml``, ``yaml``, ``json``).

    ``""`` if the text, parsed again, would not be the same flow.
    """
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
