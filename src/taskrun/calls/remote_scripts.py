"""Scripts that run in a thread, a process or another executor.

Rules: a thread gets the script, any other executor its text, which can be sent everywhere; with it go the variables
that it reads. What comes back is its value and the variables that it assigned. Nothing else crosses.
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


def compiled_script(node: Node, language: str) -> Shippable:
    """Return the script in the text of ``node``, as a process has it: without any settings."""
    return compile_script(node, language=language)


async def evaluated(script: Shippable, scope: Scope) -> Any:
    """Return the value of a script, awaited if it awaits."""
    value = script.run(scope)
    return await value if script.suspends else value


async def run_elsewhere(
    frame: Frame, script: Shippable, compiled: Callable[[Node, str], Shippable] = compiled_script
) -> Any:
    """Evaluate the script where the frame's executor says and return its value.

    ``compiled`` makes it from its text; a process finds that function by its name.
    """
    if frame.executor == INLINE:
        return await evaluated(script, frame.scope)
    if script.suspends:
        raise TypeError('a script that awaits runs on the event loop: leave out the executor, or say executor="inline"')
    scope = frame.scope
    variables = {name: scope[name] for name in sorted(script.reads | script.uses) if scope.has(name)}
    if frame.executor == THREAD:
        value, assigned = await offload(frame, evaluate, (script, variables), {})
    elif isinstance(script, Script) and script.template:
        raise TypeError(
            f"a body with tags, such as that of <{script.node.tag}> at {script.node.at}, runs here or in a thread: "
            'say executor="inline" or executor="thread"'
        )
    else:
        # a bare copy of the element: the program's own may hold what cannot be pickled
        node = script.node._replace(attributes={}, children=())
        value, assigned = await offload(frame, evaluate_text, (compiled, node, frame.step.language, variables), {})
    scope.update(assigned)
    return value


def evaluate_text(
    compiled: Callable[[Node, str], Shippable], node: Node, language: str, variables: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Compile and evaluate the text of ``node`` and return its value and the variables that it assigned."""
    return evaluate(compiled(node, language), variables)


def evaluate(script: Shippable, variables: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Evaluate a script with copies of variables and return its value and the variables that it assigned."""
    scope = Scope(None, **variables)
    value = script.run(scope)
    return value, {name: scope[name] for name in script.stores if name in scope}
