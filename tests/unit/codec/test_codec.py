"""Codecs restore values exactly, or raise an error that names the place of an unsupported part."""

# ruff: noqa: D101, D102, DTZ001  # the classes are samples; a date without a zone is one of the values

from __future__ import annotations

import enum
import math
import sys
import threading
import types
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.codec.codec import MAX_DEPTH, Codec, Codecs
from taskrun.errors import StoreError, UnsavableValueError


class Colour(enum.Enum):
    RED = object()
    BLUE = "b"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Size(enum.IntEnum):
    BIG = 3


class Point(NamedTuple):
    x: Any
    y: Any = 0


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    owner: Any = None
    tags: list[str] = field(default_factory=list)
    number: int = field(default=0, init=False)


@dataclass
class Strict:
    value: int

    def __post_init__(self) -> None:
        raise RuntimeError("not to be called when it is read")


@dataclass
class Both(dict):
    value: int = 0


class Model:
    """Class with the interface of a pydantic model."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.values == other.values

    __hash__ = None

    def model_dump(self, *, by_alias: bool = False) -> Any:
        return dict(self.values)

    @classmethod
    def model_validate(cls, values: dict[str, Any]) -> Any:
        return cls(**values)


class Aliased(Model):
    def model_dump(self, *, by_alias: bool = False) -> Any:
        return {f"{name}_": value for name, value in self.values.items()} if by_alias else dict(self.values)

    @classmethod
    def model_validate(cls, values: dict[str, Any]) -> Any:
        if not all(name.endswith("_") for name in values):
            raise ValueError("a field is missing")
        return cls(**{name[:-1]: value for name, value in values.items()})


class Lossy(Model):
    def model_dump(self, *, by_alias: bool = False) -> Any:
        return {}


class Broken(Model):
    def model_dump(self, *, by_alias: bool = False) -> Any:
        raise ValueError("no dump")


class Listed(Model):
    """Root model, whose dump is not a dictionary."""

    def model_dump(self, *, by_alias: bool = False) -> Any:
        return (1, 2)

    @classmethod
    def model_validate(cls, values: Any) -> Any:
        return cls(root=tuple(values))


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError


CODECS = Codecs()
STRICT = object.__new__(Strict)
STRICT.value = 4

VALUES = [
    None, True, False, 0, -1, 10**30, 10**5000, -(10**5000), 0.1, -0.0, 1e308, math.inf, -math.inf,
    "", "plain", "ünï☃𝄞", '\x00\n"\\$', "$", "\ud800", "\ud83d\ude00", "a\udcff", ("\ud83d\ude00",),
    [], [1, [2, [3]]], (), (1, ("a",)), {}, {"a": {"b": [1]}}, {"$": 1}, {"$": "tuple", "v": [1]}, {1: "a", "1": "b"},
    {(1, 2): {3}, None: 1, 1.5: 2, True: 3}, {"\ud83d\ude00": 1, "\ud800": 2}, {"b": 1, "a": 2},
    set(), {1, 2, "a", None}, frozenset({(1, 2), frozenset()}), b"", b"\x00\xff", bytearray(b"ab"), 1 + 2j,
    Decimal("1.10"), Decimal("-0"), Decimal("Infinity"), Decimal("1E+400"),
    date(1, 1, 1), datetime(2026, 3, 4, 5, 6, 7, 8), datetime(2026, 3, 4, tzinfo=UTC),
    datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=3601), "odd")),
    time(1, 2, 3, 4), time(1, tzinfo=UTC, fold=1), timedelta(days=-1, microseconds=1), timedelta.max,
    UUID(int=5), range(10), range(10, 0, -3), Path("a/b"), Path("/tmp/\udcff"), PurePosixPath("x"), PureWindowsPath("C:\\x"),
    UTC, ZoneInfo("Asia/Tokyo"), Colour.RED, Colour.BLUE, Rights.READ | Rights.WRITE, Rights(0), Size.BIG,
    Point(1, (2,)), Item("a", Item("b", {1}), ["t"]), STRICT, Model(a=[1, (2,)], b=date(2026, 1, 1)), Aliased(a=1),
    Listed(root=(1, 2)),
]  # fmt: skip


def same(one: Any, other: Any) -> bool:  # noqa: PLR0911  # a case for each kind
    """Return whether values and their parts are equal, of the same types and in the same order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, datetime | time):
        return one == other and one.fold == other.fold and repr(one.tzinfo) == repr(other.tzinfo)
    if isinstance(one, Decimal):
        return str(one) == str(other)
    return bool(one == other)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_survive_a_round_trip(value: Any) -> None:
    for one in (value, [value], {"k": value}, (value, value), {1: value}):
        text = CODECS.dumps(one)
        assert text.isascii()
        assert same(CODECS.loads(text), one)


