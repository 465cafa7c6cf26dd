"""Rewrites before the flow is bound: short forms and the kernel language."""

from __future__ import annotations

import pytest

from taskrun.syntax.delta.short_forms import rewrite_short_forms
from taskrun.syntax.load import parse
from taskrun.syntax.node import TEXT, Node
from taskrun.syntax.normalize import normalize


def tree(text: str) -> Node:
    """Parse a text."""
    return parse("flow.task.xml", text.encode())


def shown(node: Node) -> str:
    """Return a tree as text."""
    if node.tag == TEXT:
        return node.text
    attributes = "".join(f' {name}="{value}"' for name, value in node.attributes.items())
    inside = node.text + "".join(map(shown, node.children))
    return f"<{node.tag}{attributes}>{inside}</{node.tag}>" if inside else f"<{node.tag}{attributes}/>"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ('<s in:x="1"/>', '<s><input name="x"><source>1</source></input></s>'),
        ('<s a="b" out:y="x"/>', '<s a="b"><output name="y"><source>x</source></output></s>'),
        ("<s><in:x/></s>", '<s><input name="x"/></s>'),
        ('<s><in:x type="int">1</in:x></s>', '<s><input name="x" type="int"><source>1</source></input></s>'),
        ("<s><out:y><c:if/></out:y></s>", '<s><output name="y"><source><c:if/></source></output></s>'),
        (
            '<s in:a="1" out:b="2"><t/><in:c/></s>',
            '<s><input name="a"><source>1</source></input><t/><input name="c"/><output name="b"><source>2</source></output></s>',
        ),
        ('<s><t><u in:x="1"/></t></s>', '<s><t><u><input name="x"><source>1</source></input></u></t></s>'),
        ('<s><in:x><u in:y="1"/></in:x></s>', '<s><input name="x"><source><u in:y="1"/></source></input></s>'),
        ("<s>text<in:x/>more</s>", '<s>text<input name="x"/>more</s>'),
    ],
)
def test_short_forms_are_written_out(short: str, long: str) -> None:
    """Attributes and elements become inputs and outputs; their content is not changed."""
    assert shown(rewrite_short_forms(tree(short))) == long


def test_a_tree_without_short_forms_is_returned_unchanged() -> None:
    """A tree without short forms is returned unchanged, not copied."""
    root = tree("<task><steps><step name='a'/>text</steps></task>")
    assert rewrite_short_forms(root) is root


def test_problems_of_short_forms_are_located_at_the_attribute() -> None:
    """An element that was made from an attribute has the location of the attribute."""
    source = rewrite_short_forms(tree('<s\n in:x="1 +"/>')).children[0].children[0]
    assert source.at[1:] == (2, 2)
    assert source.character_at(2)[1:] == (2, 10)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<task><steps><step/></steps></task>", '<task><steps><step name="step1"/></steps></task>'),
        ('<task><steps><step name="a"/><delay/></steps></task>', '<task><steps><step name="a"/><delay name="delay2"/></steps></task>'),
        ("<task><steps>text<xpl/>more<xpl name='b'/></steps></task>", '<task><steps>text<step name="xpl1"/>more<step name="b"/></steps></task>'),
        ("<task><xpl/></task>", "<task><xpl/></task>"),
        ('<task graphMode="true"><steps/></task>', '<graph-task graphMode="true"><steps/></graph-task>'),
        ('<task graphMode="1"><steps/></task>', '<graph-task graphMode="1"><steps/></graph-task>'),
        ('<task graphMode="false"/>', '<task graphMode="false"/>'),
        (
            "<task><if><then/><else/></if><choose><case/><x/><case/><otherwise/></choose></task>",
            ('<task><if><then name="then"/><else name="else"/></if><choose><case name="case1"/><x/><case name="case2"/>'
            '<otherwise name="otherwise"/></choose></task>'),
        ),
        ("<task><then/></task>", "<task><then/></task>"),
        (
            ('<task defaultUseParentScope="true"><steps><if name="i"><then name="t"><steps><step name="a" useParentScope="false"/>'
            "</steps></then></if></steps></task>"),
            ('<task defaultUseParentScope="true"><steps><if name="i" useParentScope="true"><then name="t" useParentScope="true"><steps>'
            '<step name="a" useParentScope="false"/></steps></then></if></steps></task>'),
        ),
        ("<task><source><steps><xpl/></steps></source></task>", "<task><source><steps><xpl/></steps></source></task>"),
    ],
)  # fmt: skip
def test_the_kernel_language(before: str, after: str) -> None:
    """Old tags are renamed, every step has a name, and defaultUseParentScope is written on each step."""
    once = normalize(tree(before))
    assert shown(once) == after
    assert normalize(once) == once


def test_a_tree_in_the_kernel_language_is_returned_unchanged() -> None:
    """A tree in the kernel language is returned unchanged, not copied."""
    root = tree(
        '<task><steps><sequential name="s"><steps><step name="a"><source>1</source></step></steps></sequential></steps></task>'
    )
    assert normalize(root) is root
