"""The schema: it is complete and documented, and packages can add to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree
from xmlschema import XMLSchema10

import taskrun.resources as shipped_module
from taskrun.errors import PluginError
from taskrun.syntax.schema import ElementDeclaration, ExtraElement, Schema, schema_file

XS = "{http://www.w3.org/2001/XMLSchema}"


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(text.split())


STEP_TYPES = words(
    "step xpl custom script simple invoke invoke-static sequential selector parallel fork fork-n loop loop-n choose if "
    "graph delay sleep exit end call-task call-step suspend"
)
STEP_CHILDREN = words(
    "description meta flags input output onReload onEnter decorator when validator catch finally retry throttle "
    "rate-limit revert"
)
STEP_ATTRIBUTES = words(
    "name displayName disabled allowFailure timeout executor returnType persisVars catchInternalException concurrent "
    "useParentScope sync runOnContext next nextOnError errorName waitSteps waitErrorSteps recordMetrics saveState "
    "allowStartIfComplete internal tagSet ignoreResult scriptLang"
)
ROOT_ATTRIBUTES = words(
    "name version graphMode enterSteps exitSteps defaultUseParentScope useParentBeanContainer recordMetrics "
    "defaultSaveState restartable scriptLang displayName allowFailure timeout executor persisVars "
    "catchInternalException tagSet sync concurrent runOnContext internal"
)
OWN_ATTRIBUTES = {
    "step": "customType", "xpl": "customType", "custom": "customType!", "script": "lang! shell", "simple": "bean!",
    "invoke": "bean! method!", "invoke-static": "method!", "sequential": "", "selector": "",
    "parallel": "joinType autoCancelUnfinished", "fork": "varName! indexName joinType autoCancelUnfinished",
    "fork-n": "countExpr! indexName joinType autoCancelUnfinished", "loop": "itemsExpr varName varType indexName maxCount",
    "loop-n": "beginExpr! endExpr! stepExpr varName indexName", "choose": "", "if": "",
    "graph": "enterSteps! exitSteps!", "delay": "delayMillisExpr!", "sleep": "sleepMillisExpr!", "exit": "", "end": "",
    "call-task": "taskName taskVersion taskModelPath", "call-step": "libName libVersion libModelPath stepName!",
    "suspend": "",
}  # fmt: skip
OWN_CHILDREN = {
    "step": "source", "xpl": "source", "script": "source", "sequential": "steps", "selector": "steps",
    "parallel": "aggregator steps", "fork": "producer aggregator steps", "fork-n": "aggregator steps",
    "loop": "while until steps", "loop-n": "steps", "choose": "decider case otherwise", "if": "condition then else",
    "graph": "steps", "exit": "source", "end": "source", "suspend": "resume-when",
}  # fmt: skip
PARTS = {
    "flags": ("match enable disable rename", ""),
    "input": (
        "name! displayName type mandatory defaultValue value optional persist fromTaskScope role dump",
        "description schema source",
    ),
    "output": (
        "name! displayName type value persist toTaskScope exportAs roles dump", "description schema source"
    ),
    "decorator": ("name! order bean", "source"),
    "retry": (
        "maxRetryCount retryDelay maxRetryDelay exponentialDelay attemptTimeout itemsExpr varName revertAll",
        "exception-filter",
    ),
    "throttle": ("maxConcurrency! maxWait! keyExpr global", ""),
    "rate-limit": ("requestPerSecond! maxWait! keyExpr global", ""),
    "revert": ("timeout maxRetryCount retryDelay", ""),
    "import": ("as! class!", ""),
    "beans": ("", "bean"),
}  # fmt: skip


@pytest.fixture(scope="module")
def grammar() -> ElementDeclaration:
    """Return the declarations of the language without additions."""
    return Schema().declarations


def attributes_of(declared: ElementDeclaration) -> set[str]:
    """Return the names of the attributes, the required ones with an exclamation mark."""
    return {name + "!" * found.required for name, found in declared.attributes.items()}


def steps_of(grammar: ElementDeclaration) -> ElementDeclaration:
    """Return the declaration of the steps in the root."""
    return grammar.children["steps"]


def test_everything_is_documented() -> None:
    """Each element, attribute, enumerated value and named type is documented."""
    document = etree.parse(str(schema_file()))
    kinds = ("element", "attribute", "enumeration", "simpleType", "complexType", "group", "attributeGroup")
    declared = [part for kind in kinds for part in document.iter(XS + kind) if "ref" not in part.attrib]

    silent = [
        dict(part.attrib) for part in declared if not (part.findtext(f"{XS}annotation/{XS}documentation") or "").strip()
    ]

    assert silent == []
    assert len(declared) > 300


def test_it_is_plain_xsd_1_0() -> None:
    """Both validators accept the schema, and it uses nothing that editors do not support."""
    names = {etree.QName(part).localname for part in etree.parse(str(schema_file())).iter(f"{XS}*")}

    assert not names & {"key", "keyref", "unique", "assert", "alternative", "import", "include"}
    assert "task" in XMLSchema10(str(schema_file())).elements
    assert Schema().compiled is not None


def test_every_complex_type_allows_prefixed_attributes() -> None:
    """Attributes with a prefix are allowed on every element."""
    types = list(etree.parse(str(schema_file())).iter(f"{XS}complexType"))

    assert all(kind.find(f"{XS}anyAttribute") is not None for kind in types)


def test_step_types(grammar: ElementDeclaration) -> None:
    """Elements with steps allow exactly the step types of the language."""
    assert set(steps_of(grammar).children) == STEP_TYPES
    assert steps_of(grammar).attributes == {}


@pytest.mark.parametrize("tag", sorted(STEP_TYPES))
def test_step_type(grammar: ElementDeclaration, tag: str) -> None:
    """A step type has the attributes and children of every step, and its own."""
    declared = steps_of(grammar).children[tag]

    assert attributes_of(declared) == STEP_ATTRIBUTES | words(OWN_ATTRIBUTES[tag])
    assert set(declared.children) == STEP_CHILDREN | words(OWN_CHILDREN.get(tag, ""))


@pytest.mark.parametrize(
    ("chain", "own"),
    [(("if", "then"), ""), (("if", "else"), ""), (("choose", "case"), "match! to"), (("choose", "otherwise"), "to")],
)
def test_branches_are_steps(grammar: ElementDeclaration, chain: tuple[str, str], own: str) -> None:
    """The branches of if and choose have the attributes of every step, and contain steps."""
    declared = steps_of(grammar).children[chain[0]].children[chain[1]]

    assert attributes_of(declared) == STEP_ATTRIBUTES | words(own)
    assert set(declared.children) == STEP_CHILDREN | {"steps"}


def test_root(grammar: ElementDeclaration) -> None:
    """The task has the attributes of a step without those that need siblings or an enclosing step."""
    assert attributes_of(grammar) == ROOT_ATTRIBUTES
    assert set(grammar.children) == STEP_CHILDREN - {"when"} | {"import", "auth", "beans", "steps"}


@pytest.mark.parametrize("tag", sorted(PARTS))
def test_part(grammar: ElementDeclaration, tag: str) -> None:
    """Each child of steps and of the task has its own attributes and children."""
    attributes, children = PARTS[tag]

    assert attributes_of(grammar.children[tag]) == words(attributes)
    assert set(grammar.children[tag].children) == words(children)


def test_beans(grammar: ElementDeclaration) -> None:
    """A bean has an id, a class, constructor arguments and properties."""
    bean = grammar.children["beans"].children["bean"]

    assert attributes_of(bean) == {"id!", "class!", "destroyMethod"}
    assert attributes_of(bean.children["constructor-arg"]) == {"name", "value", "ref"}
    assert attributes_of(bean.children["property"]) == {"name!", "value", "ref"}


def test_declarations_describe_values(grammar: ElementDeclaration) -> None:
    """The declaration of an attribute has its type, its documented values and a check of values."""
    join_type = steps_of(grammar).children["fork"].attributes["joinType"]
    target = steps_of(grammar).children["step"].attributes["next"]

    assert list(join_type.values) == ["allSuccess", "anyFailure", "anySuccess", "allComplete"]
    assert join_type.values["allComplete"] == "Wait for all branches and succeed, even if branches failed."
    assert join_type.type == "JoinType"
    assert list(target.values) == ["@exit", "@end", "@suspend"]
    assert grammar.attributes["graphMode"].type == "xs:boolean"
    assert grammar.attributes["graphMode"].expected == "true or false"
    assert grammar.children["meta"].any_attribute
    assert steps_of(grammar).children["step"].children["source"].opaque


@pytest.mark.parametrize(
    ("chain", "attribute", "good", "bad"),
    [
        ("step", "timeout", "0 250 250ms 1.5s 2m 1h ${t} x${t}", "-1 1.5 5sec soon 1S 1d ms"),
        ("step", "name", "a _a a-b a.b 名前 한국 é1", "1a a/b a[1] a~2 a@ a#b @exit -a , 、"),
        ("step", "next", "a @exit @end @suspend", "@exi @ a/b"),
        ("step", "waitSteps", "a a,b", ", a,,b"),
        ("step", "errorName", "E _e e1 错误", "a-b a.b 1e $e"),
        ("step", "allowFailure", "true false 1 0", "True yes TRUE"),
        ("loop", "maxCount", "0 7", "-1 x 1_0 ٣ 1.0"),
        ("parallel", "joinType", "allSuccess anyFailure anySuccess allComplete", "all allsuccess"),
        ("step/retry", "maxRetryCount", "0 3 -1", "x 1.5 ${n}"),
        ("step/throttle", "maxConcurrency", "1 20", "0 -1 ${n}"),
        ("step/rate-limit", "requestPerSecond", "0.5 10 ${r}", "0 -1 NaN 1e3"),
        ("step/flags", "rename", "a=b a=b,c=d", "a a=b=c a,b"),
        ("step/flags", "enable", "a a,b", ","),
        ("call-task", "taskName", "a reports/2024/a v2.x", "a[1] a~b /a a/"),
        ("call-task", "taskVersion", "0 12", "v1"),
    ],
)
def test_values(grammar: ElementDeclaration, chain: str, attribute: str, good: str, bad: str) -> None:
    """Both validators agree on the valid values of an attribute."""
    declared = steps_of(grammar)
    for tag in chain.split("/"):
        declared = declared.children[tag]
    kind = declared.attributes[attribute].type
    text = f"<xs:schema xmlns:xs='{XS[1:-1]}'><xs:element name='_' type='{kind}'/></xs:schema>"
    probe = etree.parse(str(schema_file()))
    probe.getroot().append(etree.fromstring(text)[0])
    compiled = etree.XMLSchema(probe)

    def lxml_takes(value: str) -> bool:
        element = etree.Element("_")
        element.text = value
        return compiled.validate(element)

    for values, expected in ((good, True), (bad, False)):
        for value in values.split():
            assert declared.attributes[attribute].accepts(value) is expected, value
            assert lxml_takes(value) is expected, value


def test_spaces_separate_words_but_not_names(grammar: ElementDeclaration) -> None:
    """A list of flags may be separated by spaces, a list of step names only by commas."""
    step = steps_of(grammar).children["step"]

    assert step.attributes["waitSteps"].accepts(" a , b ")
    assert not step.attributes["waitSteps"].accepts("a b")
    assert step.children["flags"].attributes["enable"].accepts("a b, c")


def test_walk_yields_each_declaration_once_by_its_shortest_chain(grammar: ElementDeclaration) -> None:
    """Walking the declarations ends, although their graph has cycles."""
    chains = [chain for chain, _ in grammar.walk()]

    assert chains[0] == ("task",)
    assert ("task", "steps", "if", "then", "steps") in chains
    assert max(map(len, chains)) == 5
    assert max(Counter(chains).values()) == 1


def test_opaque_tags_agree_with_the_declarations(grammar: ElementDeclaration) -> None:
    """The opaque tags are exactly the elements whose declarations allow any content at every place."""
    looked_into = {declared.tag for _, declared in grammar.walk() if not declared.opaque}
    opaque = {declared.tag for _, declared in grammar.walk() if declared.opaque}

    assert Schema().opaque == opaque - looked_into
    assert "source" in opaque - looked_into


def test_containers() -> None:
    """Containers are the elements with steps; a package adds containers with and without a prefix."""
    parts = {"then", "else", "case", "otherwise"}
    built_in = parts | {"sequential", "graph", "selector", "parallel", "fork", "fork-n", "loop", "loop-n"}
    assert Schema().containers == built_in
    extra = [
        ExtraElement(tag, "step", (), children) for tag, children in (("a", ("steps",)), ("b:c", ("steps",)), ("d", ()))
    ]
    assert Schema(extra).containers == built_in | {"a", "b:c"}


def test_an_added_script_leaves_other_additions_visible() -> None:
    """A child with a script is opaque; a step type of the same package is not."""
    extra = [ExtraElement("guard", "child", (), ("#text",)), ExtraElement("box", "step", (), ("steps",))]
    assert Schema(extra).opaque - Schema().opaque == {"guard"}


def test_added_step_type() -> None:
    """A step type of another package has its own attributes and those of every step."""
    extra = ExtraElement("notify", "step", ("url", "timeout"), ("body", "steps", "when"))
    steps = steps_of(Schema([extra]).declarations)

    notify = steps.children["notify"]

    assert set(notify.attributes) == STEP_ATTRIBUTES | {"url"}
    assert set(notify.children) == STEP_CHILDREN | {"body", "steps"}
    assert notify.attributes["timeout"].type == "Duration"
    assert notify.children["body"].opaque
    assert notify.children["steps"].children["notify"] is notify
    assert not notify.text


def test_added_child_and_attribute() -> None:
    """A decorator of another package is allowed on every step and on the task, as a child or as an attribute."""
    extra = [
        ExtraElement("circuit", "child", ("limit",), ("fallback",)),
        ExtraElement("guard", "child", (), ("#text",)),
        ExtraElement("notify", "step", (), ("circuit", "#text")),
    ]
    schema = Schema(extra, ("priority",))
    grammar = schema.declarations

    for declared in (grammar, steps_of(grammar).children["step"], steps_of(grammar).children["notify"]):
        assert "priority" in declared.attributes
        assert set(declared.children["circuit"].attributes) == {"limit"}
        assert set(declared.children["circuit"].children) == {"fallback"}
    assert {"guard", "fallback"} <= schema.opaque
    assert grammar.children["guard"].text
    assert steps_of(grammar).children["notify"].text


@pytest.mark.parametrize(
    ("extra", "attributes", "message"),
    [
        ([ExtraElement("loop", "step")], (), "<loop> cannot be added"),
        ([ExtraElement("retry", "child")], (), "<retry> cannot be added"),
        ([ExtraElement("a", "child"), ExtraElement("a", "step")], (), "<a> cannot be added"),
        ([ExtraElement("a b", "step")], (), "'a b' cannot be added"),
        ([ExtraElement("a", "step", ("1",))], (), "'1' cannot be added"),
        ([], ("timeout",), "the attribute timeout cannot be added"),
        ([], ("bean",), "the attribute bean cannot be added"),
        ([], ("p", "p"), "the attribute p cannot be added"),
    ],
)
def test_impossible_additions(extra: list[ExtraElement], attributes: tuple[str, ...], message: str) -> None:
    """An addition that exists already, or whose name is invalid, is refused by name."""
    with pytest.raises(PluginError, match=message):
        _ = Schema(extra, attributes).compiled


def test_prefixed_additions_need_no_declaration() -> None:
    """Step types and attributes with a prefix are allowed without a declaration."""
    plain = {chain for chain, _ in Schema().declarations.walk()}

    added = Schema([ExtraElement("acme:notify", "step", ("url",))], ("acme:priority",))

    assert {chain for chain, _ in added.declarations.walk()} == plain


def test_the_file_is_found_in_the_package_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """task.xsd is read from the installed package, else from the source tree; a broken installation is reported."""
    package = tmp_path / "src" / "taskrun"
    monkeypatch.setattr(shipped_module, "__file__", str(package / "shipped.py"))
    with pytest.raises(PluginError, match="the folder schemas is missing"):
        schema_file()

    for folder in (tmp_path, package):
        (folder / "schemas").mkdir(parents=True)
        (folder / "schemas" / "task.xsd").touch()
        assert schema_file() == folder / "schemas" / "task.xsd"


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """Importing the schema does not import lxml, and a valid file does not import xmlschema."""
    program = """
import sys
from taskrun.syntax.load import parse
from taskrun.syntax.schema import Schema
from taskrun.syntax.validate import find_problems
assert "lxml" not in sys.modules
assert not list(find_problems(parse("f.task.xml", b"<task/>"), Schema()))
assert "lxml" in sys.modules and "xmlschema" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": os.pathsep.join(sys.path)})
