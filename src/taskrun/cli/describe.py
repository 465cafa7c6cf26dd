"""Description of a flow's inputs and outputs, for ``taskrun FLOW --help``."""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.core.flow import Flow
from taskrun.core.inputs import Input


def describe_flow(flow: Flow) -> str:
    """Return the name, description, inputs and outputs of a flow as text."""
    return "\n".join(_flow_lines(flow))


def _flow_lines(flow: Flow) -> Iterator[str]:
    version = f", version {flow.version}" if flow.version else ""
    yield f"{flow.path}: {flow.header.display_name or flow.name}{version}"
    if flow.model.description:
        yield f"  {' '.join(flow.model.description.split())}"
    yield "inputs:" if flow.model.inputs else "inputs: any (none is declared)"
    for item in flow.model.inputs:
        yield _variable_line(item.name, _input_traits(item), item.description)
    yield "outputs:" if flow.model.outputs else "outputs: RESULT, the value of the last step"
    for output in flow.model.outputs:
        yield _variable_line(output.name, output.type.name if output.type else "", output.description)


def _input_traits(item: Input) -> str:
    """Return the type of an input, the word mandatory, and its default, as far as they apply, separated by commas."""
    words = [item.type.name] if item.type else []
    if item.mandatory:
        words.append("mandatory")
    if item.default_value is not None:
        words.append(f"default {item.default_value.text}")
    return ", ".join(words)


def _variable_line(name: str, traits: str, description: str | None) -> str:
    text = f"  {name}" + (f" ({traits})" if traits else "")
    return f"{text:32} {' '.join(description.split())}" if description else text
