"""Running of programs: without a shell, with limited output, and without remaining processes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from taskrun.errors import ShellError
from taskrun.languages import process as process_module
from taskrun.tags.context import FolderError, TagContext
from taskrun.tags.sh import run

STUBBORN = "trap '' TERM; echo $$ > {0}.part; mv {0}.part {0}; while :; do sleep 0.05; done"
"""A shell program that ignores SIGTERM and tells its number in a file."""


def ran(*args: Any, context: TagContext, **settings: Any) -> dict[str, Any]:
    """Run a program to its end."""
    return asyncio.run(run(list(args), context=context, **settings))


def python(code: str, context: TagContext, **settings: Any) -> dict[str, Any]:
    """Run a Python program to its end."""
    return ran(sys.executable, "-c", code, context=context, **settings)


def is_running(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def open_descriptors() -> int:
    """Return the number of open descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Any) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  another process tells nothing
            await asyncio.sleep(0.01)


def test_arguments_are_passed_unchanged(context: TagContext) -> None:
    """No shell interprets the arguments."""
    code = "import sys; print(sys.argv[1:])"
    result = ran(sys.executable, "-c", code, "$HOME", "a b", "'; rm -rf /", 3, "ü", "", context=context)
    assert result == {"stdout": "['$HOME', 'a b', \"'; rm -rf /\", '3', 'ü', '']\n", "stderr": "", "exitCode": 0}


def test_input_and_outputs(context: TagContext) -> None:
    """Large input and output do not block each other; input is empty by default."""
    text = "ü" * 500_000
    code = "import sys; b = sys.stdin.buffer.read(); sys.stdout.buffer.write(b); sys.stderr.buffer.write(b)"
    assert python(code, context, stdin=text) == {"stdout": text, "stderr": text, "exitCode": 0}
    assert python(code, context)["stdout"] == ""
    assert python("pass", context, stdin=text)["exitCode"] == 0, "input that is not read is no failure"
    assert python("import sys; sys.stdout.buffer.write(b'a\\xff')", context)["stdout"] == "a�"


