"""Execution of scripts in a worker thread, a worker process or another executor.

Rules: a thread receives the compiled script, any other executor its text, which can always be pickled, and compiles it
there. The script receives copies of the variables that it reads, and returns its value and the variables that it
assigned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from taskrun.calls.python_calls import INLINE, THREAD, offload
from taskrun.core.scope import Scope
from taskrun.script.script import Script, compile_script
from taskrun.script.text_template import TextTemplate
from taskrun.syntax.node import Node

if TYPE_CHECKING:
    from taskrun.core.frame import Frame


Shippable: TypeAlias = Script | TextTemplate
"""A script or text template that an executor can evaluate."""


def compiled_script(node: Node, language: str) -> Shippable:
    """Compile the script in the text of ``node`` with the default settings."""
    return compile_script(node, language=language)


async def evaluated(script: Shippable, scope: Scope) -> Any:
    """Evaluate a script on the event loop and return its value."""
    value = script.run(scope)
    return await value if script.suspends else value


async def run_elsewhere(
    frame: Frame, script: Shippable, compiled: Callable[[Node, str], Shippable] = compiled_script
) -> Any:
    """Evaluate a script in the executor of the frame, assign its variables to the scope and return its value.

    ``compiled`` compiles the script from its node; it must be a module-level function, because a process imports it.
    Raises TypeError for a script that awaits, and for a body with tags outside a thread.
    """
    if frame.executor == INLINE:
        return await evaluated(script, frame.scope)
    if script.suspends:
        raise TypeError('a script that awaits runs on the event loop: leave out the executor, or use executor="inline"')
    scope = frame.scope
    variables = {name: scope[name] for name in sorted(script.reads | script.uses) if scope.has(name)}
    if frame.executor == THREAD:
        value, assigned = await offload(frame, evaluate, (script, variables), {})
    elif isinstance(script, Script) and script.template:
        raise TypeError(
            f"the body of <{script.node.tag}> at {script.node.at} contains tags, so it cannot run in another process: "
            'use executor="inline" or executor="thread"'
        )
    else:
        # a copy without attributes and children, which may contain objects that cannot be pickled
        node = script.node._replace(attributes={}, children=())
        value, assigned = await offload(frame, evaluate_text, (compiled, node, frame.step.language, variables), {})
    scope.update(assigned)
    return value


def evaluate_text(
    compiled: Callable[[Node, str], Shippable], node: Node, language: str, variables: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Compile and evaluate the script in the text of ``node``; return its value and the variables that it assigned."""
    return evaluate(compiled(node, language), variables)


def evaluate(script: Shippable, variables: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Evaluate a script with these variables; return its value and the variables that it assigned."""
    scope = Scope(None, **variables)
    value = script.run(scope)
    return value, {name: scope[name] for name in script.stores if name in scope}
