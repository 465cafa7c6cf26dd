"""Tags that read text, JSON and CSV files, in particular malformed ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taskrun.tags.context import FolderError, TagContext
from taskrun.tags.files import (
    FileError,
    FileMissingError,
    find_file_paths,
    read_csv,
    read_json,
    read_text,
    resolve_resource,
)


def test_text_is_read_unchanged(context: TagContext, inside: Path) -> None:
    """Newlines are kept, a byte order mark of UTF-8 is removed, empty files and any file names are accepted."""
    (inside / "日本 ü.txt").write_bytes("a\r\nb\rç\n".encode())
    (inside / "bom.txt").write_bytes(b"\xef\xbb\xbfa\xef\xbb\xbf")
    (inside / "empty.txt").touch()
    (inside / "latin.txt").write_bytes(b"\xe4")
    assert read_text("日本 ü.txt", context=context) == "a\r\nb\rç\n"
    assert read_text("bom.txt", context=context) == "a\ufeff"
    assert read_text("bom.txt", "utf-8-sig", context=context) == "a\ufeff"
    assert read_text("empty.txt", context=context) == ""
    assert read_text("latin.txt", encoding="latin-1", context=context) == "ä"


def test_missing_files_are_reported_with_similar_names(context: TagContext, inside: Path) -> None:
    """The error names the missing part of the path, and a similar name in that folder."""
    (inside / "orders.json").touch()
    (inside / ".taskrun-00.tmp").touch()
    with pytest.raises(FileMissingError, match=r"'oders.json' does not exist; did you mean 'orders.json'"):
        read_text("oders.json", context=context)
    with pytest.raises(FileMissingError, match=r"there is no folder '.*/order'"):
        read_text("order/x/y.json", context=context)
    with pytest.raises(FileMissingError, match="looked for"):
        read_text("zzz", context=context)
    with pytest.raises(FileMissingError):
        read_text("orders.json/x", context=context)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"ab\xff", "utf-8", r"byte 2 \(0xff\)"),
        (b"\xef\xbb\xbfa\xff", "utf-8", r"byte 4 \(0xff\)"),
        (b"\xef\xbb\xbfa\xff", "utf-8-sig", r"byte 4 \(0xff\)"),
        (b"a", "utf-16", "byte 0"),
        (b"a", "utf8x", "no text encoding 'utf8x'; did you mean 'utf8'"),
        (b"a", "hex", "no text encoding"),
        (b"a", "a\0b", "no text encoding"),
    ],
)
def test_wrong_encodings(content: bytes, encoding: str, message: str, context: TagContext, inside: Path) -> None:
    """The error names the offset of the first wrong byte."""
    (inside / "a.txt").write_bytes(content)
    with pytest.raises(FileError, match=message):
        read_text("a.txt", encoding=encoding, context=context)


def test_files_have_a_largest_size(context: TagContext, inside: Path) -> None:
    """A file of exactly the limit is accepted; a sparse file of a terabyte is refused without being read."""
    (inside / "ten").write_text("x" * 10)
    assert read_text("ten", maxBytes=10, context=context) == "x" * 10
    with pytest.raises(FileError, match="more than 9 bytes"):
        read_text("ten", maxBytes=9, context=context)
    with (inside / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FileError, match="maxBytes"):
        read_text("huge", maxBytes=1000, context=context)


def test_only_files_are_read(context: TagContext, inside: Path) -> None:
    """A folder and a pipe, which would block, are refused."""
    (inside / "folder").mkdir()
    os.mkfifo(inside / "pipe")
    (inside / "loop").symlink_to("loop")
    with pytest.raises(FileError, match="a folder"):
        read_text("folder", context=context)
    with pytest.raises(FileError, match="not a regular file"):
        read_text("pipe", context=context)
    with pytest.raises(FileError, match="cannot be read"):
        read_text("loop", context=context)
    with pytest.raises(FileError, match="cannot be read"):
        read_text("n" * 300, context=context)


def test_a_link_that_appears_after_the_check_is_not_followed(
    context: TagContext, inside: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is replaced by a link between check and opening is refused."""
    (inside / "a").symlink_to(outside / "secret.txt")
    monkeypatch.setattr(TagContext, "resolve", lambda *_: inside / "a")
    with pytest.raises(FileError, match="cannot be read"):
        read_text("a", context=context)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.json:1:1: the file is empty"),
        (" \n", "a.json:1:1: the file is empty"),
        ('{"a":\n  1,}', r"a.json:2:\d+: this is not JSON"),
        ("{'a': 1}", "a.json:1:2: this is not JSON"),
        ('["NaN", "\\"Infinity",\n NaN]', "a.json:2:2: NaN and Infinity are not JSON"),
        ("[1, -Infinity]", "a.json:1:5: NaN and"),
        ("1 2", "a.json:1:3: this is not JSON: Extra data"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5_000, "cannot be read"),
    ],
)
def test_wrong_json(text: str, message: str, context: TagContext, inside: Path) -> None:
    """The error has file:line:column."""
    (inside / "a.json").write_text(text)
    with pytest.raises(FileError, match=message):
        read_json("a.json", context=context)


