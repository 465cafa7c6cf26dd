"""Shell scripts in real processes: inputs, outputs, failures, and the end of all their processes."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from taskrun import TaskManager
from taskrun.core.events import Event, StepOutput
from taskrun.errors import RunCancelled, ShellError, StepError, StepTimeout
from taskrun.languages import process

Run = Callable[..., Any]


def flow(text: str, *names: str, attributes: str = "", inside: str = "") -> str:
    """Return a task with one shell step and its inputs."""
    inputs = "".join(f'<input name="{name}"/>' for name in names)
    return (
        f'<task><steps>\n<script name="a" lang="shell" {attributes}>{inputs}{inside}<source>{escape(text)}</source>'
        '<output name="RESULT"/><output name="stdout"/><output name="stderr"/><output name="exitCode"/>'
        '</script></steps><output name="RESULT"/><output name="stdout"/><output name="stderr"/>'
        '<output name="exitCode"/></task>'
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a shell text with inputs and return the outputs; raises the error of the step."""

    def run(text: str, *, attributes: str = "", inside: str = "", observers: Any = (), **inputs: Any) -> Any:
        path = tmp_path / "flow.task.xml"
        path.write_text(flow(text, *inputs, attributes=attributes, inside=inside), "utf-8")
        try:
            return TaskManager(observers=observers).run(path, inputs)
        except StepError as error:
            raise error.__cause__ or error from None

    return run