def test_environment_and_folder(context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are added and removed; the folder must be allowed."""
    monkeypatch.setenv("GONE", "1")
    monkeypatch.setenv("KEPT", "1")
    (inside / "work").mkdir()
    code = "import os; print(os.environ.get('GONE'), os.environ['KEPT'], os.environ['NEW'], os.getcwd())"
    result = python(code, context, env={"GONE": None, "NEW": "a=b"}, cwd="work")
    assert result["stdout"] == f"None 1 a=b {inside / 'work'}\n"
    assert python("import os; print(os.getcwd())", context)["stdout"] == f"{inside}\n"
    with pytest.raises(FolderError):
        python("", context, cwd="..")
    with pytest.raises(ShellError, match="no folder"):
        python("", context, cwd="nothing")


def test_failures_show_the_end_of_stderr_but_no_arguments(context: TagContext) -> None:
    """A status other than 0 is a failure if it is checked."""
    code = "import sys; sys.stderr.write('x' * 5000 + 'the end'); sys.exit(3)"
    with pytest.raises(ShellError, match=r"ended with status 3: …x+the end$") as caught:
        python(code, context)
    assert caught.value.exitCode == 3
    assert "import" not in str(caught.value)
    assert len(str(caught.value)) < 2_500
    assert python(code, context, check=False)["exitCode"] == 3
    with pytest.raises(ShellError, match="wrote nothing to stderr"):
        ran("false", context=context)
    with pytest.raises(ShellError, match="was ended by SIGKILL"):
        ran("sh", "-c", "kill -9 $$", context=context)
    assert ran("sh", "-c", "kill -9 $$", check=False, context=context)["exitCode"] == -9


@pytest.mark.parametrize(
    ("args", "settings", "message"),
    [
        ("ls -l", {}, r"there is no shell.*\['ls', '-l'\]"),
        ([], {}, "args is a list"),
        (None, {}, "args is a list"),
        ([""], {}, r"args\[0\] is empty"),
        (["ls", None], {}, r"args\[1\] is a NoneType"),
        (["ls", True], {}, r"args\[1\] is a bool"),
        (["ls", "a\0b"], {}, "cannot be started"),
        (["ls", "\ud800"], {}, "cannot be started"),
        (["pyhton3-zz"], {}, "no program 'pyhton3-zz' on PATH"),
        (["/no/such"], {}, "no program '/no/such'"),
        (["./program"], {}, "'./program' cannot be started: Permission denied"),
        (["ls"], {"env": {"a=b": "c"}}, "no name of a variable"),
        (["ls"], {"env": {"a": 1}}, r"env\['a'\] is a int"),
        (["cat"], {"stdin": 3}, "stdin is a int"),
    ],
)
def test_invalid_programs(args: Any, settings: dict, message: str, context: TagContext, inside: Path) -> None:
    """The message says what to give instead."""
    (inside / "program").touch(mode=0o644)
    with pytest.raises(ShellError, match=message):
        asyncio.run(run(args, context=context, **settings))


def test_similar_programs_are_suggested(context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint is a program of PATH."""
    (inside / "frobnicate").touch(mode=0o755)
    monkeypatch.setenv("PATH", f"/no/such:{inside}")
    with pytest.raises(ShellError, match="did you mean 'frobnicate'"):
        ran("frobnicat", context=context)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_has_a_limit(stream: str, context: TagContext) -> None:
    """A program that prints endlessly is ended; output of exactly the limit is accepted."""
    with pytest.raises(ShellError, match=f"its {stream} has more than 1000 bytes"):
        python(f"import sys\nwhile True: sys.{stream}.write('x' * 999)", context, maxBytes=1000)
    assert len(python("print('x' * 999)", context, maxBytes=1000)["stdout"]) == 1000


def cancelled(program: str, context: TagContext, files: list[str], inside: Path) -> list[int]:
    """Cancel a shell program after it wrote files with process ids, and return the ids."""

    async def main() -> list[int]:
        task = asyncio.create_task(run(["sh", "-c", program], context=context))
        await until(lambda: all((inside / file).exists() for file in files))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        pids = [int((inside / file).read_text()) for file in files]
        await until(lambda: not any(map(is_running, pids)))
        return pids

    return asyncio.run(main())


def test_a_cancelled_program_ends_with_its_children(context: TagContext, inside: Path) -> None:
    """All processes of the group get SIGTERM, and can clean up."""
    child = (
        "sh -c 'trap \"echo > cleaned; exit\" TERM; echo $$ > c.part; mv c.part child; while :; do sleep 0.05; done' & "
    )
    cancelled(child + "echo $$ > p.part; mv p.part parent; wait", context, ["parent", "child"], inside)
    assert (inside / "cleaned").exists()


def test_stubborn_programs_are_killed(context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ignores SIGTERM gets SIGKILL, also if its parent has ended and it keeps the pipes open."""
    monkeypatch.setattr(process_module, "GRACE", 0.3)
    program = f'sh -c "{STUBBORN.format("child").replace("$", chr(92) + "$")}" & echo $$ > parent; exec sleep 1000'
    cancelled(program, context, ["child"], inside)


def test_a_second_cancellation_kills_at_once(
    context: TagContext, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second cancellation skips the grace period."""
    monkeypatch.setattr(process_module, "GRACE", 1_000)

    async def main() -> None:
        task = asyncio.create_task(run(["sh", "-c", STUBBORN.format("pid")], context=context))
        await until((inside / "pid").exists)
        task.cancel()
        await asyncio.sleep(0.1)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not is_running(int((inside / "pid").read_text())))

    asyncio.run(main())


def test_cancelled_while_starting(context: TagContext, inside: Path) -> None:
    """A program is ended that is being started when the tag is cancelled."""

    async def main() -> None:
        for turns in range(6):
            task = asyncio.create_task(run(["sh", "-c", f"sleep 0.5; touch late{turns}"], context=context))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.sleep(0.7)

    asyncio.run(main())
    assert not list(inside.glob("late*"))


def test_no_descriptors_are_left(context: TagContext) -> None:
    """Runs, failures and cancellations close the descriptors that they opened."""

    async def main() -> None:
        await run(["true"], context=context)
        before = open_descriptors()
        for _ in range(5):
            await run(["cat"], stdin="x", context=context)
            with pytest.raises(ShellError):
                await run(["yes"], maxBytes=10, context=context)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await run(["sleep", "1000"], stdin="x", context=context)
            with pytest.raises(ShellError):
                await run(["no-such-program"], stdin="x", context=context)
        await asyncio.sleep(0.05)
        assert open_descriptors() <= before

    asyncio.run(main())
