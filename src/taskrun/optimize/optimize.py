"""The stage optimize: replace woven programs by equivalent ones that cost less to run.

Rules: inner programs are replaced first. A program gets a fast path (``run_sync``) if the programs inside it have one
and its class is in a table below. An entry also applies to subclasses that inherit the method ``run`` or ``around``. A
subclass that overrides the method gets no fast path, because it may do something else. A program that may run in a
worker (attribute ``executor``) gets none either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from taskrun.core.weave import Program, RunSync, StepProgram, Woven, with_children
from taskrun.decorators.implied.call import Call
from taskrun.decorators.implied.outputs import Outputs
from taskrun.optimize.leaf import entry_for, leaf, recorded_leaf
from taskrun.optimize.sync_programs import body_of, sync_call, sync_choose, sync_if, sync_outputs, sync_sequence
from taskrun.steps.choose import Choose
from taskrun.steps.if_step import If
from taskrun.steps.sequence import Sequence

StepForm: TypeAlias = "Callable[[Any], RunSync | None]"
DecoratorForm: TypeAlias = "Callable[[Any, Program], Program | None]"

STEPS: Mapping[type, StepForm] = MappingProxyType({Sequence: sync_sequence, If: sync_if, Choose: sync_choose})
"""Step class → function that returns the fast path of a step, None if a program inside the step has none."""

DECORATORS: Mapping[type, tuple[DecoratorForm, ...]] = MappingProxyType(
    {Call: (leaf, recorded_leaf, sync_call), Outputs: (sync_outputs,)}
)
"""Decorator class → functions that return a faster program or None; the first that is not None is used."""


def optimize(program: Program) -> Program:
    """Return a program that does the same as the woven ``program`` and costs less to run.

    It may be ``program`` itself.
    """
    layers: list[Woven] = []
    inner: Any = program
    while isinstance(inner, Woven):
        layers.append(inner)
        inner = inner.inner
    fast: Program = _step(inner)
    for layer in reversed(layers):
        fast = _decorated(layer, fast)
    return fast


def _step(program: StepProgram) -> StepProgram:
    """Return the program of a step without decorators, after the programs inside it were optimized."""
    step = with_children(program.step, optimize, body_of)
    form = None if program.moved else entry_for(STEPS, type(step), "run")
    run_sync = None if form is None else form(step)
    if step is program.step and run_sync is None:
        return program
    return StepProgram(program.model, step, program.moved, run_sync)


def _decorated(layer: Woven, inner: Program) -> Program:
    """Return the program of one decorator, given the optimized program ``inner`` inside it."""
    for form in entry_for(DECORATORS, type(layer.decorator), "around") or ():
        fast = form(layer.decorator, inner)
        if fast is not None:
            return fast
    return layer if inner is layer.inner else Woven(layer.decorator, inner)