def test_json_is_read(context: TagContext, inside: Path) -> None:
    """A byte order mark is ignored."""
    (inside / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [1, null, "\xc3\xa4"]}')
    assert read_json("a.json", context=context) == {"a": [1, None, "ä"]}


def test_csv_is_read(context: TagContext, inside: Path) -> None:
    """Quoted cells keep their newlines, empty lines are skipped, all cells are text."""
    (inside / "a.csv").write_bytes(b'\xef\xbb\xbfid;name\r\n\r\n1;"a;""\nb"\r\n2;\r\n')
    assert read_csv("a.csv", ";", context=context) == [{"id": "1", "name": 'a;"\nb'}, {"id": "2", "name": ""}]
    assert read_csv("a.csv", ";", header=False, context=context)[0] == ["id", "name"]
    (inside / "empty.csv").touch()
    assert read_csv("empty.csv", context=context) == []
    assert read_csv("empty.csv", header=False, context=context) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a,b\n1,"x\ny"\n1,2,3\n', r"a.csv:4: the row has 3 cells, the first row 2"),
        ("a,b\n1\n", "a.csv:2: the row has 1 cell, "),
        ("a,b,a\n1,2,3\n", "a.csv:1: the column 'a' exists twice"),
        ('a,b\n1,"x"y\n', "a.csv:2: this is not CSV"),
        ('a,b\n\n1,"x\n', "a.csv:3: this is not CSV: unexpected end"),
    ],
)
def test_wrong_csv(text: str, message: str, context: TagContext, inside: Path) -> None:
    """The error names the first line of the row."""
    (inside / "a.csv").write_text(text)
    with pytest.raises(FileError, match=message):
        read_csv("a.csv", context=context)


@pytest.mark.parametrize("delimiter", ["", ",,", "\n", '"', "\0"])
def test_wrong_delimiters(delimiter: str, context: TagContext, inside: Path) -> None:
    """A delimiter must be one character without another meaning in CSV."""
    (inside / "a.csv").touch()
    with pytest.raises(FileError, match="delimiter"):
        read_csv("a.csv", delimiter, context=context)


def test_files_are_found(context: TagContext, inside: Path, outside: Path) -> None:
    """Results are sorted, complete files inside the allowed folders, with paths that begin like ``dir``."""
    for name in ("b/c.csv", "a.csv", "b/ü.csv", "b/d.txt", ".hidden.csv", ".taskrun-00.tmp"):
        (inside / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / "data" / name).touch()
    (inside / "data" / "out.csv").symlink_to(outside / "secret.txt")
    (inside / "data" / "folder").symlink_to(outside)
    (inside / "data" / "loop").symlink_to("..")
    (inside / "data" / "dangling.csv").symlink_to("nothing")
    assert find_file_paths("data", "**/*.csv", context=context) == [
        "data/.hidden.csv",
        "data/a.csv",
        "data/b/c.csv",
        "data/b/ü.csv",
    ]
    assert find_file_paths(str(inside / "data"), "b/*.t?t", context=context) == [str(inside / "data/b/d.txt")]
    assert find_file_paths("data", "folder/*", context=context) == []
    assert len(find_file_paths("data", context=context)) == 5
    assert find_file_paths(".", "data/a*", context=context) == ["data/a.csv"]


@pytest.mark.parametrize("pattern", ["", "../*", "/etc/*", "a/../../*", "a\0"])
def test_wrong_patterns(pattern: str, context: TagContext) -> None:
    """A pattern cannot lead out of its folder."""
    with pytest.raises(FileError, match="pattern"):
        find_file_paths(".", pattern, context=context)


@pytest.mark.parametrize("error", [ValueError("no pattern"), PermissionError(13, "Permission denied")])
def test_searches_that_fail(error: Exception, context: TagContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invalid patterns, such as '**a' in some versions of Python, raise FileError."""

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "glob", failing)
    with pytest.raises(FileError, match=r"cannot be (used: no pattern|searched: Permission denied)"):
        find_file_paths(".", "**a", context=context)


def test_folders_to_search_in(context: TagContext, inside: Path) -> None:
    """The folder must exist, be a folder and be allowed."""
    (inside / "data.csv").touch()
    with pytest.raises(FileMissingError, match=r"did you mean 'data.csv'"):
        find_file_paths("data.cs", context=context)
    with pytest.raises(FileError, match="is a file"):
        find_file_paths("data.csv", context=context)
    with pytest.raises(FolderError):
        find_file_paths("..", context=context)


def test_resources_stand_beside_the_flow(context: TagContext, inside: Path) -> None:
    """The path is relative to the flow's file, and may lead anywhere inside the allowed folders."""
    (inside / "flows").mkdir()
    (inside / "flows" / "page.html").touch()
    (inside / "top.html").touch()
    assert resolve_resource("page.html", context=context) == str(inside / "flows" / "page.html")
    assert resolve_resource("../top.html", context=context) == str(inside / "top.html")
    assert resolve_resource(str(inside / "top.html"), context=context) == str(inside / "top.html")
    with pytest.raises(FileMissingError, match=r"did you mean 'page.html'"):
        resolve_resource("pag.html", context=context)
    for path in ("", "../../outside/secret.txt", "a\0"):
        with pytest.raises(FolderError):
            resolve_resource(path, context=context)
