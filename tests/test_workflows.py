"""The workflows that test every system are valid, and run what a checkout runs by itself."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT / ".github" / "workflows"
WORKFLOW: dict[Any, Any] = yaml.safe_load((FOLDER / "tests.yml").read_text(encoding="utf-8"))
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]


def commands(job: str) -> list[str]:
    """Return the command lines of a job, in their order."""
    return [
        line.strip() for step in JOBS[job]["steps"] for line in step.get("run", "").splitlines()
    ]


def test_core_and_app_are_tested_on_every_system_and_both_ends_of_the_pythons() -> None:
    matrix = JOBS["tests"]["strategy"]["matrix"]
    assert [system.split("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    least, above = re.findall(
        r'requires-python = ">=(3\.\d+),<(3\.\d+)"',
        (PROJECT / "pyproject.toml").read_text(encoding="utf-8"),
    )[0]
    newest = f"3.{int(above.split('.')[1]) - 1}"
    # as text: YAML takes 3.10 for a number, 3.1
    assert matrix["python"] == [least, newest]
    assert commands("tests")[-1] == 'python -m pytest -n auto -m "not browser"'


def test_the_browser_tests_run_where_a_browser_is_installed() -> None:
    """Without one they may be skipped, but not where CI is set, as GitHub's machines do."""
    steps = commands("browser")
    assert JOBS["browser"]["runs-on"].startswith("ubuntu")
    assert steps[-1] == "python -m pytest -n auto -m browser"
    assert any("playwright install" in step for step in steps)
    settings = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^\s+"browser: ', settings, re.MULTILINE), "pytest knows the mark"


def test_every_test_in_a_browser_has_the_mark() -> None:
    modules = list((PROJECT / "tests" / "browser").glob("test_*.py"))
    assert modules
    for module in modules:
        text = module.read_text(encoding="utf-8")
        assert re.search(r"^pytestmark = .*mark\.browser|^@pytest\.mark\.browser", text, re.M), (
            module.name
        )


def test_the_checks_are_those_of_a_checkout() -> None:
    lines = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    own = [line.removeprefix(".venv/bin/") for line in lines if line.startswith(".venv/bin/")]
    assert own and commands("checks")[1:] == own


@pytest.mark.parametrize("job", JOBS)
def test_each_job_installs_what_is_pinned(job: str) -> None:
    named = [file for line in commands(job) for file in re.findall(r"requirements\S*\.txt", line)]
    assert named == ["requirements-dev.txt"] and (PROJECT / named[0]).is_file()


@pytest.mark.parametrize("job", JOBS)
def test_each_tool_of_a_job_is_installed_by_it(job: str) -> None:
    pinned = (PROJECT / "requirements-dev.txt").read_text(encoding="utf-8")
    known = {re.split(r"[=\[]", line)[0] for line in pinned.splitlines()}
    for step in JOBS[job]["steps"]:
        line = step.get("run", "").splitlines()[:1]
        if not line:
            continue
        first, *rest = shlex.split(line[0])
        tool = rest[1] if first == "python" else first
        assert tool in known | {"pip"}, line


@pytest.mark.parametrize("job", JOBS)
def test_a_job_may_read_and_ends_in_time(job: str) -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"} and "permissions" not in JOBS[job]
    assert JOBS[job]["timeout-minutes"] <= 90
    for step in JOBS[job]["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_newer_push_ends_the_tests_of_an_older_one() -> None:
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True
    assert "github.ref" in WORKFLOW["concurrency"]["group"]
    # YAML 1.1 takes the key "on" for a truth value
    assert set(WORKFLOW[True]) == {"push", "pull_request", "workflow_dispatch"}


def test_texts_have_the_same_line_ends_on_every_system() -> None:
    """Git for Windows would change them, and tests compare files byte for byte."""
    lines = (PROJECT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "* text=auto eol=lf" in lines
