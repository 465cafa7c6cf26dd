"""Registry: the table from tags to step and decorator classes.

Rules: a registry is passed as an argument; importing a class does not register it anywhere. The built-in classes are
found in the packages ``taskrun.steps`` and ``taskrun.decorators``. Those of other packages are found by the entry
points of the same names. Two classes with one tag are an error that names both.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint
from typing import Any, Literal

from taskrun.core.script_language import Language, languages
from taskrun.core.step import Decorator, ImpliedDecorator, Step
from taskrun.errors import PluginError
from taskrun.model.binding_plan import BindingPlan, is_decorator, is_step, plan_of
from taskrun.plugins import entry_points
from taskrun.syntax.schema import ExtraElement, Schema

PACKAGES = ("taskrun.steps", "taskrun.decorators", "taskrun.decorators.implied")
GROUPS = ("taskrun.steps", "taskrun.decorators")


class Registry:
    """The step and decorator classes by tag, their binding plans, and the schema that allows their elements."""

    def __init__(self, extra: Iterable[type] = (), more_languages: Mapping[str, Language] | None = None) -> None:
        """Collect the built-in classes, those of installed packages, and those in ``extra``.

        ``more_languages`` are further languages of ``<script>`` by name. Raises PluginError if two classes have one
        tag, or if an entry point cannot be loaded.
        """
        self.steps: dict[str, type[Step]] = {}
        self.decorators: dict[str, type[Decorator]] = {}
        self._more_languages: Mapping[str, Language] = more_languages or {}
        if self._more_languages:
            self.languages  # noqa: B018 - refuse a wrong language now
        self._plans: dict[type, BindingPlan] = {}
        for package in PACKAGES:
            for cls in _classes_in(package):
                self._add(cls)
        built_in = set(self.steps) | set(self.decorators)
        for cls in (*_from_entry_points(), *extra):
            self._add(cls)
        foreign = {tag: cls for tag, cls in (self.steps | self.decorators).items() if tag not in built_in}
        self.schema: Schema = Schema(*self._schema_parts(foreign))

    @cached_property
    def languages(self) -> Mapping[str, Language]:
        """The languages of ``<script>`` by name, found at the first use; raises PluginError if one of them is wrong."""
        return languages(self._more_languages)

    @property
    def implying(self) -> tuple[type[ImpliedDecorator], ...]:
        """The classes of implied decorators, which the weaver asks for each step."""
        return tuple(cls for cls in self.decorators.values() if issubclass(cls, ImpliedDecorator))

    def _add(self, cls: type) -> None:
        table: dict[str, Any] = self.steps if issubclass(cls, Step) else self.decorators
        for tag in (cls.tag, *getattr(cls.traits, "aliases", ())):  # type: ignore[attr-defined]
            other = table.setdefault(tag, cls)
            if other is not cls:
                message = f"<{tag}> has two owners: {_full_name(other)} and {_full_name(cls)}"
                raise PluginError(message)

    def plan(self, cls: type) -> BindingPlan:
        """Return the binding plan of a step, decorator or part class; each plan is computed once."""
        plan = self._plans.get(cls)
        if plan is None:
            plan = self._plans[cls] = plan_of(cls)
        return plan

    def _schema_parts(self, foreign: Mapping[str, type]) -> tuple[tuple[ExtraElement, ...], tuple[str, ...]]:
        """Return what classes of other packages add to the schema: elements, and attributes that all steps may have."""
        elements, attributes = [], []
        for tag, cls in foreign.items():
            plan = self.plan(cls)
            if is_decorator(cls) and cls.attribute:  # type: ignore[attr-defined]
                attributes.append(tag)
            else:
                kind: Literal["step", "child"] = "step" if is_step(cls) else "child"
                common = self.plan(Step)
                own = tuple(name for name in plan.attributes if kind == "child" or name not in common.attributes)
                inner = tuple(name for name in plan.children if kind == "child" or name not in common.children)
                if plan.own_text is not None:
                    inner += ("#text",)
                elements.append(ExtraElement(tag, kind, own, inner))
        return tuple(elements), tuple(attributes)


def _classes_in(package_name: str) -> Iterable[type]:
    """Yield the step and decorator classes that are defined in the modules of a package."""
    package = importlib.import_module(package_name)
    for info in pkgutil.iter_modules(package.__path__, package_name + "."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if (is_step(value) or is_decorator(value)) and value.__module__ == module.__name__:
                yield value


def _from_entry_points() -> Iterable[type]:
    """Yield the step and decorator classes of installed packages.

    Raises PluginError if an entry point is something else.
    """
    for group in GROUPS:
        for entry in entry_points(group=group):
            cls = load_entry_point(entry)
            if not (is_step(cls) or is_decorator(cls)):
                message = f"entry point '{entry.name}' of {group} is no step or decorator class: {entry.value}"
                raise PluginError(message)
            yield cls


def load_entry_point(entry: EntryPoint) -> Any:
    """Load and return the object of an entry point; raises PluginError, with the name and the cause, if that fails."""
    try:
        return entry.load()
    except Exception as error:
        message = f"entry point '{entry.name}' ({entry.value}) cannot be loaded: {error}"
        raise PluginError(message) from error


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
