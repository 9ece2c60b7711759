"""The pictures of the page on patches, and the exact row of the page on attention."""

import csv
import io

import numpy as np
import pytest

from explainer.content.numbers import latex_number, percent
from explainer.content.token_names import prefix_names, token_names
from explainer.figures import theme
from explainer.figures.costs import pairs_chart
from explainer.figures.grids import LINE, gridded
from explainer.observation.attention_row import attention_row
from explainer.shell.downloads import matrix_csv
from vit_core import ViTConfig, build, trace
from vit_core.data import mnist_info, mnist_test, normalize


def test_a_grid_keeps_every_pixel_and_marks_only_the_borders() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    picture = gridded(pixels, (2, 3), zoom=4)
    assert picture.shape == (16, 24, 3)
    np.testing.assert_array_equal(picture[2::4, 2::4, 0], pixels)
    lines = (picture == LINE).all(axis=(1, 2)).nonzero()[0]
    assert lines.tolist() == [8]
    assert (picture == LINE).all(axis=(0, 2)).nonzero()[0].tolist() == [8, 16]


def test_a_grid_of_broken_patches_is_refused() -> None:
    with pytest.raises(ValueError, match="whole patches"):
        gridded(np.zeros((28, 28), np.uint8), (5, 7), zoom=1)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("current", [0, 2, None])
def test_the_chart_shows_the_pairs_and_marks_the_current_grid(
    mode: theme.Mode, current: int | None
) -> None:
    labels, pairs = ["2", "4", "7"], [25, 289, 2500]
    figure = pairs_chart(labels, pairs, current, "%{y}", mode)
    (bars,) = figure.data
    assert (bars.type, bars.orientation) == ("bar", "h")
    assert list(bars.x) == pairs
    assert list(bars.y) == labels
    assert list(bars.text) == ["25", "289", "2,500"]
    marked = [colour == theme.PATCH.for_mode(mode) for colour in bars.marker.color]
    assert marked == [place == current for place in range(3)]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.range[1] > max(pairs)
    assert figure.layout.margin.r >= 8 * len("2,500")  # a number is not cut where it is narrow
    assert bars.hovertemplate == "%{y}<extra></extra>"


@pytest.mark.parametrize(("labels", "pairs"), [(["a"], [1, 2]), (["a"], [0])])
def test_a_chart_of_no_pairs_is_refused(labels: list[str], pairs: list[int]) -> None:
    with pytest.raises(ValueError):
        pairs_chart(labels, pairs, 0, "", "light")


def test_a_row_is_the_models_arithmetic() -> None:
    config = ViTConfig(patch_size=7, embed_dim=32, num_heads=4, depth=2)
    images = normalize(mnist_test().images[:1], mnist_info())
    recorded = trace(build(config).eval(), images)
    tensors = {key: recorded[key][0].numpy() for key in recorded}
    row = attention_row(tensors, block=1, head=2, query=5)
    queries, keys = (tensors[f"blocks.1.attn.{name}"][2] for name in "qk")
    assert row.head_dim == 8
    for key in range(config.num_tokens):
        assert row.product(key) == pytest.approx(float(queries[5] @ keys[key]), abs=1e-5)
        weight = np.exp(float(row.scores[key])) / row.exponential_sum
        assert weight == pytest.approx(float(row.weights[key]), abs=1e-6)
    ordered = row.weights[row.strongest]
    assert (np.diff(ordered) <= 0).all()
    assert ordered[: row.half].sum() >= 0.5 > ordered[: row.half - 1].sum()


def test_the_csv_is_the_pattern() -> None:
    config = ViTConfig(patch_size=14)
    names = token_names(config)
    pattern = np.random.default_rng(0).dirichlet(np.ones(5), size=5).astype(np.float32)
    rows = list(csv.reader(io.StringIO(matrix_csv(pattern, names, names, "query"))))
    assert rows[0] == ["query", "[CLS]", "patch 1, 1", "patch 1, 2", "patch 2, 1", "patch 2, 2"]
    assert [row[0] for row in rows[1:]] == names
    found = np.array([[float(value) for value in row[1:]] for row in rows[1:]], dtype=np.float32)
    np.testing.assert_array_equal(found, pattern)


def test_names_of_prefix_tokens() -> None:
    assert prefix_names(ViTConfig(pool="mean")) == []
    assert prefix_names(ViTConfig(num_registers=2)) == ["[CLS]", "register 1", "register 2"]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.382, "38.2 %"), (0.0041, "0.41 %"), (0.00001, "< 0.01 %"), (0, "0.00 %"), (1, "100.0 %")],
)
def test_percent(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3.554, "3.55"),
        (-14.2, "-14.20"),
        (0.0123, "0.0123"),
        (94.58, "94.58"),
        (123.456, "123.5"),
        (4321.9, "4322"),
        (1.07e13, r"1.07 \cdot 10^{13}"),
        (2.5e-7, r"2.50 \cdot 10^{-7}"),
        (0.0, "0.00"),
    ],
)
def test_numbers_of_any_size_stay_short(number: float, text: str) -> None:
    assert latex_number(number) == text
