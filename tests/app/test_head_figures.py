"""The pictures of the two pages on attention, as objects; and how changes are written."""

import math
import re

import numpy as np
import pytest

from explainer.content.numbers import points, precise_percent
from explainer.figures import theme
from explainer.figures.by_block import by_block
from explainer.figures.looks import look, looks, overview
from explainer.figures.pixels import palette
from explainer.figures.side_by_side import side_by_side
from explainer.figures.switched import before_after, effects, ink
from explainer.observation.attention_row import AttentionRow, entropy_bits

PIXELS = np.arange(784, dtype=np.uint8).reshape(28, 28)


def row(scores: list[float], head_dim: int = 4) -> AttentionRow:
    values = np.array(scores, dtype=np.float32)
    weights = np.exp(values) / np.exp(values).sum()
    return AttentionRow(weights, values, query=0, head_dim=head_dim)


# a row at another temperature


def test_at_temperature_1_it_is_the_models_row() -> None:
    found = row([0.5, -1.0, 2.0])
    np.testing.assert_allclose(found.at_temperature(1), found.weights, atol=1e-7)


def test_a_temperature_by_hand() -> None:
    """Scores ln 1 and ln 9, halved, are ln 1 and ln 3."""
    found = row([0.0, math.log(9)])
    np.testing.assert_allclose(found.at_temperature(2), [1 / 4, 3 / 4], atol=1e-6)
    np.testing.assert_allclose(found.at_temperature(0.5), [1 / 82, 81 / 82], atol=1e-6)


def test_without_the_division_scores_are_the_dot_products() -> None:
    found = row([0.1, 0.7, -0.4], head_dim=16)
    products = np.array([found.product(key) for key in range(3)])
    expected = np.exp(products) / np.exp(products).sum()
    np.testing.assert_allclose(found.undivided, expected, atol=1e-6)


def test_extreme_scores_stay_finite() -> None:
    found = AttentionRow(np.array([1.0, 0.0]), np.array([3e4, -3e4], np.float32), 0, 4)
    assert found.at_temperature(0.125).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("temperature", [0, -1, math.nan])
def test_a_temperature_is_above_zero(temperature: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        row([0.0, 1.0]).at_temperature(temperature)


def test_entropy_in_bits() -> None:
    assert entropy_bits(np.array([1.0, 0.0])) == 0.0
    assert str(entropy_bits(np.array([1.0, 0.0]))) == "0.0"
    assert entropy_bits(np.full(8, 0.125)) == pytest.approx(3)
    assert entropy_bits(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5)


# numbers


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9701, "97.01 %"), (0.999943, "99.9943 %"), (0.00001, "0.0010 %"), (0, "0.0000 %")],
)
def test_precise_percent(share: float, text: str) -> None:
    assert precise_percent(share) == text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (-0.256, "−25.6"),
        (0.0153, "+1.53"),
        (-0.000039, "−0.0039"),
        (0.0, "0"),
        (-1e-9, "0"),
        (0.0999, "+10.0"),
        (-1.0, "−100.0"),
    ],
)
def test_changes_in_percentage_points(change: float, text: str) -> None:
    assert points(change) == text


def test_changes_beside_each_other_have_the_same_digits() -> None:
    assert [points(change, 0.25) for change in (0.25, -0.0123, 0.0001)] == ["+25.0", "−1.2", "0"]


# where a token looks


def test_a_look_is_the_image_under_the_weights() -> None:
    html = look(PIXELS, np.array([[0.1, 0.2], [0.3, 0.4]]), "the <row>")
    below, above = re.findall(r'<img src="([^"]+)" alt="([^"]*)"', html)
    assert below[1] == "" and above[1] == "the &lt;row&gt;"
    assert below[0] == look(PIXELS, np.eye(2), "").split('"')[3]
    assert above[0] != look(PIXELS, np.eye(2), "").split('"')[7]


def test_a_limit_fixes_the_scale() -> None:
    weights = np.array([[0.1, 0.2]])
    assert look(PIXELS, weights, "", limit=0.2) == look(PIXELS, weights, "")
    assert look(PIXELS, weights, "", limit=1.0) != look(PIXELS, weights, "")


def test_titles_and_lines_are_escaped() -> None:
    html = looks([("<b>picture</b>", "T < 1", ["a & b"])])
    assert "<b>picture</b>" in html and "T &lt; 1" in html and "a &amp; b" in html


def test_the_overview_has_every_head_in_its_place() -> None:
    weights = np.random.default_rng(0).random((2, 3, 4))
    strongest = [[f"{block}{head}" for head in range(3)] for block in range(2)]
    texts = {
        "caption": "all",
        "block": "Block {block}",
        "head": "Head {head}",
        "alt": "{block}.{head}: {strongest}",
    }
    html = overview(PIXELS, weights, (2, 2), (1, 2), texts, strongest)
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    assert re.findall(r'scope="col">([^<]+)', rows[0]) == ["Head 1", "Head 2", "Head 3"]
    for block, line in enumerate(rows[1:]):
        assert re.findall(r'scope="row">([^<]+)', line) == [f"Block {block + 1}"]
        alts = [alt for alt in re.findall(r'alt="([^"]*)"', line) if alt]
        assert alts == [f"{block + 1}.{head + 1}: {block}{head}" for head in range(3)]
    assert html.count('class="chosen"') == 1
    assert 'class="chosen"' in rows[2].split("<td")[3]


