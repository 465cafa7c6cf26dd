"""TaskManager: methods of the class and of objects, caches, search roots, and information about runs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from small_flows import Bench, task

import taskrun
from taskrun import Flow, TaskManager
from taskrun.errors import AnalysisError, FlowError, InputError, StepError
from taskrun.result import RunResult
from taskrun.testing import run_virtual

ONE = task('<step name="a"><source>return 1</source></step>', attributes='name="one"')


def test_on_the_class_and_on_an_object(bench: Bench) -> None:
    """All ways to run a flow have the same result, for a path as text, as a Path, and for a loaded flow."""
    path = bench.write(ONE)
    for manager in (TaskManager, TaskManager()):
        for flow in (str(path), path, manager.load(path)):
            result = manager.run(flow)
            assert result == {"RESULT": 1}
            assert asyncio.run(manager.run_async(flow)) == result
        assert manager.check(path) == ()


def test_methods_have_docstrings_on_the_class() -> None:
    """Methods that are called on the class have docstrings."""
    assert "Run a flow to its end" in (TaskManager.run.__doc__ or "")


def test_public_names_of_the_package() -> None:
    """Every public name can be imported, and no other is listed."""
    for name in dir(taskrun):
        assert getattr(taskrun, name) is not None
    with pytest.raises(AttributeError, match="module 'taskrun' has no attribute 'TaskManger'"):
        _ = taskrun.TaskManger  # type: ignore[attr-defined]


def test_a_result_is_a_read_only_mapping(bench: Bench) -> None:
    """The mapping has the declared outputs or, if there are none, RESULT; it also has id and state of the run."""
    text = task(
        '<step name="a"><source>return 2</source><output name="x"/></step>', tail='<output name="x"/><output name="y"/>'
    )
    result = TaskManager.run(bench.write(text), run_id="mine")
    assert isinstance(result, RunResult)
    assert dict(result) == {"x": 2, "y": None}
    assert (result.status, result.run_id, result.result, len(result)) == ("SUCCEEDED", "mine", 2, 2)
    assert repr(result) == "RunResult({'x': 2, 'y': None}, status='SUCCEEDED', run_id='mine')"
    assert result == {"x": 2, "y": None}
    with pytest.raises(TypeError):
        result["x"] = 3  # type: ignore[index]


def test_a_flow_is_compiled_once_until_its_file_changes(bench: Bench) -> None:
    """A later run uses the changed file; a loaded flow does not change."""
    manager = TaskManager()
    path = bench.write(ONE)
    first = manager.load(path)
    assert manager.load(str(path)) is first
    os.utime(path, ns=(1, 1))
    second = manager.load(path)
    assert second is not first
    path.write_text(ONE.replace("return 1", "return 22"))
    assert (manager.run(path).result, manager.run(first).result) == (22, 1)
    path.unlink()
    with pytest.raises(FlowError, match="cannot read"):
        manager.load(path)


def test_a_file_that_was_replaced_is_read_again(bench: Bench) -> None:
    """The file is read again even if its size and its time are the same."""
    manager = TaskManager()
    path = bench.write(ONE)
    os.utime(path, ns=(5, 5))
    assert manager.run(path).result == 1
    other = bench.write(ONE.replace("return 1", "return 2"))
    os.utime(other, ns=(5, 5))
    other.replace(path)
    assert manager.run(path).result == 2


def test_a_wrong_flow_is_refused_each_time(bench: Bench) -> None:
    """The link problems of a flow are reported at every call."""
    manager = TaskManager()
    path = bench.write(task('<simple name="a" bean="none"/>'))
    for _ in range(2):
        with pytest.raises(AnalysisError, match="there is no bean 'none'"):
            manager.run(path)
    assert [item.code for item in manager.check(path)] == ["unknown-bean"]
    assert [item.code for item in manager.check(bench.write("<task"))] == ["xml"]


def test_a_file_that_cannot_be_expanded(bench: Bench) -> None:
    """A problem in a file that the flow extends has a hint with the chain of files."""
    bench.write("<task", "broken_base.task.xml")
    bench.write('<task x:extends="broken_base.task.xml"/>', "middle_base.task.xml")
    path = bench.write('<task x:extends="middle_base.task.xml"/>', "extending.task.xml")
    with pytest.raises(FlowError) as refused:
        TaskManager().flows.expand(path)
    (problem,) = refused.value.diagnostics
    assert (problem.code, problem.location.path) == ("xml", str(bench.folder / "broken_base.task.xml"))
    names = [Path(part).name for part in problem.hint.split(" extends ")]
    assert names == ["extending.task.xml", "middle_base.task.xml", "broken_base.task.xml"]


def test_repr_of_a_flow(bench: Bench) -> None:
    """The repr has name, version and size; a file without a name is called @main."""
    assert repr(TaskManager.load(path := bench.write(ONE))) == f"Flow('one', version=0, path='{path}', steps=1)"
    unnamed = bench.load(task("<sequential><steps><step/></steps></sequential>"))
    assert (unnamed.name, unnamed.version, unnamed.step_count) == ("@main", 0, 2)
    by_place = TaskManager.load(bench.write(task("<step/>"), "orders/v7.task.xml"))
    assert (by_place.name, by_place.version) == ("orders", 7)


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_search_roots_of_tasks(bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Tasks are searched in the folder of the started file, then in the given folders."""
    bench.write(task('<step><source>return "away"</source></step>'), "elsewhere/manager/away/v1.task.xml")
    bench.write(task('<step><source>return "here"</source></step>'), "started/manager/both/v1.task.xml")
    bench.write(task('<step><source>return "away"</source></step>'), "elsewhere/manager/both/v1.task.xml")
    away = bench.folder / "elsewhere"
    if how == "environment":
        monkeypatch.setenv("TASKRUN_PATH", os.pathsep.join(["", str(bench.folder / "no such folder"), str(away)]))
        manager = TaskManager()
    else:
        manager = TaskManager(path=[away])
    for name, expected in (("away", "away"), ("both", "here")):
        path = bench.write(task(f'<call-task name="c" taskName="manager/{name}"/>'), f"started/{how}_{name}.task.xml")
        assert manager.run(path).result == expected


