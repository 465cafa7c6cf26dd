"""Find the folders that are shipped with taskrun: ``schemas`` and ``lib``, which contains libraries of tags."""

from __future__ import annotations

from pathlib import Path

from taskrun.errors import PluginError


def resource_folder(name: str) -> Path:
    """Return the path of a shipped folder: in the installed package, or in the source tree that contains it.

    Raises PluginError if neither exists.
    """
    package = Path(__file__).parent
    for folder in (package, *package.parents[1:2]):
        if (folder / name).is_dir():
            return folder / name
    raise PluginError(
        f"the folder {name} is missing in {package}: the installation of taskrun is incomplete; install it again"
    )
