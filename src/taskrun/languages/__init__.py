"""The built-in languages of ``<script lang="…">``, by name."""

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