def test_a_relative_path_is_shown_as_it_was_given(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages contain the path as the user wrote it."""
    bench.write(task("<stepp/>"), "relative.task.xml")
    monkeypatch.chdir(bench.folder)
    with pytest.raises(FlowError, match=r"^relative\.task\.xml:3:1: error\[unknown-element\]"):
        TaskManager.run("relative.task.xml")
    bench.write(task('<call-task name="c" taskModelPath="relative.task.xml"/>'), "relative_call.task.xml")
    with pytest.raises(FlowError, match=r"^relative\.task\.xml:3:1"):
        TaskManager.run("relative_call.task.xml")


def test_settings_apply_to_the_run(bench: Bench) -> None:
    """Flags, functions, beans, the allow list and observers apply to the run."""
    seen: list[Any] = []
    manager = TaskManager(
        beans={"seven": lambda: 7},
        functions={"twice": lambda x: 2 * x},
        flags=["on"],
        allow=["math"],
        observers=[seen.append],
    )
    body = """<simple name="a" bean="seven"><output name="a" value="${RESULT}"/></simple>
      <step name="b"><flags match="on"/><source>twice(a)</source><output name="b" value="${RESULT}"/></step>
      <invoke-static name="c" method="math:sqrt"><input name="x" value="${16}"/></invoke-static>"""
    result = manager.run(bench.write(task(body, tail='<output name="b"/><output name="c" value="${RESULT}"/>')))
    assert dict(result) == {"b": 14, "c": 4.0}
    assert seen


def test_errors_have_classes_and_exit_statuses(bench: Bench) -> None:
    """Wrong files, wrong inputs and failed runs have their own errors and exit statuses."""
    with pytest.raises(InputError) as wrong:
        TaskManager.run(bench.write(task("<step/>", head='<input name="n" mandatory="true"/>')))
    assert wrong.value.exit_status == 2
    with pytest.raises(StepError) as failed:
        TaskManager.run(bench.write(task('<step name="a"><source>1/0</source></step>')))
    assert failed.value.exit_status == 1
    with pytest.raises(FlowError) as refused:
        TaskManager.run(bench.folder / "no.task.xml")
    assert refused.value.exit_status == 2


def test_the_state_of_global_limits(bench: Bench) -> None:
    """The state can be read during runs; the limits of a run are separate."""
    body = """<fork-n name="f" countExpr="3"><steps><simple name="w" bean="wait">
        <throttle maxConcurrency="2" maxWait="1h" global="true" keyExpr="'k'"/>
        <rate-limit requestPerSecond="5" maxWait="1h" global="true"/></simple></steps></fork-n>
        <simple name="own" bean="wait"><throttle maxConcurrency="2" maxWait="1h"/></simple>"""

    async def main() -> None:
        async def wait() -> None:
            await asyncio.sleep(1)

        manager = TaskManager(beans={"wait": wait})
        path = bench.write(task(body, attributes='name="t"'))
        runs = [asyncio.create_task(manager.run_async(path)) for _ in range(2)]
        await asyncio.sleep(0.5)
        assert manager.limits() == {"t:k": {"limit": 2, "held": 2, "waiting": 4}, "t:main/f/w": {"rate": 5}}
        assert len(manager.active) == 2
        await asyncio.gather(*runs)
        assert asyncio.get_running_loop().time() == 4
        assert manager.limits() == {"t:main/f/w": {"rate": 5}}

    run_virtual(main())


def test_concurrent_runs_are_independent(bench: Bench) -> None:
    """Each of many concurrent runs has its own variables, attempts and limits."""
    body = """<loop name="l" itemsExpr="range(20)" varName="i"><input name="n"/><steps>
        <simple name="w" bean="wait"/><step name="s"><input name="i"/><input name="n"/><source>return n * 100 + i</source></step>
        </steps></loop>"""

    async def main() -> list[Any]:
        async def wait() -> None:
            await asyncio.sleep(0.01)

        manager = TaskManager(beans={"wait": wait})
        path = bench.write(task(body, head='<input name="n"/>'))
        return [done.result for done in await asyncio.gather(*(manager.run_async(path, {"n": n}) for n in range(50)))]

    assert run_virtual(main())[0] == [n * 100 + 19 for n in range(50)]


def test_a_loaded_flow_is_run_unchanged(bench: Bench) -> None:
    """The type Flow is public, and a TaskManager with other settings can run the flow."""
    flow = TaskManager.load(bench.write(task('<step name="a"><flags match="on"/><source>return 1</source></step>')))
    assert isinstance(flow, Flow)
    assert TaskManager(flags=["on"]).run(flow).result == 1
    assert TaskManager().run(flow).result is None


def test_closing_stops_idle_workers(bench: Bench) -> None:
    """The TaskManager can be used again afterwards."""
    manager = TaskManager()
    manager.close()
    assert manager.run(bench.write(ONE)).result == 1
    manager.close()


def test_the_cross_check_of_a_file(bench: Bench) -> None:
    """Xmlschema accepts and refuses the same files as lxml."""
    manager = TaskManager()
    assert manager.flows.cross_check(bench.write(ONE)) == []
    assert manager.flows.cross_check(bench.write(task("<stepp/>")))
    assert Path(taskrun.__file__).name == "__init__.py"


def test_an_allow_list_that_can_be_read_once(bench: Bench) -> None:
    """Steps and tags have the same list."""
    text = task('<invoke-static name="a" method="math:sqrt"><input name="x" value="${4}"/></invoke-static>')
    assert TaskManager(allow=iter(["math"])).run(bench.write(text)).result == 2
