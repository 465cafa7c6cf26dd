"""Import cost: a command imports only what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("lxml", "xmlschema", "jinja2", "asteval", "rich", "yaml", "loky", "jsonschema", "numpy", "sqlite3")
REST = ("platformdirs", "argparse", "asyncio", "logging", "inspect", "dataclasses", "importlib_metadata")
FLOW = '<task><steps><sleep name="s" sleepMillisExpr="0"/></steps></task>'


def imported(code: str, folder: Path) -> set[str]:
    """Return the names of the top-level modules that are loaded after the code has run."""
    code += "\nimport sys; sys.stderr.write(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_no_heavy_module(tmp_path, words):
    """``--help`` and ``--version`` import none of the heavy modules, not even argparse."""
    found = imported(f"from taskrun.cli import main; main({words!r})", tmp_path)
    assert not found & {*HEAVY, *REST}


def test_the_package_imports_no_heavy_module(tmp_path):
    """``import taskrun`` imports no heavy module."""
    found = imported("import taskrun", tmp_path)
    assert not found & {*HEAVY, "argparse", "asyncio", "logging", "dataclasses", "importlib_metadata"}


def test_a_run_imports_only_needed_modules(tmp_path):
    """A flow without scripts needs lxml (for the schema), and neither an evaluator nor a template engine."""
    (tmp_path / "flow.task.xml").write_text(FLOW)
    found = imported("from taskrun.cli import main; main(['flow.task.xml', '--no-record'])", tmp_path)
    assert "lxml" in found
    assert not found & (set(HEAVY) - {"lxml"})
    recorded = imported("from taskrun.cli import main; main(['flow.task.xml'])", tmp_path)
    assert recorded & set(HEAVY) == {"lxml", "sqlite3"}


def test_a_check_imports_only_needed_modules(tmp_path):
    """The module xmlschema is imported only for an invalid file."""
    (tmp_path / "flow.task.xml").write_text(FLOW)
    assert "xmlschema" not in imported("from taskrun.cli import main; main(['check', 'flow.task.xml'])", tmp_path)


def test_the_list_of_runs_needs_no_engine(tmp_path):
    """``taskrun runs`` loads neither the manager nor the schema nor steps."""
    names = "sorted(name for name in sys.modules if name.startswith('taskrun.'))"
    code = "from taskrun.cli import main; main(['runs', '--store', 'memory:']); import sys"
    found = imported(f"{code}; sys.stderr.write(' '.join({names}) + ' ')", tmp_path)
    assert "taskrun.durable.history" in found
    assert not found & {*HEAVY, "platformdirs", "taskrun.manager", "taskrun.compile.registry", "taskrun.core.flow"}