def test_values_not_equal_to_themselves_survive_a_round_trip() -> None:
    assert math.isnan(CODECS.loads(CODECS.dumps(math.nan)))
    assert CODECS.loads(CODECS.dumps(Decimal("sNaN12"))).is_snan()


def test_plain_values_are_plain_json() -> None:
    assert CODECS.dumps({"RESULT": [1, "a", None, 2.5]}) == '{"RESULT":[1,"a",null,2.5]}'


def test_equal_sets_are_equal_texts() -> None:
    there, back = set(range(0, 2**20, 2**10)), set(range(2**20 - 2**10, -1, -(2**10)))
    assert CODECS.dumps(there) == CODECS.dumps(back)


TEXTS = st.text(st.characters(categories=None))
ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS, st.binary(), st.dates(), st.times(),
    st.datetimes(timezones=st.none() | st.timezones()), st.timedeltas(), st.decimals(allow_nan=False), st.uuids(),
)  # fmt: skip
KEYS = st.one_of(st.none(), st.integers(), TEXTS, st.binary(), st.tuples(st.integers(), TEXTS))


@given(
    st.recursive(
        ATOMS,
        lambda inner: st.one_of(
            st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(KEYS, inner), st.builds(Point, inner, inner)
        ),
    )
)
def test_any_value_survives_a_round_trip(value: Any) -> None:
    assert same(CODECS.loads(CODECS.dumps(value)), value)


def refused(value: Any, codecs: Codecs = CODECS) -> tuple[str, str]:
    """Return path and problem of the UnsavableValueError for a value."""
    with pytest.raises(UnsavableValueError) as caught:
        codecs.dumps(value)
    assert str(caught.value) == (f"{caught.value.path}: " if caught.value.path else "") + caught.value.problem
    return caught.value.path, caught.value.problem


def test_the_path_of_an_unsavable_part() -> None:
    lock = threading.Lock()
    assert refused({"items": [1, 2, 3, Item("a", lock)]})[0] == "['items'][3].owner"
    assert refused(lock) == ("", "a _thread.lock cannot be saved: return its parts instead, or register a codec")
    assert refused({1: lock})[0] == "[1]"
    assert refused({lock.acquire: 1})[0].startswith("<key <built-in method acquire")
    assert refused({Unspeakable(): 1})[0] == "<key Unspeakable>"
    assert refused({lock.acquire})[0].startswith("{<built-in")
    assert refused((Point(1, lock),))[0] == "[0].y"
    assert refused(Model(a=lock))[0] == "['a']"
    assert refused(OrderedDict(a=1))[1].startswith(
        "a collections.OrderedDict cannot be saved: convert it to a plain dict"
    )
    assert refused(types.SimpleNamespace())[1].startswith("a types.SimpleNamespace cannot be saved")


def test_values_that_contain_themselves() -> None:
    ring: list[Any] = [1]
    ring.append({"again": ring})
    assert refused(ring) == ("[1]['again']", "it contains itself")
    twice = [1]
    assert CODECS.loads(CODECS.dumps([twice, twice])) == [[1], [1]]


def nested(depth: int) -> Any:
    """Return lists nested to a depth."""
    value: Any = 1
    for _ in range(depth):
        value = (value,)
    return value


