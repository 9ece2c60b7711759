"""Home and the sidebar, from the real entry."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import parameter_of, sent_to, table_of, texts_of, unfold
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.inputs.models import for_browser, load
from explainer.inputs.pictures import link_code, test_digits
from explainer.inputs.pictures.prepare import centred
from explainer.observation import observe
from explainer.observation.wrong_digits import misclassified_digits
from explainer.shell import quiz, routes
from explainer.state import session
from explainer.state.choice import SOURCES, UNTRAINED, Choice
from explainer.state.link import DEPTHS, HEADS, MAX_SEED, PATCHES, READERS, WIDTHS, State
from vit_core import PRESETS
from vit_core.config import POSITIONS


@pytest.fixture
def open_app(shipped: Path, open_page: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Open Home by a link with these parameters."""

    def open_link(**params: str) -> AppTest:
        app = open_page("home", **params)
        assert not app.exception, app.exception[0].message
        return app

    return open_link


def sent(app: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return header and arrays of what the picture is sent."""
    (proto,) = sent_to(app, "home")
    return unpack(proto.bytes)


def names_of(app: AppTest) -> set[str]:
    return set(sent(app)[0]["tensors"])


def test_the_app_opens_on_the_trained_default(open_app):
    app = open_app()
    assert app.sidebar.selectbox(key="source").value == "default"
    header, arrays = sent(app)
    assert header["is_pad"] and header["is_trained"]
    assert arrays["image"].shape == (28, 28, 1)
    shapes = {name: tuple(entry["shape"]) for name, entry in header["tensors"].items()}
    assert shapes == {
        "tokens": (50, 64),
        "pos_embed": (50, 64),
        "embed": (50, 64),
        **{f"blocks.{block}.resid_post": (50, 64) for block in range(4)},
        **{f"blocks.{block}.attn.pattern": (1, 50, 50) for block in range(4)},
        "pooled": (64,),
        "logits": (10,),
    }
    assert header["names"] == list("0123456789") and header["truth"] == 7


@pytest.mark.parametrize("source", ["default", "best", "cifar10"])
def test_what_is_sent_is_the_trace(open_app, source):
    header, arrays = sent(open_app(source=source))
    config = PRESETS[source].model
    choice = Choice(source, config, 0, *((7, 0) if source != "cifar10" else (0, 0)))
    seen = observe.observe(replace(choice, gallery="cifar10") if source == "cifar10" else choice)
    np.testing.assert_array_equal(arrays["logits"], seen.logits)
    np.testing.assert_array_equal(arrays["pooled"], seen.tensors["pooled"])
    for name, entry in header["tensors"].items():
        full, whole = entry.get("full"), seen.tensors[name]
        if name.endswith("pattern"):
            scales = arrays[f"{name}.scales"]
            weights = arrays[name].astype(np.float64) / 255 * scales[:, None]
            assert np.abs(weights - whole.mean(axis=0)).max() <= scales.max() / 509
        elif full is not None:
            every = -(-whole.shape[1] // 64)
            values = (arrays[name].astype(np.float64) - 127) / 127 * full
            shown = np.clip(whole[:, ::every], -full, full)
            assert np.abs(values - shown).max() <= full / 253


@pytest.mark.parametrize("source", [source for source in SOURCES if source != UNTRAINED])
def test_a_trained_source_shows_its_shape_result_and_command(open_app, source, fixed_shape):
    app = open_app(source=source)
    config = PRESETS[source].model
    assert not app.sidebar.select_slider, "nothing of it can be turned"
    assert fixed_shape(app) == {
        "Patches per side": str(config.grid_size[1]),
        "Embedding width": str(config.embed_dim),
        "Attention heads": str(config.num_heads),
        "Encoder blocks": str(config.depth),
        "Position": load_texts("sidebar")["positions"][config.pos_embed],
    }
    text = texts_of(unfold(app))
    assert "98.76 %" in text
    assert f"{config.num_parameters:,}" in text
    assert app.code[0].value == f"python -m vit_core.train --preset {source}"


def test_the_folds_are_filled_when_they_are_opened(open_app):
    app = open_app()
    assert not app.code and not app.get("table") and "98.76 %" not in texts_of(app)


def test_a_model_without_class_token_has_its_average_in_its_place(open_app):
    header, _ = sent(open_app(source="best"))
    assert header["pool"] == "mean" and header["texts"]["stages"]["class_token"] == "Average"
    assert header["positions"] == header["tokens"] == header["rows"] * header["columns"]


def test_an_untrained_model_says_that_it_guesses(open_app):
    app = open_app(source="untrained")
    header, _ = sent(app)
    assert not header["is_trained"]
    assert header["texts"]["verdict"]["right"] == "right, by luck"
    assert not unfold(app).code


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        (name, value)
        for name, options in {
            "patches": PATCHES,
            "width": WIDTHS,
            "heads": HEADS,
            "depth": DEPTHS,
        }.items()
        for value in (options[0], options[-1])
    ],
)
def test_each_knob_at_its_extremes(open_app, knob, value):
    app = open_app(source="untrained")
    app.sidebar.select_slider(key=knob).set_value(value).run()
    assert not app.exception
    assert dict(app.query_params)[knob] in (str(value), [str(value)])
    wanted = State(**{knob: value}).shaped
    header, _ = sent(app)
    assert (header["tokens"], header["width"]) == (wanted.num_tokens, wanted.embed_dim)
    assert header["depth"] == wanted.depth


@pytest.mark.parametrize("position", POSITIONS)
def test_each_position(open_app, position):
    app = open_app(source="untrained")
    app.sidebar.selectbox(key="position").select(position).run()
    assert not app.exception
    assert ("pos_embed" in names_of(app)) == (position != "none")


@pytest.mark.parametrize("extreme", [0, -1])
def test_all_knobs_at_their_extremes_at_once(open_app, extreme):
    app = open_app(
        source="untrained",
        patches=str(PATCHES[extreme]),
        width=str(WIDTHS[extreme]),
        heads=str(HEADS[-1 - extreme]),
        depth=str(DEPTHS[extreme]),
        seed=str(MAX_SEED),
    )
    header, _ = sent(app)
    assert header["tokens"] == PATCHES[extreme] ** 2 + 1 and header["width"] == WIDTHS[extreme]


@pytest.mark.parametrize("digit", range(10))
def test_the_last_image_of_each_digit(open_app, digit):
    last = test_digits.count_digits(digit) - 1
    app = open_app(digit=str(digit), index=str(last))
    assert app.sidebar.number_input(key="index").value == last
    header, arrays = sent(app)
    assert header["truth"] == digit
    np.testing.assert_array_equal(arrays["image"][..., 0], test_digits.test_digit(digit, last))


def test_an_index_beyond_the_last_image_becomes_the_last(open_app):
    app = open_app(digit="5", index="9999")
    assert app.sidebar.number_input(key="index").value == test_digits.count_digits(5) - 1


def test_choosing_a_digit_with_fewer_images_keeps_the_index_in_range(open_app):
    app = open_app(digit="1", index=str(test_digits.count_digits(1) - 1))
    app.sidebar.button_group(key="digit").set_value(5).run()
    assert not app.exception
    assert app.sidebar.number_input(key="index").value == test_digits.count_digits(5) - 1


def test_the_knobs_come_back_after_looking_at_a_trained_model(open_app):
    app = open_app(source="untrained", width="16", depth="7")
    app.sidebar.selectbox(key="source").select("best").run()
    assert not app.exception
    app.sidebar.selectbox(key="source").select("untrained").run()
    assert app.sidebar.select_slider(key="width").value == 16
    assert app.sidebar.select_slider(key="depth").value == 7


SIGNED = ("nudge", "rate")  # which may be below 0


# each parameter is read by itself, and a refused one is as if it were not there; some of these
# texts may be the code of a picture, which is refused later
@pytest.mark.parametrize(
    "names", [sorted({*READERS} - {"picture"}), ["picture"]], ids=["all", "own"]
)
@pytest.mark.parametrize("text", ["", "-1", "99999", "<img src=x onerror=alert(1)>", "../x", "nan"])
def test_a_hostile_link_opens_on_the_default(open_app, names, text):
    app = open_app(
        **{name: "-99999" if text == "-1" and name in SIGNED else text for name in names}
    )
    assert not {*names} & {*app.query_params}
    assert "onerror" not in str(sent(app)[0])


def test_parameters_of_others_stay_in_the_link(open_app):
    app = open_app(width="16", source="untrained", lesson="3")
    assert set(app.query_params) == {"lesson", "source", "width"}


def test_without_shipped_models_the_app_opens_untrained(open_app, monkeypatch, tmp_path):
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    app = open_app(source="best")
    assert app.sidebar.selectbox(key="source").value == "untrained"


def test_a_damaged_model_is_said_in_one_sentence_and_the_page_goes_on(
    open_app, monkeypatch, tmp_path
):
    (tmp_path / "default.safetensors").write_bytes(b"not a checkpoint")
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    app = open_app()
    assert "cannot be used" in app.sidebar.error[0].value
    assert not sent(app)[0]["is_trained"]


def test_every_source_has_a_label():
    assert set(load_texts("sidebar")["sources"]) == set(SOURCES)


def test_the_picture_leads_to_every_page(open_app):
    for source in ("default", "best"):
        header, _ = sent(open_app(source=source))
        stages = set(routes.PIPELINE) - {"learning", "look_inside"}  # no steps of the pass
        assert {stage["view"] for stage in header["stages"]} == stages
        assert set(header["texts"]["stages"]) >= stages
        assert set(header["pages"]) == set(routes.TITLES) - {"home"}


@pytest.mark.parametrize("view", ["patches", "classification_head"])
def test_a_link_of_the_picture_opens_its_page(open_app, click_in, view):
    app = click_in(open_app(digit="3"), "home", {"asked": {"view": view}})
    assert not app.exception
    assert app.session_state[session.VIEW_KEY] == view
    assert app.session_state[session.SESSION_KEY].digit == 3


def test_a_kept_token_is_in_the_link_and_can_be_let_go(open_app, click_in):
    app = click_in(open_app(), "home", {"asked": {"query": 24}})
    assert parameter_of(app, "query") == "24"
    app = click_in(app, "home", {"asked": {"query": None}})
    assert parameter_of(app, "query") is None


def test_a_drawing_becomes_the_picture_and_is_centred_as_elsewhere(open_app, click_in):
    ink = np.zeros((112, 112), np.uint8)
    ink[10:60, 30:36] = 255
    app = click_in(open_app(), "home", {"asked": {"drawing": drawing(ink)}})
    assert not app.exception
    header, arrays = sent(app)
    assert (header["name"], header["truth"]) == ("a-name", -1)
    np.testing.assert_array_equal(arrays["image"][..., 0], centred(ink))
    code = parameter_of(app, "picture")
    np.testing.assert_array_equal(link_code.decode(code), centred(ink))
    app = click_in(app, "home", {"asked": {"restore": ""}})
    assert parameter_of(app, "picture") is None and sent(app)[0]["truth"] == 7


def test_an_empty_pad_is_a_picture_too(open_app, click_in):
    app = click_in(open_app(), "home", {"asked": {"drawing": drawing(np.zeros((112, 112)))}})
    assert not app.exception
    assert not sent(app)[1]["image"].any() and parameter_of(app, "picture")


def drawing(ink: np.ndarray) -> dict[str, str]:
    """Return a drawing as a browser sends it."""
    return {"ink": base64.b64encode(ink.astype(np.uint8).tobytes()).decode(), "name": "a-name"}


def test_another_digit_and_a_hard_one(open_app, click_in):
    app = click_in(open_app(), "home", {"asked": {"other": "other"}})
    assert (parameter_of(app, "digit"), parameter_of(app, "index")) == ("8", "1")
    app = click_in(app, "home", {"asked": {"other": "hard"}})
    assert not app.exception
    now = app.session_state[session.SESSION_KEY]
    wrong = {(one.digit, one.index) for one in misclassified_digits(choice_of_default())}
    assert (now.digit, now.index) in wrong or not wrong


def choice_of_default() -> Choice:
    return Choice("default", PRESETS["default"].model, 0, 7, 0)


@pytest.mark.parametrize(
    "asked",
    [
        None,
        3,
        {"view": "../x"},
        {"query": -1},
        {"query": 50},
        {"query": True},
        {"query": "1"},
        {"other": "x"},
        {"restore": "x"},
        {"drawing": {"ink": "x", "name": 3}},
    ],
)
def test_what_no_browser_sends_changes_nothing(open_app, click_in, asked):
    app = click_in(open_app(digit="3"), "home", {"asked": asked})
    assert not app.exception
    assert set(app.query_params) == {"digit"} and parameter_of(app, "digit") == "3"


def test_the_browser_gets_the_model_only_while_it_is_small_and_there_is_a_pad(open_app):
    app = open_app()
    assert sent(app)[0]["browser"]["hash"] and not sent(app)[0]["line"]
    header, _ = sent(open_app(source="cifar10"))
    assert header["browser"] is None and not header["line"]


def test_a_large_model_is_asked_on_a_line_to_the_server(open_app, monkeypatch):
    monkeypatch.setattr(for_browser, "LARGEST_MODEL", 1_000)
    app = open_app()
    header, _ = sent(app)
    assert header["browser"] is None and header["line"] == "home-pen"
    assert sent_to(app, "live_server")


def test_without_answers_home_says_where_the_questions_are(open_app):
    app = unfold(open_app())
    assert "You have not answered any yet." in texts_of(app)


def test_the_score_of_each_page_in_their_order(open_app):
    app = open_app()
    app.session_state[quiz.ANSWERS_KEY] = {
        f"{number}": quiz.Answer("2026-01-01T10:00:00+00:00", view, "?", given, "a", "digit=3")
        for number, (view, given) in enumerate(
            [("position", "a"), ("patches", "b"), ("position", "b"), ("position", "a")]
        )
    }
    unfold(app.run())
    assert not app.exception
    assert "**2 of 4** answered right" in texts_of(app)
    rows = zip(*table_of(app).values(), strict=True)
    assert list(rows) == [("Patches", "1", "0"), ("Position", "3", "2")]


def test_home_has_one_title(open_app):
    app = open_app()
    assert [title.proto.tag for title in app.title] == ["h1"]
    assert not app.header
