"""Checks the structure of the source tree: sizes, layers, names, lazy imports, order of decorators, extension points."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from small_flows import Bench, found

import taskrun
from taskrun import Completion, Frame, Step, TaskManager
from taskrun.compile import registry as registry_module
from taskrun.compile.pipeline import compile_flow
from taskrun.compile.registry import Registry
from taskrun.core.fields import Expr
from taskrun.core.step import Decorator, Inner, decorator, step

PACKAGE = Path(taskrun.__file__).parent
MOST_LINES = 400
EXPLAINED_LINES = 300
"""Above this number of lines, a module's docstring says why (a sentence with the word "lines")."""
PIPELINE_LINES = 22
CORE_FILES, CORE_LINES, PACKAGE_MODULES = 32, 4_500, 32
LARGEST_CIRCLE = 20
"""The number of files of the kernel that import each other: frames, runs, steps, bodies. No circle is larger."""

LAYERS = {
    "source": (),
    "errors": ("source",),
    "value_types": ("errors",),
    "plugins": (),
    "resources": ("errors",),
    "class_api": (),
    "syntax": ("source", "errors", "resources"),
    "script": ("source", "errors", "plugins", "syntax.node"),
    "core": ("source", "errors", "value_types", "plugins", "syntax", "script"),
    "events": ("core.events",),
    "templates": ("source", "errors", "value_types", "plugins", "syntax", "script", "core"),
    "codec": ("errors", "core"),
    "result": ("core",),
    "calls": ("errors", "syntax.node", "script", "core"),
    "durable": ("source", "errors", "class_api", "core", "codec", "result"),
    "model": ("source", "errors", "value_types", "syntax", "script", "core", "calls"),
    "steps": (
        "source",
        "errors",
        "value_types",
        "syntax.node",
        "script",
        "core",
        "calls",
        "durable",
        "model",
        "result",
    ),
    "decorators": (
        *("source", "errors", "value_types", "syntax.node", "syntax.boolean", "script", "core"),
        *("calls", "codec", "durable", "model", "result"),
    ),
    "optimize": ("errors", "script", "core", "decorators", "steps"),
    "compile": (
        "source",
        "errors",
        "value_types",
        "plugins",
        "syntax",
        "script",
        "core",
        "templates",
        "model",
        "optimize",
    ),
    "languages": ("source", "errors", "syntax.node", "script", "core", "calls"),
    "stores": ("source", "errors", "plugins", "core", "codec", "durable"),
    "observers": ("source", "errors", "core"),
    "tags": ("errors", "core", "languages.process"),
    "manager": (
        *("source", "errors", "class_api", "resources", "result", "syntax", "script", "core", "codec", "durable"),
        *("templates", "compile", "model", "stores", "observers", "tags"),
    ),
    "testing": ("",),
    "cli": ("",),
    "__main__": ("cli",),
}
"""The modules that a package may import besides its own, for types too; ``""`` is everything. Arrows point one way: a
package imports only packages above it in this table."""

SHARED_BASES = {
    *("steps.sequence", "steps.join", "steps.fork", "steps.loop", "steps.graph", "steps.graph_edges", "steps.invoke"),
    *("decorators.entry_script", "decorators.limiter_keys", "decorators.named_decorators", "decorators.rate_limit"),
    *("decorators.retry", "decorators.timeout", "decorators.implied.call", "decorators.implied.outputs"),
}
"""The only modules that steps and decorators import from their own package."""

HEAVY = {
    "lxml": ("syntax.validate", "syntax.schema", "syntax.schema_errors", "cli"),
    "xmlschema": ("syntax.schema",),
    "asteval": ("script.asteval",),
    "jinja2": ("script", "tags.text", "cli"),
    "httpx": ("tags.http_exchange",),
    "rich": ("cli",),
    "yaml": ("syntax.forms.yaml_text", "cli"),
    "loky": ("core.workers",),
    "cloudpickle": ("calls.python_calls", "calls.remote_scripts"),
    "jsonschema": ("value_types",),
    "platformdirs": ("cli.manager_options",),
}
"""The packages that take long to import or are extras, and who may import them, in functions."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base", "stuff", "shared", "lib", "types_"}

RANKS = {
    "returnType": 5, "decorator": 10, "containerFailures": 13, "persistVariables": 14, "compensate": 15,
    "catch": 20, "finally": 21, "outputs": 30, "retry": 40, "executor": 50, "timeout": 60, "throttle": 70,
    "rate-limit": 80, "onEnter": 90, "validator": 91, "onReload": 92, "registerCompensation": 96, "replay": 97,
    "allowFailure": 100, "checkMutation": 110, "call": 120, "persistOutputs": 125, "trace": 130,
    "nextOnError": 135, "suspendAfter": 137, "when": 140, "flags": 141, "childFailure": 150,
}  # fmt: skip
"""The order of decorators, smaller is nearer to the step: it is part of the language, so it is frozen here."""

IMPORTED_LATE = {"script.asteval.evaluator": "asteval"} | {
    f"script.jinja.{module}": "jinja2" for module in ("checks", "environment", "evaluation", "filters", "table")
}
"""The modules that import a heavy package at once, because they are themselves imported in functions only."""

DISPLAYS = ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp
MAKERS = {"dict", "list", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"}
STILL_MUTABLE = {"syntax.schema": {"_BUILT_IN"}}
"""Tables that should be wrapped into MappingProxyType."""


def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of each module by its name below ``taskrun``."""
    trees = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        trees[name.removesuffix(".__init__")] = ast.parse(file.read_text("utf-8"))
    return trees


