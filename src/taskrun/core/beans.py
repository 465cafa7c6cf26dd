"""Beans: the Python objects that flows may use by name, and the modules that they may import from.

    <beans><bean id="mailer" class="shop.mail:Mailer"><property name="host" value="localhost"/></bean></beans>
    TaskManager(beans={"mailer": Mailer()}, allow=["shop.*"])

Rules: a name means the bean of the task's own ``<beans>``, then that of the TaskManager, then that of the entry points
``taskrun.beans``. Beans of ``<beans>`` belong to one run: made when first asked for, ended with the run (their
``destroyMethod``, else nothing). Nothing is imported that the allow list does not name.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Annotated, Any

from taskrun.core.fields import FromElement
from taskrun.errors import PluginError, near_hint
from taskrun.plugins import entry_points
from taskrun.script.script import Template
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.scope import Scope


class ImportNotAllowedError(PluginError):
    """An import that the allow list does not permit."""


@dataclass(frozen=True, slots=True)
class Imports:
    """Imports by name, for the modules that the patterns of the allow list match."""

    allow: tuple[str, ...] = ()

    def permits(self, module: str) -> bool:
        """Whether the module may be imported: a pattern matches it, or ``pkg.*`` matches its package ``pkg``."""
        return any(fnmatchcase(module, pattern) or pattern == f"{module}.*" for pattern in self.allow)

    def get(self, name: str) -> Any:
        """Return the object ``package.module:attribute`` (or ``package.module.attribute``).

        Raises ImportNotAllowedError when the allow list does not name the module, PluginError when there is no such object.
        """
        module_name, _, attribute = name.partition(":") if ":" in name else name.rpartition(".")
        if not module_name or not attribute:
            raise PluginError(f"'{name}' does not name an object: write package.module:name")
        value: Any = self.module(module_name)
        for part in attribute.split("."):
            if part.startswith("_") or not hasattr(value, part):
                hint = near_hint(part, [known for known in dir(value) if not known.startswith("_")])
                raise PluginError(f"'{module_name}' has no '{part}'" + (f"; {hint}" if hint else ""))
            value = getattr(value, part)
        return value

    def module(self, name: str) -> Any:
        """Return the module of that name; raises ImportNotAllowedError, or PluginError when it cannot be imported."""
        if not self.permits(name):
            raise ImportNotAllowedError(
                f"importing from '{name}' is not allowed: add --allow '{name}', "
                f"TaskManager(allow=['{name}']), or [tool.taskrun] allow"
            )
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise PluginError(f"cannot import '{name}': {error}") from error


class Beans:
    """The beans of a TaskManager, with those of the entry points ``taskrun.beans`` behind them."""

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._given = dict(given or {})
        self._entries: dict[str, EntryPoint] | None = None

    def entries(self) -> dict[str, EntryPoint]:
        """Return the entry points ``taskrun.beans`` by name."""
        if self._entries is None:
            self._entries = {entry.name: entry for entry in entry_points(group="taskrun.beans")}
        return self._entries

    def __contains__(self, name: str) -> bool:
        return name in self._given or name in self.entries()

    def names(self) -> Iterator[str]:
        """Yield every name."""
        yield from self._given
        yield from self.entries()

    def get(self, name: str) -> Any:
        """Return a bean; raises PluginError with the near name when there is none."""
        if name in self._given:
            return self._given[name]
        entry = self.entries().get(name)
        if entry is None:
            raise unknown_bean(name, self.names())
        try:
            bean = self._given[name] = entry.load()
        except Exception as error:
            raise PluginError(f"bean '{name}' ({entry.value}) cannot be loaded: {error}") from error
        return bean


def unknown_bean(name: str, names: Iterable[str]) -> PluginError:
    """Return the error for a bean that does not exist."""
    hint = near_hint(name, names) or "give it with TaskManager(beans={…}), <beans> or an entry point taskrun.beans"
    return PluginError(f"there is no bean '{name}'; {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A ``<constructor-arg>`` or ``<property>`` of a bean: a value or a reference to another bean."""

    node: Node = field(repr=False, compare=False)
    name: str | None = None
    value: Template | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeanDefinition:
    """A ``<bean>`` of a task."""

    node: Node = field(repr=False, compare=False)
    id: str
    class_: str
    destroy_method: str | None = None
    arguments: Annotated[tuple[Setting, ...], FromElement("constructor-arg")] = ()
    properties: Annotated[tuple[Setting, ...], FromElement("property")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BeanDefinitions:
    """The ``<beans>`` of a task."""

    bean: tuple[BeanDefinition, ...] = ()


class RunBeans:
    """The beans of one run."""

    def __init__(
        self, definitions: Sequence[BeanDefinition], outer: Beans | RunBeans, imports: Imports, scope: Scope
    ) -> None:
        self._definitions = {definition.id: definition for definition in definitions}
        self._outer = outer
        self._imports = imports
        self._scope = scope  # the task's, in which the settings of beans are evaluated
        self._made: dict[str, Any] = {}

    def get(self, name: str, seen: tuple[str, ...] = ()) -> Any:
        """Return a bean, making it when it is asked for the first time; raises PluginError."""
        if name in self._made:
            return self._made[name]
        definition = self._definitions.get(name)
        if definition is None:
            return self._outer.get(name)
        if name in seen:
            raise PluginError("beans that need each other: " + " → ".join((*seen, name)))
        bean = self._made[name] = self._make(definition, (*seen, name))
        return bean

    def _make(self, definition: BeanDefinition, seen: tuple[str, ...]) -> Any:
        cls = self._imports.get(definition.class_)

        def value(setting: Setting) -> Any:
            if setting.ref is not None:
                return self.get(setting.ref, seen)
            return None if setting.value is None else setting.value.run(self._scope)

        positional = [value(setting) for setting in definition.arguments if setting.name is None]
        named = {setting.name: value(setting) for setting in definition.arguments if setting.name is not None}
        bean = cls(*positional, **named)
        for setting in definition.properties:
            setattr(bean, setting.name or "", value(setting))
        return bean

    def close(self) -> Iterator[Exception]:
        """End the beans that were made, last first, and yield what their destroy methods raise."""
        for name, bean in reversed(self._made.items()):
            method = self._definitions[name].destroy_method
            if method:
                try:
                    getattr(bean, method)()
                except Exception as error:  # noqa: BLE001 - one that fails must not keep the others open
                    yield error
        self._made.clear()
