"""The story: its texts on unlike models, what is packed for the browser, and what comes back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.shell.story_screens import NUMBERS, ORDER, screen_about
from explainer.state.link import SCREENS

MOST_WORDS = 60
BRACES = re.compile(r"\{(\w+)\}")
STANDING = ("title", "text", "task", "question")  # texts of a screen before anybody does anything


def sent(app: AppTest, find_component: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and arrays of what the browser was sent."""
    assert not app.exception, app.exception[0].message
    return unpack(find_component(app, "story").bytes)


@pytest.fixture
def unlike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what puts one of the unlike models where the default one is."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    return lambda name: put(tmp_path, UNLIKE[name])


@pytest.mark.parametrize("name", UNLIKE)
def test_every_screen_is_short_and_every_name_in_braces_has_a_value(
    unlike: Callable[[str], None],
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    name: str,
):
    unlike(name)
    header, _ = sent(open_page("story"), find_component)
    assert [screen["name"] for screen in header["screens"]] == list(ORDER)
    values = {**header["facts"], "answer": "7", "block": 1}
    for screen in header["screens"]:
        texts = [screen[key] for key in STANDING if key in screen]
        named = {found for text in texts for found in BRACES.findall(text)}
        assert named <= values.keys(), screen["name"]
        filled = " ".join(
            BRACES.sub(lambda match: str(values[match[1]]), text) for text in texts[1:]
        )
        assert len(filled.split()) <= MOST_WORDS, (screen["name"], filled)


def test_each_screen_has_its_numbers_and_a_view_finds_its_screen():
    assert len(ORDER) == SCREENS
    assert screen_about("patches") == ORDER.index("patches") + 1
    assert screen_about("classification_head") == ORDER.index("answer") + 1
    assert screen_about("nowhere") is None
    assert NUMBERS["learn"] == "train"
