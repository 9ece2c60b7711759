"""The page on multi-head attention, in every model shape and on links of every kind."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from reading import (
    choice_of,
    draw_parts,
    html_with,
    observation_of,
    questions_of,
    right_answer,
    table_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.components.packing import PackedPatterns, unpack, unpack_patterns
from explainer.content.numbers import points, precise_percent
from explainer.inputs.models import load
from explainer.inputs.pictures import link_code
from explainer.observation import heads, observe
from explainer.observation.where_heads_matter import picture_where_a_head_matters
from explainer.state.choice import SOURCES, Choice
from explainer.state.link import State
from explainer.views.multi_head import PARTS
from explainer.views.multi_head.heads import MOST_WEIGHTS
from explainer.views.multi_head.joined import sum_shapes
from vit_core import ViTConfig, trace
from vit_core.data import mnist_info, normalize
from vit_core.interpret.heads import switch_heads_off

Find = Callable[..., Any]
Open = Callable[..., AppTest]
SMALL = {"source": "untrained", "patches": 4, "width": 16, "heads": 2, "depth": 2}


def selection(app: AppTest, find: Find) -> dict[str, int]:
    return json.loads(find(app, "selection").json)


def sent(app: AppTest, find: Find) -> tuple[dict, np.ndarray]:
    """Return the header and the patterns as the browser sees them."""
    header, arrays = unpack(find(app, "token_explorer").bytes)
    packed = PackedPatterns(
        arrays["patterns"], arrays["scales"], arrays["prefix"], arrays["limits"]
    )
    return header, unpack_patterns(packed)


# every model


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_sends_the_patterns_of_the_model_that_ran(
    source: str, open_page: Open, find_component: Find
) -> None:
    app = open_page("multi-head", source=source)
    assert not app.exception and not app.error
    loaded = load.load_source(source, State().shaped)
    config = loaded.model.config
    observation = observe.observe(Choice(source, config, 0, 7, 0, gallery=loaded.gallery))
    header, patterns = sent(app, find_component)
    assert (header["depth"], header["heads"]) == (config.depth, config.num_heads)
    assert len(header["prefix_names"]) == config.num_prefix_tokens
    for block in range(config.depth):
        exact = observation.tensors[f"blocks.{block}.attn.pattern"]
        scale = exact[..., config.num_prefix_tokens :].max(axis=-1, keepdims=True)
        assert (np.abs(patterns[block] - exact) <= scale / 255).all()


@pytest.mark.parametrize("patches", [2, 14])
@pytest.mark.parametrize(("width", "heads", "depth"), [(8, 1, 1), (8, 8, 8), (128, 8, 8)])
def test_shapes_at_their_extremes(
    patches: int, width: int, heads: int, depth: int, open_page: Open, find_component: Find
) -> None:
    shape = {"patches": patches, "width": width, "heads": heads, "depth": depth}
    app = open_page("multi-head", source="untrained", off="0.0", **shape)
    assert not app.exception and not app.error
    assert app.segmented_control(key="head").options == [str(n) for n in range(1, heads + 1)]
    tokens = patches**2 + 1
    sent_blocks = depth if depth * heads * tokens**2 <= MOST_WEIGHTS else 1
    assert sent(app, find_component)[1].shape == (sent_blocks, heads, tokens, tokens)
    assert len(find_component(app, "token_explorer").bytes) < 1_200_000
    assert len(re.findall("<td", html_with(unfold(app), "effects"))) == heads * depth


@pytest.mark.parametrize("position", ["sincos", "sincos2d", "none"])
def test_every_kind_of_position(position: str, open_page: Open, find_component: Find) -> None:
    app = open_page("multi-head", **SMALL, position=position)
    assert not app.exception and not app.error
    tensors = observation_of(**SMALL, position=position).tensors
    for block, patterns in enumerate(sent(app, find_component)[1]):
        exact = tensors[f"blocks.{block}.attn.pattern"]
        np.testing.assert_allclose(patterns, exact, atol=exact.max() / 255)


def test_an_own_picture_has_no_label_and_every_part(open_page: Open) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[8:20, 12:15] = 255
    app = open_page("multi-head", **SMALL, picture=link_code.encode(pixels), off="0.1")
    assert not app.exception and not app.error
    titles = [header.value for header in app.header]
    assert len(titles) == len(PARTS) + 1


def test_a_block_that_is_sent_alone_is_the_chosen_one(
    open_page: Open, find_component: Find
) -> None:
    shape = {"patches": 14, "width": 64, "heads": 8, "depth": 8}
    app = open_page("multi-head", source="untrained", block=5, **shape)
    exact = observation_of(**shape).tensors["blocks.5.attn.pattern"]
    assert selection(app, find_component)["block"] == 0
    np.testing.assert_allclose(sent(app, find_component)[1][0], exact, atol=exact.max() / 255)


def test_without_a_class_token_the_page_says_so() -> None:
    app = unfold(draw_parts("multi_head", ViTConfig(pool="mean", depth=1)))
    assert any("no class token" in text.value for text in app.markdown)
    assert [metric.label for metric in app.metric] == ["to itself", "share half of the attention"]
    assert re.fullmatch(r"patch \d, \d", app.session_state["facts"]["query"])
    # and nothing is said about tokens that are not there
    assert not any("no place in the image" in text.value for text in app.markdown)


def test_registers_are_tokens_of_their_own(find_component: Find) -> None:
    app = unfold(draw_parts("multi_head", ViTConfig(num_registers=2, depth=1)))
    assert sent(app, find_component)[0]["prefix_names"] == ["[CLS]", "register 1", "register 2"]
    assert "to registers" in [metric.label for metric in app.metric]


def test_one_head_is_explained_as_one() -> None:
    app = draw_parts("multi_head", ViTConfig(num_heads=1, depth=1))
    assert not app.exception
    assert "one head in each block" in app.session_state["facts"]["lead_text"]
    assert len(questions_of(app)) >= 3


# links and clicks


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"query": "12", "block": "3", "head": "2"}, (12, 3, 2)),
        ({"query": "9999", "block": "9999", "head": "9999"}, (49, 3, 3)),
        ({"query": "-1", "block": "-1", "head": "1.5"}, (None, 0, 0)),
        ({"query": "1e9", "block": "٣", "head": "<script>"}, (None, 0, 0)),
        ({"query": "9" * 400, "block": "", "head": "0x1"}, (None, 0, 0)),
        ({"off": "99.99_1.1", "cell": "written.99.99"}, (None, 0, 0)),
        ({"off": "x", "cell": "nothing.0.0", "temperature": "0"}, (None, 0, 0)),
    ],
)
def test_a_link_chooses_or_falls_back(
    params: dict[str, str], expected: tuple[int | None, ...], open_page: Open, find_component: Find
) -> None:
    app = open_page("multi-head", source="untrained", **params)
    assert not app.exception
    chosen = selection(app, find_component)
    query, *others = expected
    if query is None:  # the token that all pages start with
        query = 1 + observation_of().telling_patch
    assert tuple(chosen[name] for name in ("query", "block", "head")) == (query, *others)


def test_a_click_sticks_and_is_in_the_link(
    open_page: Open, click_in: Callable[..., AppTest], find_component: Find
) -> None:
    app = open_page("multi-head", source="untrained")
    click_in(app, "token_explorer", {"choice": {"query": 24, "at": 1.0}})
    assert app.query_params["query"] == "24"
    assert selection(app, find_component)["query"] == 24
    unfold(app)
    assert any("Where patch 4, 3 looks in head 1" in text.value for text in app.markdown)


def test_a_clicked_head_is_looked_at_and_switched_off_and_on_again(
    open_page: Open, click_in: Callable[..., AppTest], find_component: Find
) -> None:
    app = open_page("multi-head", **SMALL, block=1, off="0.0")
    assert selection(app, find_component)["off"] == []  # of this block
    click_in(app, "token_explorer", {"choice": {"switch": 1, "at": 1.0}})
    assert (app.query_params["head"], app.query_params["off"]) == ("1", "0.0_1.1")
    assert app.segmented_control(key="head").value == 1  # counts from 0
    assert app.pills(key="heads-off").value == [1]
    assert selection(app, find_component)["off"] == [1]
    click_in(app, "token_explorer", {"choice": {"switch": 1, "at": 2.0}})
    assert app.query_params["off"] == "0.0"
    assert selection(app, find_component)["off"] == []


@pytest.mark.parametrize(
    "choice",
    [
        None,
        7,
        "x",
        [],
        {"query": 50},
        {"query": -1},
        {"query": True},
        {"query": "3"},
        {"switch": 4},
    ],
)
def test_a_forged_click_changes_nothing(
    choice: object, open_page: Open, click_in: Callable[..., AppTest], find_component: Find
) -> None:
    app = open_page("multi-head", source="untrained", query=12)
    before = selection(app, find_component)
    click_in(app, "token_explorer", {"choice": choice})
    assert not app.exception
    assert selection(app, find_component) == before


def test_the_block_is_chosen_in_the_page_and_kept_in_the_link(
    open_page: Open, find_component: Find
) -> None:
    app = open_page("multi-head", source="untrained")
    app.segmented_control(key="block").set_value(2).run()
    assert app.query_params["block"] == "2"
    assert selection(app, find_component)["block"] == 2


# numbers


def test_the_numbers_are_the_tensors(open_page: Open) -> None:
    app = unfold(open_page("multi-head", source="untrained", query=24, block=1, head=3))
    weights = observation_of().tensors["blocks.1.attn.pattern"][3, 24]
    shown = table_of(app)["Weight"]
    exact = np.sort(weights)[::-1][: len(shown)]
    found = [float(text.removesuffix(" %")) / 100 for text in shown]
    np.testing.assert_allclose(found, exact, atol=5e-7)
    assert app.metric[0].label == "to [CLS]"
    assert float(app.metric[0].value.removesuffix(" %")) == pytest.approx(
        100 * weights[0], abs=0.05
    )


def test_what_the_heads_write_adds_up_to_the_trace(open_page: Open) -> None:
    app = unfold(open_page("multi-head", **SMALL, query=5, block=1))
    arrays: dict[str, np.ndarray] = {}
    for element in app.get("bidi_component"):
        if element.proto.component_name == "vit_explainer.matrices":
            arrays |= unpack(element.proto.bytes)[1]
    exact = observation_of(**SMALL).tensors["blocks.1.attn_out"]
    np.testing.assert_array_equal(arrays["attn_out"], exact)
    np.testing.assert_allclose(arrays["written"].sum(axis=0), exact[5], atol=1e-6)
    shapes = sum_shapes(State(**{k: v for k, v in SMALL.items() if k != "source"}).shaped)
    assert {name: array.shape for name, array in arrays.items()} == shapes


def rerun_without(off: list[tuple[int, int]]) -> np.ndarray:
    """Run the small model with heads off, without the app."""
    seen = observation_of(**SMALL)
    model = load.load_source("untrained", seen.config).model
    images = normalize(torch.tensor(seen.pixels)[None, None], mnist_info())
    return trace(model, images, switch_heads_off(seen.config, off)).probabilities[0].numpy()


def test_switching_heads_off_runs_the_model_again(open_page: Open) -> None:
    app = open_page("multi-head", **SMALL)
    assert any("All heads are on" in text.value for text in app.markdown)
    app.pills(key="heads-off").set_value([1]).run()
    assert app.query_params["off"] == "0.1"
    app.segmented_control(key="block").set_value(1).run()
    assert app.pills(key="heads-off").value == []  # of this block
    app.pills(key="heads-off").set_value([0]).run()
    assert app.query_params["off"] == "0.1_1.0"
    before, after = observation_of(**SMALL).probabilities, rerun_without([(0, 1), (1, 0)])
    shown = html_with(app, "switched")
    for old, new in zip(before.tolist(), after.tolist(), strict=True):
        assert f"<td>{precise_percent(old)}</td><td>{precise_percent(new)}</td>" in shown
        assert f"<td>{points(new - old)}</td>" in shown
    said = next(text.value for text in app.markdown if text.value.startswith("Off: "))
    assert "head 2 of block 1, head 1 of block 2" in said
    app.button(key="all-on").click().run()
    assert "off" not in app.query_params
    assert any("All heads are on" in text.value for text in app.markdown)


@pytest.mark.parametrize("source", ["default", "fast", "best"])
def test_a_digit_is_offered_whose_answer_hangs_on_one_head(source: str, open_page: Open) -> None:
    found = picture_where_a_head_matters(choice_of(source))
    assert abs(found.change) > 0.3
    app = open_page("multi-head", source=source)
    app.button(key="offer").click().run()
    assert not app.exception
    for name, value in found.state.items():
        assert app.query_params.get(name, str(value)) in (str(value), [str(value)])
    assert "offer" not in {button.key for button in app.button}  # it is looked at now
    seen = observe.observe(replace(choice_of(source), **found.state))
    assert (seen.label, seen.prediction) == (found.truth, found.predicted)
    after = heads.switched(replace(choice_of(source), **found.state), seen, (found.head,))
    moved = float(after[found.predicted] - seen.probabilities[found.predicted])
    assert moved == pytest.approx(found.change, abs=1e-4)


@pytest.mark.parametrize("params", [SMALL, {"source": "untrained"}])
def test_a_model_that_has_learned_nothing_offers_no_digit(params: dict, open_page: Open) -> None:
    app = open_page("multi-head", **params)
    assert not app.exception
    assert "offer" not in {button.key for button in app.button}


def test_a_link_to_a_cell_opens_its_fold(open_page: Open) -> None:
    app = open_page("multi-head", **SMALL, cell="attn_out.3.4")
    titles = [text.value for text in app.markdown if text.value.startswith("**Where ")]
    assert len(titles) == 1
    assert titles[0].endswith("what attention adds to patch 1, 3, dimension 5**")
    closed = open_page("multi-head", **SMALL)
    assert not [text for text in closed.markdown if text.value.startswith("**Where ")]


def test_every_effect_is_a_run_of_its_own(open_page: Open) -> None:
    app = unfold(open_page("multi-head", **SMALL))
    seen = observation_of(**SMALL)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html_with(app, "effects"))
    found = [float(cell.replace("−", "-")) for cell in cells]
    best = seen.prediction
    expected = [
        100 * float(rerun_without([(block, head)])[best] - seen.probabilities[best])
        for block in range(2)
        for head in range(2)
    ]
    np.testing.assert_allclose(found, expected, atol=0.0051)  # two decimals are shown


def test_a_link_switches_off_only_what_the_model_has(open_page: Open) -> None:
    app = open_page("multi-head", **SMALL, off="7.7_1.1_1.1_0.9")
    said = next(text.value for text in app.markdown if text.value.startswith("Off: "))
    assert said.startswith("Off: head 2 of block 2. ")


def test_the_overview_comes_when_it_is_opened(open_page: Open) -> None:
    app = open_page("multi-head", **SMALL, query=3, block=1)
    assert not [one for one in app.get("html") if 'class="overview"' in one.proto.body]
    app.session_state["fold-overview"] = True
    app.run()
    shown = html_with(app, "overview")
    weights = observation_of(**SMALL).tensors["blocks.1.attn.pattern"][1, 3]
    names = ["[CLS]"] + [f"patch {r}, {c}" for r in range(1, 5) for c in range(1, 5)]
    most = f"{names[int(weights.argmax())]}, {100 * weights.max():.1f} %"
    assert f"Block 2, head 2: patch 1, 3 looks most at {most}" in shown
    assert shown.count("<td") == 4


# questions


@pytest.mark.parametrize("place", [(0, 0), (1, 2), (3, 3)])
def test_the_answers_are_right(place: tuple[int, int]) -> None:
    block, head = place
    config = ViTConfig(patch_size=7)
    app = draw_parts("multi_head", config, block=block, head=head, query=3)
    found = questions_of(app)
    assert len(found) >= 3
    choice = Choice("untrained", config, 0, 7, 0)
    seen = observe.observe(choice)
    best = seen.prediction

    model = load.load_source("untrained", config).model
    images = normalize(torch.tensor(seen.pixels)[None, None], mnist_info())
    without = trace(model, images, switch_heads_off(config, [place])).probabilities[0, best]
    change = float(without) - float(seen.probabilities[best])
    expected = "It rises" if change > 0 else "It falls"
    if abs(change) < 1e-4:
        expected = "It moves by less than a hundredth of a percentage point"
    assert right_answer(found["off"]) == expected

    assert right_answer(found["width"]) == "64"

    rows, columns = np.divmod(np.arange(16), 4)
    apart = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    weights = seen.tensors[f"blocks.{block}.attn.pattern"][:, 1:, 1:].astype(np.float64)
    weights /= weights.sum(axis=-1, keepdims=True)
    distances = (weights * apart).sum(axis=-1).mean(axis=-1)
    assert right_answer(found["farthest"]) == f"Head {distances.argmax() + 1}"
    expected = "Nearer" if distances[head] < apart.mean() else "Farther"
    if abs(distances[head] - apart.mean()) > 0.006:
        assert right_answer(found["even"]) == expected

    z = seen.tensors[f"blocks.{block}.attn.z"][:, 3]
    projection = model.blocks[block].attn.proj.weight.detach().numpy()
    sizes = [
        np.linalg.norm(projection[:, 16 * h : 16 * (h + 1)] @ z[h]) for h in range(config.num_heads)
    ]
    assert right_answer(found["writes"]) == f"Head {int(np.argmax(sizes)) + 1}"
