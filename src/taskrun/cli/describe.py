"""A flow's inputs and outputs, for ``taskrun FLOW --help``."""

from __future__ import annotations

from collections.abc import Iterator

from taskrun.core.flow import Flow
from taskrun.core.inputs import Input


def describe_flow(flow: Flow) -> str:
    """Return the flow's name, description, inputs and outputs as text."""
    return "\n".join(_lines(flow))


def _lines(flow: Flow) -> Iterator[str]:
    version = f", version {flow.version}" if flow.version else ""
    yield f"{flow.path}: {flow.header.display_name or flow.name}{version}"
    if flow.model.description:
        yield f"  {' '.join(flow.model.description.split())}"
    yield "inputs:" if flow.model.inputs else "inputs: any (none is declared)"
    for item in flow.model.inputs:
        yield _line(item.name, _kind(item), item.description)
    yield "outputs:" if flow.model.outputs else "outputs: RESULT, the value of the last step"
    for output in flow.model.outputs:
        yield _line(output.name, output.type.name if output.type else "", output.description)


def _kind(item: Input) -> str:
    words = [item.type.name] if item.type else []
    if item.mandatory:
        words.append("mandatory")
    if item.default_value is not None:
        words.append(f"default {item.default_value.text}")
    return ", ".join(words)


def _line(name: str, kind: str, description: str | None) -> str:
    text = f"  {name}" + (f" ({kind})" if kind else "")
    return f"{text:32} {' '.join(description.split())}" if description else text
