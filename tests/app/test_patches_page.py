"""The page on patches, in every model shape and on links of every kind."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explainer import services
from explainer.components.packing import unpack
from explainer.state import PATCHES, SOURCES, Choice, State
from explainer.views.patches import cost_of
from vit_core import ViTConfig

EXPLORER, SELECTION = 0, 1


def chosen_patch(app: AppTest) -> int:
    return json.loads(app.get("bidi_component")[SELECTION].proto.json)["query"]


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_sends_the_patches_that_the_model_received(
    source: str, open_page: Callable[..., AppTest]
) -> None:
    app = open_page("patches", source=source)
    assert not app.exception and not app.error
    config = services.load_source(source, State().shaped).model.config
    observation = services.observe(Choice(source, config, 0, 7, 0))
    header, arrays = unpack(app.get("bidi_component")[EXPLORER].proto.bytes)
    assert (header["rows"], header["columns"]) == config.grid_size
    np.testing.assert_array_equal(arrays["vectors"], observation.tensors["patches"])
    np.testing.assert_array_equal(arrays["image"][..., 0], observation.pixels)


@pytest.mark.parametrize("side", PATCHES)
def test_the_formula_has_the_live_numbers(side: int, open_page: Callable[..., AppTest]) -> None:
    app = open_page("patches", source="untrained", patches=side)
    assert not app.exception and not app.error
    live = app.latex[2].value
    assert live.rstrip("$ \n").endswith(rf"= ({side**2},\, {784 // side**2})")
    table = app.table[0].value
    marked = [text for text in table["Patches per side"] if "this model" in text]
    assert marked == [f"**{side}** (this model)"]


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
    query: str, expected: int | None, open_page: Callable[..., AppTest]
) -> None:
    app = open_page("patches", source="untrained", query=query)
    assert not app.exception and not app.error
    if expected is None:
        expected = services.observe(Choice("untrained", ViTConfig(), 0, 7, 0)).telling_patch
    assert chosen_patch(app) == expected


def test_a_click_sticks_as_the_token_of_that_patch(
    open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
) -> None:
    app = open_page("patches", source="untrained")
    click_in(app, EXPLORER, {"choice": {"query": 30, "at": 1.0}})
    assert chosen_patch(app) == 30
    assert app.query_params["query"] == "31"


def test_the_example_of_normalising_is_the_tensor(open_page: Callable[..., AppTest]) -> None:
    app = open_page("patches", source="untrained", query=18)
    observation = services.observe(Choice("untrained", State().shaped, 0, 7, 0))
    largest = observation.tensors["patches"][17].max()
    example = app.latex[0].value
    assert example.rstrip("$ \n").endswith(f"= {largest:.4f}")
    pixel = observation.pixels[8:12, 12:16].max()
    assert f"{pixel}/255" in example
    assert (pixel / 255 - 0.1307) / 0.3081 == pytest.approx(largest, abs=1e-5)


@pytest.mark.parametrize("side", PATCHES)
@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_a_cost_is_what_the_model_of_that_grid_has(side: int, pool: str) -> None:
    config = ViTConfig(pool=pool, depth=3, num_heads=2)
    cost = cost_of(config, side)
    choice = Choice("untrained", replace(config, patch_size=28 // side), 0, 7, 0)
    tensors = services.observe(choice).tensors
    assert tensors["patches"].shape == (side**2, cost.values)
    patterns = [array for key, array in tensors.items() if key.endswith("attn.pattern")]
    assert patterns[0].shape == (2, cost.tokens, cost.tokens)
    assert cost.pairs == patterns[0][0].size
    assert cost.all_pairs == sum(pattern.size for pattern in patterns)