def test_the_maximum_depth_of_values() -> None:
    assert CODECS.loads(CODECS.dumps(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    assert refused(nested(MAX_DEPTH + 1))[1] == f"values are nested deeper than {MAX_DEPTH} levels"


def test_a_stack_that_is_nearly_full() -> None:
    def dive(levels: int) -> None:
        if levels:
            dive(levels - 1)
        else:
            CODECS.dumps(nested(MAX_DEPTH))

    limit = sys.getrecursionlimit()
    with pytest.raises(UnsavableValueError, match="too deeply for the present depth"):
        dive(limit - 250)


def test_classes_that_are_not_found_by_their_name() -> None:
    @dataclass
    class Local:
        x: int = 1

    assert "Local cannot be saved: it cannot be found by its name" in refused([Local()])[1]
    assert "it cannot be found by its name" in refused(namedtuple("Elsewhere", "a")(1))[1]  # noqa: PYI024


def test_dataclasses_that_cannot_be_filled() -> None:
    assert "also inherits from a built-in type" in refused(Both())[1]
    assert refused(object.__new__(Strict))[1] == "its field 'value' was never set"


def test_models_without_a_round_trip() -> None:
    assert refused(Lossy(a=1))[1] == "the model Lossy cannot be restored from its model_dump"
    assert refused(Broken(a=1))[1].endswith("cannot be restored from its model_dump: no dump")


def test_a_zone_without_a_key() -> None:
    folder = next(Path(place) for place in __import__("zoneinfo").TZPATH if (Path(place) / "UTC").exists())
    with (folder / "UTC").open("rb") as file:
        zone = ZoneInfo.from_file(file)
    assert refused(datetime(2026, 1, 1, tzinfo=zone))[1] == "a ZoneInfo without a key cannot be saved"


def test_registered_codecs() -> None:
    codec = Codec("namespace", types.SimpleNamespace, vars, lambda values: types.SimpleNamespace(**values))
    mine = Codecs([codec])
    value = [types.SimpleNamespace(a=(1,), b=types.SimpleNamespace())]
    text = mine.dumps(value)
    assert mine.loads(text) == value
    with pytest.raises(StoreError, match="needs the codec 'namespace', which is not registered here"):
        CODECS.loads(text)
    assert refused([types.SimpleNamespace(x=threading.Lock())], mine)[0] == "[0]['x']"
    bad = Codecs([Codec("bad", types.SimpleNamespace, lambda _: 1 / 0, id)])
    assert refused([types.SimpleNamespace()], bad) == (
        "[0]",
        "the codec 'bad' failed: ZeroDivisionError: division by zero",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read: JSONDecodeError"),
        ('{"$":"nothing","v":1}', "cannot be read: KeyError: 'name'"),
        ('{"$":"tuple"}', "cannot be read: KeyError: 'v'"),
        ('{"$":5,"v":1}', "cannot be read: KeyError"),
        ('{"$":"date","v":"x"}', "cannot be read: ValueError"),
        ('{"$":"zone","v":"No/Where"}', "cannot be read: ZoneInfoNotFoundError"),
        ('{"$":"dataclass","name":"subprocess:Popen","v":{"args":"x"}}', "subprocess.Popen, which is not a dataclass"),
        ('{"$":"model","name":"os:system","v":"x"}', "os.system, which is not a model"),
        ('{"$":"enum","name":"taskrun.errors:nothing","v":"x"}', "does not exist\n    hint: it was moved or renamed"),
        ('{"$":"enum","name":"no.such.module:A","v":"x"}', "does not exist\n    hint: import its module"),
        ('{"$":"enum","name":"os","v":"x"}', "of the class os, which does not exist"),
    ],
)
def test_texts_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(StoreError) as caught:
        CODECS.loads(text)
    assert message in str(caught.value)


def test_classes_that_were_changed_since() -> None:
    name = f"{__name__}:"
    read = lambda kind, cls, v: CODECS.loads(f'{{"$":"{kind}","name":"{name}{cls}","v":{v}}}')  # noqa: E731
    assert read("dataclass", "Item", '{"name":"a"}') == Item("a")
    with pytest.raises(StoreError, match="a recorded Item has no 'name'"):
        read("dataclass", "Item", "{}")
    with pytest.raises(StoreError, match="a recorded Item has 'old', which the class does not have now"):
        read("dataclass", "Item", '{"name":"a","old":1}')
    with pytest.raises(StoreError, match="a recorded Point has the fields x, z"):
        read("namedtuple", "Point", '{"x":1,"z":2}')
    with pytest.raises(StoreError, match="KeyError: 'GREEN'"):
        read("enum", "Colour", '"GREEN"')


def test_only_allowed_modules_are_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "codec_sample_module.py").write_text("import enum\nclass E(enum.Enum):\n    A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = '{"$":"enum","name":"codec_sample_module:E","v":"A"}'
    for codecs in (CODECS, Codecs(allow=lambda name: name.startswith("other."))):
        with pytest.raises(StoreError, match="hint: import its module"):
            codecs.loads(text)
        assert "codec_sample_module" not in sys.modules
    try:
        assert Codecs(allow=lambda name: name == "codec_sample_module").loads(text).value == 1
    finally:
        sys.modules.pop("codec_sample_module", None)