def alive(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def gone(pids: list[int], seconds: float = 3.0) -> bool:
    """Wait until all processes have ended."""
    end = time.monotonic() + seconds
    while any(map(alive, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def pids_in(file: Path, count: int) -> list[int]:
    """Wait until a file contains a number of process ids, and return them."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if file.exists() and len(found := file.read_text().split()) == count:
            return list(map(int, found))
        time.sleep(0.02)
    raise AssertionError("the processes did not start")


def test_outputs(run: Run) -> None:
    result = run('printf "a\\nb\\n\\n"; echo oops >&2')
    assert dict(result) == {"RESULT": "a\nb\n", "stdout": "a\nb\n\n", "stderr": "oops\n", "exitCode": 0}


VALUES = [
    ("text", "text"),
    ("$(touch x); `id` \"'\\ *\n$HOME", "$(touch x); `id` \"'\\ *\n$HOME"),
    ("ä € 😀", "ä € 😀"),
    ("", ""),
    (3, "3"),
    (2.5, "2.5"),
    (Decimal("1.10"), "1.10"),
    (True, "true"),
    (False, "false"),
    ([1, "ä", None], '[1, "ä", null]'),
    ((1, 2), "[1, 2]"),
    ({"a": [True]}, '{"a": [true]}'),
    (dt.date(2024, 2, 29), "2024-02-29"),
    (dt.datetime(2024, 2, 29, 1, 2, tzinfo=dt.UTC), "2024-02-29T01:02:00+00:00"),
    (Path("/tmp/x y"), "/tmp/x y"),
]


@pytest.mark.parametrize(("value", "expected"), VALUES, ids=range(len(VALUES)))
def test_inputs_are_never_interpreted(run: Run, value: Any, expected: str) -> None:
    assert run('printf "%s." "$value"', value=value)["RESULT"] == expected + "."


def test_none_is_no_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """None removes a variable that this process has; the others are inherited."""
    monkeypatch.setenv("value", "outer")
    monkeypatch.setenv("other", "kept")
    assert run('echo "${value-unset} $other"', value=None)["RESULT"] == "unset kept"


BAD = [
    (object(), TypeError, "the input 'value' is a value of type 'object'"),
    (b"x", TypeError, "convert it to text"),
    ({1, 2}, TypeError, "type 'set'"),
    ([object()], TypeError, "the input 'value' cannot be written as JSON"),
    ([float("nan")], TypeError, "cannot be written as JSON"),
    ("a\0b", ValueError, "the input 'value' has a NUL character"),
    ("\ud800", ValueError, "cannot be encoded"),
    ("x" * 200_000, ValueError, "200,006 bytes; a shell variable can have 131,071"),
]


@pytest.mark.parametrize(("value", "kind", "message"), BAD, ids=range(len(BAD)))
def test_inputs_that_cannot_be_variables(run: Run, value: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        run("echo", value=value)


def test_the_largest_input(run: Run) -> None:
    assert run('printf %s "$value" | wc -c', value="x" * (131_071 - 6))["RESULT"].strip() == "131065"


def test_too_many_inputs(run: Run) -> None:
    with pytest.raises(ShellError, match="cannot be started"):
        run("echo", **{f"v{number}": "x" * 130_000 for number in range(60)})


def test_a_status(run: Run) -> None:
    with pytest.raises(ShellError, match="the script ended with status 3: no such thing") as caught:
        run("echo out; echo no such thing >&2; exit 3")
    error = caught.value
    assert (error.exitCode, error.stdout, error.stderr) == (3, "out\n", "no such thing\n")
    assert error.params["exitCode"] == 3


def test_a_status_without_a_word(run: Run) -> None:
    with pytest.raises(ShellError) as caught:
        run("exit 1")
    assert str(caught.value) == "the script ended with status 1"


def test_the_end_of_a_long_message(run: Run) -> None:
    with pytest.raises(ShellError) as caught:
        run("seq 10000 >&2; exit 1")
    assert str(caught.value).endswith("\n9999\n10000")
    assert len(str(caught.value)) < 600
    assert len(caught.value.stderr) > 40_000


def test_ended_by_a_signal(run: Run) -> None:
    with pytest.raises(ShellError, match="was ended by SIGKILL") as caught:
        run("kill -9 $$")
    assert caught.value.exitCode == -9


def test_a_signal_without_a_name(run: Run) -> None:
    with pytest.raises(ShellError, match="was ended by signal 40"):
        run("kill -40 $$", attributes='shell="bash"')


def test_a_text_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "flow.task.xml"
    path.write_text(flow("#" * 50_001), "utf-8")
    (problem,) = TaskManager().check(path)
    assert (problem.code, problem.message) == ("script-syntax", "the script has 50,001 characters; 50,000 are allowed")


def test_a_failing_pipe_is_ignored_without_pipefail(run: Run) -> None:
    """The options -e and pipefail are not set unless the script sets them."""
    assert run("false; echo on")["RESULT"] == "on"
    with pytest.raises(ShellError, match="status 1"):
        run("set -e; false; echo on")


def test_messages_name_the_line_of_the_file(run: Run) -> None:
    with pytest.raises(ShellError, match=r"flow\.task\.xml: (line )?3: .*not found"):
        run("\nno-such-command")


def test_the_folder_and_standard_input(run: Run) -> None:
    assert run("pwd; cat; echo $#")["RESULT"] == f"{Path.cwd()}\n0"


def test_a_text_that_looks_like_an_option(run: Run) -> None:
    with pytest.raises(ShellError, match="not found"):
        run("-c ls")


def test_another_shell(run: Run) -> None:
    assert run('a=(1 2); echo "${a[1]}"', attributes='shell="bash"')["RESULT"] == "2"


def test_a_missing_shell(run: Run) -> None:
    with pytest.raises(ShellError, match="there is no shell 'no-such-shell' on this machine"):
        run("echo", attributes='shell="no-such-shell"')
    with pytest.raises(ShellError, match="the shell '/etc' cannot be started"):
        run("echo", attributes='shell="/etc"')


def test_much_output(run: Run) -> None:
    """Five megabytes on both streams do not block each other."""
    result = run("head -c 5000000 /dev/zero | tr '\\0' x | tee /dev/stderr")
    assert result["RESULT"] == result["stderr"] == "x" * 5_000_000


def test_too_much_output(run: Run) -> None:
    with pytest.raises(ShellError, match="wrote more than 16,000,000 bytes to stderr"):
        run("yes >&2")


def test_text_that_is_no_utf_8(run: Run) -> None:
    result = run("printf 'a\\377b\\303\\244\\303'")
    assert result["RESULT"] == "a\ufffdbä\ufffd"


def test_lines_are_reported_as_they_are_written(run: Run) -> None:
    seen: list[tuple[float, Event]] = []
    run(
        "echo one; sleep 0.3; printf 'tw'; printf 'o\\nthree'; echo err >&2",
        observers=[lambda e: seen.append((time.monotonic(), e))],
    )
    lines = [(at, event) for at, event in seen if isinstance(event, StepOutput)]
    assert sorted((event.stream, event.text) for _, event in lines) == [
        ("stderr", "err"), ("stdout", "one"), ("stdout", "three"), ("stdout", "two")
    ]  # fmt: skip
    assert {event.path for _, event in lines} == {"main/a"}
    first, second = (next(at for at, event in lines if event.text == text) for text in ("one", "two"))
    assert second - first > 0.2


def test_a_very_long_line_is_reported_in_pieces(run: Run) -> None:
    seen: list[Event] = []
    run("head -c 300000 /dev/zero | tr '\\0' x", observers=[seen.append])
    texts = [event.text for event in seen if isinstance(event, StepOutput)]
    assert "".join(texts) == "x" * 300_000
    assert len(texts) > 1


def test_remaining_processes_are_ended(run: Run, tmp_path: Path) -> None:
    """The step ends with its shell; remaining processes are ended."""
    began = time.monotonic()
    result = run('sleep 60 & echo $! > "$file"; echo done', file=str(tmp_path / "pids"))
    assert result["RESULT"] == "done"
    assert time.monotonic() - began < 5
    assert gone(pids_in(tmp_path / "pids", 1))


STUBBORN = """
trap '' TERM
sh -c 'trap "" TERM; echo $$ >> "$file"; sleep 60 & echo $! >> "$file"; wait; sleep 60' &
echo $$ >> "$file"
wait; sleep 60
"""
"""A shell and a child that do not mind SIGTERM, and a grandchild."""


def test_timeout(run: Run, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(StepTimeout):
        run('echo $$ > "$file"; sleep 60', attributes='timeout="300ms"', file=str(tmp_path / "pids"))
    assert time.monotonic() - began < 5
    assert gone(pids_in(tmp_path / "pids", 1))


def test_a_stubborn_group_is_killed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that ignore SIGTERM get SIGKILL after the grace period."""
    monkeypatch.setattr(process, "GRACE", 0.5)
    began = time.monotonic()
    with pytest.raises(StepTimeout):
        run(STUBBORN, attributes='timeout="1s"', file=str(tmp_path / "pids"))
    assert 1.4 < time.monotonic() - began < 6
    assert gone(pids_in(tmp_path / "pids", 3))


def test_cancelling_the_run(tmp_path: Path) -> None:
    path = tmp_path / "flow.task.xml"
    path.write_text(flow('sh -c \'echo $$ >> "$file"; sleep 60\' & echo $$ >> "$file"; wait', "file"), "utf-8")
    manager = TaskManager()

    async def main() -> list[int]:
        running = asyncio.create_task(manager.run_async(path, {"file": str(tmp_path / "pids")}, run_id="r"))
        pids = await asyncio.to_thread(pids_in, tmp_path / "pids", 2)
        manager.cancel("r")
        with pytest.raises(RunCancelled):
            await running
        return pids

    assert gone(asyncio.run(main()))


def test_a_second_cancellation_does_not_wait(tmp_path: Path) -> None:
    """A second cancellation kills the processes at once."""
    path = tmp_path / "flow.task.xml"
    path.write_text(flow(STUBBORN, "file"), "utf-8")

    async def main() -> list[int]:
        running = asyncio.create_task(TaskManager().run_async(path, {"file": str(tmp_path / "pids")}))
        pids = await asyncio.to_thread(pids_in, tmp_path / "pids", 3)
        running.cancel()
        await asyncio.sleep(0.2)
        running.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - began < 1
        return pids

    assert gone(asyncio.run(main()))


@pytest.mark.parametrize("turns", range(8))
def test_cancelled_during_the_start(tmp_path: Path, turns: int) -> None:
    path = tmp_path / "flow.task.xml"
    path.write_text(flow('echo $$ > "$file"; sleep 60', "file"), "utf-8")

    async def main() -> None:
        running = asyncio.create_task(TaskManager().run_async(path, {"file": str(tmp_path / "pids")}))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    time.sleep(0.1)
    if (tmp_path / "pids").exists() and (text := (tmp_path / "pids").read_text()):
        assert gone([int(text)])


def test_no_file_descriptor_is_left_open(run: Run) -> None:
    run("echo")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a folder of the kernel
    for _ in range(5):
        run("echo")
        with pytest.raises(ShellError):
            run("echo", attributes='shell="no-such-shell"')
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208 - as above


def test_processes_outside_the_group_do_not_block_the_step(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes in another session (``setsid``) survive; their output is awaited for the grace period at most."""
    monkeypatch.setattr(process, "GRACE", 0.3)
    began = time.monotonic()
    result = run(
        "setsid sh -c 'echo $$ > \"$file\"; exec sleep 30' & sleep 0.3; echo done", file=str(tmp_path / "pids")
    )
    assert result["RESULT"] == "done"
    assert time.monotonic() - began < 6
    (pid,) = pids_in(tmp_path / "pids", 1)
    assert alive(pid)
    os.kill(pid, 9)


def test_many_at_once(tmp_path: Path) -> None:
    text = flow('echo "$n"', "n")
    path = tmp_path / "flow.task.xml"
    path.write_text(text, "utf-8")

    async def main() -> list[Any]:
        manager = TaskManager()
        return await asyncio.gather(*(manager.run_async(path, {"n": n}) for n in range(30)))

    assert [result["RESULT"] for result in asyncio.run(main())] == [str(n) for n in range(30)]
