"""Fool it: what is packed for the browser, what its link restores, and what comes back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from reading import choice_and_observation, parameter_of, refusals_of, state_of
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
from unlike import UNLIKE, put

from explainer.components import fool
from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.observation.challenges import looks
from explainer.shell import routes
from explainer.state.link import READERS

TEXTS = load_texts("fool")


def turn_to(app: AppTest, address: str) -> None:
    """Follow a link of the bar at the top."""
    app._page_hash = calc_hash(address)
    app.query_params.clear()
    app.run()


FILES = Path(fool.__file__).parent
# in braces → who fills it in
FILLED = {"count", "answer", "share", "degrees", "old", "before", "now", "patch", "likeness"}
FILLED |= {"block", "head", "row", "column", "right", "down", "target"}


@pytest.fixture
def sent(find_component: Callable[..., Any]) -> Callable[[AppTest], tuple[dict, dict]]:
    def read(app: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        assert not app.exception, app.exception[0].message
        return unpack(find_component(app, "fool").bytes)

    return read


@pytest.fixture
def unlike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    return lambda name: put(tmp_path, UNLIKE[name])


@pytest.mark.parametrize("name", UNLIKE)
def test_every_model_can_be_played_with(
    unlike: Callable[[str], None], open_page: Callable[..., AppTest], sent, name: str
) -> None:
    unlike(name)
    app = open_page("fool", edits="t15_x1_n_h0.0")
    header, arrays = sent(app)
    config = UNLIKE[name].config
    assert (header["depth"], header["heads"]) == (config.depth, config.num_heads)
    assert header["has_head"] is (config.num_classes > 0)
    assert arrays["outcome"].shape == (config.num_classes or config.embed_dim,)
    assert arrays["looks"].shape == (config.num_patches,)
    assert header["has_position"] is (config.pos_embed != "none")
    expected = "t15_x1_h0.0" if config.pos_embed == "none" else "t15_x1_n_h0.0"
    assert parameter_of(app, "edits") == expected
    assert (TEXTS["left_out"] in refusals_of(app)) is (config.pos_embed == "none")


def test_the_browser_gets_the_picture_and_its_answer(
    shipped: Path, open_page: Callable[..., AppTest], sent
) -> None:
    choice, seen = choice_and_observation("default")
    header, arrays = sent(open_page("fool", digit=choice.digit, index=choice.index))
    np.testing.assert_array_equal(arrays["image"][..., 0], seen.pixels)
    np.testing.assert_array_equal(arrays["outcome"], seen.probabilities)
    np.testing.assert_array_equal(arrays["looks"], looks(seen))
    assert header["class_names"] == list(seen.class_names) and header["label"] == choice.digit
    assert header["way"] == "black" and header["others"] == ["other", "hard"]
    header, _ = sent(open_page("fool", source="cifar10"))
    assert header["way"] == "mean" and header["others"] == ["other"]


def test_every_name_in_braces_is_filled_in_and_every_text_is_used() -> None:
    scripts = "".join(path.read_text() for path in FILES.glob("*.js"))
    for group in ("play", "lines", "lines_features", "challenge"):
        for name, text in TEXTS[group].items():
            assert set(re.findall(r"\{(\w+)\}", text)) <= FILLED, name
    for name in TEXTS["play"].keys() - {
        "other",
        "other_pictures",
        "other_symbols",
        "hard",
    }:  # named by Python
        stem = re.sub(r"_(one|pictures|cover|swap|move|mean|black|drop)$", "", name)
        assert re.search(rf"\b{stem}(?:_|\b)", scripts), name


def test_a_link_keeps_its_place_for_the_changes() -> None:
    names = list(READERS)
    assert names.index("edits") < names.index("screen") == len(names) - 1


# bad input


@pytest.mark.parametrize("text", ["<script>", "m1_m1", "t7", "x" * 3000, "h0.0_", "null"])
def test_a_hostile_link_gives_one_sentence_and_the_plain_picture(
    shipped: Path, open_page: Callable[..., AppTest], sent, text: str
) -> None:
    app = open_page("fool", edits=text)
    sent(app)
    assert parameter_of(app, "edits") is None
    assert "edits" in refusals_of(app) and "<script" not in refusals_of(app)


def test_changes_that_another_model_lacks_are_left_out_with_one_sentence(
    shipped: Path, open_page: Callable[..., AppTest], sent
) -> None:
    app = open_page("fool", source="fast", edits="m3_k900_h0.1_h77.1")
    sent(app)
    assert parameter_of(app, "edits") == "m3_h0.1"
    assert refusals_of(app).count("<p>") == 1


@pytest.mark.parametrize(
    "heard",
    [
        {},
        {"edits": 7},
        {"edits": ["m1"]},
        {"edits": "no edits"},
        {"edits": "m1_" * 900},
        {"move": "elsewhere"},
        {"move": {}},
        "m1",
    ],
)
def test_a_browser_may_send_anything(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest], heard
) -> None:
    app = open_page("fool", edits="m1")
    click_in(app, "fool", {"heard": heard})
    assert not app.exception
    assert parameter_of(app, "edits") == "m1"


# what comes back


def test_the_server_hears_of_changes_and_of_another_picture(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
) -> None:
    app = open_page("fool", digit=3)
    click_in(app, "fool", {"heard": {"edits": "h0.1_k3_k99"}})
    assert parameter_of(app, "edits") == "k3_h0.1"
    click_in(app, "fool", {"heard": {"move": "other"}})
    assert parameter_of(app, "edits") is None and parameter_of(app, "digit") == "4"


def test_the_changes_stay_with_their_page(shipped: Path, open_page: Callable[..., AppTest]) -> None:
    app = open_page("fool", edits="k3")
    turn_to(app, "patches")
    assert parameter_of(app, "edits") is None
    turn_to(app, "fool")
    assert parameter_of(app, "edits") == "k3"


@pytest.mark.parametrize("view", ["patches", "story"])
def test_before_and_after_are_compared_on_another_page(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest], view: str
) -> None:
    app = open_page("fool", digit=3)
    click_in(app, "fool", {"opened": {"view": view, "edits": "k3_h0.1"}})
    assert not app.exception
    assert parse_qs(state_of(app).b) == {"edits": ["k3_h0.1"]}
    assert state_of(app).edits == ""
    assert app.session_state["own"]["fool"]["edits"] == "k3_h0.1"


@pytest.mark.parametrize("opened", [{}, {"view": "elsewhere", "edits": "k3"}, {"view": "story"}, 7])
def test_a_browser_cannot_open_what_is_no_page(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest], opened
) -> None:
    app = open_page("fool", digit=3)
    click_in(app, "fool", {"opened": opened})
    assert not app.exception and state_of(app).b == ""


def test_the_page_stands_between_story_and_train() -> None:
    views = list(routes.VIEWS)
    assert views[views.index("fool") - 1] == "story" and views[views.index("fool") + 1] == "train"
