"""The command ``vit-explainer``; tests/test_wheel.py serves the app with it."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from streamlit.web.cli import main_run

import vit_core
from explainer.__main__ import HOME, main

PROJECT = Path(__file__).parents[2]


def test_options_of_streamlit_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    monkeypatch.setattr(main_run, "callback", lambda **options: asked.update(options))
    with pytest.raises(SystemExit) as ended:
        main(["--server.port", "9000", "--server.headless=true"])
    assert ended.value.code == 0
    given = {name: value for name, value in asked.items() if value not in (None, ())}
    assert given == {"target": str(HOME), "server_port": 9000, "server_headless": True}


def test_variables_of_streamlit_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    monkeypatch.setattr(main_run, "callback", lambda **options: asked.update(options))
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "9001")
    with pytest.raises(SystemExit):
        main([])
    assert asked["server_port"] == 9001


@pytest.mark.parametrize("words", [["--server.port", "x"], ["--no-such-option"], ["Home.py"]])
def test_a_wrong_option_is_refused_in_a_sentence(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize("name", ["streamlit", "click"])
def test_a_package_that_is_missing_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit) as ended:
        main([])
    assert f"pip install {name}" in str(ended.value.code)


def test_the_version_is_said_and_written_in_one_place(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"vit-explainer {vit_core.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", vit_core.__version__)
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["dynamic"] == ["version"]
    dynamic = settings["tool"]["setuptools"]["dynamic"]
    assert dynamic == {"version": {"attr": "vit_core.__version__"}}
