"""The page on attention, in every model shape and on links of every kind."""

import json
import re
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explainer import services
from explainer.components.packing import PackedPatterns, unpack, unpack_patterns
from explainer.state import SOURCES, Choice, State
from explainer.views.multi_head import MOST_WEIGHTS
from vit_core import ViTConfig

EXPLORER, SELECTION = 0, 1


def selection(app: AppTest) -> dict[str, int]:
    return json.loads(app.get("bidi_component")[SELECTION].proto.json)


def sent(app: AppTest) -> tuple[dict, np.ndarray]:
    """Return the header and the patterns as the browser sees them."""
    header, arrays = unpack(app.get("bidi_component")[EXPLORER].proto.bytes)
    packed = PackedPatterns(
        arrays["patterns"], arrays["scales"], arrays["prefix"], arrays["limits"]
    )
    return header, unpack_patterns(packed)


def draw(config) -> None:  # run as a script of its own, where no name of this file is known
    """The page alone, for shapes that no knob reaches."""
    from explainer.services import observe
    from explainer.state import Choice
    from explainer.views import multi_head

    choice = Choice("untrained", config, 0, 7, 0)
    multi_head.render(choice, observe(choice))


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_sends_the_patterns_of_the_model_that_ran(
    source: str, open_page: Callable[..., AppTest]
) -> None:
    app = open_page("multi-head", source=source)
    assert not app.exception and not app.error
    config = services.load_source(source, State().shaped).model.config
    observation = services.observe(Choice(source, config, 0, 7, 0))
    header, patterns = sent(app)
    assert (header["depth"], header["heads"]) == (config.depth, config.num_heads)
    assert len(header["prefix_names"]) == config.num_prefix_tokens
    for block in range(config.depth):
        exact = observation.tensors[f"blocks.{block}.attn.pattern"]
        scale = exact[..., config.num_prefix_tokens :].max(axis=-1, keepdims=True)
        assert (np.abs(patterns[block] - exact) <= scale / 255).all()


@pytest.mark.parametrize("patches", [2, 14])
@pytest.mark.parametrize(("width", "heads", "depth"), [(8, 1, 1), (8, 8, 8), (128, 8, 8)])
def test_shapes_at_their_extremes(
    patches: int, width: int, heads: int, depth: int, open_page: Callable[..., AppTest]
) -> None:
    app = open_page(
        "multi-head", source="untrained", patches=patches, width=width, heads=heads, depth=depth
    )
    assert not app.exception and not app.error
    assert app.segmented_control(key="head").options == [str(head) for head in range(1, heads + 1)]
    tokens = patches**2 + 1
    sent_blocks = depth if depth * heads * tokens**2 <= MOST_WEIGHTS else 1
    assert sent(app)[1].shape == (sent_blocks, heads, tokens, tokens)
    assert len(app.get("bidi_component")[EXPLORER].proto.bytes) < 1_200_000


def test_a_block_that_is_sent_alone_is_the_chosen_one(open_page: Callable[..., AppTest]) -> None:
    shape = {"patches": 14, "width": 64, "heads": 8, "depth": 8}
    app = open_page("multi-head", source="untrained", block=5, **shape)
    config = State(**shape).shaped
    exact = services.observe(Choice("untrained", config, 0, 7, 0)).tensors["blocks.5.attn.pattern"]
    assert selection(app)["block"] == 0
    np.testing.assert_allclose(sent(app)[1][0], exact, atol=exact.max() / 255)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"query": "12", "block": "3", "head": "2"}, (12, 3, 2)),
        ({"query": "9999", "block": "9999", "head": "9999"}, (49, 3, 3)),
        ({"query": "-1", "block": "-1", "head": "1.5"}, (0, 0, 0)),
        ({"query": "1e9", "block": "٣", "head": "<script>"}, (0, 0, 0)),
        ({"query": "9" * 400, "block": "", "head": "0x1"}, (0, 0, 0)),
    ],
)
def test_a_link_chooses_or_falls_back(
    params: dict[str, str], expected: tuple[int, ...], open_page: Callable[..., AppTest]
) -> None:
    app = open_page("multi-head", source="untrained", **params)
    assert not app.exception and not app.error
    assert tuple(selection(app)[name] for name in ("query", "block", "head")) == expected


def test_a_click_sticks_and_is_in_the_link(
    open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
) -> None:
    app = open_page("multi-head", source="untrained")
    click_in(app, EXPLORER, {"choice": {"query": 24, "at": 1.0}})
    assert app.query_params["query"] == "24"
    assert selection(app)["query"] == 24
    assert app.subheader[0].value == "Where patch 4, 3 looks, in numbers"
    click_in(app, EXPLORER, {"choice": {"head": 2, "at": 2.0}})
    assert app.query_params["head"] == "2"
    assert app.segmented_control(key="head").value == 2  # counts from 0


@pytest.mark.parametrize(
    "choice",
    [None, 7, "x", [], {"query": 50}, {"query": -1}, {"query": True}, {"query": "3"}, {"head": 4}],
)
def test_a_forged_click_changes_nothing(
    choice: object, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
) -> None:
    app = open_page("multi-head", source="untrained", query=12)
    before = selection(app)
    click_in(app, EXPLORER, {"choice": choice})
    assert not app.exception
    assert selection(app) == before


def test_the_block_is_chosen_in_the_page_and_kept_in_the_link(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page("multi-head", source="untrained")
    app.segmented_control(key="block").set_value(2).run()
    assert app.query_params["block"] == "2"
    assert selection(app)["block"] == 2


def test_the_numbers_are_the_tensors(open_page: Callable[..., AppTest]) -> None:
    app = open_page("multi-head", source="untrained", query=24, block=1, head=3)
    observation = services.observe(Choice("untrained", State().shaped, 0, 7, 0))
    weights = observation.tensors["blocks.1.attn.pattern"][3, 24]
    shown = app.table[0].value
    exact = np.sort(weights)[::-1][: len(shown)]
    found = [float(text.removesuffix(" %")) / 100 for text in shown["Weight"]]
    np.testing.assert_allclose(found, exact, atol=5e-7)
    assert app.metric[0].label == "to [CLS]"
    assert float(app.metric[0].value.removesuffix(" %")) == pytest.approx(
        100 * weights[0], abs=0.05
    )


def test_without_a_class_token_the_page_says_so() -> None:
    app = AppTest.from_function(
        draw, default_timeout=60, args=(ViTConfig(pool="mean", depth=1),)
    ).run()
    assert not app.exception
    assert any("no class token" in text.value for text in app.markdown)
    assert [metric.label for metric in app.metric] == ["to itself", "get half of it all"]
    assert re.fullmatch(r"Where patch \d, \d looks, in numbers", app.subheader[0].value)


def test_registers_are_tokens_of_their_own() -> None:
    app = AppTest.from_function(
        draw, default_timeout=60, args=(ViTConfig(num_registers=2, depth=1),)
    ).run()
    assert not app.exception
    assert sent(app)[0]["prefix_names"] == ["[CLS]", "register 1", "register 2"]
    assert "to registers" in [metric.label for metric in app.metric]
