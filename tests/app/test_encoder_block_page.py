"""The encoder block's page: rows of the trace that add up, lengths recomputed, right answers."""

from collections.abc import Callable

import numpy as np
import pytest
from reading import choice_and_observation, choice_of, matrices_of, observation_of
from streamlit.testing.v1 import AppTest

from explainer.figures.block_flow import block_flow
from explainer.figures.layer_norm import before_and_after, gelu_curve
from explainer.state.place import Place
from explainer.views import encoder_block as page
from vit_core import ViTConfig

pytestmark = pytest.mark.usefixtures("shipped")

ADDRESS = "encoder-block"
SHAPES = [
    {"patches": patches, "width": width, "heads": heads, "depth": depth, "position": position}
    for patches, width, heads, depth, position in (
        (2, 8, 1, 1, "none"),
        (14, 8, 8, 8, "sincos"),
        (2, 128, 8, 1, "sincos2d"),
        (14, 128, 1, 8, "learned"),
    )
]


def check_whole(app: AppTest, config: ViTConfig) -> None:
    """Check that every part is drawn, with matrices in the shapes of this model."""
    assert not app.exception and not app.error
    assert len(app.header) == len(page.PARTS) + 1
    shapes = {name: values.shape for name, values in matrices_of(app).items()}
    assert shapes == page.cells.cell_shapes(config)


@pytest.mark.parametrize("source", ["default", "fast", "best", "seed", "untrained"])
def test_every_model_has_the_page(open_page: Callable, source: str):
    check_whole(open_page(ADDRESS, source=source), choice_of(source).config)


@pytest.mark.parametrize("knobs", SHAPES)
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


@pytest.mark.parametrize("knobs", SHAPES)
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


def test_the_picture_of_the_block_says_what_it_shows():
    names = ("before", "attention", "middle", "mlp", "after")
    lengths = {name: f"{at}.5" for at, name in enumerate(names)}
    html = block_flow(lengths, page.wording.TEXTS["parts"]["flow"], "a <block>")
    assert 'aria-label="a &lt;block&gt;"' in html
    for number in lengths.values():
        assert f"length {number}" in html
    assert html.count("<div") == html.count("</div") and html.count("<span") == html.count("</span")
    assert html.count(">+<") == 2 and 'class="box off"' not in html


def test_the_picture_of_a_flawed_block_adds_nothing_and_strikes_out_what_does_not_run():
    lengths = dict.fromkeys(("before", "attention", "middle", "mlp", "after"), "1")
    texts = page.wording.TEXTS["parts"]["flow"]
    without_sums = block_flow(lengths, texts, "", residual=False)
    assert ">+<" not in without_sums and without_sums.count(">→<") == 2
    assert 'class="stream cut"' in without_sums and 'class="box off"' not in without_sums
    without_norms = block_flow(lengths, texts, "", layer_norm=False)
    assert without_norms.count('class="box off"') == 2 and without_norms.count(">+<") == 2
    for html in (without_sums, without_norms):
        for tag in ("div", "span"):
            assert html.count(f"<{tag}") == html.count(f"</{tag}")
