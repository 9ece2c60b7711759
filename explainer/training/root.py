"""Where the folder of all runs lies, for an app in a checkout and for an installed one."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "VIT_EXPLAINER_RUNS"  # names another folder
PROJECT = Path(__file__).parents[2]


def runs_root(
    project: Path = PROJECT,
    environment: Mapping[str, str] = os.environ,
    system: str = sys.platform,
) -> Path:
    """Return the folder of all runs, which may not exist yet.

    It is the one that ``VIT_EXPLAINER_RUNS`` names; or ``runs/app`` in a checkout; or, for an
    installed app, a folder of the user's own data, since nobody looks for runs among the packages.

    Args:
        project: the folder in which the packages lie.
        system: as ``sys.platform`` names it.
    """
    if named := environment.get(VARIABLE):
        return Path(named)
    if (project / "pyproject.toml").is_file():
        return project / "runs" / "app"
    return user_data(environment, system) / "vit-explainer" / "runs"


def user_data(environment: Mapping[str, str], system: str) -> Path:
    """Return the folder in which this system's programs keep a user's data."""
    home = Path.home()
    if system == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if system == "darwin":
        return home / "Library" / "Application Support"
    named = Path(environment.get("XDG_DATA_HOME") or "")
    # the XDG Base Directory Specification has relative paths ignored
    return named if named.is_absolute() else home / ".local" / "share"
