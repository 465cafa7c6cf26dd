"""Words of the language that this version does not give a meaning yet: each is refused, none is ignored.

Rules: a line here goes when its feature comes. What has its default value does no harm and is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from taskrun.errors import Diagnostic
from taskrun.syntax.node import Node

_RECORDED = "recorded runs (resume, suspend, undo) are not available yet"

ELEMENTS: Mapping[str, str] = MappingProxyType({"suspend": _RECORDED, "revert": _RECORDED, "onReload": _RECORDED})
ATTRIBUTES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "saveState": (_RECORDED, ""),
        "defaultSaveState": (_RECORDED, "false"),
        "persisVars": (_RECORDED, ""),
        "allowStartIfComplete": (_RECORDED, "false"),
        "restartable": (_RECORDED, "true"),
        "revertAll": (_RECORDED, "false"),
    }
)
PERSIST: Mapping[str, str] = MappingProxyType({"input": "true", "output": "false"})


def not_supported(node: Node, attribute: str | None = None) -> Diagnostic | None:
    """Return the refusal of an element, or of one of its attributes; None when there is nothing to refuse."""
    if attribute is None:
        reason = ELEMENTS.get(node.tag)
        if reason is None:
            return None
        return node.problem("not-supported", f"<{node.tag}> is not supported: {reason}", hint="take it out")
    value = node.attributes[attribute]
    if attribute == "persist" and value != PERSIST.get(node.tag):
        reason, default = _RECORDED, PERSIST.get(node.tag, "")
    elif attribute in ATTRIBUTES:
        reason, default = ATTRIBUTES[attribute]
    else:
        return None
    if value == default:
        return None
    message = f"{attribute}='{value}' is not supported: {reason}"
    return node.problem("not-supported", message, hint="take the attribute out", attribute=attribute)
