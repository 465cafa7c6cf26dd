"""Merged files: bases, layers of delta folders, generated parts, and the detection of changed files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from extending import expanded
from small_flows import Bench

from taskrun import Body, Completion, Frame, Step, TaskManager
from taskrun.core.step import step as step_type
from taskrun.errors import ExtendError, FlowError

RESULT = '<output name="RESULT"/>'


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench in an empty folder."""
    return Bench(tmp_path)


def step(name: str, script: str = "1", attributes: str = "") -> str:
    """Return the text of a step with a script."""
    return f'<step name="{name}"{attributes}><source>{script}</source></step>'


def flow(*steps: str, attributes: str = "", head: str = "") -> str:
    """Return the text of a task."""
    return f"<task{attributes}>{head}<steps>{''.join(steps)}</steps></task>"


def files(bench: Bench, **texts: str) -> Path:
    """Write files and return the path of the last one."""
    path = bench.folder
    for name, text in texts.items():
        path = bench.write(text, name.replace("__", "/") + ".task.xml")
    return path


def refused(path: Path, **settings: Any) -> list[Any]:
    """Return the problems of a file that cannot be loaded."""
    with pytest.raises(FlowError) as caught:
        TaskManager(**settings).load(path)
    return list(caught.value.diagnostics)


def test_short_forms_of_base_and_delta_are_merged(bench: Bench) -> None:
    """Inputs in short forms are merged by name."""
    path = files(
        bench,
        base=flow('<step name="a" in:x="1"><source>x + y</source></step>'),
        own=flow('<step name="a" in:x="2"><in:y>1</in:y></step>', attributes=' x:extends="base.task.xml"'),
    )
    assert bench.run(path).result == 3


def test_several_bases_and_none(bench: Bench) -> None:
    """Bases are merged in the order of x:extends; none drops the ones before it."""
    files(bench, one=flow(step("a", "1"), step("b", "1")), two=flow(step("a", "2"), step("c", "2")))
    both = files(bench, own=flow(attributes=' x:extends="one.task.xml, two.task.xml"'))
    assert expanded(both) == f"<task><steps>{step('a', '2')}{step('c', '2')}{step('b')}</steps></task>"
    last = files(bench, own=flow(attributes=' x:extends="one.task.xml,none,two.task.xml"'))
    assert expanded(last) == flow(step("a", "2"), step("c", "2"))


def test_a_path_is_relative_to_the_file_that_contains_it(bench: Bench) -> None:
    """A path in a base in another folder is relative to that base."""
    path = files(
        bench,
        parts__inner=flow(step("a", "7")),
        parts__middle='<task x:extends="inner.task.xml"/>',
        own='<task x:extends="parts/middle.task.xml"/>',
    )
    assert bench.run(path).result == 7


def test_a_path_under_the_search_roots(bench: Bench, tmp_path: Path) -> None:
    """A path that begins with / is looked up in the search roots."""
    files(bench, lib__base=flow(step("a", "7")))
    path = files(bench, flows__own='<task x:extends="/base.task.xml"/>')
    assert bench.run(path, path=[tmp_path / "lib"]).result == 7


def test_layers(bench: Bench) -> None:
    """A later layer is merged over an earlier one; super is the next version below."""
    files(
        bench,
        _delta__one__own=flow(step("b", "10"), attributes=' x:extends="super"'),
        _delta__two__own=flow(step("b", "RESULT + 5"), step("c", "RESULT * 2"), attributes=' x:extends="super"'),
        _delta__all__own=flow(step("z", "99")),
    )
    own = files(bench, own=flow(step("a", "1"), step("b", "2")))
    assert bench.run(own).result == 2
    assert bench.run(own, delta=["one"]).result == 10
    assert bench.run(own, delta=["one", "two"]).result == 12
    assert bench.run(own, delta=["two", "one"]).result == 20
    assert bench.run(own, delta=["two", "all"]).result == 99
    assert bench.run(own, delta=["nothing"]).result == 2


def test_layers_of_a_base(bench: Bench) -> None:
    """Layers cover bases, too; in a search root, the layer has the path of the file in that root."""
    files(
        bench,
        base=flow(step("a", "1")),
        parts__deep=flow(step("d", "3")),
        _delta__one__base=flow(step("b", "10"), attributes=' x:extends="super"'),
        _delta__one__parts__deep=flow(step("d", "30")),
    )
    own = files(bench, own='<task x:extends="base.task.xml"/>')
    assert bench.run(own, delta=["one"]).result == 10
    deep = files(bench, own2='<task x:extends="parts/deep.task.xml"/>')
    assert bench.run(deep, delta=["one"]).result == 30


