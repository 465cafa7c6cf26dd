"""Tests of exceptions that are created from their records: class, text, attributes, notes, causes and members."""

# ruff: noqa: D102  # the methods of exceptions here are what their classes say

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest
from lxml import etree

from taskrun.codec.classes import allow_no_import
from taskrun.codec.codec import Codec, Codecs
from taskrun.core.execution import failed_step
from taskrun.core.journal import ErrorRecord
from taskrun.core.script_views import ErrorBean
from taskrun.core.traceback_notes import StepNote
from taskrun.durable.error_records import record_error
from taskrun.durable.revive_exception import revive
from taskrun.errors import (
    BindError,
    Diagnostic,
    InputError,
    RecordedError,
    ShellError,
    StepError,
    StepTimeout,
    UnsavableValueError,
)
from taskrun.source import Location

CODECS = Codecs()


def recorded_and_revived(error: BaseException, codecs: Codecs = CODECS) -> Exception:
    """Record an exception, convert the record to JSON and back, and revive the exception."""
    text = json.dumps(record_error(error, codecs).as_json())
    return revive(ErrorRecord.from_json(json.loads(text)), codecs, allow_no_import)


class Keyed(Exception):
    """An exception with a keyword argument that it does not pass to its base class."""

    calls = 0

    def __init__(self, *, code: int, more: object = None) -> None:
        type(self).calls += 1
        self.code = code
        self.more = more

    def __str__(self) -> str:
        return f"code {self.code}"


class Fatal(Exception):
    """An exception whose handler attributes are a class attribute and a property."""

    error_code = "shop.fatal"
    biz_fatal = True

    def __init__(self, order: str) -> None:
        super().__init__(f"order {order} is lost")
        self.order = order

    @property
    def params(self) -> dict[str, object]:
        return {"order": self.order}


class Hidden(Exception):
    """An exception with a private attribute that its handler attributes depend on."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._secret = 5
        self.error_code = "shop.hidden"

    @property
    def params(self) -> dict[str, object]:
        return {"secret": self._secret}


class HiddenText(Exception):
    """An exception whose text is a private attribute."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class Slotted(Exception):
    """An exception with slots."""

    __slots__ = ("code", "never_set")

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class OwnNew(ValueError):
    """An exception with a ``__new__`` of its own."""

    def __new__(cls, first: int, second: int) -> Self:
        made = super().__new__(cls, f"{first} of {second}")
        made.sum = first + second
        return made

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} of {second}")

    sum: int


class OsLike(OSError):
    """An OSError with a constructor of its own."""

    def __init__(self, what: str) -> None:
        super().__init__(5, f"no {what}", "file.txt")
        self.what = what


class TwoBases(LookupError, OSError):
    """An exception with two base classes that are written in C."""


class Fussy(Exception):
    """An exception whose special methods raise errors."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(name)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise RuntimeError(name)

    def __str__(self) -> str:
        return "fussy"


class Batch(ExceptionGroup[Exception]):
    """An exception group with an attribute."""

    name = ""

    def __new__(cls, name: str, members: list[Exception]) -> Self:
        made = super().__new__(cls, f"batch {name}", members)
        made.name = name
        return made

    def __init__(self, name: str, members: list[Exception]) -> None:
        pass


def caught(call: Callable[[], object]) -> Exception:
    """Return the exception that a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("it raised nothing")


def with_attributes(error: Exception, **attributes: object) -> Exception:
    """Set attributes of an error and return it."""
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


ERRORS = (
    ValueError("bad"),
    ValueError(),
    ValueError("a", 2, None, ("t", {1})),
    KeyError("id"),
    KeyError(("a", 1)),
    StopIteration(5),
    ZeroDivisionError("ÿ\ud800"),
    caught(lambda: open("/no/such/file")),  # noqa: PTH123, SIM115
    OSError("only text"),
    with_attributes(OSError(2, "no"), errno=3, filename=b"x"),
    PermissionError(13, "no", Path("a"), None, "b"),
    urllib.error.URLError("refused"),
    caught(b"\xff".decode),
    caught("\ud800".encode),
    caught(lambda: compile("a b", "f", "exec")),
    caught(lambda: __import__("no_such_module")),
    caught(lambda: json.loads("{")),
    caught(lambda: sqlite3.connect(":memory:").execute("SELECT nothing")),
    caught(lambda: NoReturn.nothing),  # type: ignore[attr-defined]
    Keyed(code=5, more=Path("x")),
    Fatal("o-1"),
    Slotted(7),
    OwnNew(1, 2),
    OsLike("luck"),
    TwoBases("x"),
    Fussy("a"),
    StepTimeout("main/a took longer than 5s"),
    ShellError("failed", 3, "out", "err"),
    InputError(["a is missing", "b is no int"]),
    StepError("main/a failed", "main/a", Location("f", 1, 2), "TIMED_OUT"),
    UnsavableValueError("a lock", "['x']"),
    BindError([Diagnostic(location=Location("f", 1, 2), code="c", message="m")]),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__qualname__)
