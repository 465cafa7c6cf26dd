"""The conformance kit: run the small flows of ``tests/flows`` and compare the results with those that they declare.

``<topic>/x.task.xml`` has ``x.yaml`` beside it, a list of cases. The input of a case:

    inputs flags path allow beans      as for TaskManager; ``beans: true`` gives those of ``flows/beans.py``
    repeat: 2                          run it that often with one TaskManager; every run must have the same results

The expected results, all of them optional:

    outputs: {RESULT: 2}               exactly these, in this order, of these types
    error: {type: StepError, cause: ValueError, step: main/a, line: 12, message: part of the text}
           group: [ValueError, …]      the members of the cause, which is a group
    elapsed: 50                        virtual milliseconds, or [at least, at most]
    status: SUCCEEDED                  of the result
    state: REVERTED                    the state of the run, whether there is a result or not
    waits: {main/a: [approved]}        the wait points of the suspended run, and the inputs requested there
    recorded: [...]                    the values that the flow passed to the bean ``recorder``
    events: [StepFinished main/a]      parts of "kind path status" lines that must appear in this order
    absent: [StepStarted main/b]       parts that must not appear
    steps: {main/a: REVERTED}          the states of these steps in the records

Every case is run twice, the second time recorded in memory, and must have the same results; only where a value cannot
be recorded the recorded run fails, and the case has ``unsavable: main/a``. ``then`` is a list of operations by another
TaskManager with the same store: ``resume: {inputs}``, ``rerun: {inputs}`` with ``from: main/a``, or ``cancel: true``
(false: without compensations), each with its expected results. A case with ``store: true`` is run recorded only.

``errors/*.task.xml`` are wrong flows. Each problem is announced as ``<!-- error: part of the message -->`` on the line
that causes it; these and no others must be reported. A file that cannot have comments has a ``.yaml`` instead, with
``diagnostics: [{line, column, code, message}]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from flows.beans import make_beans

from taskrun import TaskManager
from taskrun.errors import FlowError, StepError
from taskrun.stores.memory import MemoryStore
from taskrun.testing import run_virtual

FLOWS = Path(__file__).parent / "flows"
GIVEN = {"inputs", "flags", "path", "allow", "beans", "repeat", "store"}
EXPECTED = {
    "outputs", "error", "elapsed", "status", "state", "waits", "recorded", "events", "absent", "steps", "unsavable",
    "then",
}  # fmt: skip
FOLLOWING = {"resume", "rerun", "cancel", "from"} | EXPECTED - {"unsavable", "then"}

_EXPECTED_ERROR = re.compile(r"<!--\s*error:\s*(.*?)\s*-->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run of a flow, and its expected results."""

    flow: Path
    number: int
    spec: dict[str, Any]

    @property
    def id(self) -> str:
        """The id of the test: topic/name/number."""
        name = self.flow.name.removesuffix(".task.xml")
        return f"{self.flow.parent.relative_to(FLOWS).as_posix()}/{name}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a run: a result or an error, and the elapsed virtual milliseconds."""

    result: Any
    error: BaseException | None
    elapsed: float


def cases() -> Iterator[Case]:
    """Yield every case of every flow that has a list of cases."""
    for file in sorted(FLOWS.rglob("*.yaml")):
        flow = file.with_name(file.stem + ".task.xml")
        if file.parent.name == "errors":
            continue
        for number, spec in enumerate(yaml.safe_load(file.read_text("utf-8")), 1):
            unknown = set(spec) - GIVEN - EXPECTED
            unknown.update(*(set(step) - FOLLOWING for step in spec.get("then", ())))
            assert not unknown, f"{file}: case {number}: unknown keys {sorted(unknown)}"
            yield Case(flow=flow, number=number, spec=spec)


def wrong_flows() -> list[Path]:
    """Return the flows that must not compile."""
    return sorted((FLOWS / "errors").glob("*.task.xml"))


def check(case: Case) -> None:
    """Run a case, unrecorded and recorded, and compare the results with the expected ones."""
    flow: Any = case.flow
    if not case.spec.get("store"):
        flow = _check_once(case, flow, None)
    try:
        _check_once(case, flow, MemoryStore())
    except BaseException as error:
        error.add_note("while the run was recorded")
        raise


