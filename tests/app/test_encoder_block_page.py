"""The encoder block's page: rows of the trace that add up, lengths recomputed, right answers."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from extremes import EXTREMES
from reading import (
    choice_and_observation,
    choice_of,
    draw_parts,
    html_with,
    matrices_of,
    observation_of,
    texts_of,
    unfold,
)
from streamlit.testing.v1 import AppTest

from explainer.figures.block_flow import block_flow
from explainer.figures.layer_norm import before_and_after, gelu_curve
from explainer.state.place import Place
from explainer.views import encoder_block as page
from vit_core import ViTConfig, build

pytestmark = pytest.mark.usefixtures("shipped")

ADDRESS = "encoder-block"


def check_whole(app: AppTest, config: ViTConfig) -> None:
    """Check that every part is drawn, with matrices in the shapes of this model."""
    assert not app.exception and not app.error
    assert len(app.header) == len(page.PARTS) + 1
    shapes = {name: values.shape for name, values in matrices_of(unfold(app)).items()}
    assert shapes == page.cells.cell_shapes(config)


@pytest.mark.parametrize("source", ["default", "fast", "best", "seed", "untrained"])
def test_every_model_has_the_page(open_page: Callable, source: str):
    check_whole(open_page(ADDRESS, source=source), choice_of(source).config)


@pytest.mark.parametrize("knobs", EXTREMES)
def test_shapes_at_their_extremes(open_page: Callable, knobs: dict):
    app = open_page(ADDRESS, source="untrained", **knobs)
    check_whole(app, choice_of(**knobs).config)


@pytest.mark.parametrize(
    "place", [{"block": 99}, {"query": 999}, {"unit": 9999}, {"cell": "stream.9.9"}]
)
def test_places_that_a_model_does_not_have(open_page: Callable, place: dict):
    check_whole(open_page(ADDRESS, source="seed", **place), choice_of("seed").config)


@pytest.mark.parametrize("source", ["default", "best", "untrained"])
def test_the_rows_are_the_trace_and_add_up(source: str):
    choice, seen = choice_and_observation(source)
    stream, normed = page.flow.stream_matrices(choice, seen, Place(seen.config, block=1, query=5))
    for at, name in enumerate(page.cells.STREAM):
        assert np.array_equal(stream.values[at], seen.tensors[f"blocks.1.{name}"][5])
    for at, name in enumerate(page.cells.COPIES):
        assert np.array_equal(normed.values[at], seen.tensors[f"blocks.1.{name}"][5])
    before, attention, middle, mlp, after = stream.values
    assert np.array_equal(before + attention, middle)
    assert np.array_equal(middle + mlp, after)


@pytest.mark.parametrize("knobs", EXTREMES)
def test_every_matrix_has_the_shape_that_links_are_read_by(knobs: dict):
    choice, seen = choice_and_observation("untrained", **knobs)
    place = Place(seen.config)
    shapes = page.matrix_shapes(choice, seen, place)
    found = [
        matrix
        for make in (
            page.flow.stream_matrices,
            page.norm.learned_matrices,
            page.mlp.hidden_matrices,
            page.overview.length_matrices,
        )
        for matrix in make(choice, seen, place)
    ]
    assert {matrix.name: matrix.values.shape for matrix in found} == shapes


def test_lengths_and_cosines():
    seen = observation_of("default")
    found = page.wording.lengths(seen, 3)
    for block in range(seen.config.depth):
        for at, name in enumerate(("resid_pre", "attn_out", "mlp_out")):
            row = seen.tensors[f"blocks.{block}.{name}"][3].astype(np.float64)
            assert found[at, block] == pytest.approx(np.sqrt((row**2).sum()), rel=1e-6)
    one, other = np.array([3.0, 4.0]), np.array([4.0, 3.0])
    assert page.wording.length(one) == 5
    assert page.sizes.cosine(one, other) == pytest.approx(24 / 25)
    assert page.sizes.cosine(one, np.zeros(2)) is None
    assert page.sizes.compared(np.zeros(2), np.zeros(2), one) == ("0.000", "–", "–", "–")


@pytest.mark.parametrize("source", ["default", "seed", "untrained"])
def test_the_questions_have_the_right_answers(source: str):
    choice, seen = choice_and_observation(source)
    questions = page.questions(choice, seen, Place(seen.config, query=4))
    asked = {question.name: question for question in questions}
    assert len(asked) >= 3
    attention, mlp = (
        np.linalg.norm(seen.tensors[f"blocks.0.{name}"][4]) for name in ("attn_out", "mlp_out")
    )
    if abs(attention - mlp) > 0.011 * max(attention, mlp):
        assert asked["larger"].answer == int(mlp > attention)
    active = int((seen.tensors["blocks.0.mlp.pre"][4] > 0).sum())
    assert asked["active"].options[asked["active"].answer] == str(active)
    added = [
        np.linalg.norm(seen.tensors[f"blocks.{block}.mlp_out"][4])
        for block in range(seen.config.depth)
    ]
    assert asked["most"].answer == int(np.argmax(added))


def test_one_block_alone_is_not_asked_which_block():
    choice, seen = choice_and_observation("untrained", depth=1)
    asked = page.questions(choice, seen, Place(seen.config))
    assert "most" not in {question.name for question in asked}


def test_a_unit_is_chosen_by_its_cell(open_page: Callable, click_in: Callable):
    app = open_page(ADDRESS)
    click_in(app, "block-hidden", {"choice": {"matrix": "hidden", "row": 1, "column": 7, "at": 1}})
    assert app.query_params["unit"] in ("7", ["7"])
    assert not app.exception


# the figures


def test_the_histograms_count_every_number():
    before, after = np.linspace(-4, 4, 64, dtype=np.float32), np.ones(64, dtype=np.float32)
    figure = before_and_after(before, after, axis="value", count_axis="n", mode="dark")
    left, right = figure.data
    assert sum(left.y) == sum(right.y) == 64
    assert left.type == right.type == "bar"
    assert figure.layout.xaxis.title.text == "value"
    with pytest.raises(ValueError, match="finite"):
        before_and_after(np.array([np.nan]), after, axis="", count_axis="", mode="light")


def test_the_units_lie_on_the_curve():
    seen = observation_of("default")
    pre, post = (seen.tensors[f"blocks.0.mlp.{name}"][0] for name in ("pre", "post"))
    figure = gelu_curve(pre, post, 3, axis="x", height_axis="y", hover="h", mode="light")
    curve, dots = figure.data
    on_curve = np.interp(dots.x, curve.x, curve.y)
    assert np.abs(on_curve - dots.y).max() < 0.01
    assert np.array_equal(dots.customdata, np.arange(1, len(pre) + 1))
    assert dots.marker.size[3] > dots.marker.size[2]
    with pytest.raises(ValueError, match="finite"):
        gelu_curve(pre, post + np.inf, 0, axis="", height_axis="", hover="", mode="light")


NAMES = ("before", "attention", "middle", "mlp", "after")


def drawn(lengths: dict[str, float], alt: str = "", **how: bool) -> str:
    html = block_flow(lengths, page.wording.TEXTS["parts"]["flow"], alt, **how)
    for tag in ("div", "span"):
        assert html.count(f"<{tag}") == html.count(f"</{tag}")
    return html


def test_the_picture_of_the_block_says_what_it_shows():
    lengths = {name: at + 0.5 for at, name in enumerate(NAMES)}
    html = drawn(lengths, "a <block>")
    assert 'aria-label="a &lt;block&gt;"' in html
    for number in lengths.values():
        assert f"length {number:.2f}" in html
    assert html.count(">+<") == 2 and 'class="box off"' not in html and "λ" not in html
    assert "prefers-reduced-motion" in html


def widths_of(html: str, kind: str, side: str) -> list[float]:
    styles = re.findall(rf'class="{kind}" style="([^"]*)"', html)
    return [float(re.search(rf"{side}:([\d.]+)px", style)[1]) for style in styles]


def test_the_stream_is_as_wide_as_the_rows_are_long():
    lengths = dict(zip(NAMES, (10, 20, 30, 10, 40), strict=True))
    html = drawn(lengths)
    before, middle, after = widths_of(html, "water", "width")
    attention, mlp = widths_of(html, "water inflow", "height")
    assert before == mlp == after / 4
    assert attention == after / 2
    assert middle == pytest.approx(after * 3 / 4)
    assert all(width > 0 for width in widths_of(drawn(dict.fromkeys(NAMES, 0.0)), "water", "width"))


def test_the_picture_of_a_flawed_block_adds_nothing_and_strikes_out_what_does_not_run():
    lengths = dict.fromkeys(NAMES, 1.0)
    without_sums = drawn(lengths, residual=False)
    assert ">+<" not in without_sums and without_sums.count('replaces"') == 2
    whole, cut = (widths_of(html, "water", "height") for html in (drawn(lengths), without_sums))
    assert cut[0] < whole[0] and cut[1] < whole[1] and cut[2] == whole[2]
    without_norms = drawn(lengths, layer_norm=False)
    assert without_norms.count('class="box off"') == 2 and without_norms.count(">+<") == 2
    assert drawn(lengths, layer_scale=True).count("· λ") == 2


# folds


@pytest.mark.parametrize(
    ("cell", "shown"), [("learned.0.3", "learned"), ("lengths.1.0", "lengths"), ("", None)]
)
def test_a_link_to_a_cell_in_a_fold_opens_it(open_page: Callable, cell: str, shown: str | None):
    app = open_page(ADDRESS, source="untrained", **({"cell": cell} if cell else {}))
    assert not app.exception
    assert set(matrices_of(app)) == {"stream", "normed", "hidden", *([shown] if shown else [])}


@pytest.mark.parametrize(
    "config",
    [
        ViTConfig(patch_size=7, depth=1),
        ViTConfig(patch_size=7, embed_dim=24, mlp_ratio=1.5, num_heads=3, layer_scale=0.1),
        ViTConfig(patch_size=4, embed_dim=16, depth=3, mlp_ratio=2.0, qkv_bias=False, pool="mean"),
    ],
)
def test_where_the_numbers_are_and_who_works(config: ViTConfig):
    model = build(config, seed=0)
    block = model.blocks[0]
    matrices = {name: p.numel() for name, p in block.named_parameters() if p.dim() == 2}
    everything = sum(p.numel() for p in block.parameters())
    attention = sum(size for name, size in matrices.items() if name.startswith("attn."))
    mlp = sum(size for name, size in matrices.items() if name.startswith("mlp."))
    words = page.mlp.work_words(config)
    for number in (everything, attention, mlp, everything - attention - mlp):
        assert f"{number:,}" in words
    assert ("LayerScale" in words) == (config.layer_scale is not None)
    assert ("D^2$ numbers" in words) == (config.mlp_dim % config.embed_dim == 0)
    if config.mlp_dim == 4 * config.embed_dim:
        assert "12 \\, D^2" in words
    tokens, width = config.num_tokens, config.embed_dim
    assert f"{tokens * mlp:,} times in the MLP" in words
    assert f"{2 * tokens**2 * width:,} times to" in words


def test_registers_are_spoken_of_where_there_are_some(open_page: Callable):
    assert "registers" not in texts_of(unfold(open_page(ADDRESS)))
    config = ViTConfig(patch_size=7, depth=1, num_registers=2)
    app = unfold(draw_parts("encoder_block", config))
    assert "2 **registers**" in texts_of(app)
    assert 'class="block-flow"' in html_with(app, "block-flow")
