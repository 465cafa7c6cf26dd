"""Tags that write files: atomically, despite failures and other writers."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.tags.context import FolderError, TagContext
from taskrun.tags.csv_text import from_csv, to_csv
from taskrun.tags.files import FileError, read_csv, read_json, read_text, write_csv, write_json, write_text


def everything(folder: Path) -> list[str]:
    """Return the names of all files and folders below ``folder``."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disk that accepts three bytes and then fails."""
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) <= 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[:3])

    monkeypatch.setattr(os, "write", full)


def test_text_is_written(context: TagContext, inside: Path) -> None:
    """Folders are created, newlines are kept, no other file remains."""
    write_text("a/b/ü.txt", "x\r\ny\n", context=context)
    write_text("a/b/ü.txt", "z", context=context)
    write_text("empty.txt", "", context=context)
    assert read_text("a/b/ü.txt", context=context) == "z"
    assert everything(inside) == ["a", "a/b", "a/b/ü.txt", "empty.txt"]
    write_text("latin.txt", "ä", encoding="latin-1", context=context)
    assert (inside / "latin.txt").read_bytes() == b"\xe4"


def test_text_is_appended(context: TagContext, inside: Path) -> None:
    """A missing file is created; a byte order mark is written only at the start."""
    write_text("new/log.txt", "a\n", append=True, context=context)
    write_text("new/log.txt", "b\n", append=True, context=context)
    assert read_text("new/log.txt", context=context) == "a\nb\n"
    for text in "ab":
        write_text("wide.txt", text, "utf-16", append=True, context=context)
    assert read_text("wide.txt", "utf-16", context=context) == "ab"
    (inside / "empty").touch()
    write_text("empty", "x", append=True, context=context)
    assert read_text("empty", context=context) == "x"


@pytest.mark.parametrize("append", [False, True])
def test_an_unencodable_text_creates_no_file(append: bool, context: TagContext, inside: Path) -> None:
    """The error names the character; no folder is created."""
    with pytest.raises(FileError, match=r"character 1 \('ß'\)"):
        write_text("x/a.txt", "aß", encoding="ascii", append=append, context=context)
    with pytest.raises(FileError, match="character 0"):
        write_text("x/a.txt", "\ud800", append=append, context=context)
    with pytest.raises(FileError, match="no text encoding"):
        write_text("x/a.txt", "a", encoding="uft-8", append=append, context=context)
    with pytest.raises(FileError, match="as idna"):
        write_text("x/a.txt", "a" * 100, encoding="idna", append=append, context=context)
    with pytest.raises(FileError, match="text is dict"):
        write_text("x/a.txt", {}, append=append, context=context)
    assert everything(inside) == []


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("append", [False, True])
def test_a_full_disk_changes_nothing(append: bool, context: TagContext, inside: Path) -> None:
    """An existing file is unchanged; of a new file not even the folders remain."""
    (inside / "old.txt").write_text("old")
    for path in ("old.txt", "new/folder/new.txt"):
        with pytest.raises(FileError, match="cannot be written: No space left"):
            write_text(path, "0123456789", append=append, context=context)
    assert (inside / "old.txt").read_text() == "old"
    assert everything(inside) == ["old.txt"]