def _check_once(case: Case, flow: Any, store: MemoryStore | None) -> Any:
    """Run a case with one TaskManager and return the compiled flow."""
    spec = case.spec
    beans = make_beans() if spec.get("beans") else {}
    lines: list[str] = []

    def manager() -> TaskManager:
        return TaskManager(
            beans=beans,
            path=[case.flow.parent / folder for folder in spec.get("path", [])],
            allow=spec.get("allow", []),
            flags=set(spec.get("flags", [])),
            observers=[lambda event: lines.append(_line(event))],
            store=store,
        )

    first = manager()
    run_id = ""
    try:
        for number in range(spec.get("repeat", 1)):
            lines.clear()
            run_id = f"run{number}"
            given = deepcopy(spec.get("inputs", {}))
            outcome = _outcome(lambda: first.run_async(flow, given, run_id=run_id))  # noqa: B023 - called at once
            if store is not None and "unsavable" in spec:
                _check_error({"type": "StepError", "cause": "UnsavableValueError", "step": spec["unsavable"]}, outcome)
                return flow
            _check_outcome(spec, outcome)
            flow = first.load(case.flow) if outcome.result is not None and isinstance(flow, Path) else flow
        _check_traces(spec, beans, lines, first if store or "then" in spec else None, run_id)
        for step in spec.get("then", ()) if store else ():
            lines.clear()
            if beans:
                beans["recorder"].calls.clear()
            second = manager()
            outcome = _outcome(lambda: _follow(second, step, run_id))  # noqa: B023 - called at once
            _check_outcome(step, outcome)
            found = getattr(outcome.result, "run_id", run_id) or second.runs()[0].run_id
            _check_traces(step, beans, lines, second, found if "rerun" in step else run_id)
    finally:
        if "pool" in beans:
            beans["pool"].shutdown()
    return flow


async def _follow(manager: TaskManager, step: dict[str, Any], run_id: str) -> Any:
    """Perform one operation of ``then``: resume, rerun or cancel the run."""
    if "resume" in step:
        return await manager.resume_async(run_id, step["resume"])
    if "rerun" in step:
        return await manager.rerun_async(run_id, step["rerun"], from_step=step.get("from"))
    assert await manager.cancel_async(run_id, revert=step["cancel"])
    return None


def _check_traces(
    spec: dict[str, Any], beans: dict[str, Any], lines: list[str], manager: TaskManager | None, run_id: str
) -> None:
    """Compare the effects of a run with the expected ones: in the beans, in the events, in the store."""
    if "recorded" in spec:
        calls = beans["recorder"].calls
        assert calls == spec["recorded"], f"recorded {calls}"
    _check_events(lines, spec.get("events", []), spec.get("absent", []))
    if manager is None or not manager.runs():
        return
    if "state" in spec:
        state = manager.store.load(run_id).state
        assert state == spec["state"], f"the recorded state is {state}"
    if "steps" in spec:
        records = {record.key: str(record.state) for record in manager.store.records(run_id)}
        found = {key: records.get(key) for key in spec["steps"]}
        assert found == spec["steps"], f"the states of steps are {records}"


def _line(event: Any) -> str:
    """Return an event as a line: kind, path and status."""
    words = (type(event).__name__, getattr(event, "path", None), getattr(event, "status", None))
    return " ".join(word for word in words if word)


def _outcome(start: Callable[[], Coroutine[Any, Any, Any]]) -> Outcome:
    """Run a coroutine in virtual time and return how it ended."""

    async def outcome() -> tuple[Any, BaseException | None]:
        try:
            return await start(), None
        except Exception as error:  # noqa: BLE001 - the case says which one it should be
            return None, error

    (result, error), elapsed = run_virtual(outcome())
    return Outcome(result=result, error=error, elapsed=elapsed)


def _check_outcome(spec: dict[str, Any], outcome: Outcome) -> None:
    """Compare the end of a run with the expected one."""
    if "error" in spec:
        _check_error(spec["error"], outcome)
    elif outcome.error is not None:
        raise outcome.error
    if "outputs" in spec:
        _check_equal(dict(outcome.result), spec["outputs"])
        assert list(outcome.result) == list(spec["outputs"]), "the outputs are in another order"
    if "status" in spec:
        status = outcome.result.status
        assert status == spec["status"], f"the status is {status}"
    if "state" in spec and outcome.result is not None:
        assert outcome.result.status == spec["state"], f"the status is {outcome.result.status}"
    elif "state" in spec and isinstance(outcome.error, StepError):
        assert outcome.error.status == spec["state"], f"the status is {outcome.error.status}"
    if "waits" in spec:
        waits = {place.path: [item.name for item in place.requested] for place in outcome.result.waiting}
        assert waits == spec["waits"], f"it waits for {waits}"
    if "elapsed" in spec:
        least, most = spec["elapsed"] if isinstance(spec["elapsed"], list) else (spec["elapsed"], spec["elapsed"])
        assert least <= outcome.elapsed <= most, f"took {outcome.elapsed} ms, not {spec['elapsed']}"


