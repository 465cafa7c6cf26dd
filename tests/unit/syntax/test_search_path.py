"""Finding files by path and by name and version."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskrun.syntax.search_path import NotFoundError, SearchPath, name_and_version


def touch(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return file


def test_a_relative_path_starts_at_the_referring_file(tmp_path: Path) -> None:
    wanted = touch(tmp_path / "a" / "x.task.xml")
    assert SearchPath(()).by_path("../a/x.task.xml", str(tmp_path / "b" / "y.task.xml")) == str(wanted)
    with pytest.raises(NotFoundError, match=r"'x\.task\.xml' not found") as caught:
        SearchPath((str(tmp_path / "a"),)).by_path("x.task.xml", str(tmp_path / "y.task.xml"))
    assert caught.value.hint == f"tried {tmp_path / 'x.task.xml'}"


def test_a_path_from_the_roots_comes_before_the_file_system(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    wanted = touch(second / "x.task.xml")
    lookup = SearchPath((str(first), str(second)))
    assert lookup.by_path("/x.task.xml", "anywhere") == str(wanted)
    assert lookup.by_path(str(wanted), "anywhere") == str(wanted)
    with pytest.raises(NotFoundError) as caught:
        lookup.by_path("/nope.xml", "anywhere")
    assert caught.value.tried == (str(first / "nope.xml"), str(second / "nope.xml"), "/nope.xml")


def test_without_a_version_the_highest_counts(tmp_path: Path) -> None:
    for name in ("v2.task.xml", "v10.task.xml", "v99.task-lib.xml", "vx.task.xml"):
        touch(tmp_path / "orders" / name)
    lookup = SearchPath((str(tmp_path / "none"), str(tmp_path)))
    highest = str(tmp_path / "orders" / "v10.task.xml")
    assert lookup.by_name("orders", None, ".task") == highest
    assert lookup.by_name("orders", 0, ".task") == highest
    assert lookup.by_name("orders", 2, ".task").endswith("v2.task.xml")
    with pytest.raises(NotFoundError, match="'orders' version 3 not found"):
        lookup.by_name("orders", 3, ".task")


def test_a_search_path_without_folders() -> None:
    with pytest.raises(NotFoundError) as caught:
        SearchPath(()).by_name("orders", None, ".task")
    assert caught.value.hint == "there are no search roots: set --path, TASKRUN_PATH or TaskManager(path=…)"


def test_name_and_version_of_a_path() -> None:
    assert name_and_version("x/orders/v3.task.xml") == ("orders", 3)
    assert name_and_version("v3.task.xml") is None
    assert name_and_version("x/orders.task.xml") is None