@pytest.mark.parametrize("function", ["fsync", "replace", "write"])
def test_an_interruption_leaves_no_temporary_file(
    function: str, context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A KeyboardInterrupt leaves no temporary file."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, function, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text("new/a.txt", "a", context=context)
    assert everything(inside) == []


def test_the_mode_of_a_file_stays(context: TagContext, inside: Path) -> None:
    """A replaced file keeps its permissions; a new file gets them from the umask."""
    before = os.umask(0o027)
    try:
        for name, mode in (("private", 0o600), ("program", 0o755)):
            (inside / name).touch()
            (inside / name).chmod(mode)
            write_text(name, "x", context=context)
            assert stat.S_IMODE((inside / name).stat().st_mode) == mode
        write_text("new", "x", context=context)
        assert stat.S_IMODE((inside / "new").stat().st_mode) == 0o640
    finally:
        os.umask(before)


def test_protected_files_and_folders(context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write-protected file is not replaced; a folder without write permission raises FileError."""
    (inside / "a.txt").write_text("old")
    denied = PermissionError(errno.EACCES, "Permission denied")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)  # root may write everything
        with pytest.raises(FileError, match="write-protected"):
            write_text("a.txt", "new", context=context)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *_, **__: (_ for _ in ()).throw(denied))
        for append in (False, True):
            with pytest.raises(FileError, match="cannot be written: Permission denied"):
                write_text("new/b.txt", "new", append=append, context=context)
    assert (inside / "a.txt").read_text() == "old"
    assert everything(inside) == ["a.txt"]


def test_a_read_only_folder(context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of the operating system raise FileError (simulated, because root may write anywhere)."""
    (inside / "folder").mkdir()

    def refuse(*_given: object, **_named: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FileError, match="Permission denied"):
        write_text("folder/a.txt", "a", context=context)


def test_only_files_are_written(context: TagContext, inside: Path, outside: Path) -> None:
    """Folders, pipes, paths through a file and links out of the folder are refused."""
    (inside / "folder").mkdir()
    (inside / "file").touch()
    os.mkfifo(inside / "pipe")
    (inside / "link").symlink_to(outside / "secret.txt")
    for append in (False, True):
        for path in ("folder", "pipe", "file/a.txt", "n" * 300):
            with pytest.raises(FileError):
                write_text(path, "x", append=append, context=context)
        for path in ("link", "../outside/new.txt"):
            with pytest.raises(FolderError):
                write_text(path, "x", append=append, context=context)
    assert everything(inside) == ["file", "folder", "link", "pipe"]
    assert everything(outside) == ["secret.txt"]


def in_threads(work: list) -> None:
    """Call all functions of ``work`` concurrently."""
    threads = [threading.Thread(target=task) for task in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_writers_at_once(context: TagContext, inside: Path) -> None:
    """The file always has the content of one writer, and both may create its folder."""
    texts = [letter * 100_000 for letter in "abcd"]

    def write(text: str) -> None:
        for _ in range(10):
            write_text("made/a.txt", text, context=context)
            assert read_text("made/a.txt", context=context) in texts

    failures: list[object] = []
    hook, threading.excepthook = threading.excepthook, failures.append
    try:
        in_threads([lambda text=text: write(text) for text in texts])
    finally:
        threading.excepthook = hook
    assert not failures
    assert everything(inside) == ["made", "made/a.txt"]


def test_lines_of_several_writers(context: TagContext) -> None:
    """No line is lost or mixed with another one."""

    def write(letter: str) -> None:
        for _ in range(50):
            write_text("log.txt", letter * 1_000 + "\n", append=True, context=context)

    in_threads([lambda letter=letter: write(letter) for letter in "abcd"])
    lines = read_text("log.txt", context=context).splitlines()
    assert sorted(lines) == sorted(letter * 1_000 for letter in "abcd" for _ in range(50))


@pytest.mark.parametrize("gone", [False, True])
def test_appending_to_a_file_that_is_replaced_meanwhile(
    gone: bool, context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is appended to the new file, since the old one has no name any more."""
    (inside / "log.txt").write_text("old")
    lock = fcntl.flock
    replaced: list[int] = []

    def late(descriptor: int, how: int) -> None:
        if not replaced:
            replaced.append(descriptor)
            (inside / "log.txt").unlink()
            if not gone:
                (inside / "log.txt").write_text("new")
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    write_text("log.txt", "!", append=True, context=context)
    assert (inside / "log.txt").read_text() == ("!" if gone else "new!")


def test_a_file_system_without_locks(context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written if the file system does not support locks."""

    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (inside / "log.txt").write_text("old")
    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(FileError, match="No locks available"):
        write_text("log.txt", "!", append=True, context=context)
    assert (inside / "log.txt").read_text() == "old"


def test_json_is_written(context: TagContext, inside: Path) -> None:
    """The file is readable JSON with a newline at the end."""
    value = {"ä": [1, 2.5, None, True, "\u2028"], "b": {}}
    write_json("a.json", value, context=context)
    assert read_json("a.json", context=context) == value
    assert (inside / "a.json").read_text("utf-8").startswith('{\n  "ä": [\n    1,')
    write_json("a.json", (1, 2), indent=None, context=context)
    assert (inside / "a.json").read_text("utf-8") == "[1, 2]\n"


def itself() -> list:
    """Return a list that contains itself."""
    value: list = [1]
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "value is nan"),
        ({"a": [1, float("-inf")]}, r"value\['a'\]\[1\] is -inf"),
        ({"a": {1, 2}}, r"value\['a'\] is a set"),
        ({(1, 2): 3}, "a key that is a tuple"),
        ({float("nan"): 3}, "the key nan of value"),
        (itself(), r"value\[1\] contains itself"),
        ("\ud800", "character 1"),
    ],
)
def test_values_that_json_does_not_support(value: object, message: str, context: TagContext, inside: Path) -> None:
    """The error names the place in the value; the file is unchanged."""
    (inside / "a.json").write_text("old")
    with pytest.raises(FileError, match=message):
        write_json("a.json", value, context=context)
    assert (inside / "a.json").read_text() == "old"


def test_json_that_is_too_deep(context: TagContext, inside: Path) -> None:
    """The file is not created."""
    value: list = []
    for _ in range(200_000):
        value = [value]
    with pytest.raises(FileError, match=r"a\.json"):
        write_json("a.json", value, context=context)
    assert everything(inside) == []
    while value:  # without recursion, which the destructor of a deep list is spared
        value = value[0]


def test_csv_is_written(context: TagContext, inside: Path) -> None:
    """Columns are those of the first row or given by name; lists have a header if it is given."""
    write_csv("a.csv", [{"id": 1, "name": 'a"b,\n'}, {"name": None, "id": True}], context=context)
    assert (inside / "a.csv").read_bytes() == b'id,name\r\n1,"a""b,\n"\r\ntrue,\r\n'
    write_csv("a.csv", [{"id": 1, "name": "x", "more": 2}], ["name", "id"], ";", context=context)
    assert (inside / "a.csv").read_bytes() == b"name;id\r\nx;1\r\n"
    write_csv("a.csv", [[1, 2], (3, 4)], context=context)
    assert (inside / "a.csv").read_bytes() == b"1,2\r\n3,4\r\n"
    write_csv("a.csv", [[1, 2]], ["a", "b"], context=context)
    assert read_csv("a.csv", context=context) == [{"a": "1", "b": "2"}]
    write_csv("a.csv", [], ["a"], context=context)
    assert (inside / "a.csv").read_bytes() == b"a\r\n"
    write_csv("a.csv", [], context=context)
    assert (inside / "a.csv").read_bytes() == b""


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([{"a": 1}, {"b": 1}], None, "row 2 has no column 'a'"),
        ([{"a": 1}, {"a": 1, "b": 1}], None, "row 2 has the column 'b', which"),
        ([{"name": 1}], ["nmae"], "row 1 has no column 'nmae'; did you mean 'name'"),
        ([{"a": 1}, [1]], None, "row 2 is a list"),
        ([[1], {"a": 1}], None, "row 2 is a dict"),
        ([[1, 2], [1]], None, "row 2 has 1 cell instead of 2"),
        ([[1]], ["a", "b"], "row 1 has 1 cell instead of 2"),
        ([[]], None, "0 cells"),
        (["text"], None, "row 1 is a str"),
        ("text", None, "rows is a str"),
        ([{"a": float("nan")}], None, "row 1 has a cell that is nan"),
        ([{"a": [1]}], None, "a cell that is a list"),
        ([[b"x"]], None, "a cell that is a bytes"),
        ([], ["a", "a"], "'a' exists twice"),
        ([], "ab", "columns is a list"),
        ([{1: 2}], None, "columns is a list of names"),
    ],
)
def test_wrong_rows(rows: list, columns: list | None, message: str, context: TagContext, inside: Path) -> None:
    """The error names the row; no file is created."""
    with pytest.raises(FileError, match=message):
        write_csv("a.csv", rows, columns, context=context)
    assert everything(inside) == []


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(st.text(), min_size=n, max_size=n))))
def test_csv_survives_a_round_trip(rows: list[list[str]]) -> None:
    """Cells with any content are read as they were written."""
    assert from_csv("a", to_csv("a", rows, None, ";"), ";", header=False) == rows
