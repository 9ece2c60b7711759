"""The commands that the README and docs/hosting.md give are the tested ones."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
START, TEST = re.findall(r"```bash\n(python3 -m venv .*)\n```", README)
# options that few servers want; requirements-dev.txt pins them for the tests
NOT_HOSTED = {"psycopg", "ray"}
HOSTING = (PROJECT / "docs" / "hosting.md").read_text(encoding="utf-8")
WINDOWS_START, WINDOWS_TEST = re.findall(r"```bat\n(.*?)\n```", HOSTING, re.DOTALL)


def test_the_tests_run_as_the_readme_says() -> None:
    script = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines().count(TEST) == 1
    # an installation that fails ends it, too, which "set -e" alone would not do
    assert f"{{\n{TEST}\n}} || exit 1\n" in script
    assert TEST.endswith("&& .venv/bin/pytest -n 2"), "one process would take twice the time"


@pytest.mark.parametrize("command", [START, TEST])
def test_each_command_makes_its_own_environment(command: str) -> None:
    """Debian and Ubuntu refuse to install into the system's Python."""
    steps = command.split(" && ")
    assert steps[0] == "python3 -m venv .venv"
    assert all(step.startswith(".venv/bin/") for step in steps[1:])
    assert ".venv/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("command", "windows"), [(START, WINDOWS_START), (TEST, WINDOWS_TEST)])
def test_windows_has_the_same_commands(command: str, windows: str) -> None:
    there = windows.replace("py -m", "python3 -m").replace(".venv\\Scripts\\", ".venv/bin/")
    assert there.replace("\\", "/").splitlines() == command.split(" && ")


def pins_of(name: str) -> dict[str, str]:
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if "==" in line)
    return {package(requirement): pin for requirement, pin in pins}


def package(requirement: str) -> str:
    """Return a package's name, of which "-" and "_" are the same, without its options."""
    return requirement.partition("[")[0].replace("_", "-")


def test_what_is_pinned_is_within_what_the_package_asks_for() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *itertools.chain.from_iterable(extras)]
    pins = pins_of("requirements.txt")
    assert not NOT_HOSTED & set(pins)
    pins |= {
        name: pin for name, pin in pins_of("requirements-dev.txt").items() if name in NOT_HOSTED
    }
    for requirement in asked:
        name, least = requirement.split(">=")
        pinned = [int(part) for part in pins[package(name)].split(".")]
        assert pinned >= [int(part) for part in least.split(".")], name
    assert {package(requirement.split(">=")[0]) for requirement in asked} == set(pins)
