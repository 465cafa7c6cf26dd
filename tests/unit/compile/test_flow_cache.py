"""The cache of compiled flows."""

from __future__ import annotations

from taskrun import TaskManager


def test_the_search_path_contains_each_folder_once() -> None:
    """The folder of the flow comes first; a folder that is given twice is searched once."""
    manager = TaskManager(path=["flows", "more", "flows"])
    roots = manager.flows.search_path("flows/order.task.xml").roots
    assert roots[:2] == ("flows", "more")
    assert len(roots) == len(set(roots)) == 3
