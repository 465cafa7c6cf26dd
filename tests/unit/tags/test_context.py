"""Paths of tags: every path outside the allowed folders is refused, however it leads there."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskrun.tags.context import FolderError, TagContext


@pytest.mark.parametrize("path", ["a.txt", "./a.txt", "sub/../a.txt", "missing/../a.txt", "../inside/a.txt"])
def test_paths_inside_are_real_paths(path: str, context: TagContext, inside: Path) -> None:
    """A path resolves to its real path, even if no file exists there."""
    assert context.resolve(path) == inside / "a.txt"


def test_the_allowed_folder_itself_and_absolute_paths(context: TagContext, inside: Path) -> None:
    """The allowed folder itself and absolute paths are accepted."""
    assert context.resolve(".") == inside
    assert context.resolve(str(inside / "für" / "日本.txt")) == inside / "für" / "日本.txt"


def test_tilde_is_a_name(context: TagContext, inside: Path) -> None:
    """``~`` is not expanded."""
    assert context.resolve("~/a") == inside / "~" / "a"


@pytest.mark.parametrize(
    "path", ["..", "../outside/secret.txt", "a/../../outside", "/etc/passwd", "../inside-too/a", "/"]
)
def test_paths_outside_are_refused(path: str, context: TagContext, inside: Path) -> None:
    """The message names the path, the allowed folders and how to allow one."""
    with pytest.raises(FolderError) as caught:
        context.resolve(path)
    message = str(caught.value)
    assert repr(path) in message
    assert str(inside) in message
    assert "--folder DIR" in message
    assert "TaskManager(folders=[…])" in message


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800", 3, None, b"a"])
def test_invalid_paths_are_refused(path: str, context: TagContext) -> None:
    """Empty paths, paths with NUL or unencodable characters, and values that are not text are refused."""
    with pytest.raises(FolderError):
        context.resolve(path)


def test_links_are_followed_before_comparing(context: TagContext, inside: Path, outside: Path) -> None:
    """Links out of the folder are refused, for folders, files and new files; links within are followed."""
    (inside / "out").symlink_to(outside)
    (inside / "file").symlink_to(outside / "secret.txt")
    (inside / "new").symlink_to(outside / "new.txt")
    (inside / "chain").symlink_to("out/secret.txt")
    (inside / "within").symlink_to(inside / "real")
    for path in ("out", "out/secret.txt", "file", "new", "chain", "out/../x"):
        with pytest.raises(FolderError):
            context.resolve(path)
    assert context.resolve("within/a") == inside / "real" / "a"


def test_a_loop_of_links_is_refused(context: TagContext, inside: Path, outside: Path) -> None:
    """A path through a loop of links is refused, because realpath then removes '..' without following links."""
    (inside / "loop").symlink_to("loop")
    (inside / "out").symlink_to(outside)
    with pytest.raises(FolderError):
        context.resolve("loop/../out/secret.txt")


def test_a_path_longer_than_path_max_is_refused(context: TagContext, inside: Path, outside: Path) -> None:
    """A path that links make longer than PATH_MAX is refused."""
    long = "d" * 250
    folder = inside
    for letter in "abcdefghijklmnopq":
        (folder / long).mkdir()
        (folder / letter).symlink_to(long)
        folder = folder / letter
    (inside / "out").symlink_to(outside)
    with pytest.raises(FolderError):
        context.resolve("/".join("abcdefghijklmnopq") + "/.." * 17 + "/out/secret.txt")


def test_an_allowed_folder_may_be_a_link(inside: Path, tmp_path: Path) -> None:
    """Real paths are compared on both sides."""
    (tmp_path / "link").symlink_to(inside)
    context = TagContext(folder=inside, allowed=(tmp_path / "link",), report=print)
    assert context.resolve("a") == inside / "a"


def test_no_folder_allowed(inside: Path) -> None:
    """Without allowed folders every path is refused."""
    with pytest.raises(FolderError, match=r"\(none\)"):
        TagContext(folder=inside, allowed=(), report=print).resolve("a")