def test_an_exception_is_revived(error: Exception) -> None:
    calls = Keyed.calls
    made = recorded_and_revived(error)
    assert type(made) is type(error)
    assert (str(made), made.args, vars(made)) == (str(error), error.args, vars(error))
    assert shown(made) == shown(error)
    assert calls == Keyed.calls, "no __init__ of the user's ran"
    for name in ("errno", "strerror", "filename", "filename2", "name", "path", "start", "lineno", "offset", "code"):
        if not isinstance(error, Fussy):
            assert getattr(made, name, None) == getattr(error, name, None)


def shown(error: Exception) -> list[Any]:
    """Return the values that a handler of a flow reads of an exception, without its location."""
    if isinstance(error, Fussy):
        return []
    bean = ErrorBean(error)
    cause = bean.cause and bean.cause.description
    return [bean.errorCode, bean.description, bean.params, bean.status, bean.bizFatal, cause, len(bean.details)]


class Unprintable(Exception):
    """An exception whose ``__str__`` raises."""

    def __str__(self) -> str:
        raise RuntimeError


def local_class() -> Exception:
    """Return an exception of a class that cannot be imported."""

    class Local(ValueError):
        error_code = "local.code"
        params = {"a": 1}  # noqa: RUF012
        biz_fatal = True
        status = 404

    return Local("here")


