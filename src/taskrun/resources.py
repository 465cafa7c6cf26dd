"""The folders that come with taskrun: ``schemas`` and ``lib``."""

from __future__ import annotations

from pathlib import Path

from taskrun.errors import PluginError


def resource_folder(name: str) -> Path:
    """Return the folder ``name``: the one in the installed package, else the one of the source tree.

    Raises PluginError when neither is there.
    """
    package = Path(__file__).parent
    for folder in (package, *package.parents[1:2]):
        if (folder / name).is_dir():
            return folder / name
    raise PluginError(f"the folder {name} is missing in {package}: taskrun is not completely installed")
