"""TaskManager: the Python interface for compiling and running flows.

    from taskrun import TaskManager

    result = TaskManager.run("greet.task.xml", {"who": "Ada"})
    result["greeting"], result.status

Rules: a TaskManager has settings, and the flows that were compiled with them. Most methods can also be called on the
class, which uses default settings. Its runs share its ``Services`` and nothing else. It has more than 300 lines,
because the class is the documented interface of the package.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from taskrun.class_api import OnClassToo, refuse_in_loop
from taskrun.codec.codec import Codec
from taskrun.compile.flow_cache import FlowCache
from taskrun.compile.registry import Registry
from taskrun.core.beans import Beans, Imports
from taskrun.core.flow import Flow
from taskrun.core.run import Run
from taskrun.core.script_language import Language
from taskrun.core.services import Services
from taskrun.core.workers import Threads
from taskrun.durable.flow_source import FlowSource
from taskrun.durable.operations import RunOperations
from taskrun.durable.session import RunSession
from taskrun.durable.store import Store
from taskrun.durable.store_client import StoreClient
from taskrun.errors import AnalysisError, Diagnostic, FlowError, near_hint, raise_errors
from taskrun.model.call_graph import reachable_flows
from taskrun.observers.log import log_event
from taskrun.resources import resource_folder
from taskrun.result import RunResult
from taskrun.script.script import EVALUATORS, Limits, ScriptSettings
from taskrun.script.settings import checked_functions, installed_functions
from taskrun.syntax.delta.layers import layer_name
from taskrun.syntax.search_path import SearchPath
from taskrun.tags.context import TagContext
from taskrun.templates.tag_lookup import TagSettings

if TYPE_CHECKING:
    from taskrun.core.events import Observer


class TaskManager:
    """Settings for runs, and the flows that were compiled with them.

    ``flows`` is the cache of compiled flows; it also expands files and checks delta layers.

    Parameters:
        beans: Python objects that flows may use by name.
        path: folders in which tasks and libraries are looked up by name; default: the variable ``TASKRUN_PATH``.
        allow: patterns of modules that flows may import from, such as ``"shop.*"``.
        observers: functions that receive every event of every run.
        flags: the flags that are set at the start of each run.
        functions: further functions that scripts can call, besides those of installed packages (entry points
            ``taskrun.functions``).
        limits: the budget of one evaluation of a script: the time, ticks and memory that it may use.
        evaluator: the executor of scripts: ``"compiled"``, or ``"asteval"``, which is slower and supports less.
        config: the configuration that ``feature:on`` and ``feature:off`` read, by name.
        delta: the names of the delta layers (folders ``_delta/NAME``) that are laid over files, the lowest first.
        tags: Python functions as tags: modules, objects or mappings of functions, by the name of the library.
        folders: folders in which tags such as those of file-utils may read and write, besides the folder of the flow
            and the current folder.
        steps: further step and decorator classes, besides those of installed packages.
        languages: further languages of ``<script lang="…">`` by name, besides those of installed packages.
        store: the store that records every run: a Store, or a URL such as ``"sqlite:///runs.db"``. Without it only runs
            of flows that can be suspended are recorded, in memory.
        codecs: codecs for further types of values that are recorded.
        check_mutation: whether a step that changes an input in place fails with an error that names step and input; for
            development and tests, because it costs time.

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
        self._functions = checked_functions(functions or {}, "TaskManager(functions=…)")
        self._limits = limits or Limits()
        self._evaluator = evaluator
        self._threads = Threads()
        imports = Imports(tuple(allow))
        self.flows: FlowCache = FlowCache(
            registry=Registry(steps, languages),
            scripts=lambda: self._scripts,
            roots=self._roots,
            config=dict(config or {}),
            layers=tuple(map(layer_name, delta)),
            tags=TagSettings(
                imports=imports, libraries=dict(tags or {}), context=self._tag_context, threads=self._threads
            ),
        )
        self._linked: dict[str, Flow] = {}
        self._suspending: dict[str, tuple[Flow, bool]] = {}
        self._services_by_path: dict[tuple[str, str], Services] = {}
        self._services_of_last_load: dict[str, Services] = {}
        self._shipped = str(resource_folder("lib"))
        self._active: dict[str, Run] = {}
        self._records_all = store is not None
        self._client = StoreClient("memory:" if store is None else store, codecs, imports.permits, _open_store)
        self.runs: RunOperations = RunOperations(
            self._client, FlowSource(self.load, self.flows.compile_text, self._services_for), self._active
        )  # fmt: skip
        self._services = Services(
            load=self.flows.get,
            compile_text=self.flows.compile_text,
            beans=Beans(dict(beans or {})),
            imports=imports,
            threads=self._threads,
            search_path=SearchPath(()),
            observers=tuple(observers),
            log=log_event,
            check_mutation=check_mutation,
        )

    @OnClassToo
    async def run_async(
        self, path: str | os.PathLike[str] | Flow, inputs: Mapping[str, Any] | None = None, *, run_id: str | None = None
    ) -> RunResult:
        """Run a flow inside the running event loop and return its outputs, or the wait points if it is suspended.

        ``path`` is a task file or a loaded flow, ``run_id`` the id of the run (default: a random one). Raises FlowError
        if the file is wrong, InputError if the inputs are, StepError if the run fails, and RunCancelled if ``cancel``
        has cancelled it. If the asyncio task that awaits this is cancelled, the run is cancelled and CancelledError is
        raised.
        """
        return await self._run(path, inputs, run_id)

    @OnClassToo
    def run(
        self, path: str | os.PathLike[str] | Flow, inputs: Mapping[str, Any] | None = None, *, run_id: str | None = None
    ) -> RunResult:
        """Run a flow to its end and return its outputs; for parameters and exceptions see ``run_async``.

        Inside a running event loop it raises RuntimeError; use ``await run_async(…)`` there.
        """
        refuse_in_loop("run")
        return asyncio.run(self._run(path, inputs, run_id))

    def _run(
        self, path: str | os.PathLike[str] | Flow, inputs: Mapping[str, Any] | None, run_id: str | None
    ) -> Coroutine[Any, Any, RunResult]:
        flow = path if isinstance(path, Flow) else self.load(path)
        # a loaded flow keeps the search path that it was linked with, also when TASKRUN_PATH has changed
        known = self._services_of_last_load.get(flow.path) if flow is path else None
        run = Run(known or self._services_for(flow), flow, run_id=run_id, flags=self._flags)
        given = {} if inputs is None else inputs
        client = self._client if self._records_all or self._suspends(flow) else None
        return RunSession(run, self._active).run(given, client)

    resume: Final = OnClassToo(RunOperations.resume, "runs")
    resume_async: Final = OnClassToo(RunOperations.resume_async, "runs")
    rerun: Final = OnClassToo(RunOperations.rerun, "runs")
    rerun_async: Final = OnClassToo(RunOperations.rerun_async, "runs")
    cancel: Final = OnClassToo(RunOperations.cancel, "runs")
    cancel_async: Final = OnClassToo(RunOperations.cancel_async, "runs")
    suspend: Final = OnClassToo(RunOperations.suspend, "runs")
    show: Final = OnClassToo(RunOperations.show, "runs")
    delete: Final = OnClassToo(RunOperations.delete, "runs")
    purge: Final = OnClassToo(RunOperations.purge, "runs")
    waiting: Final = OnClassToo(RunOperations.waiting, "runs")

    @property
    def store(self) -> Store:
        """The store that records the runs; without the setting ``store``, one in the memory of this process."""
        return self.runs.store

    @OnClassToo
    def load(self, path: str | os.PathLike[str]) -> Flow:
        """Return the compiled and linked flow of a file, which can be run any number of times.

        Raises FlowError with all problems of the file. A file that has changed since the last call is compiled again.
        """
        flow = self.flows.get(os.fspath(path))
        if self._linked.get(flow.path) is not flow:
            raise_errors(flow.link(self._services_for(flow)), AnalysisError)
            self._linked[flow.path] = flow
        return flow

    @OnClassToo
    def check(self, path: str | os.PathLike[str]) -> tuple[Diagnostic, ...]:
        """Return all problems of a flow without running it: errors, warnings and notes; a wrong file raises nothing."""
        try:
            flow = self.flows.get(os.fspath(path))
        except FlowError as error:
            return error.diagnostics
        return (*flow.link(self._services_for(flow)), *flow.warnings)

    def close(self) -> None:
        """Stop the idle worker processes, and close the store if this object opened it from a URL.

        Runs that are active continue.
        """
        self._services.processes.close()
        self._client.close()

    @property
    def active(self) -> tuple[str, ...]:
        """The ids of the runs that this TaskManager is executing now."""
        return tuple(self._active)

    def limits(self) -> Mapping[str, Mapping[str, float]]:
        """Return the state of each throttle and rate limit with ``global="true"``, by its name.

        A throttle has ``limit``, ``held`` and ``waiting``; a rate limit has ``rate``.
        """
        return self._services.limiters.statistics()

    def _suspends(self, flow: Flow) -> bool:
        """Return whether a run of the flow can be suspended, by its steps or those of the flows that it may call."""
        known = self._suspending.get(flow.path)
        if known is None or known[0] is not flow:
            found = any(one.suspends for one in reachable_flows(flow, self._services_for(flow)))
            known = self._suspending[flow.path] = (flow, found)
        return known[1]

    @cached_property
    def _scripts(self) -> ScriptSettings:
        """The settings of scripts; computed late, because it searches all installed packages for functions."""
        return ScriptSettings(
            functions=installed_functions() | self._functions,
            limits=self._limits,
            evaluator=self._evaluator,
            imports=self._services.imports.get,
            cache={},
        )

    def _tag_context(self, path: str) -> TagContext:
        """Return what tags in the flow at ``path`` may use: the folder of the flow, the allowed folders, the log."""
        folder = Path(path).resolve().parent
        return TagContext(folder, (folder, Path.cwd(), *self._folders), logging.getLogger("taskrun").info)

    def _roots(self) -> tuple[str, ...]:
        """Return the folders in which files are searched, besides the folder of the flow that was started."""
        if self._path is not None:
            return (*self._path, self._shipped)
        variable = os.environ.get("TASKRUN_PATH", "")
        return (*(folder for folder in variable.split(os.pathsep) if folder), self._shipped)

    def _services_for(self, flow: Flow) -> Services:
        """Return the services for runs of a flow; their search path begins with the folder of the flow."""
        variable = os.environ.get("TASKRUN_PATH", "") if self._path is None else ""
        key = (flow.path, variable)
        services = self._services_by_path.get(key)
        if services is None:
            services = replace(self._services, search_path=self.flows.search_path(flow.path))
            self._services_by_path[key] = services
        self._services_of_last_load[flow.path] = services
        return services


def run(
    path: str | os.PathLike[str] | Flow, inputs: Mapping[str, Any] | None = None, *, run_id: str | None = None
) -> RunResult:
    """Run a flow with default settings to its end and return its outputs; raises as ``TaskManager.run``.

    Parameters:
        path: the task file, or a loaded flow.
        inputs: the inputs of the task by name.
        run_id: the id of the run; default: a random one.
    """
    return TaskManager.run(path, inputs, run_id=run_id)


async def run_async(
    path: str | os.PathLike[str] | Flow, inputs: Mapping[str, Any] | None = None, *, run_id: str | None = None
) -> RunResult:
    """Run a flow with default settings inside the running event loop and return its outputs.

    Parameters and exceptions are those of ``TaskManager.run_async``.
    """
    return await TaskManager.run_async(path, inputs, run_id=run_id)


def _open_store(url: str) -> Store:
    """Open the store at a URL; imports the module of the store only now."""
    from taskrun.stores.open import open_store

    return open_store(url)
