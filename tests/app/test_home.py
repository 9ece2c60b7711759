"""Home and the sidebar, from the real entry."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from reading import texts_of
from streamlit.testing.v1 import AppTest

from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.inputs.pictures import test_digits
from explainer.shell import quiz, routes
from explainer.state import session
from explainer.state.choice import SOURCES, UNTRAINED
from explainer.state.link import DEPTHS, HEADS, MAX_SEED, PATCHES, READERS, WIDTHS, State
from vit_core import PRESETS
from vit_core.config import POSITIONS

PIPELINE = "vit_explainer.pipeline"


@pytest.fixture
def open_app(shipped: Path, open_page: Callable[..., AppTest]) -> Callable[..., AppTest]:
    """Open Home by a link with these parameters."""

    def open_link(**params: str) -> AppTest:
        app = open_page("home", **params)
        assert not app.exception, app.exception[0].message
        return app

    return open_link


def picture(app: AppTest) -> str:
    """Return the pipeline's HTML, which is all that its component is sent."""
    protos = (element.proto for element in app.get("bidi_component"))
    return json.loads(next(p for p in protos if p.component_name == PIPELINE).json)


def shapes(app: AppTest) -> list[str]:
    return re.findall(r"<code>(.*?)</code>", picture(app))


def test_the_app_opens_on_the_trained_default(open_app):
    app = open_app()
    assert app.sidebar.selectbox(key="source").value == "default"
    assert shapes(app) == [
        "(1, 28, 28)",
        "(49, 16)",
        "(49, 64)",
        "(50, 64)",
        "(50, 64)",
        "(50, 64)",
        "(50, 64)",
        "(64)",
        "(10)",
        "(10)",
    ]


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
    text = texts_of(app)
    assert "98.76 %" in text
    assert f"{config.num_parameters:,}" in text
    assert app.code[0].value == f"python -m vit_core.train --preset {source}"


def test_a_model_without_class_token_has_no_stage_for_it(open_app):
    titles = picture(open_app(source="best"))
    assert "Class token" not in titles
    assert "Average" in titles


def test_an_untrained_model_says_that_it_guesses(open_app):
    app = open_app(source="untrained")
    assert "only guessing" in texts_of(app)
    assert not app.code


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
    assert f"({wanted.num_tokens}, {wanted.embed_dim})" in shapes(app)
    assert f"Encoder × {wanted.depth}" in picture(app)


@pytest.mark.parametrize("position", POSITIONS)
def test_each_position(open_app, position):
    app = open_app(source="untrained")
    app.sidebar.selectbox(key="position").select(position).run()
    assert not app.exception
    assert ("No position" in picture(app)) == (position == "none")


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
    assert f"({PATCHES[extreme] ** 2 + 1}, {WIDTHS[extreme]})" in shapes(app)


@pytest.mark.parametrize("digit", range(10))
def test_the_last_image_of_each_digit(open_app, digit):
    last = test_digits.count_digits(digit) - 1
    app = open_app(digit=str(digit), index=str(last))
    assert app.sidebar.number_input(key="index").value == last
    assert f"a handwritten {digit}." in picture(app)


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


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize("text", ["", "-1", "99999", "<img src=x onerror=alert(1)>", "../x", "nan"])
def test_a_hostile_link_opens_on_the_default(open_app, name, text):
    app = open_app(**{name: text})
    assert name not in app.query_params
    assert "onerror" not in picture(app)


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
    assert "only guessing" in texts_of(app)


def test_every_source_has_a_label():
    assert set(load_texts("sidebar")["sources"]) == set(SOURCES)


def test_the_pipeline_leads_to_every_page(open_app):
    found = set(re.findall(r'data-view="(\w+)"', picture(open_app())))
    assert found == set(routes.PIPELINE)
    without = set(re.findall(r'data-view="(\w+)"', picture(open_app(source="best"))))
    assert without == found


def test_links_of_the_pipeline_hold_the_state(open_app):
    addresses = re.findall(r'href="([^"]*)"', picture(open_app(digit="3", head="2")))
    assert len(addresses) >= 8
    for address in addresses:
        assert address.split("?")[1].split("&amp;") == ["digit=3", "head=2"]


def test_the_way_begins_on_the_first_page(open_app):
    app = open_app(digit="3", mode="guided", step="3")
    app.button(key="start").click().run()
    now = app.session_state[session.SESSION_KEY]
    assert app.session_state[session.VIEW_KEY] == "patches"
    assert (now.mode, now.step, now.digit) == ("free", 0, 3)


def test_without_answers_home_says_where_the_questions_are(open_app):
    app = open_app()
    assert "You have not answered any yet." in texts_of(app)


def test_the_score_of_each_page_in_their_order(open_app):
    app = open_app()
    app.session_state[quiz.ANSWERS_KEY] = {
        f"{number}": quiz.Answer("2026-01-01T10:00:00+00:00", view, "?", given, "a", "digit=3")
        for number, (view, given) in enumerate(
            [("position", "a"), ("patches", "b"), ("position", "b"), ("position", "a")]
        )
    }
    app.run()
    assert not app.exception
    assert "**2 of 4** answered right" in texts_of(app)
    table = app.table[0].value
    assert table.to_numpy().tolist() == [["Patches", "1", "0"], ["Position", "3", "2"]]


def test_headings_of_home_have_no_gap(open_app):
    app = open_app()
    assert [title.proto.tag for title in app.title] == ["h1"]
    assert {header.proto.tag for header in app.header} == {"h2"}