def test_a_picture_of_no_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        look(PIXELS, np.array([[np.nan]]), "")


# side by side


def test_pieces_share_one_scale_and_bars_show_their_size() -> None:
    pieces = np.array([[1.0, -1.0], [0.1, 0.0]])
    html = side_by_side(pieces, np.array([4.0, 1.0]), ["a", "b"], ["4", "1"], 1, "both <pieces>")
    assert re.findall(r"width:max\(1px,([\d.]+)%\)", html) == ["100.0", "25.0"]
    assert 'aria-label="both &lt;pieces&gt;"' in html
    assert html.index('class="chosen"') > html.index("<b>a</b>")
    small = side_by_side(pieces[1:], np.array([1.0]), ["b"], ["1"], 0, "")
    assert re.findall('base64,[^"]+', html)[1] != re.findall('base64,[^"]+', small)[0]


def test_pieces_of_zeros_are_drawn() -> None:
    assert "max(1px,0.0%)" in side_by_side(np.zeros((1, 3)), np.zeros(1), ["a"], ["0"], 0, "")


# switched off


def test_before_and_after_stand_beside_each_other() -> None:
    html = before_after(
        np.array([0.75, 0.25]),
        np.array([0.5, 0.5]),
        ["0", "<1>"],
        [("75", "50", "−25"), ("25", "50", "+25")],
        ("Class", "Before", "After", "Change"),
        "what changed",
    )
    widths = [float(width) for width in re.findall(r"width:max\(1px,([\d.]+)%\)", html)]
    assert widths == [75, 50, 25, 50]
    assert "&lt;1&gt;" in html and "<caption>what changed</caption>" in html
    with pytest.raises(ValueError, match="finite"):
        before_after(np.array([np.nan]), np.ones(1), ["0"], [("", "", "")], ("",) * 4, "")


def test_effects_are_coloured_by_sign_and_size() -> None:
    changes = np.array([[-0.2, 0.0], [0.1, 0.2]])
    html = effects(
        changes,
        [["a", "b"], ["c", "d"]],
        (["B1", "B2"], ["H1", "H2"]),
        (1, 0),
        frozenset({(0, 1), (1, 0)}),
        "caption",
    )
    cells = re.findall(
        r'<td class="([^"]*)" style="background:rgb\(([\d,]+)\);[^>]*>(\w)</td>', html
    )
    assert [cell[0] for cell in cells] == ["", "off", "chosen off", ""]
    assert [cell[2] for cell in cells] == list("abcd")
    as_hex = ["#" + "".join(f"{int(c):02x}" for c in cell[1].split(",")) for cell in cells]
    assert as_hex[0] == theme.DIVERGING[0] and as_hex[3] == theme.DIVERGING[-1]
    assert len(set(as_hex)) == 4
    with pytest.raises(ValueError, match="finite"):
        effects(np.array([[np.inf]]), [["a"]], (["B"], ["H"]), (0, 0), frozenset(), "")


def luminance(colour: np.ndarray) -> float:
    channels = colour / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_numbers_can_be_read_on_every_colour() -> None:
    for colour in palette(theme.DIVERGING):
        there = luminance(colour)
        written = 1.0 if ink(colour) == "#fff" else 0.0
        contrast = (max(there, written) + 0.05) / (min(there, written) + 0.05)
        assert contrast >= 4.5


# over the blocks


def chart(values: np.ndarray, **words: object):
    return by_block(
        values,
        (1, 0),
        axis="bits",
        block_axis="block",
        hover="%{y}",
        reference=(5.0, "evenly"),
        mode="light",
        **words,
    )


def test_every_head_is_one_dot_over_its_block() -> None:
    values = np.array([[1.0, 2.0, 3.0], [0.0, 1.5, 2.5]])
    figure = chart(values)
    (dots,) = figure.data
    assert list(dots.x) == [1, 1, 1, 2, 2, 2]
    assert list(dots.customdata) == [1, 2, 3, 1, 2, 3]
    np.testing.assert_array_equal(dots.y, values.reshape(-1))
    colours = list(dots.marker.color)
    assert colours.index(theme.ACCENT.light) == 3 and colours.count(theme.ACCENT.light) == 1
    assert figure.layout.xaxis.title.text == "block" and figure.layout.yaxis.title.text == "bits"
    assert figure.layout.shapes[0].y0 == figure.layout.shapes[0].y1 == 5.0
    assert figure.layout.annotations[0].text.endswith("evenly")
    low, high = figure.layout.yaxis.range
    assert low < 0 and high > 5


def test_a_head_without_a_number_is_left_out_and_wrong_ones_are_refused() -> None:
    assert np.isnan(chart(np.array([[np.nan], [1.0]])).data[0].y[0])
    chart(np.full((2, 1), np.nan))
    for wrong in (np.inf, -0.5):
        with pytest.raises(ValueError, match="at least 0"):
            chart(np.array([[wrong], [1.0]]))
