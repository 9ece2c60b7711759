"""The page on patches, in every model shape and on links of every kind."""

import base64
import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from reading import (
    draw_parts,
    html_with,
    observation_of,
    questions_of,
    right_answer,
    table_of,
    texts_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.inputs.pictures import link_code
from explainer.observation import observe
from explainer.state.choice import SOURCES, Choice
from explainer.state.link import PATCHES, State
from explainer.views.patches import PARTS
from explainer.views.patches.grids import cost_of
from explainer.views.patches.try_grid import draw_pieces
from vit_core import ViTConfig

Find = Callable[..., Any]
Open = Callable[..., AppTest]


def selection(app: AppTest, find: Find) -> dict[str, int]:
    return json.loads(find(app, "selection").json)


def metrics(app: AppTest) -> dict[str, int]:
    """Return what is said of the grid that the slider shows."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html_with(app, "cut"))
    return {name: int(number.replace(",", "")) for name, number in found}


# every model


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_sends_the_patches_that_the_model_received(
    source: str, open_page: Open, find_component: Find
) -> None:
    app = open_page("patches", source=source)
    assert not app.exception and not app.error
    assert len(app.header) == len(PARTS)
    loaded = load.load_source(source, State().shaped)
    config = loaded.model.config
    observation = observe.observe(Choice(source, config, 0, 7, 0, gallery=loaded.gallery))
    header, arrays = unpack(find_component(app, "patch_explorer").bytes)
    assert (header["rows"], header["columns"]) == config.grid_size
    np.testing.assert_array_equal(arrays["vectors"], observation.tensors["patches"])
    image = arrays["image"] if config.in_channels == 3 else arrays["image"][..., 0]
    np.testing.assert_array_equal(image, observation.pixels)


@pytest.mark.parametrize("side", PATCHES)
@pytest.mark.parametrize("width", [8, 128])
def test_the_formula_has_the_live_numbers(side: int, width: int, open_page: Open) -> None:
    app = unfold(open_page("patches", source="untrained", patches=side, width=width))
    assert not app.exception and not app.error
    live = next(latex.value for latex in app.latex if r"28 \cdot 28 \cdot 1" in latex.value)
    assert live.rstrip("$ \n").endswith(rf"= ({side**2},\, {784 // side**2})")
    table = table_of(app)
    marked = [text for text in table["Patches per side"] if "this model" in text]
    assert marked == [f"**{side}** (this model)"]


@pytest.mark.parametrize("level", [0, 255])
def test_an_own_picture_of_one_grey(level: int) -> None:
    picture = link_code.encode(np.full((28, 28), level, np.uint8))
    app = draw_parts("patches", ViTConfig(depth=1), picture)
    assert not app.exception
    assert len([q for q in questions_of(app).values() if len(q.options) > 1]) >= 3
    # a black patch needs no second example of black
    assert sum("/255" in latex.value for latex in app.latex) == (1 if level == 0 else 2)


@pytest.mark.parametrize("config", [ViTConfig(pool="mean"), ViTConfig(num_registers=3)])
def test_patches_are_told_apart_from_what_stands_before_them(
    config: ViTConfig, find_component: Find
) -> None:
    app = draw_parts("patches", config, query=config.num_prefix_tokens + 20)
    assert not app.exception
    assert selection(app, find_component)["query"] == 20
    assert ("Tokens with [CLS]" in table_of(unfold(app))) == (config.pool == "cls")


# links and clicks


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1", 0),
        ("49", 48),
        ("0", None),  # [CLS] is no patch: the one that shows most stands in
        ("9999", 48),
        ("-3", None),
        ("1e3", None),
        ("'; drop", None),
    ],
)
def test_a_link_chooses_or_falls_back(
    query: str, expected: int | None, open_page: Open, find_component: Find
) -> None:
    app = open_page("patches", source="untrained", query=query)
    assert not app.exception and not app.error
    if expected is None:
        expected = observation_of().telling_patch
    assert selection(app, find_component)["query"] == expected


def test_a_click_sticks_as_the_token_of_that_patch(
    open_page: Open, click_in: Callable[..., AppTest], find_component: Find
) -> None:
    app = open_page("patches", source="untrained")
    click_in(app, "patch_explorer", {"choice": {"query": 30, "at": 1.0}})
    assert selection(app, find_component)["query"] == 30
    assert app.query_params["query"] == "31"


# numbers


def test_the_example_of_normalising_is_the_tensor(open_page: Open) -> None:
    app = open_page("patches", source="untrained", query=18)
    observation = observation_of()
    largest = observation.tensors["patches"][17].max()
    brightest, black = (latex.value for latex in app.latex if "/255 - 0" in latex.value)
    assert brightest.rstrip("$ \n").endswith(f"= {largest:.4f}")
    pixel = observation.pixels[8:12, 12:16].max()
    assert f"{pixel}/255" in brightest
    assert (pixel / 255 - 0.1307) / 0.3081 == pytest.approx(largest, abs=1e-5)
    darkest = observation.tensors["patches"][observation.tensors["patches"] < -0.42].min()
    assert black.rstrip("$ \n").endswith(f"= {darkest:.4f}")


# another grid


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("cut", PATCHES)
def test_another_grid_of_a_trained_model_is_only_looked_at(
    cut: int, open_page: Open, find_component: Find
) -> None:
    app = open_page("patches", source="default", cut=cut)
    assert not app.exception and not app.error
    assert app.select_slider(key="cut").value == cut
    tokens = cut**2 + 1
    assert metrics(app) == {
        "Patches": cut**2,
        "Numbers in each": (28 // cut) ** 2,
        "Tokens, with [CLS]": tokens,
        "Pairs per head": tokens**2,
    }
    words = "that this model was trained with" if cut == 7 else "trained with 7 patches per side"
    assert words in texts_of(app)
    # the model keeps its own
    assert unpack(find_component(app, "patch_explorer").bytes)[0]["rows"] == 7


@pytest.mark.usefixtures("shipped")
def test_the_slider_of_a_trained_model_is_kept_in_the_link(open_page: Open) -> None:
    app = open_page("patches", source="default")
    app.select_slider(key="cut").set_value(14).run()
    assert app.query_params["cut"] == "14"
    assert metrics(app)["Patches"] == 196
    app.select_slider(key="cut").set_value(7).run()
    assert "cut" not in app.query_params


def test_the_slider_builds_an_untrained_model(open_page: Open, find_component: Find) -> None:
    app = open_page("patches", source="untrained", query=49, cut=2)
    assert app.select_slider(key="cut").value == 7  # the knob decides, not a stale link
    app.select_slider(key="cut").set_value(4).run()
    assert not app.exception
    assert app.query_params["patches"] == "4"
    assert app.select_slider(key="patches").value == 4
    assert unpack(find_component(app, "patch_explorer").bytes)[0]["rows"] == 4
    assert selection(app, find_component)["query"] == 15


@pytest.mark.parametrize("cut", ["3", "0", "-7", "x", "28"])
def test_a_grid_that_is_not_offered_is_the_models_own(cut: str, open_page: Open) -> None:
    app = open_page("patches", source="untrained", cut=cut)
    assert not app.exception and not app.error
    assert app.select_slider(key="cut").value == 7


@pytest.mark.parametrize("side", PATCHES)
def test_the_picture_of_another_grid_is_what_patchify_cuts(side: int) -> None:
    seen = observation_of()
    patch = 28 // side
    html = draw_pieces(seen, side, "alt")
    picture = base64.b64decode(html.split("base64,")[1].split('"')[0])
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == (side * (patch + 1) - 1,) * 2
    data = picture[picture.index(b"IDAT") + 4 : -16]
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width + 1)[:, 1:]
    for row in range(side):
        for column in range(side):
            top, left = row * (patch + 1), column * (patch + 1)
            tile = rows[top : top + patch, left : left + patch].astype(int)
            exact = seen.pixels[row * patch :, column * patch :][:patch, :patch].astype(int)
            # the value 0 is kept for the gaps
            assert np.abs(tile - exact).max() <= 1


@pytest.mark.parametrize("side", PATCHES)
@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_a_cost_is_what_the_model_of_that_grid_has(side: int, pool: str) -> None:
    config = ViTConfig(pool=pool, depth=3, num_heads=2)
    cost = cost_of(config, side)
    choice = Choice("untrained", replace(config, patch_size=28 // side), 0, 7, 0)
    tensors = observe.observe(choice).tensors
    assert tensors["patches"].shape == (side**2, cost.values)
    patterns = [array for key, array in tensors.items() if key.endswith("attn.pattern")]
    assert patterns[0].shape == (2, cost.tokens, cost.tokens)
    assert cost.pairs == patterns[0][0].size
    assert cost.all_pairs == sum(pattern.size for pattern in patterns)


# questions


@pytest.mark.parametrize("side", PATCHES)
@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_the_answers_are_right(side: int, pool: str) -> None:
    config = ViTConfig(patch_size=28 // side, pool=pool, depth=1)
    first_of_second_row = config.num_prefix_tokens + side
    app = draw_parts("patches", config, query=first_of_second_row)
    assert not app.exception
    found = questions_of(app)
    seen = observe.observe(Choice("untrained", config, 0, 7, 0))
    patch = 28 // side

    ink = {}
    for option in found["ink"].options:
        row, column = (int(number) - 1 for number in re.findall(r"\d+", option))
        cut = seen.pixels[row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]
        ink[option] = int(cut.astype(int).sum())
    blocks = seen.pixels.astype(int).reshape(side, patch, side, patch).sum(axis=(1, 3))
    assert ink[right_answer(found["ink"])] == max(ink.values()) == blocks.max()
    assert list(ink.values()).count(blocks.max()) == 1

    few, many = map(int, re.findall(r"\b\d+\b", found["pairs"].text.replace(",", ""))[::2])
    assert many == 2 * few and few in PATCHES
    tokens = many**2 + (pool == "cls")
    assert right_answer(found["pairs"]) == f"{tokens**2:,}"
    darkest = f"{-0.1307 / 0.3081:.2f}".replace("-", "−")
    assert right_answer(found["black"]) == darkest
    assert all(len(question.options) > 1 for question in found.values())
    assert {question.part for question in found.values()} == set(PARTS)


def test_of_an_image_of_one_brightness_nobody_is_asked_for_the_brightest_patch() -> None:
    picture = link_code.encode(np.zeros((28, 28), np.uint8))
    found = questions_of(draw_parts("patches", ViTConfig(depth=1), picture))
    assert right_answer(found["values"]) == "16" and "ink" not in found


def test_single_pixels_are_counted_for_this_image_and_for_a_photograph(open_page: Open) -> None:
    said = texts_of(unfold(open_page("patches", source="untrained")))
    assert "784 × 784 = 614,656 pairs. With patches it compares 2,500." in said
    assert "50,176 × 50,176 = 2,517,630,976 pairs" in said
    assert "197 tokens with the class token, 38,809 pairs" in said
    assert 50_176 == 224**2 and 50_176**2 == 2_517_630_976


def test_what_a_finer_grid_costs_is_said_without_giving_the_answer_away(open_page: Open) -> None:
    app = open_page("patches", source="untrained")
    assert "38,809" not in texts_of(app).replace("2,500 pairs of tokens. How many", "")
    assert "from 2,500 to 38,809: 15.5 times as many" in texts_of(unfold(app))
