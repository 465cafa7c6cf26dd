"""How the types of fields are read: an alias means the same as the type that it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Optional

import pytest
from small_flows import Bench, found, task

from taskrun import Completion, Frame, Step
from taskrun.core.body import Body
from taskrun.core.duration import Millis
from taskrun.core.fields import Expr, Expression, field_types, script_fields
from taskrun.core.script_language import Code
from taskrun.core.step import base, child_fields, step
from taskrun.script.script import Script, Template
from taskrun.steps.sequence import Sequence

MyExpr = Expr
Pause = Annotated[Millis, Expression()]
Kids = tuple[Step, ...]
Inside = Body


@step("shout")
class Shout(Step):
    """A foreign step with an aliased script."""

    text: MyExpr
    pause: Pause | None = None

    async def run(self, frame: Frame) -> Completion:
        """Return the text in capitals."""
        return Completion({"RESULT": str(frame.eval(self.text)).upper()})


@step("family")
class Family(Step):
    """A foreign container with aliased steps."""

    kids: Kids

    async def run(self, frame: Frame) -> Completion:
        """Run the steps."""
        done = Completion()
        for child in self.kids:
            done = await child.run(frame)
        return done


TASK = task("{}", head='<input name="who"/>')


@pytest.mark.parametrize("attribute", ["textExpr", "pauseMillisExpr"])
def test_an_unknown_variable_in_an_aliased_script_is_found(bench: Bench, attribute: str) -> None:
    """Whatever the name of the type."""
    attributes = {"textExpr": "'x'"} | {attribute.replace("Millis", ""): "whi + 1"}
    text = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    problems = bench.checked(TASK.format(f'<shout name="s" useParentScope="true" {text}/>'), steps=[Shout])
    assert [item.code for item in problems] == ["unknown-variable"]
    assert problems[0].hint == "did you mean 'who'?"


def test_an_unknown_variable_inside_aliased_steps_is_found(bench: Bench) -> None:
    """The steps are walked over, woven and run."""
    text = '<family name="f"><steps><step name="s"><input name="who"/><source>{}</source></step></steps></family>'
    assert found(bench.checked(TASK.format(text.format("whi")), steps=[Family])) == [("unknown-variable", 3, 67)]
    assert bench.run(TASK.format(text.format("who * 2")), {"who": "ha"}, steps=[Family]).result == "haha"


@base
class Everything(Step):
    """Every kind of field that holds scripts or steps."""

    plain: str = ""
    words: frozenset[str] = frozenset()
    script: Script | None = None
    alias: MyExpr | None = None
    old: Optional[Expr] = None  # noqa: UP045 - the old way to write it
    template: Template | None = None
    pause: Pause | None = None
    code: Code | None = None
    scripts: tuple[Script, ...] = ()
    body: Inside | None = None
    one: Sequence | None = None
    many: Kids = ()

    async def run(self, frame: Frame) -> Completion:
        """Do nothing."""
        return Completion()


def test_fields_with_scripts_and_fields_with_steps() -> None:
    """What every step has holds neither."""
    scripts = ("script", "alias", "old", "template", "pause", "code", "scripts")
    assert script_fields(Everything) == scripts
    assert child_fields(Everything) == ("body", "one", "many")
    assert script_fields(Step) == child_fields(Step) == ()


def test_types_are_resolved_once_per_class() -> None:
    """All flows and registries share them."""
    assert field_types(Everything) is field_types(Everything)
    kinds: Iterator[Any] = (field_types(Everything)[name].kind for name in ("alias", "pause", "many"))
    assert list(kinds) == [Script, Millis, Step]
