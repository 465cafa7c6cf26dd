"""<task>: the root of a flow, a sequence with inputs and outputs.

    <task name="greet" version="1">
      <input name="who" type="str" mandatory="true"/>
      <steps>
        <step name="greet"><input name="who"/><source>'Hello, ' + who</source></step>
      </steps>
      <output name="greeting" value="${RESULT}"/>
    </task>

Rules: the steps run in the scope of the task itself. So the outputs that top-level steps export become variables of the
task, which all later steps can read.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.step import step
from taskrun.core.traits import Traits
from taskrun.steps.sequence import Sequence


@step("task")
class TaskRoot(Sequence):
    """The root step of a flow or of a step library."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True, runs_all_children=True)
