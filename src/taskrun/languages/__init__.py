"""Built-in languages of ``<script lang="…">``, by name, and the execution of child processes.

Modules here import ``taskrun.calls``, ``taskrun.core``, ``taskrun.script``, ``taskrun.syntax.node`` and
``taskrun.errors``.
Begin with ``scripts``, the shortest language, and ``taskrun.core.script_language``, the protocol of all languages.
``process`` runs a child process with everything that it starts; the tag library ``sh`` uses it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from taskrun.core.script_language import Language
from taskrun.languages.jinja import JinjaLanguage
from taskrun.languages.scripts import ScriptLanguage
from taskrun.languages.shell import ShellLanguage

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "python": ScriptLanguage("python"),
        "xscript": ScriptLanguage("xscript"),
        "jinja2": JinjaLanguage(),
        "shell": ShellLanguage(),
    }
)
"""The built-in languages by the value of ``lang``."""