def test_a_layer_without_extends_replaces_the_file(bench: Bench) -> None:
    """A layer without x:extends replaces the file."""
    files(bench, _delta__one__own=flow(step("z", "9")))
    own = files(bench, own=flow(step("a")))
    assert bench.run(own, delta=["one"]).result == 9


def test_an_element_inside_extends_a_file(bench: Bench) -> None:
    """A container is merged over its own base, and replaces the element of its name in the base of the file."""
    files(
        bench,
        part=flow(step("p", "1"), step("q", "2"), attributes=' timeout="5s"'),
        base=flow('<sequential name="s"><steps>' + step("gone") + "</steps></sequential>"),
    )
    own = files(
        bench,
        own=flow(
            '<sequential name="s" x:extends="part.task.xml"><steps>' + step("q", "3") + "</steps></sequential>",
            attributes=' x:extends="base.task.xml"',
        ),
    )
    inner = f'<sequential name="s" timeout="5s"><steps>{step("p")}{step("q", "3")}</steps></sequential>'
    assert expanded(own) == flow(inner)
    assert bench.run(own).result == 3


@step_type("twice")
class Twice(Step):
    """Container of another package: runs its steps two times."""

    steps: Body

    async def run(self, frame: Frame) -> Completion:
        """Run the steps, and run them again."""
        await self.steps.run(frame)
        return await self.steps.run(frame)


@pytest.mark.parametrize("tag", ["sequential", "twice"])
def test_any_container_extends_a_file(bench: Bench, tag: str) -> None:
    """A container of another package extends, merges and inherits like a built-in one."""
    files(
        bench,
        part=flow(step("p"), step("q", "2"), attributes=' timeout="5s"'),
        base=flow(f'<{tag} name="s"><steps>{step("gone")}</steps></{tag}>'),
    )
    delta = f'<{tag} name="s" x:extends="part.task.xml"><steps>{step("q", "count(1)")}</steps></{tag}>'
    own = files(bench, own=flow(delta, attributes=' x:extends="base.task.xml"'))
    merged = f'<{tag} name="s" timeout="5s"><steps>{step("p")}{step("q", "count(1)")}</steps></{tag}>'
    assert expanded(own, steps=[Twice]) == flow(merged)


def test_a_foreign_container_that_extends_a_file_runs(bench: Bench) -> None:
    """The container runs the steps of the file that it extends."""
    files(bench, part=flow(step("p", "numbers.append(1)"), step("q", "len(numbers)")))
    own = files(bench, own=flow('<twice name="s" x:extends="part.task.xml"/>', head='<input name="numbers"/>'))
    assert bench.run(own, {"numbers": []}, steps=[Twice]).result == 2


def test_a_part_in_another_dialect(bench: Bench) -> None:
    """A container that extends an xscript file has its dialect."""
    files(
        bench,
        part=flow(
            step("p", "let x = 1; return x == 1 &amp;&amp; !false"), attributes=' x:schema="/nop/schema/task/task.xdef"'
        ),
    )
    own = files(bench, own=flow('<sequential name="s" x:extends="part.task.xml"/>'))
    assert bench.run(own).result is True


def test_mixed_dialects(bench: Bench) -> None:
    """Steps keep the dialect of the file that their scripts come from."""
    files(
        bench,
        base=flow(
            step("a", "let x = 1; return x == 1 &amp;&amp; true"),
            '<sequential name="s"><steps>'
            + step("b", "let y = null; return y ?? 5")
            + step("c", "null ?? 2")
            + "</steps></sequential>",
            attributes=' x:schema="/nop/schema/task/task.xdef"',
        ),
    )
    own = files(
        bench,
        own=flow(
            step("a", "[i for i in range(3)]"),
            '<sequential name="s"><steps>' + step("c", "[RESULT, None or 1]") + "</steps></sequential>",
            attributes=' scriptLang="python" x:extends="base.task.xml"',
        ),
    )
    assert bench.run(own).result == [[0, 1, 2], 1]


def test_a_delta_without_a_dialect_has_that_of_its_base(bench: Bench) -> None:
    """A merged flow has one dialect if its delta declares none."""
    files(bench, base=flow(step("a", "null ?? 1"), attributes=' scriptLang="xscript"'))
    own = files(bench, own=flow(step("b", "RESULT ?? 2"), attributes=' x:extends="base.task.xml"'))
    assert bench.run(own).result == 1


def test_generated_bases(bench: Bench) -> None:
    """The output of x:gen-extends is a base of the file."""
    own = files(
        bench,
        own=(
            '<task><x:gen-extends><task><steps><c:for items="${[1, 2]}" var="n"><step name="s${n}"><source>RESULT or ${n}</source></step>'
            "</c:for></steps></task></x:gen-extends><steps>" + step("s2", "40") + "</steps></task>"
        ),
    )
    assert bench.run(own).result == 40


