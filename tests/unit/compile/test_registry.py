"""Step types and beans of installed packages, and the imports that flows may make."""

from __future__ import annotations

import math
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from taskrun import Completion, Frame, Step, step
from taskrun.compile import registry
from taskrun.compile.registry import Registry
from taskrun.core import beans
from taskrun.core.beans import Beans, ImportNotAllowedError, Imports
from taskrun.core.step import base
from taskrun.errors import PluginError
from taskrun.model.binding_plan import plan_of


@step("hum")
class Hum(Step):
    """A step of an installed package."""

    async def run(self, _frame: Frame) -> Completion:
        """Return a tune."""
        return Completion({"RESULT": "hm"})


class Entry:
    """An entry point that needs no installed package."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = "package:thing"
        self._object = value

    def load(self) -> Any:
        """Return the object, or raise the given exception."""
        if isinstance(self._object, Exception):
            raise self._object
        return self._object


def install_step(monkeypatch: pytest.MonkeyPatch, entry: Entry) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda *, group: [entry] if group == "taskrun.steps" else [])


def test_a_step_of_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    install_step(monkeypatch, Entry("hum", Hum))
    assert Registry().steps["hum"] is Hum


def test_an_entry_point_that_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    install_step(monkeypatch, Entry("hum", int))
    with pytest.raises(PluginError, match=r"'hum' of taskrun\.steps is no step or decorator class: package:thing"):
        Registry()


def test_an_entry_point_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    install_step(monkeypatch, Entry("hum", ImportError("no package")))
    with pytest.raises(PluginError, match=r"'hum' \(package:thing\) cannot be loaded: no package"):
        Registry()


def test_a_field_type_that_cannot_be_read_from_xml() -> None:
    @base
    class Odd(Step):
        thing: complex

    with pytest.raises(TypeError, match=r"Odd\.thing: a field of type .*complex.* cannot be read from XML"):
        plan_of(Odd)


def test_beans_of_installed_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry("tool", "the tool"), Entry("broken", ImportError("no package"))]
    monkeypatch.setattr(beans, "entry_points", lambda *, group: entries if group == "taskrun.beans" else [])
    found = Beans({"own": 1})
    assert "tool" in found
    assert list(found.names()) == ["own", "tool", "broken"]
    assert found.get("tool") == "the tool"
    assert found.get("own") == 1
    with pytest.raises(PluginError, match=r"bean 'broken' \(package:thing\) cannot be loaded: no package"):
        found.get("broken")
    with pytest.raises(PluginError, match=r"there is no bean 'tol'; did you mean 'tool'"):
        found.get("tol")


def test_imports() -> None:
    imports = Imports(("math", "json.*", "nopackage"))
    assert imports.get("math:pi") == imports.get("math.pi") == math.pi
    assert imports.get("json.decoder:JSONDecoder.decode").__name__ == "decode"
    assert imports.permits("json")
    with pytest.raises(ImportNotAllowedError, match="importing from 'os' is not allowed"):
        imports.get("os:getcwd")
    with pytest.raises(PluginError, match="does not name an object"):
        imports.get("math")
    with pytest.raises(PluginError, match="cannot import 'nopackage'"):
        imports.get("nopackage:x")
    with pytest.raises(PluginError, match=r"'math' has no 'sqr'; did you mean 'sqrt'"):
        imports.get("math:sqr")
    with pytest.raises(PluginError, match=r"'math' has no '__name__'$"):
        imports.get("math:__name__")


def test_entry_points_are_loaded_unchanged() -> None:
    assert registry.load_entry_point(EntryPoint("pi", "math:pi", "any")) == math.pi
