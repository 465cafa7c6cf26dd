"""<sequential>: run steps one after the other.

    <sequential name="both">
      <steps>
        <step name="one"><source>return 1</source></step>
        <step name="two"><input name="RESULT"/><source>return RESULT + 2</source></step>
      </steps>
    </sequential>

Rules: the value of each step becomes RESULT in the scope of the sequence; the value of the last step is also the RESULT
of the sequence itself. The attribute ``next`` of a step names the sibling that runs next, instead of the following one.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.step import step
from taskrun.core.traits import Traits
from taskrun.steps.sequence import Sequence


@step("sequential")
class Sequential(Sequence):
    """Step ``<sequential>``: runs its steps in order."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True, runs_all_children=True)
