"""Where the app keeps its runs."""

from pathlib import Path

import pytest

from explainer.training.root import PROJECT, runs_root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("linux", ".local/share"),
        ("darwin", "Library/Application Support"),
        ("win32", "AppData/Local"),
    ],
)
def test_an_installed_app_keeps_them_with_the_users_data(
    system: str, folder: str, home: Path, tmp_path: Path
) -> None:
    assert runs_root(tmp_path, {}, system) == home / folder / "vit-explainer" / "runs"


@pytest.mark.parametrize(
    ("system", "name"), [("linux", "XDG_DATA_HOME"), ("win32", "LOCALAPPDATA")]
)
def test_the_user_may_keep_data_elsewhere(
    system: str, name: str, home: Path, tmp_path: Path
) -> None:
    there = str(tmp_path / "data")
    assert runs_root(tmp_path, {name: there}, system) == Path(there, "vit-explainer", "runs")


@pytest.mark.parametrize("named", ["", "data"])
def test_a_relative_or_empty_folder_of_data_is_ignored(
    named: str, home: Path, tmp_path: Path
) -> None:
    """It would be another one wherever the app is started."""
    found = runs_root(tmp_path, {"XDG_DATA_HOME": named}, "linux")
    assert found.is_relative_to(home)


def test_a_checkout_keeps_them_inside(home: Path) -> None:
    assert runs_root(environment={}) == PROJECT / "runs" / "app"
    assert (PROJECT / "explainer" / "Home.py").is_file()


def test_a_folder_that_is_named_counts(tmp_path: Path) -> None:
    named = str(tmp_path / "runs")
    assert runs_root(environment={"VIT_EXPLAINER_RUNS": named}) == Path(named)
    assert runs_root(tmp_path, {"VIT_EXPLAINER_RUNS": named}) == Path(named)
