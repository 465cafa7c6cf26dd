"""Evaluate scripts outside the event loop: in a worker thread, a worker process or an executor of the user.

Rules: a thread gets the compiled script. Any other executor gets its text, which can always be pickled, and compiles it
there. The script works on copies of the variables that it reads; its value, and the variables that it assigned, come
back.
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


RemoteScript: TypeAlias = Script | TextTemplate
"""A script or text template, which can be evaluated in an executor."""


def compile_with_defaults(node: Node, language: str) -> RemoteScript:
    """Compile the script in the text of ``node`` with the default settings of its language."""
    return compile_script(node, language=language)


async def evaluate_async(script: RemoteScript, scope: Scope) -> Any:
    """Evaluate a script on the event loop and return its value; a script with ``await`` is awaited."""
    value = script.run(scope)
    return await value if script.suspends else value


async def run_elsewhere(
    frame: Frame, script: RemoteScript, compile_node: Callable[[Node, str], RemoteScript] = compile_with_defaults
) -> Any:
    """Evaluate a script in the executor of the frame, assign its variables to the scope, and return its value.

    ``compile_node`` compiles the script in a worker process from its node. It must be defined at the top level of a
    module, because the process imports it. Raises TypeError for a script that awaits, and for a template with tags that
    is to be evaluated outside this process.
    """
    if frame.executor == INLINE:
        return await evaluate_async(script, frame.scope)
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
        value, assigned = await offload(frame, evaluate_text, (compile_node, node, frame.step.language, variables), {})
    scope.update(assigned)
    return value


def evaluate_text(
    compile_node: Callable[[Node, str], RemoteScript], node: Node, language: str, variables: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Compile the script in the text of ``node``, evaluate it, and return its value and the variables that it assigned.

    It is called in the worker process; ``variables`` are those that the script reads.
    """
    return evaluate(compile_node(node, language), variables)


def evaluate(script: RemoteScript, variables: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Evaluate a script with these variables, and return its value and the variables that it assigned."""
    scope = Scope(None, **variables)
    value = script.run(scope)
    return value, {name: scope[name] for name in script.stores if name in scope}