def test_generated_last(bench: Bench) -> None:
    """x:post-extends reads the merged tree, and its output is merged over it; the sections of base and delta both run."""
    post = (
        '<x:post-extends><task><steps><c:for items="${dsl_root.childByTag(\'steps\').children}" var="each">'
        '<step name="${each.attrText(\'name\')}" tagSet="%s"/></c:for></steps></task></x:post-extends>'
    )  # fmt: skip
    files(bench, base=flow(step("a"), head=post % "one"))
    own = files(bench, own=flow(step("b"), attributes=' x:extends="base.task.xml"'))
    tagged = flow(step("a", attributes=' tagSet="one"'), step("b", attributes=' tagSet="one"'))
    assert expanded(own) == tagged
    second = post.replace('tagSet="%s"', 'displayName="two"')
    own = files(bench, own=flow(step("b"), head=second, attributes=' x:extends="base.task.xml"'))
    assert expanded(own) == tagged.replace("<step ", '<step displayName="two" ')


def test_config_of_base_and_delta(bench: Bench) -> None:
    """Imports and constants of the x:config of both files are available in all scripts."""
    head = '<x:config><c:var name="ONE" value="${1}"/><c:import class="datetime:date"/></x:config>'
    files(bench, base=flow(step("a", "ONE"), head=head))
    own = files(
        bench,
        own=flow(
            step("b", "date(2020, TWO, ONE).month"),
            head='<x:config><c:var name="TWO" value="${2}"/></x:config>',
            attributes=' x:extends="base.task.xml"',
        ),
    )
    assert bench.run(own, allow=["datetime"]).result == 2


def test_sections_before_and_after_parsing(bench: Bench) -> None:
    """x:pre-parse reads the tree, x:post-parse the model, and both can refuse the flow."""
    head = '<x:pre-parse><c:if test="${dsl_root.attrText(\'name\') is None}"><c:throw errorCode="shop.name" errorDescription="no name"/></c:if></x:pre-parse>'
    files(bench, base=flow(step("a", "5"), head=head))
    own = files(bench, own='<task x:extends="base.task.xml" name="n"/>')
    assert bench.run(own).result == 5
    own = files(bench, own='<task x:extends="base.task.xml"/>')
    with pytest.raises(FlowError, match="no name"):
        TaskManager().load(own)


def test_switches_of_the_manager(bench: Bench) -> None:
    """Switches read TaskManager(config=…), and are applied to each file before it is merged."""
    files(bench, base=flow(step("a"), step("b", "2", ' feature:on="shop.b"')))
    own = files(
        bench, own=flow(step("c", "RESULT * 10", ' feature:off="shop.quiet"'), attributes=' x:extends="base.task.xml"')
    )
    assert bench.run(own).result == 10
    assert bench.run(own, config={"shop.b": True}).result == 20
    assert bench.run(own, config={"shop.b": True, "shop.quiet": "yes"}).result == 2


def test_a_finished_file(bench: Bench) -> None:
    """A file with x:validated is not merged with others."""
    own = files(bench, own=flow(step("a", "4"), attributes=' x:validated="true"'))
    assert bench.run(own).result == 4
    own = files(bench, own=flow(step("a"), attributes=' x:validated="true" x:extends="base.task.xml"'))
    assert [item.code for item in refused(own)] == ["no-meaning"]


def newer(path: Path) -> None:
    """Give a file a later modification time."""
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))


def test_files_are_read_again(bench: Bench) -> None:
    """The flow is compiled again after a change of its base or of a layer, and after a layer was added or removed."""
    files(bench, base=flow(step("a", "1")), own='<task x:extends="base.task.xml"/>')
    own = bench.folder / "own.task.xml"
    manager = TaskManager(delta=["one"])

    def value() -> Any:
        return bench_run(manager, own)

    flow_before = manager.load(own)
    assert value() == 1
    assert manager.load(own) is flow_before
    newer(files(bench, base=flow(step("a", "2"))))
    assert value() == 2
    newer(files(bench, _delta__one__base=flow(step("a", "3"))))
    assert value() == 3
    newer(files(bench, _delta__one__base=flow(step("a", "4"))))
    assert value() == 4
    newer(files(bench, _delta__one__own=flow(step("a", "5"))))
    assert value() == 5
    (bench.folder / "_delta/one/own.task.xml").unlink()
    assert value() == 4
    assert manager.run(flow_before)["RESULT"] == 1


def bench_run(manager: TaskManager, path: Path) -> Any:
    """Return the result of a flow."""
    return manager.run(path)["RESULT"]


