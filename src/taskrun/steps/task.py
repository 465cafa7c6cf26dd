"""<task>: the root of a flow, a sequence with inputs and outputs.

    <task name="greet" version="1">
      <input name="who" type="str" mandatory="true"/>
      <steps>
        <step name="greet"><input name="who"/><source>'Hello, ' + who</source></step>
      </steps>
      <output name="greeting" value="${RESULT}"/>
    </task>

Its body uses the task's scope itself as its own, so what top-level steps export is seen by every step.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.step import step
from taskrun.core.traits import Traits
from taskrun.steps.sequence import Sequence


@step("task")
class Task(Sequence):
    """The root step of a flow or of a step library."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True, runs_all_children=True)
