"""Public names: each one resolves, and tables, imports for type checkers and ``dir()`` agree."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import taskrun.core.events
import taskrun.events

LAZY = ("taskrun", "taskrun.stores", "taskrun.observers")
"""Packages that import their public names on first use, by a table."""

PLAIN = ("taskrun.events", "taskrun.testing", "taskrun.stores.sqlite")
"""Modules that import their public names at once."""

STORES = (
    *("Store", "SqliteStore", "MemoryStore", "open_store", "RunRecord", "StepRecord", "RunSummary", "ErrorRecord"),
    *("Owner", "RunChanges", "Write", "RunState", "StepState", "Codec", "Codecs", "History", "RunDetails", "RunStep"),
    "resolve_run_id",
)


def exported(module: str) -> dict[str, str]:
    """Return the names that a module exports by ``from x import A as A`` or ``__all__``, and their modules."""
    imported = importlib.import_module(module)
    file = imported.__file__
    assert file is not None
    return {
        alias.name: node.module
        for node in ast.walk(ast.parse(Path(file).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.asname == alias.name or alias.name in getattr(imported, "__all__", ())
    }


@pytest.mark.parametrize("name", LAZY)
def test_the_table_and_the_imports_for_type_checkers_agree(name: str) -> None:
    module = importlib.import_module(name)
    table = {public: place for place, names in module._PLACES for public in names}
    assert table == exported(name)
    assert sum(len(names) for _, names in module._PLACES) == len(table), "a name is in the table twice"


@pytest.mark.parametrize("name", LAZY + PLAIN)
def test_public_names_resolve_and_are_listed(name: str) -> None:
    module = importlib.import_module(name)
    names = exported(name)
    assert names
    for public, place in names.items():
        assert getattr(module, public) is getattr(importlib.import_module(place), public)
    assert set(names) <= set(dir(module))


@pytest.mark.parametrize("name", LAZY)
def test_unknown_names_raise_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'NoSuchName'"):
        _ = importlib.import_module(name).NoSuchName


def test_the_stores_package_exports_all_that_users_of_a_store_need() -> None:
    assert sorted(exported("taskrun.stores")) == sorted(STORES)


def test_events_exports_every_event() -> None:
    events = {event.__name__ for event in get_args(taskrun.core.events.Event)}
    assert set(exported("taskrun.events")) == events | {"Event", "Observer", "as_mapping"}


@pytest.mark.parametrize("name", ["taskrun.stores", "taskrun.observers"])
def test_importing_a_lazy_package_imports_nothing_else_of_taskrun(name: str) -> None:
    program = f"import sys, {name}; print(*(name for name in sys.modules if name.startswith('taskrun')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["taskrun", name]
