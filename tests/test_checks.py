"""The checks before a commit are those of .ci/run, by the same tools in the pinned versions."""

import importlib.metadata
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
HOOKS: dict[str, Any] = yaml.safe_load(
    (PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
)
SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
PINNED = dict(
    re.findall(r"^(\S+)==(\S+)$", (PROJECT / "requirements-dev.txt").read_text("utf-8"), re.M)
)
TOOLS = ("ruff", "mypy")


def commands_of_ci() -> list[list[str]]:
    """Return the calls of ruff and mypy in .ci/run, as words, in their order."""
    lines = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    start = ".venv/bin/"
    calls = [shlex.split(line.removeprefix(start)) for line in lines if line.startswith(start)]
    return [call for call in calls if call[0] in TOOLS]


def test_the_hooks_are_the_checks_of_ci() -> None:
    (source,) = HOOKS["repos"]
    # a hook of another repository would bring a version of its own
    assert source["repo"] == "local"
    assert all(hook["language"] == "system" for hook in source["hooks"])
    hooks = [shlex.split(hook["entry"]) for hook in source["hooks"]]
    # pre-commit gives the changed files instead of "."; a hook that formats fails, too
    without_files = [[word for word in call if word != "--force-exclude"] for call in hooks]
    ci = [[word for word in call if word not in (".", "--check")] for call in commands_of_ci()]
    assert without_files == ci == [["ruff", "check"], ["ruff", "format"], ["mypy"]]


def test_types_are_checked_in_the_whole_project_whatever_file_changed() -> None:
    (hook,) = [hook for hook in HOOKS["repos"][0]["hooks"] if hook["entry"] == "mypy"]
    assert hook["pass_filenames"] is False
    assert SETTINGS["files"] == ["vit_core", "explainer"] and SETTINGS["strict"] is True


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_is_pinned_in_the_version_that_is_installed(tool: str) -> None:
    """A check by another version can find other things."""
    assert PINNED[tool] == importlib.metadata.version(tool)


def test_pre_commit_is_installed_with_the_other_tools() -> None:
    """CONTRIBUTING.md says ``pre-commit install`` right after the installation."""
    assert "pre-commit" in PINNED
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert text.index("requirements-dev.txt") < text.index("pre-commit install")


def test_types_are_checked_for_the_least_python() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"].startswith(f">={SETTINGS['python_version']},")


def test_no_module_is_left_out_of_the_type_check() -> None:
    assert not any(override.get("ignore_errors") for override in SETTINGS["overrides"])
    assert not any("follow_imports" in override for override in SETTINGS["overrides"])


def test_the_core_is_checked_strictly_without_exceptions() -> None:
    for override in SETTINGS["overrides"]:
        names = override["module"]
        for name in [names] if isinstance(names, str) else names:
            assert not name.startswith(("vit_core", "*")), name
