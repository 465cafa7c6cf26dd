"""A flow: a compiled task file, and the pipeline that compiles it.

Rules: a flow is immutable and shared by all its runs. The pipeline is ``compile_flow``; each of its stages is a module
of that name that says no to its own kind of mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated

from taskrun.compile.lint import lint
from taskrun.compile.variables import Variables
from taskrun.core.beans import BeanDefinition, BeanDefinitions
from taskrun.core.fields import Element
from taskrun.core.search_path import name_and_version
from taskrun.core.step import Step, walk
from taskrun.core.weave import LIBRARY_RANK, Program, WeaveSettings
from taskrun.errors import Diagnostic
from taskrun.syntax.node import Node
from taskrun.syntax.xml_write import write_xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """``<import as="Orders" class="shop.orders:Orders"/>``: a short name for a Python object."""

    node: Node = field(repr=False, compare=False)
    as_: str
    class_: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the root element says about the flow as a whole."""

    name: str | None = None
    version: int = 0
    display_name: str | None = None
    use_parent_bean_container: bool = False
    record_metrics: bool = True
    default_save_state: bool = True
    restartable: bool = True
    imports: Annotated[tuple[Import, ...], Element("import")] = ()
    beans: BeanDefinitions | None = None

    @property
    def reads(self) -> frozenset[str]:
        """The variables that the settings of the task's beans read."""
        settings = [item for bean in self.definitions for item in (*bean.arguments, *bean.properties)]
        return frozenset(name for item in settings if item.value for name in item.value.reads)

    @property
    def definitions(self) -> tuple[BeanDefinition, ...]:
        """The beans that the task defines."""
        return self.beans.bean if self.beans else ()


class Flow:
    """A compiled task or step library: its model, and the programs woven from it."""

    def __init__(
        self,
        *,
        path: str,
        root: Node,
        header: Header,
        model: Step,
        variables: Variables,
        programs: Callable[[Step, WeaveSettings], Program],
        notes: tuple[Diagnostic, ...] = (),
    ) -> None:
        self.path = path
        self.root = root
        self.header = header
        self.model = model
        self.variables = variables
        self._notes = notes
        from_path = name_and_version(path)
        self.name = header.name or (from_path[0] if from_path else "@main")
        self.version = header.version or (from_path[1] if from_path else 0)
        self.bean_ids = tuple(definition.id for definition in header.definitions)
        self._program_of = programs
        self._programs: dict[tuple[bool, ...], Program] = {}
        self._library: dict[tuple[str | bool, ...], Program] = {}

    def __repr__(self) -> str:
        return f"Flow({self.name!r}, version={self.version}, path={self.path!r}, steps={self.step_count})"

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What works and is probably a mistake, looked for when it is first asked for."""
        found = (*self._notes, *lint(self.model, self.variables, self.header.reads))
        return tuple(sorted(found, key=lambda item: item.location))

    @property
    def step_count(self) -> int:
        """How many steps the flow has, its root not counted."""
        return sum(1 for _ in walk(self.model)) - 1

    @cached_property
    def compensates(self) -> bool:
        """Whether a step of the flow has a compensation."""
        return any(step.undoes for step in walk(self.model))

    @cached_property
    def suspends(self) -> bool:
        """Whether a run of the flow may be suspended by one of its steps."""
        return any(step.suspends for step in walk(self.model))

    @cached_property
    def text(self) -> str:
        """The flow as XML, with all that it builds on put in."""
        return write_xml(self.root, head=False)

    def _setting(self, traced: bool, recorded: bool, check_mutation: bool) -> WeaveSettings:
        saves, undoes = self.header.default_save_state, self.compensates
        return WeaveSettings(
            traced=traced, recorded=recorded, saves=saves, undoes=undoes, check_mutation=check_mutation
        )

    def program(self, traced: bool, recorded: bool = False, check_mutation: bool = False) -> Program:
        """Return what runs: the root step with its decorators, for this way of running it."""
        way = (traced, recorded, check_mutation)
        program = self._programs.get(way)
        if program is None:
            setting = replace(self._setting(*way), root=True)
            program = self._programs[way] = self._program_of(self.model, setting)
        return program

    def library_step(self, name: str) -> Step | None:
        """Return the step of that name directly in this library, None when there is none."""
        return next((step for step in self.model.children() if step.name == name), None)

    def library_program(self, name: str, traced: bool, recorded: bool = False, check_mutation: bool = False) -> Program:
        """Return a step of this library in the form that other flows call: its decorators up to allowFailure."""
        way = (traced, recorded, check_mutation)
        program = self._library.get((name, *way))
        if program is None:
            step = self.library_step(name)
            if step is None:
                raise LookupError(name)
            setting = replace(self._setting(*way), outermost=LIBRARY_RANK)
            program = self._library[(name, *way)] = self._program_of(step, setting)
        return program
