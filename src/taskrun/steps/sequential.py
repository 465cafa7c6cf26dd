"""<sequential>: run steps one after the other.

    <sequential name="both">
      <steps>
        <step name="one"><source>return 1</source></step>
        <step name="two"><input name="RESULT"/><source>return RESULT + 2</source></step>
      </steps>
    </sequential>

Each step's value becomes RESULT in the sequence's scope; the last one's is the sequence's own.
"""

from __future__ import annotations

from typing import ClassVar

from taskrun.core.step import step
from taskrun.core.traits import Traits
from taskrun.steps.sequence import Sequence


@step("sequential")
class Sequential(Sequence):
    """Steps in order; ``next`` of a step, or its completion, may name the one to go to."""

    traits: ClassVar[Traits] = Traits(may_suspend=False, marks_handled=True, runs_all_children=True)
