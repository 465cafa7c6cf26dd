"""Flow: a compiled task file or step library.

Rules: a flow is immutable and shared by all its runs. ``compile.pipeline.compile_flow`` creates it. The last stages of
the compiler run later, when a method of the flow is called. ``link`` runs when the flow is loaded for a run. ``weave``
and ``optimize`` run when ``program`` is first called with a combination of its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from taskrun.core.beans import BeanDefinition, BeanDefinitions
from taskrun.core.fields import FromElement
from taskrun.core.step import Step, walk
from taskrun.core.weave import LIBRARY_RANK, Program, WeaveSettings
from taskrun.errors import Diagnostic
from taskrun.syntax.node import Node
from taskrun.syntax.search_path import name_and_version
from taskrun.syntax.xml_write import write_xml

if TYPE_CHECKING:
    from taskrun.core.link_context import VariableTable
    from taskrun.core.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One ``<import as="Orders" class="shop.orders:Orders"/>``: a short name by which scripts use a Python object."""

    node: Node = field(repr=False, compare=False)
    as_: str
    class_: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The attributes and children of a flow's root element that apply to the whole flow."""

    name: str | None = None
    version: int = 0
    display_name: str | None = None
    use_parent_bean_container: bool = False
    record_metrics: bool = True
    default_save_state: bool = True
    restartable: bool = True
    imports: Annotated[tuple[Import, ...], FromElement("import")] = ()
    beans: BeanDefinitions | None = None

    @property
    def reads(self) -> frozenset[str]:
        """The names of the variables that the values in ``<beans>`` read."""
        settings = [item for bean in self.definitions for item in (*bean.arguments, *bean.properties)]
        return frozenset(name for item in settings if item.value for name in item.value.reads)

    @property
    def definitions(self) -> tuple[BeanDefinition, ...]:
        """The bean definitions in the task's ``<beans>``, empty if it has no such element."""
        return self.beans.bean if self.beans else ()


class Flow:
    """A compiled task or step library: its model, and the programs that were woven from the model.

    Attributes: ``path`` is the file, ``root`` the tree of the file after all deltas were merged. ``header`` has the
    settings of the root element, ``model`` is the root step. ``variables`` is the table of the variables that each step
    can read, ``bean_ids`` are the names of the beans in the flow's own ``<beans>``.
    """

    def __init__(
        self,
        *,
        path: str,
        root: Node,
        header: Header,
        model: Step,
        variables: VariableTable,
        warnings: Callable[[], Iterable[Diagnostic]],
        link: Callable[[Flow, Services], Iterable[Diagnostic]],
        weave: Callable[[Step, WeaveSettings], Program],
    ) -> None:
        self.path = path
        self.root = root
        self.header = header
        self.model = model
        self.variables = variables
        from_path = name_and_version(path)
        self.name: str = header.name or (from_path[0] if from_path else "@main")
        self.version: int = header.version or (from_path[1] if from_path else 0)
        self.bean_ids: tuple[str, ...] = tuple(definition.id for definition in header.definitions)
        self._warnings = warnings
        self._link = link
        self._weave = weave
        self._programs: dict[tuple[bool, ...], Program] = {}
        self._library_programs: dict[tuple[str | bool, ...], Program] = {}

    def __repr__(self) -> str:
        return f"Flow({self.name!r}, version={self.version}, path={self.path!r}, steps={self.step_count})"

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings and notes about the flow, in the order of the file; the checks are run at the first access."""
        return tuple(sorted(self._warnings(), key=lambda item: item.location))

    def link(self, services: Services) -> list[Diagnostic]:
        """Run the stage ``link`` and return the problems of names outside the file, such as unknown beans.

        The flows that this one calls are checked too. The problems are returned, not raised.
        """
        return list(dict.fromkeys(self._link(self, services)))

    @property
    def step_count(self) -> int:
        """The number of steps of the flow at any depth, without its root."""
        return sum(1 for _ in walk(self.model)) - 1

    @cached_property
    def compensates(self) -> bool:
        """Whether any step of the flow may have a compensation; other flows that it calls are not considered."""
        return any(step.traits.has_compensation(step) for step in walk(self.model))

    @cached_property
    def suspends(self) -> bool:
        """Whether any step of the flow may suspend the run; other flows that it calls are not considered."""
        return any(step.traits.suspends_run(step) for step in walk(self.model))

    @cached_property
    def text(self) -> str:
        """The flow as one XML text, from which it can be compiled without its deltas, bases and prototypes."""
        return write_xml(self.root, head=False)

    def program(self, traced: bool, recorded: bool = False, check_mutation: bool = False) -> Program:
        """Return the program that a run of this flow executes; it is woven once per combination of parameters.

        Parameters: ``traced`` means that steps report events to observers, ``recorded`` that the run is recorded,
        ``check_mutation`` that a step fails if it changes its inputs in place.
        """
        way = (traced, recorded, check_mutation)
        program = self._programs.get(way)
        if program is None:
            settings = replace(self._weave_settings(*way), root=True)
            program = self._programs[way] = self._weave(self.model, settings)
        return program

    def library_step(self, name: str) -> Step | None:
        """Return the step of that name that a ``<call-step>`` can call in this library, None if there is none."""
        return next((step for step in self.model.children() if step.name == name), None)

    def library_program(self, name: str, traced: bool, recorded: bool = False, check_mutation: bool = False) -> Program:
        """Return the program of one step of this library, for a ``<call-step>``; it is cached like ``program``.

        Decorators with a rank above ``LIBRARY_RANK`` are left out, because the ``<call-step>`` has its own. The other
        parameters are those of ``program``. Raises LookupError if the library has no such step.
        """
        way = (traced, recorded, check_mutation)
        program = self._library_programs.get((name, *way))
        if program is None:
            step = self.library_step(name)
            if step is None:
                raise LookupError(name)
            settings = replace(self._weave_settings(*way), outermost=LIBRARY_RANK)
            program = self._library_programs[(name, *way)] = self._weave(step, settings)
        return program

    def _weave_settings(self, traced: bool, recorded: bool, check_mutation: bool) -> WeaveSettings:
        """Return the settings with which this flow is woven; the parameters are those of ``program``."""
        return WeaveSettings(
            traced=traced, recorded=recorded, saves=self.header.default_save_state,
            compensates=self.compensates, suspends=self.suspends, check_mutation=check_mutation,
        )  # fmt: skip