@pytest.mark.parametrize(
    "error",
    [
        local_class(),
        Hidden("secret"),
        HiddenText("text"),
        Unprintable(),
        KeyError(object()),
        KeyboardInterrupt("stop"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_that_cannot_be_created_is_replaced(error: BaseException) -> None:
    record = record_error(error)
    error.add_note("a note")
    made = recorded_and_revived(error)
    assert isinstance(made, RecordedError)
    assert (made.kind, str(made), made.__notes__) == (record.kind, record.message, ["a note"])
    if not isinstance(error, Unprintable):
        assert shown(made) == shown(error)  # type: ignore[arg-type]
    made.add_note("another")
    twice = record_error(made)
    assert (twice.kind, twice.message, twice.state, twice.notes) == (
        record.kind,
        record.message,
        record.state,
        ("a note", "another"),
    )


def test_exceptions_of_packages_in_c() -> None:
    error = caught(lambda: etree.fromstring("<a>"))
    made = recorded_and_revived(error)
    assert isinstance(made, etree.XMLSyntaxError)
    assert (str(made), made.lineno, made.position) == (str(error), 1, (1, 4))


def test_values_that_cannot_be_recorded_are_omitted() -> None:
    made = recorded_and_revived(with_attributes(ValueError("bad"), lock=object(), code=5, _private=6))
    assert (type(made), made.args, vars(made)) == (ValueError, ("bad",), {"code": 5})
    record = record_error(with_attributes(ValueError(Path), lock=object()))
    assert record.state == ""
    made = revive(record, CODECS, allow_no_import)
    assert (type(made), str(made)) == (ValueError, str(Path))
    codecs = Codecs([Codec("type", type, lambda cls: cls.__name__, {"Path": Path}.__getitem__)])
    made = recorded_and_revived(with_attributes(ValueError(Path), code=Path), codecs)
    assert (made.args, vars(made)) == ((Path,), {"code": Path})


def test_values_of_classes_that_do_not_exist() -> None:
    """The text is restored even if nothing else can be read."""
    record = record_error(ValueError("bad"))
    state = '{"args":[{"$":"dataclass","name":"nowhere:Gone","v":{}}],"attributes":{},"shown":{}}'
    for broken in (state, "{", "[]", '{"args":5}', '{"args":["bad"],"attributes":[]}', '{"args":["other"]}'):
        forged = ErrorRecord.from_json(record.as_json() | {"state": broken})
        assert str(revive(forged, CODECS, allow_no_import)) == "bad"


def test_groups() -> None:
    inner = with_attributes(OSError(2, "no", "file"), code=1)
    group = Batch("b", [ValueError("a"), ExceptionGroup("in", [inner, Keyed(code=3)])])
    group.add_note("n")
    made = recorded_and_revived(group)
    assert isinstance(made, Batch)
    assert (str(made), made.name, made.message) == ("batch b (2 sub-exceptions)", "b", "batch b")
    assert made.__notes__ == ["n"]
    first, second = made.exceptions
    assert (type(first), str(first)) == (ValueError, "a")
    assert isinstance(second, ExceptionGroup)
    assert [type(one) for one in second.exceptions] == [FileNotFoundError, Keyed]
    assert vars(second.exceptions[0]) == {"code": 1}
    matched, rest = made.split(ValueError)
    assert matched is not None
    assert rest is not None


def test_a_group_with_base_exceptions() -> None:
    made = recorded_and_revived(BaseExceptionGroup("g", [KeyboardInterrupt(), ValueError("a")]))
    assert isinstance(made, RecordedError)
    assert (made.kind, [type(one) for one in made.exceptions]) == (
        "builtins.BaseExceptionGroup",
        [RecordedError, ValueError],
    )
    assert len(ErrorBean(made).details) == 2


def test_causes_and_contexts() -> None:
    """A handler reads the cause of ``raise … from``, but not the implicit context."""
    named, handled, hidden = ValueError("named"), ValueError("handled"), ValueError("hidden")
    named.__cause__ = Fatal("o-2")
    handled.__context__ = Keyed(code=4)
    hidden.__context__ = Keyed(code=4)
    hidden.__suppress_context__ = True
    made, made_handled, made_hidden = map(recorded_and_revived, (named, handled, hidden))
    assert type(made.__cause__) is Fatal
    assert made.__suppress_context__
    assert (made_handled.__cause__, type(made_handled.__context__)) == (None, Keyed)
    assert (made_hidden.__cause__, made_hidden.__context__) == (None, None)
    assert shown(made) == shown(named)
    assert shown(made_handled) == shown(handled)


def test_a_long_chain_of_contexts() -> None:
    """A chain of ten thousand contexts, as of a retry, is recorded up to the limit."""
    last = error = ValueError("0")
    for number in range(1, 10_000):
        error = ValueError(str(number))
        error.__context__, last = last, error
    made: BaseException | None = recorded_and_revived(error)
    depth = 0
    while made is not None:
        made, depth = made.__context__, depth + 1
    assert depth == 100


def test_notes_that_name_steps() -> None:
    error = ValueError("bad")
    notes = [
        StepNote("main/loop[2]/a", Location("my (1) flow.task.xml", 12, 5)),
        "in step nowhere",
        "in step main/a (f:01:2)",
        StepNote("main/b", Location("C:\\f.xml", 1, 2)),
    ]
    for note in notes:
        error.add_note(note)
    made = recorded_and_revived(error)
    assert made.__notes__ == notes
    assert [type(note) for note in made.__notes__] == [StepNote, str, str, StepNote]
    found = failed_step(made)
    assert found is not None
    assert (found.path, found.location) == ("main/loop[2]/a", Location("my (1) flow.task.xml", 12, 5))


@pytest.mark.parametrize(
    "kind",
    [
        "nowhere.Gone",
        "builtins.int",
        "builtins.KeyboardInterrupt",
        "json.loads",
        "json.JSONDecodeError.x",
        "",
        ".",
        "Gone",
    ],
)
def test_names_that_are_not_exceptions(kind: str) -> None:
    made = revive(ErrorRecord(kind, "text"), CODECS, allow_no_import)
    assert isinstance(made, RecordedError)
    assert (made.kind, str(made)) == (kind, "text")
    assert made.error_code == kind.rpartition(".")[2]


def test_only_allowed_modules_are_imported(tmp_path: Path) -> None:
    """A new process imports only modules of taskrun and allowed ones; a broken module is ignored."""
    (tmp_path / "shop.py").write_text("class Out:\n    class Lost(Exception):\n        pass\n")
    (tmp_path / "broken.py").write_text("raise SystemError('broken')\n")
    program = """
import sys
from taskrun.codec.codec import Codecs
from taskrun.core.journal import ErrorRecord
from taskrun.durable.revive_exception import revive
def of(kind, *allowed):
    return type(revive(ErrorRecord(kind, "text"), Codecs(), allowed.__contains__)).__name__
print(of("shop.Out.Lost"), "shop" in sys.modules, of("shop.Out.Lost", "shop"), "shop" in sys.modules)
print(of("broken.Lost", "broken"), "taskrun.script.xscript.values" in sys.modules)
print(of("taskrun.script.xscript.values.Nothing"), of("taskrun.codec.builtin_types.UnsavableError"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join((str(tmp_path), *sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "RecordedError False Lost True",
        "RecordedError False",
        "RecordedError UnsavableError",
    ]
