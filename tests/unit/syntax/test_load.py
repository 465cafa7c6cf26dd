"""Reading files: exact locations, limits, encodings, prefixes, and dangerous XML that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskrun.errors import XmlError
from taskrun.syntax import load as loading
from taskrun.syntax.load import load, parse


def refused(data: bytes | str) -> list[tuple[str, int, int]]:
    with pytest.raises(XmlError) as caught:
        parse("f.xml", data.encode() if isinstance(data, str) else data)
    return [(item.code, item.location.line, item.location.column) for item in caught.value.diagnostics]


def test_places_of_elements_and_texts() -> None:
    root = parse("f.xml", b'<task>\n  <steps><step name="a">1</step>tail<step/></steps>\n</task>')
    steps = root.children[0]
    assert [(node.tag, node.line, node.column) for node in steps.children] == [
        ("step", 2, 10),
        ("#text", 2, 26),
        ("step", 2, 37),
    ]
    assert steps.children[0].text == "1"
    assert steps.children[0].attributes == {"name": "a"}


def test_white_space_and_comments_are_dropped() -> None:
    assert parse("f.xml", b"<task> <!-- c --> <steps>  </steps> </task>").children[0].text == ""
    assert parse("f.xml", b"<task>a<!-- c -->b</task>").text == "ab"


def test_dtd_and_entities_are_refused() -> None:
    assert refused('<!DOCTYPE task [<!ENTITY a "b">]><task>&a;</task>')[0][0] == "dtd"


def test_malformed_xml() -> None:
    assert len(refused("<task><steps></task>")) == 1
    assert len(refused("")) == 1


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("<task>ä</task>".encode(), "ä"),
        ("<task>ä</task>".encode("utf-8-sig"), "ä"),
        ("<task>ä</task>".encode("utf-16"), "ä"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><task>ä</task>'.encode("latin-1"), "ä"),
    ],
)
def test_encodings(data: bytes, text: str) -> None:
    assert parse("f.xml", data).text == text


def test_wrong_encodings() -> None:
    assert refused(b"<task>\n a\xff</task>") == [("encoding", 2, 3)]
    assert refused(b'<?xml version="1.0" encoding="klingon"?><task/>') == [("encoding", 1, 1)]


def test_all_undeclared_prefixes_are_reported() -> None:
    assert [code for code, _, _ in refused('<task a:x="1"><b:c/><in:y/><x:z/></task>')] == ["prefix", "prefix"]
    assert parse("f.xml", b'<task xmlns:a="a" a:x="1"><a:c/></task>').children[0].tag == "a:c"


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused("<a>" * 300)[0][0] == "too-deep"
    big = tmp_path / "big.task.xml"
    big.write_bytes(b"<task/>" + b" " * 100)
    monkeypatch.setattr(loading, "MAX_BYTES", 50)
    with pytest.raises(XmlError, match="too-large"):
        load(str(big))


def test_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "orders.task.xml").write_text("<task/>")
    with pytest.raises(XmlError, match="no-file") as caught:
        load(str(tmp_path / "order.task.xml"))
    assert "orders.task.xml" in str(caught.value)
    assert load(str(tmp_path / "orders.task.xml")).tag == "task"
