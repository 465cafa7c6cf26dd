"""Beans: the Python objects that flows may use by name, and the modules that they may import from.

    <beans><bean id="mailer" class="shop.mail:Mailer"><property name="host" value="localhost"/></bean></beans>
    TaskManager(beans={"mailer": Mailer()}, allow=["shop.*"])

Rules: a bean is searched in the task's own ``<beans>``, then in the TaskManager, then in the entry points
``taskrun.beans``. Beans of ``<beans>`` belong to one run: they are created at their first use, and their
``destroyMethod`` is called at the end of the run. Only modules that match the allow list are imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
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
    """A flow has tried to import from a module that is not on the allow list."""


@dataclass(frozen=True, slots=True)
class Imports:
    """Import objects and modules for flows, but only from modules that match the allow list.

    ``allow`` are the patterns of the allow list, such as ``shop.*``.
    """

    allow: tuple[str, ...] = ()

    def permits(self, module: str) -> bool:
        """Return whether flows may import from the module: one of the patterns in ``allow`` matches its name.

        The pattern ``pkg.*`` matches the package ``pkg`` itself and every module inside it.
        """
        return any(fnmatchcase(module, pattern) or pattern == f"{module}.*" for pattern in self.allow)

    def get(self, name: str) -> Any:
        """Import and return the object named ``package.module:attribute`` (or ``package.module.attribute``).

        Raises ImportNotAllowedError if the module is not on the allow list, and PluginError if there is no such object.
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
        """Import and return a module.

        Raises ImportNotAllowedError if it is not on the allow list, and PluginError if the import fails.
        """
        if not self.permits(name):
            raise ImportNotAllowedError(
                f"importing from '{name}' is not allowed: add --allow '{name}', "
                f"TaskManager(allow=['{name}']), or [tool.taskrun] allow"
            )
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise PluginError(f"cannot import '{name}': {error}") from error


@dataclass(slots=True, eq=False)
class Beans:
    """The beans that all runs of a TaskManager share.

    A name is searched first in the beans that were passed to the TaskManager, then in the entry points
    ``taskrun.beans`` of installed packages.
    """

    _given: dict[str, Any]
    _entries: dict[str, EntryPoint] | None = field(default=None, init=False)

    def entries(self) -> dict[str, EntryPoint]:
        """Return the entry points ``taskrun.beans`` of installed packages by name, not loaded yet."""
        if self._entries is None:
            self._entries = {entry.name: entry for entry in entry_points(group="taskrun.beans")}
        return self._entries

    def __contains__(self, name: str) -> bool:
        return name in self._given or name in self.entries()

    def names(self) -> Iterator[str]:
        """Yield the names of all beans: those passed to the TaskManager, then those of entry points."""
        yield from self._given
        yield from self.entries()

    def get(self, name: str) -> Any:
        """Return the bean of that name; a bean of an entry point is loaded at its first use.

        Raises PluginError if there is no such bean (the message names the most similar one), or if it cannot be loaded.
        """
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
    """Return (not raise) the PluginError for a bean that does not exist.

    ``names`` are the beans that exist; the message suggests the one that is most similar to ``name``.
    """
    hint = near_hint(name, names) or "define it in TaskManager(beans={…}), <beans> or an entry point taskrun.beans"
    return PluginError(f"there is no bean '{name}'; {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One ``<constructor-arg>`` or ``<property>`` inside a ``<bean>``: a value to pass to the object that is created.

    The value is either ``value``, a template that is evaluated, or ``ref``, the name of another bean. A constructor
    argument without ``name`` is positional.
    """

    node: Node = field(repr=False, compare=False)
    name: str | None = None
    value: Template | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeanDefinition:
    """One ``<bean id="…" class="…">`` of a task, from which each run creates its own object.

    ``class_`` is called with ``arguments``, then ``properties`` are set as attributes. ``destroy_method`` names the
    method that is called at the end of the run.
    """

    node: Node = field(repr=False, compare=False)
    id: str
    class_: str
    destroy_method: str | None = None
    arguments: Annotated[tuple[Setting, ...], FromElement("constructor-arg")] = ()
    properties: Annotated[tuple[Setting, ...], FromElement("property")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BeanDefinitions:
    """The element ``<beans>`` of a task, which contains its bean definitions."""

    bean: tuple[BeanDefinition, ...] = ()


class RunBeans:
    """The beans that one run can use: those that it creates from the task's ``<beans>``, then those of ``outer``.

    ``outer`` are the beans of the TaskManager, or those of the calling run if the task shares them
    (``useParentBeanContainer``).
    """

    def __init__(
        self, definitions: Sequence[BeanDefinition], outer: Beans | RunBeans, imports: Imports, scope: Scope
    ) -> None:
        self._definitions = {definition.id: definition for definition in definitions}
        self._outer = outer
        self._imports = imports
        self._scope = scope  # of the task; the settings of beans are evaluated in it
        self._made: dict[str, Any] = {}

    def get(self, name: str, seen: tuple[str, ...] = ()) -> Any:
        """Return the bean of that name; a bean of the task's ``<beans>`` is created at its first use.

        Raises PluginError if there is no such bean, or if bean definitions refer to each other in a circle. ``seen``
        are the beans whose creation needs this one; callers from outside leave it empty.
        """
        if name in self._made:
            return self._made[name]
        definition = self._definitions.get(name)
        if definition is None:
            return self._outer.get(name)
        if name in seen:
            raise PluginError(f"beans refer to each other in a circle: {' → '.join((*seen, name))}; remove one ref")
        bean = self._made[name] = self._make(definition, (*seen, name))
        return bean

    def _make(self, definition: BeanDefinition, seen: tuple[str, ...]) -> Any:
        """Create the object of a bean definition: call its class with the arguments, then set the properties.

        ``seen`` are the names of the beans that are being created, including this one; a reference to one of them is a
        circle.
        """
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
        """Call the destroy methods of the beans that the run has created, the newest first.

        Yields the exceptions that destroy methods raise. The caller must exhaust the iterator; otherwise the remaining
        beans are not destroyed.
        """
        for name, bean in reversed(self._made.items()):
            method = self._definitions[name].destroy_method
            if method:
                try:
                    getattr(bean, method)()
                except Exception as error:  # noqa: BLE001 - the other beans are closed too
                    yield error
        self._made.clear()