def test_a_library_of_tags_that_changed(bench: Bench) -> None:
    """The flow is compiled again after a change of a tag library."""
    text = '<lib><tags><Make><attr name="n"/><source><c:script>${n}</c:script></source></Make></tags></lib>'
    library = bench.write(text.replace("${n}", "return n + 1"), "shop.xlib")
    own = files(
        bench,
        own='<task xmlns:shop="shop.xlib"><steps><step name="a"><source><shop:Make n="${1}"/></source></step></steps></task>',
    )
    manager = TaskManager()
    first = bench_run(manager, own)
    library.write_text(text.replace("${n}", "return n + 41"), "utf-8")
    newer(library)
    assert (first, bench_run(manager, own)) == (2, 42)


@pytest.mark.parametrize(
    ("texts", "code", "file", "message"),
    [
        ({"own": '<task x:extends="bsae.task.xml"/>', "base": "<task/>"}, "no-base", "own", "did you mean 'base.task.xml'"),
        ({"own": '<task x:extends="super"/>'}, "no-base", "own", "no layer below"),
        ({"own": '<task x:extends="own.task.xml"/>'}, "cycle", "own", "own.task.xml extends"),
        ({"own": '<task x:extends="a.task.xml"/>', "a": '<task x:extends="b.task.xml"/>', "b": '<task x:extends="a.task.xml"/>'},
         "cycle", "b", "a.task.xml extends"),
        ({"own": '<task x:extends="a.task.xml"/>', "a": '<task x:extends="b.task.xml"/>', "b": '<task x:extends="c.task.xml"/>'},
         "no-base", "b", "own.task.xml extends"),
        ({"own": '<task x:extends="a.task.xml"/>', "a": '<task><steps><step name="a"><source>1 +</source></step></steps></task>'},
         "script-syntax", "a", "own.task.xml extends"),
        ({"own": '<task x:extends="a.task.xml"/>', "a": "<task><"}, "xml", "a", "own.task.xml extends"),
        ({"own": '<task x:extends=""/>'}, "bad-value", "own", "has an empty path"),
        ({"own": '<task><steps><step name="a" x:extends="a.task.xml"/></steps></task>'}, "unknown-attribute", "own", "steps that contain steps"),
        ({"own": '<task><steps><sequential name="s" x:extends="a.task.xml"/></steps></task>',
          "a": "<task><x:post-extends/><steps/></task>"}, "no-meaning", "a", "whole file"),
    ],
)  # fmt: skip
def test_wrong_bases(bench: Bench, texts: dict[str, str], code: str, file: str, message: str) -> None:
    """A wrong base is reported at its location, with the chain of files that leads there."""
    files(bench, **texts)
    problems = refused(bench.folder / "own.task.xml")
    assert [(item.code, Path(item.location.path).name) for item in problems] == [(code, f"{file}.task.xml")]
    assert message in f"{problems[0].message} {problems[0].hint}"


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "a/b"])
def test_names_of_layers(name: str) -> None:
    """The name of a layer must be the name of a folder in _delta."""
    with pytest.raises(ValueError, match="not the name of a delta layer"):
        TaskManager(delta=[name])


def test_a_missing_layer(bench: Bench) -> None:
    """check_layers reports a layer without a folder, with a similar name or the searched places; load does not."""
    path = bench.write("<task><steps/></task>")
    with pytest.raises(ExtendError, match=r"there is no delta layer 'acme'\n.*looked for _delta/acme in"):
        TaskManager(delta=["acme"]).flows.check_layers(path)
    bench.write("<task/>", "_delta/acne/other.task.xml")
    with pytest.raises(ExtendError, match="did you mean 'acne'"):
        TaskManager(delta=["acme"]).flows.check_layers(path)
    TaskManager(delta=["acne"]).flows.check_layers(path)
    TaskManager(delta=["acme"]).load(path)


def test_attributes_on_the_root(bench: Bench) -> None:
    """An abstract file can only be extended; attributes that need siblings have no meaning on a root."""
    base = bench.write(
        '<task x:abstract="true"><steps><step name="a"><source>1</source></step></steps></task>', "base.task.xml"
    )
    with pytest.raises(FlowError, match=r"1:7: error\[abstract\]: this file is x:abstract"):
        TaskManager().load(base)
    assert TaskManager().run(bench.write('<task x:extends="base.task.xml"/>')).result == 1
    for word in ("x:prototype", "x:virtual", "x:inherit"):
        with pytest.raises(FlowError, match=rf"1:7: error\[no-meaning\]: {word} has no meaning on the root"):
            TaskManager().load(bench.write(f'<task {word}="true"><steps/></task>'))