MODULES = modules()


def file_of(module: str) -> Path:
    """Return the file of a module."""
    path = PACKAGE / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def import_graph() -> dict[str, set[str]]:
    """Return the modules that each module imports, for types too."""
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for name, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("taskrun."):
                found = (node.module or "").removeprefix("taskrun.")
                graph[name].update({f"{found}.{alias.name}" for alias in node.names} & graph.keys() or {found})
    return graph


def circles_of(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Yield the sets of modules that import each other in a cycle."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen, waiting = set(), [start]
        while waiting:
            for name in graph[waiting.pop()] - seen:
                seen.add(name)
                waiting.append(name)
        reached[start] = seen
    done: set[str] = set()
    for name in graph:
        circle = {other for other in reached[name] if name in reached[other]}
        if len(circle) > 1 and name not in done:
            done |= circle
            yield circle


def is_for_types(node: ast.AST) -> bool:
    """Return whether a statement is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(tree: ast.AST, *, types_too: bool, inside_functions: bool = True) -> Iterator[str]:
    """Yield the full names of the modules that a tree imports."""
    for node in ast.iter_child_nodes(tree):
        if is_for_types(node) and not types_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not used"
            yield node.module or ""
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, types_too=types_too, inside_functions=inside_functions)


def layer_of(module: str) -> str:
    """Return the first part of a module's name."""
    return module.partition(".")[0]


def within(module: str, allowed: tuple[str, ...]) -> bool:
    """Return whether a module is one of the allowed ones or inside one of them."""
    return any(not name or module == name or module.startswith(name + ".") for name in allowed)


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_short(module: str) -> None:
    """No module has more than 400 lines, and one with more than 300 explains that in its docstring."""
    lines = len(file_of(module).read_text("utf-8").splitlines())
    assert lines <= MOST_LINES
    if lines > EXPLAINED_LINES:
        assert " lines" in (ast.get_docstring(MODULES[module]) or "")


def test_packages_are_small() -> None:
    """No package has more than 32 modules, and the kernel is small."""
    for package in {file.parent for file in PACKAGE.rglob("*.py")} - {PACKAGE}:
        assert len(list(package.glob("*.py"))) <= PACKAGE_MODULES, package
    core = list((PACKAGE / "core").glob("*.py"))
    assert len(core) <= CORE_FILES
    assert sum(len(file.read_text("utf-8").splitlines()) for file in core) <= CORE_LINES


@pytest.mark.parametrize("package", [name for name in MODULES if (PACKAGE / name.replace(".", "/")).is_dir()])
def test_package_docstrings_describe_contents_imports_and_start(package: str) -> None:
    """The docstring of a package describes its content, its allowed imports, and the module to read first."""
    text = ast.get_docstring(MODULES[package]) or ""
    assert len(text.splitlines()) >= 4
    assert "import" in text
    assert "egin" in text  # Begin with …


@pytest.mark.parametrize("module", MODULES)
def test_module_names_are_specific(module: str) -> None:
    """No module has a generic name."""
    assert not VAGUE & set(module.split("."))


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__"])
def test_layers(module: str) -> None:
    """A module imports only from the packages above it in the table, for types too."""
    layer = layer_of(module)
    for name in (name.removeprefix("taskrun.") for name in imports(MODULES[module], types_too=True)):
        if not name.startswith("taskrun") and layer_of(name) not in LAYERS:
            continue  # another project's
        if layer_of(name) == layer:
            assert layer not in {"steps", "decorators"} or name in SHARED_BASES, f"{module} imports {name}"
        else:
            assert within(name, LAYERS[layer]), f"{module} imports {name}"


def test_the_layers_have_no_cycle() -> None:
    """In the table of layers each package names only packages above it."""
    order = list(LAYERS)
    for layer, allowed in LAYERS.items():
        for name in filter(None, map(layer_of, allowed)):
            assert order.index(name) < order.index(layer), f"{layer} imports {name}"


def test_no_import_cycle_is_larger_than_that_of_the_kernel() -> None:
    """Few modules import each other in a cycle, for types too; the largest cycle is that of the kernel."""
    circles = sorted((sorted(circle) for circle in circles_of(import_graph())), key=len, reverse=True)
    largest = circles[0]
    assert len(largest) <= LARGEST_CIRCLE
    assert {layer_of(name) for name in largest} == {"core"}


def test_importing_the_package_imports_no_module_of_it() -> None:
    """Importing taskrun is nearly free."""
    wanted = imports(MODULES["__init__"], types_too=False, inside_functions=False)
    assert not [name for name in wanted if name.startswith("taskrun")]


@pytest.mark.parametrize("package", HEAVY)
def test_heavy_packages_have_few_importers(package: str) -> None:
    """Each heavy package is imported by the few modules listed here only."""
    users = {
        name for name, tree in MODULES.items() if package in map(layer_of, imports(tree, types_too=False))
    }  # fmt: skip
    assert not {user for user in users if not within(user, HEAVY[package])}


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_imported_lazily(module: str) -> None:
    """No module imports a heavy package at its top level, except modules that are imported lazily themselves."""
    wanted = set(imports(MODULES[module], types_too=False, inside_functions=False))
    heavy = {layer_of(name) for name in wanted} & set(HEAVY)
    assert heavy <= {IMPORTED_LATE.get(module)}
    if module not in IMPORTED_LATE:
        assert not {name.removeprefix("taskrun.") for name in wanted} & set(IMPORTED_LATE)


def test_importing_the_engine_imports_no_heavy_package() -> None:
    """A process that imports the manager, and all steps and decorators, has loaded none of the heavy packages."""
    program = (
        "import sys, taskrun.manager, taskrun.compile.registry as r;"
        f"r.Registry(); print([name for name in {sorted(HEAVY)!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", MODULES)
def test_modules_have_no_mutable_state(module: str) -> None:
    """No mutable object is assigned at module level."""
    for node in MODULES[module].body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        value = node.value
        made = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in MAKERS
        if made or isinstance(value, DISPLAYS):
            assert names <= {"__all__"} | STILL_MUTABLE.get(module, set()), f"{module}:{node.lineno}"


def test_the_pipeline_is_one_short_function() -> None:
    """The function with the stages of the compiler fits on one screen."""
    lines, _ = inspect.getsourcelines(compile_flow)
    assert len(lines) <= PIPELINE_LINES


def test_ranks_of_decorators() -> None:
    """The ranks of the decorators equal this table."""
    assert {tag: cls.rank for tag, cls in Registry().decorators.items()} == RANKS


@step("shout")
class Shout(Step):
    """A step of another package: its text in capitals."""

    text: Expr
    mark: str = "!"

    async def run(self, frame: Frame) -> Completion:
        """Return the text in capitals."""
        return Completion({"RESULT": str(frame.eval(self.text)).upper() + self.mark})


@decorator("polite", rank=55)
class Polite(Decorator):
    """A decorator of another package: adds a word to the result."""

    word: str

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step and add the word."""
        done = await inner(frame)
        return Completion({"RESULT": f"{done.result} {self.word}"})


@decorator("loudness", rank=56, attribute=True)
class Loudness(Decorator):
    """An attribute of another package: repeats the result's last character."""

    loudness: int

    async def around(self, frame: Frame, inner: Inner) -> Completion:
        """Run the step and repeat the end of its result."""
        done = await inner(frame)
        return Completion({"RESULT": done.result + done.result[-1] * self.loudness})


FOREIGN = """
<task>
  <input name="who"/>
  <steps>
    <shout name="a" textExpr="'hi ' + who" mark="?" loudness="2"><input name="who"/><polite word="please"/></shout>
  </steps>
</task>
"""


def test_a_foreign_step_and_decorators_need_no_edit(bench: Bench) -> None:
    """Classes passed to a TaskManager are in the schema, and are bound, woven by rank, and run."""
    ran = bench.run(FOREIGN, {"who": "ada"}, steps=[Shout, Polite, Loudness])
    assert ran.result == "HI ADA? pleaseee"


def test_mistakes_in_a_foreign_step_are_explained(bench: Bench) -> None:
    """The schema knows the attributes of step types of other packages."""
    text = '<task><steps>\n<shout textExpr="1" marc="?"/>\n<shout/>\n</steps></task>'
    assert found(bench.checked(text, steps=[Shout])) == [("unknown-attribute", 2, 21), ("missing-attribute", 3, 1)]


def test_a_foreign_package_is_found_by_its_entry_points(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step types of an installed package need no setting."""
    entries: dict[str, list[EntryPoint]] = {
        "taskrun.steps": [EntryPoint("shout", f"{__name__}:Shout", "taskrun.steps")],
        "taskrun.decorators": [
            EntryPoint("polite", f"{__name__}:Polite", "taskrun.decorators"),
            EntryPoint("loudness", f"{__name__}:Loudness", "taskrun.decorators"),
        ],
    }
    monkeypatch.setattr(registry_module, "entry_points", lambda *, group: entries.get(group, []))
    assert bench.run(FOREIGN, {"who": "eve"}).result == "HI EVE? pleaseee"
    assert not TaskManager().check(bench.write(FOREIGN))
