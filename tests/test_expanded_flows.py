"""``taskrun expand`` prints flows of the conformance kit without new problems, and such that they expand to themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance import FLOWS, cases
from flows.beans import make_beans

from taskrun import TaskManager
from taskrun.cli.expand import to_kernel_language
from taskrun.syntax.delta.relocate import relocated
from taskrun.syntax.xml_write import write_xml

TOPICS = sorted({case.flow.parent for case in cases()})


def printed(manager: TaskManager, flow: Path, place: Path) -> str:
    """Return the text that ``expand`` prints for a flow, as a file at ``place``."""
    return write_xml(to_kernel_language(relocated(manager.flows.expand(flow), str(place))))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.relative_to(FLOWS).as_posix())
def test_expanded(topic: Path, tmp_path: Path) -> None:
    """An expanded flow has the same problems and warnings, and the same text when expanded again."""
    place = tmp_path / "expanded.task.xml"
    manager = TaskManager(beans=make_beans(), path=[topic])
    for flow in sorted({case.flow for case in cases() if case.flow.parent == topic})[::2]:
        text = printed(manager, flow, place)
        place.write_text(text, "utf-8", newline="")
        before, after = ({problem.code for problem in manager.check(file)} for file in (flow, place))
        assert after == before, flow
        assert printed(manager, place, place) == text, flow