def _check_equal(actual: Any, expected: Any) -> None:
    """Compare two values and the types of their parts."""
    assert actual == expected, f"gave {actual!r}, not {expected!r}"
    assert repr(_plain(actual)) == repr(_plain(expected)), "equal, but of other types"


def _plain(value: Any) -> Any:
    """Return the value with its mappings ordered by key, so that equal values have the same ``repr``."""
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value, key=str)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _check_error(expected: dict[str, Any], outcome: Outcome) -> None:
    """Compare the error of a run with the expected one."""
    error = outcome.error
    assert error is not None, f"should have failed, but returned {dict(outcome.result)}"
    try:
        names = [base.__name__ for base in type(error).__mro__]
        assert expected["type"] in names, f"raised {type(error).__name__}: {error}"
        cause = error.__cause__ if "cause" in expected else error
        if "cause" in expected:
            assert expected["cause"] in [base.__name__ for base in type(cause).__mro__], f"the cause is {cause!r}"
        if "group" in expected:
            members = [type(member).__name__ for member in getattr(cause, "exceptions", ())]
            assert members == expected["group"], f"the members of the cause are {members}"
        for message in _as_list(expected.get("message", [])):
            assert message in str(cause), f"'{message}' is not in: {cause}"
        if "step" in expected:
            path = getattr(error, "path", None)
            assert path == expected["step"], f"step {path} failed"
        if "line" in expected:
            location = getattr(error, "location", None)
            assert getattr(location, "line", None) == expected["line"], f"the failure is at {location}"
    except AssertionError as difference:
        raise difference from error


def _as_list(value: Any) -> list[Any]:
    """Return the value itself if it is a list, else a list of it."""
    return value if isinstance(value, list) else [value]


def _check_events(lines: list[str], expected: list[str], absent: list[str]) -> None:
    """Check that the parts ``expected`` appear in the lines in this order, and the parts ``absent`` do not appear."""
    seen = "\n".join(lines)
    rest = iter(lines)
    for part in expected:
        assert any(part in line for line in rest), f"no '{part}' (in that order) among:\n{seen}"
    for part in absent:
        assert part not in seen, f"'{part}' should not be among:\n{seen}"


def check_refused(flow: Path) -> None:
    """Compile a wrong flow and compare the reported problems with the announced ones."""
    try:
        TaskManager(beans=make_beans()).load(flow)
    except FlowError as error:
        found = [item for item in error.diagnostics if item.severity == "error"]
    else:
        raise AssertionError("the flow was accepted")
    expected = list(_announced(flow))
    shown = "\n".join(map(str, found))
    for item in expected:
        match = next((entry for entry in found if _is_announced(entry, item)), None)
        assert match is not None, f"not reported: {item}; but:\n{shown}"
        found.remove(match)
    assert not found, "reported, but not announced:\n" + "\n".join(map(str, found))


def _announced(flow: Path) -> Iterator[dict[str, Any]]:
    """Yield the problems that a wrong flow announces."""
    listed = flow.with_name(flow.name.removesuffix(".task.xml") + ".yaml")
    if listed.exists():
        yield from yaml.safe_load(listed.read_text("utf-8"))["diagnostics"]
        return
    for number, line in enumerate(flow.read_text("utf-8").splitlines(), 1):
        for found in _EXPECTED_ERROR.finditer(line):
            yield {"line": number, "message": found[1]}


def _is_announced(found: Any, expected: dict[str, Any]) -> bool:
    """Return whether a reported problem is the announced one."""
    place = found.location
    actual = {"line": place.line, "column": place.column, "code": found.code}
    message = f"{found.message}\n{found.hint}"
    return expected["message"] in message and all(
        actual[key] == value for key, value in expected.items() if key != "message"
    )
