"""Links of the version before open as they did: the same model, picture, place and numbers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import streamlit as st
from recorded_links import LINKS, OPENED, copy_server, seen_in

from explainer import training

HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
THEN: dict[str, dict[str, Any]] = json.loads(LINKS.read_text("utf-8"))
START = THEN.pop("start")  # the state of an empty link
ROUNDING = 2e-4  # of a probability, of which four decimals are written down


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server that has the runs and models of then, and the trained models of this project."""
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in copy_server(tmp_path_factory.mktemp("server")).items():
            patch.setenv(name, folder)
        training.close_manager()
        training.make_manager.cache_clear()
        st.cache_resource.clear()
        yield
        training.close_manager()
        training.make_manager.cache_clear()
        st.cache_resource.clear()


def test_what_was_recorded_is_what_the_recorder_opens() -> None:
    assert list(THEN) == list(OPENED)
    assert len(THEN) >= 30


def test_every_parameter_and_every_page_is_among_them() -> None:
    named = {name for link in THEN for name, _ in parse_qsl(link.partition("?")[2])}
    assert named >= set(START)
    assert len({then["page"] for then in THEN.values()}) == 10


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("link", THEN)
def test_a_link_opens_as_it_did(link: str) -> None:
    then, now = dict(THEN[link]), seen_in(HOME, link)
    for name, rounding in (("answer", {"abs": ROUNDING}), ("cell", {"rel": 1e-3})):
        if then.get(name) is not None:
            assert now.pop(name) == pytest.approx(then.pop(name), **rounding)
    then["controls"].pop("mode", None)  # the guide is gone; what it walked through is there
    # a later version may know more: other controls, or values of the state that a link can name
    then["state"] = START | then["state"]
    for name in ("state", "controls"):
        kept = then.pop(name)
        assert kept == {key: value for key, value in now.pop(name).items() if key in kept}
    assert {name: now[name] for name in then} == then
