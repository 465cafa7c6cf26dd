"""Runs every code block of the documentation, follows every link, and checks that the reference pages are complete."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conformance import make_beans, wrong_flows
from pages import Page

import taskrun.errors
from taskrun import TaskManager
from taskrun.compile.registry import Registry
from taskrun.core.revert import REVERT_VARIABLES, Revert
from taskrun.core.states import RunState
from taskrun.core.step import Step

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "taskrun"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")])

PARTS = {"task", "graph-task", "case", "otherwise", "then", "else"}
"""Step classes that are parts of others, or the root; documented there."""
WITHIN = {
    "call",
    "checkMutation",
    "childFailure",
    "compensate",
    "containerFailures",
    "persistOutputs",
    "persistVariables",
    "registerCompensation",
    "replay",
    "suspendAfter",
    "trace",
}
"""Decorators that flows cannot name; ``docs/language.md`` and ``docs/design.md`` describe them."""

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"[a-z]+(?:-[a-z]+)*")
_REPORTING = {"problem", "note", "stop", "_refuse", "Problem"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("examples", "schemas"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    Page(tmp_path).run(page.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_link_targets_exist(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert not broken, f"{name_of(page)} links to {broken}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text("utf-8"))):
        text = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(text.strip().replace(" ", "-"))
    return found


def step_classes() -> dict[str, type[Step]]:
    return {tag: cls for tag, cls in Registry().steps.items() if tag == cls.tag and tag not in PARTS}


def decorator_names() -> set[str]:
    return set(Registry().decorators) - WITHIN


def test_every_step_type_has_its_page() -> None:
    rewritten = {"custom"}  # it becomes a step before there are classes
    assert {page.stem for page in (DOCS / "steps").glob("*.md")} == set(step_classes()) | rewritten


def test_every_decorator_has_its_page() -> None:
    assert {page.stem for page in (DOCS / "decorators").glob("*.md")} == decorator_names()


@pytest.mark.parametrize("tag", sorted(step_classes()))
def test_step_page_names_everything(tag: str) -> None:
    registry = Registry()
    plan, common = registry.plan(registry.steps[tag]), registry.plan(Step)
    text = (DOCS / "steps" / f"{tag}.md").read_text("utf-8")
    own = set(plan.attributes) - set(common.attributes)
    missing = {name for name in own if f"`{name}`" not in text}
    missing |= {child for child in set(plan.children) - set(common.children) if f"`<{child}>`" not in text}
    assert not missing, f"docs/steps/{tag}.md does not tell of {sorted(missing)}"


@pytest.mark.parametrize("tag", sorted(decorator_names()))
def test_decorator_page_names_everything(tag: str) -> None:
    if Registry().decorators[tag] in Registry().implying:
        return  # its settings come from the step, not from an element of its own
    plan = Registry().plan(Registry().decorators[tag])
    text = (DOCS / "decorators" / f"{tag}.md").read_text("utf-8")
    names = {*plan.attributes, *plan.on_step} - ({tag} if Registry().decorators[tag].attribute else set())
    missing = {name for name in names if f"`{name}`" not in text and name not in {"outputs", "target", "errorName"}}
    missing |= {child for child in plan.children if f"`<{child}>`" not in text}
    assert not missing, f"docs/decorators/{tag}.md does not tell of {sorted(missing)}"


def test_compensation_page_names_everything() -> None:
    text = (DOCS / "undo.md").read_text("utf-8")
    missing = {name for name in Registry().plan(Revert).attributes if f"`{name}`" not in text}
    missing |= {state for state in RunState if f"`{state}`" not in text}
    missing |= {name for name in REVERT_VARIABLES if f"`{name}`" not in text}
    assert not missing, f"docs/undo.md does not tell of {sorted(missing)}"


def test_language_page_names_the_attributes_of_every_step() -> None:
    text = (DOCS / "language.md").read_text("utf-8")
    missing = {name for name in Registry().plan(Step).attributes if f"`{name}`" not in text}
    assert not missing, f"docs/language.md does not tell of {sorted(missing)}"


@pytest.mark.parametrize("page", ["language.md", "design.md"])
def test_tables_of_ranks(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    documented = {int(rank) for rank in re.findall(r"\| (\d+) \| (?:the |events|[a-zA-Z\[])", text)}
    flag_changes = 119
    assert documented == {cls.rank for cls in Registry().decorators.values()} | {flag_changes}


def codes_in_source() -> Iterator[str]:
    """Yield the codes that the source reports: those in calls, and those of wrong flows."""
    for file in SOURCE.rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            words = [item.value for item in node.keywords if item.arg == "code"]
            if name in _REPORTING:
                words += node.args[:2]
            for word in words:
                if isinstance(word, ast.Constant) and isinstance(word.value, str) and _CODE.fullmatch(word.value):
                    yield word.value
    manager = TaskManager(beans=make_beans())
    for flow in wrong_flows():
        yield from (item.code for item in manager.check(flow))


def test_errors_page_names_every_code() -> None:
    text = (DOCS / "errors.md").read_text("utf-8")
    table = text.partition("## Codes of diagnostics")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    assert not set(codes_in_source()) - documented
    source = "".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py"))
    assert not {code for code in documented if f'"{code}"' not in source}, "no longer reported"


def test_errors_page_names_every_exception() -> None:
    text = (DOCS / "errors.md").read_text("utf-8")
    named = [name for name, value in vars(taskrun.errors).items() if isinstance(value, type)]
    missing = [name for name in named if name.endswith("Error") or issubclass(getattr(taskrun.errors, name), Exception)]
    assert not [name for name in missing if f"`{name}`" not in text]
