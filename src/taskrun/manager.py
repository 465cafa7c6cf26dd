"""TaskManager: compile flows and run them, from Python.

    from taskrun import TaskManager

    result = TaskManager.run("greet.task.xml", {"who": "Ada"})
    result["greeting"], result.status

Rules: a TaskManager is a set of settings with the flows compiled under them; its methods work on the class too, with
default settings. Runs share what the host holds and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from taskrun.class_api import OnClassToo
from taskrun.codec.codec import Codec
from taskrun.compile.call_graph import reachable_flows
from taskrun.compile.flow_cache import FlowCache
from taskrun.compile.registry import Registry
from taskrun.core.beans import Beans, Imports
from taskrun.core.events import Observer
from taskrun.core.flow import Flow
from taskrun.core.run import Run
from taskrun.core.script_language import Language
from taskrun.core.search_path import SearchPath
from taskrun.core.services import Services
from taskrun.core.workers import Threads
from taskrun.durable.operations import RunOperations
from taskrun.durable.session import StoreClient, refuse_in_loop
from taskrun.durable.store import Store
from taskrun.errors import AnalysisError, Diagnostic, FlowError, near_hint, raise_errors
from taskrun.observers.log import log_event
from taskrun.resources import resource_folder
from taskrun.result import RunResult
from taskrun.script.evaluators import EVALUATORS
from taskrun.script.functions import checked_functions, installed_functions
from taskrun.script.script import Limits, ScriptSettings
from taskrun.syntax.delta.extend import extend, load_and_extend, with_chain
from taskrun.syntax.delta.layers import Found, layer_name
from taskrun.syntax.node import Node
from taskrun.syntax.validate import cross_check
from taskrun.tags.context import TagContext
from taskrun.templates.tag_lookup import TagSettings


class TaskManager(RunOperations):
    """Settings for runs, and the flows compiled under them.

    Parameters:
        beans: Python objects that flows may use by name.
        path: folders in which tasks and libraries are looked up by name; default: the variable ``TASKRUN_PATH``.
        allow: patterns of modules that flows may import from, such as ``"shop.*"``.
        observers: functions that get every event of every run.
        flags: the flags that runs begin with.
        functions: further functions that scripts can call, besides those of installed packages (entry points
            ``taskrun.functions``).
        limits: how much one evaluation of a script may use.
        evaluator: what evaluates scripts: ``"compiled"``, or ``"asteval"``, which is slower and has less.
        config: the configuration that ``feature:on`` and ``feature:off`` ask, by name.
        delta: the names of the delta layers (folders ``_delta/NAME``) that are laid over files, the lowest first.
        tags: Python functions as tags: modules, objects or mappings of functions, by the name of the library.
        folders: folders in which tags such as those of file-utils may read and write, besides that of the flow and the
            current one.
        steps: further step and decorator classes, besides those of installed packages.
        languages: further languages of ``<script lang="…">`` by name, besides those of installed packages.
        store: where every run is recorded: a Store, or a URL such as ``"sqlite:///runs.db"``. Without it nothing is
            recorded but the runs of flows that can be suspended, in memory.
        codecs: how values of further types are recorded.
        check_mutation: whether a step that changes an input in place fails, with an error that names both; for
            development and tests, since it costs time.

    >>> manager = TaskManager(beans={"shop": object()}, allow=["math"])
    """

    def __init__(
        self,
        *,
        beans: Mapping[str, Any] | None = None,
        path: Sequence[str | os.PathLike[str]] | None = None,
        allow: Iterable[str] = (),
        observers: Iterable[Observer] = (),
        flags: Iterable[str] = (),
        functions: Mapping[str, Any] | None = None,
        steps: Iterable[type] = (),
        languages: Mapping[str, Language] | None = None,
        limits: Limits | None = None,
        evaluator: str = "compiled",
        config: Mapping[str, Any] | None = None,
        delta: Iterable[str] = (),
        tags: Mapping[str, Any] | None = None,
        folders: Iterable[str | os.PathLike[str]] = (),
        store: Store | str | None = None,
        codecs: Iterable[Codec] = (),
        check_mutation: bool = False,
    ) -> None:
        if evaluator not in EVALUATORS:
            hint = near_hint(evaluator, EVALUATORS) or f"there are {' and '.join(EVALUATORS)}"
            raise ValueError(f"unknown evaluator '{evaluator}'; {hint}")
        self._path = None if path is None else [os.fspath(folder) for folder in path]
        self._flags = frozenset(flags)
        self._folders = tuple(map(Path, folders))
        self._registry = Registry(steps, languages)
        self._functions = checked_functions(functions or {}, "TaskManager(functions=…)")
        self._limits = limits or Limits()
        self._evaluator = evaluator
        self._threads = Threads()
        imports = Imports(tuple(allow))
        self._flows = FlowCache(
            registry=self._registry,
            scripts=lambda: self._scripts,
            roots=self._roots,
            config=dict(config or {}),
            layers=tuple(map(layer_name, delta)),
            tags=TagSettings(imports=imports, libraries=dict(tags or {}), context=self._context, threads=self._threads),
        )
        self._checked: dict[str, Flow] = {}
        self._suspending: dict[str, tuple[Flow, bool]] = {}
        self._services_of: dict[tuple[str, str], Services] = {}
        self._found: dict[str, Services] = {}
        self._shipped = str(resource_folder("lib"))
        self._active: dict[str, Run] = {}
        self._records_all = store is not None
        self._durable = StoreClient("memory:" if store is None else store, codecs, imports.permits)
        self._services = Services(
            load=self._flows.get,
            compile_text=self._flows.compile_text,
            beans=Beans(beans),
            imports=imports,
            threads=self._threads,
            search_path=SearchPath(()),
            observers=tuple(observers),
            log=log_event,
            check_mutation=check_mutation,
        )

    @OnClassToo
    def run(
        self, path: str | os.PathLike[str] | Flow, inputs: Mapping[str, Any] | None = None, *, run_id: str | None = None
    ) -> RunResult:
        """Run a flow to its end and return its outputs.

        Raises FlowError when the file is wrong, InputError when the inputs are, StepError (from the original exception)
        when the run fails, RunCancelled when it was cancelled by ``cancel``, and RuntimeError inside a running event
        loop: use ``await run_async(…)`` there.
        """
        refuse_in_loop("run")
        return asyncio.run(self.run_async(path, inputs, run_id=run_id))

    @OnClassToo
    async def run_async(
        self, path: str | os.PathLike[str] | Flow, inputs: Mapping[str, Any] | None = None, *, run_id: str | None = None
    ) -> RunResult:
        """Run a flow inside the running event loop; otherwise as ``run``.

        Cancelling the task that awaits this cancels the run, and CancelledError is raised.
        """
        flow = path if isinstance(path, Flow) else self.load(path)
        known = self._found.get(flow.path) if flow is path else None  # where others are found was settled by load
        run = Run(known or self._services_for(flow), flow, run_id=run_id, flags=self._flags)
        given = {} if inputs is None else inputs
        if self._records_all or self._suspends(flow):
            self._check_idle(run.run_id)
            self._durable.begin(run, given)
        return await self._going(run, given)

    @OnClassToo
    def load(self, path: str | os.PathLike[str]) -> Flow:
        """Return the compiled flow of a file, with all that it names outside itself checked; raises FlowError.

        A file is compiled again when it has changed. A loaded flow can be run any number of times.
        """
        flow = self._flows.get(os.fspath(path))
        if self._checked.get(flow.path) is not flow:
            raise_errors(flow.link(self._services_for(flow)), AnalysisError)
            self._checked[flow.path] = flow
        return flow

    @OnClassToo
    def check(self, path: str | os.PathLike[str]) -> tuple[Diagnostic, ...]:
        """Return every problem of a flow without running it: errors, warnings and notes."""
        try:
            flow = self._flows.get(os.fspath(path))
        except FlowError as error:
            return error.diagnostics
        return (*flow.link(self._services_for(flow)), *flow.warnings)

    def cross_check(self, path: str | os.PathLike[str]) -> list[Diagnostic]:
        """Return what a second schema validator, xmlschema, has against a file; raises FlowError when it cannot be read."""
        return cross_check(self.expand(path), self._registry.schema)

    def expand(self, path: str | os.PathLike[str], *, root: Node | None = None, custom_types: bool = True) -> Node:
        """Return the tree of a file after all that it builds on was put in; raises FlowError.

        ``root`` is the tree of the file where it is not written yet; ``custom_types=False`` leaves steps with a
        ``customType`` as they are.
        """
        sources = self._flows.sources(os.fspath(path))
        if not custom_types:
            sources = sources.bare()
        try:
            if root is not None:
                return extend(root, Found((os.fspath(path),)), sources)
            return load_and_extend(os.fspath(path), sources)
        except FlowError as error:
            raise with_chain(error, sources, os.fspath(path)) from None

    @property
    def opaque(self) -> frozenset[str]:
        """The tags of the elements that hold scripts."""
        return self._registry.schema.opaque

    def check_layers(self, path: str | os.PathLike[str]) -> None:
        """Raise FlowError when a delta layer has no folder in any place where files of this flow are looked for."""
        self._flows.check_layers(os.fspath(path))

    def close(self) -> None:
        """End the idle worker processes, and close the store if it was given as a URL; what is running is not touched."""
        self._services.processes.close()
        self._durable.close()

    @property
    def active(self) -> tuple[str, ...]:
        """The ids of the runs that are going on."""
        return tuple(self._active)

    def limits(self) -> Mapping[str, Mapping[str, float]]:
        """Return the state of the ``global`` throttles and rate limits by key: limit, held and waiting, or rate."""
        return self._services.limiters.statistics()

    def _suspends(self, flow: Flow) -> bool:
        """Whether a step of the flow, or of one that it calls, may suspend the run."""
        known = self._suspending.get(flow.path)
        if known is None or known[0] is not flow:
            found = any(one.suspends for one in reachable_flows(flow, self._services_for(flow)))
            known = self._suspending[flow.path] = (flow, found)
        return known[1]

    @cached_property
    def _scripts(self) -> ScriptSettings:
        return ScriptSettings(
            functions=installed_functions() | self._functions,
            limits=self._limits,
            evaluator=self._evaluator,
            imports=self._services.imports.get,
            cache={},
        )

    def _context(self, path: str) -> TagContext:
        """Return what the tags of a flow may use."""
        folder = Path(path).resolve().parent
        return TagContext(folder, (folder, Path.cwd(), *self._folders), logging.getLogger("taskrun").info)

    def _roots(self) -> tuple[str, ...]:
        """Return the folders in which flows are looked up besides that of the flow that was started."""
        if self._path is not None:
            return (*self._path, self._shipped)
        variable = os.environ.get("TASKRUN_PATH", "")
        return (*(folder for folder in variable.split(os.pathsep) if folder), self._shipped)

    def _services_for(self, flow: Flow) -> Services:
        """Return the host of a run of a flow: where others are found depends on its folder and on TASKRUN_PATH."""
        variable = os.environ.get("TASKRUN_PATH", "") if self._path is None else ""
        services = self._services_of.get((flow.path, variable))
        if services is None:
            services = self._services_of[flow.path, variable] = replace(
                self._services, search_path=self._flows.lookup(flow.path)
            )
        self._found[flow.path] = services
        return services
