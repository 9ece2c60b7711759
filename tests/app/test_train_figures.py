"""Curves, strip, confusion table and mosaic of the training page, as what they are made of."""

import base64
import json
import re
import struct
import zlib

import numpy as np
import pytest

from explainer.figures import theme
from explainer.figures.confusion import confusion
from explainer.figures.curves import MOST, Curve, curves, thinned, ticks
from explainer.figures.mosaic import grid, mosaic
from explainer.figures.strip import Answer, strip
from explainer.views.train.of_data import texts_about

TEXTS = texts_about("mnist")["charts"]
STRIP = texts_about("mnist")["strip"]


def curve(*losses: float, kind: str = "line", symbol: str = "circle") -> Curve:
    values = np.array(losses)
    epochs = np.arange(1, len(values) + 1) / 2
    return Curve("a run", epochs, values, values / 10, kind, theme.ACCENT, symbol)


def drawn(*found: Curve, **options) -> dict:
    given = {"epochs": 3, "texts": TEXTS, "alts": ("loss falls", "accuracy rises")}
    return curves(found, **(given | options))


class TestCurves:
    def test_both_charts_have_every_curve_at_its_epochs(self) -> None:
        loss, accuracy = drawn(curve(2.0, 1.0, kind="dots"))["panels"]
        (one,) = loss["curves"]
        assert (one["x"], one["y"], one["kind"]) == ([0.5, 1.0], [2.0, 1.0], "dots")
        assert one["shade"] == theme.ACCENT.css
        assert accuracy["curves"][0]["y"] == [20.0, 10.0], "per cent"
        assert (loss["alt"], accuracy["alt"]) == ("loss falls", "accuracy rises")

    def test_the_result_can_be_sent_as_it_is(self) -> None:
        assert json.loads(json.dumps(drawn(curve(1.0)))) == drawn(curve(1.0))

    def test_axes_stay_as_they_are_while_a_run_learns(self) -> None:
        axes = [
            [(panel["high"], panel["ticks"]) for panel in drawn(*found)["panels"]]
            for found in ([], [curve(2.3)], [curve(2.3, 0.1)])
        ]
        assert axes[0] == axes[1] == axes[2]
        assert axes[0][1] == (104, [0, 25, 50, 75, 100])

    def test_a_loss_that_explodes_is_cut_off_and_named(self) -> None:
        loss = drawn(curve(2.3, 1234.5))["panels"][0]
        assert loss["high"] == 6.0 and loss["cut_off"] == "rises to 1.23e+03"
        assert drawn(curve(2.3, 4.0))["panels"][0]["cut_off"] == ""

    def test_guessing_is_marked(self) -> None:
        loss, accuracy = drawn()["panels"]
        assert loss["level"]["at"] == pytest.approx(2.302585)
        assert accuracy["level"]["at"] == 10

    def test_the_newest_measurement_is_named(self) -> None:
        assert drawn(curve(2.0, 1.0, 0.5), curve(1.0))["newest"] == 1.5
        assert drawn(curve())["newest"] == -1.0

    def test_long_curves_keep_their_ends(self) -> None:
        kept = thinned(5_000)
        assert len(kept) == MOST and (kept[0], kept[-1]) == (0, 4_999)
        assert list(thinned(3)) == [0, 1, 2] and not len(thinned(0))

    @pytest.mark.parametrize(
        ("epochs", "named"), [(1, [0, 1]), (3, [0, 1, 2, 3]), (27, [0, 5, 10, 15, 20, 25])]
    )
    def test_whole_epochs_are_named(self, epochs: int, named: list[int]) -> None:
        assert ticks(epochs) == named

    def test_the_longest_run_has_an_axis(self) -> None:
        assert len(ticks(10_000)) <= 11

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_what_is_no_number_is_refused(self, value: float) -> None:
        with pytest.raises(ValueError, match="one finite number"):
            drawn(curve(1.0, value))

    def test_lengths_and_symbols_are_checked(self) -> None:
        one = curve(1.0)
        with pytest.raises(ValueError, match="one finite number"):
            drawn(Curve("x", one.epochs, np.ones(2), one.accuracies, "line", theme.ACCENT))
        with pytest.raises(ValueError, match="circle, diamond"):
            drawn(curve(1.0, symbol="heart"))


class TestStrip:
    def test_right_and_wrong_are_told_by_sign_word_and_colour(self) -> None:
        html = strip([Answer("data:a", "7", "7", "99 %"), Answer("data:b", "7", "1")], STRIP)
        assert '<li class="right">' in html and "✓ right" in html and "99 %" in html
        assert '<li class="wrong">' in html and "✗ is a 7" in html
        assert html.count('alt="A handwritten 7"') == 2

    def test_nothing_is_said_of_a_digit_that_was_not_asked(self) -> None:
        html = strip([Answer("data:a", "7")], STRIP, columns=4)
        assert "<b>?</b>" in html and 'class="verdict"' not in html and "--columns:4" in html


class TestConfusion:
    TEXTS = {"caption": "Counts", "corner": "true"}  # noqa: RUF012

    def test_rows_are_the_true_classes(self) -> None:
        html = confusion(np.array([[3, 1], [0, 5]]), ["a", "b"], self.TEXTS)
        rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", html)
        cells = {name: re.findall(r">(\d+)</td>", row) for name, row in rows}
        assert cells == {"a": ["3", "1"], "b": ["0", "5"]}

    def test_right_and_wrong_have_their_own_colours(self) -> None:
        html = confusion(np.array([[3, 1], [0, 5]]), ["a", "b"], self.TEXTS)
        assert html.count(f"srgb, {theme.ACCENT.css} 42%") == 1, "all of b are right"
        assert html.count(theme.BAD.css) == 1

    def test_a_class_without_digits_is_empty(self) -> None:
        assert confusion(np.zeros((2, 2), int), ["a", "b"], self.TEXTS).count("none") >= 4

    @pytest.mark.parametrize("counts", [np.zeros((2, 3), int), np.array([[1, -1], [0, 1]])])
    def test_other_counts_are_refused(self, counts: np.ndarray) -> None:
        with pytest.raises(ValueError, match="do not fit"):
            confusion(counts, ["a", "b"], self.TEXTS)


def indices(address: str) -> np.ndarray:
    """Return the palette's indices of a small picture, (height, width)."""
    content = base64.b64decode(address.partition(",")[2])
    width, height = struct.unpack(">II", content[16:24])
    at = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[at - 4 : at])
    lines = np.frombuffer(zlib.decompress(content[at + 4 : at + 4 + length]), np.uint8)
    return lines.reshape(height, width + 1)[:, 1:]


class TestMosaic:
    def test_every_filter_stands_in_its_place_on_one_scale(self) -> None:
        filters = np.stack([np.full(4, value) for value in (-2.0, 0.0, 1.0, 2.0)])
        picture = indices(mosaic(filters, (2, 2), limit=2.0))
        assert picture.shape == (5, 5)
        assert picture[0, 0] == 1 and picture[0, 3] == 128  # 0 is the clear colour
        assert picture[3, 0] == 191 and picture[3, 3] == 255
        assert not picture[2].any() and not picture[:, 2].any(), "gaps are clear"

    @pytest.mark.parametrize(
        ("count", "shape"), [(8, (2, 4)), (16, (4, 4)), (32, (4, 8)), (64, (8, 8)), (7, (1, 7))]
    )
    def test_the_grid_is_full_and_nearly_square(self, count: int, shape: tuple) -> None:
        assert grid(count) == shape

    @pytest.mark.parametrize("filters", [np.ones((4, 5)), np.full((4, 4), np.nan)])
    def test_other_filters_are_refused(self, filters: np.ndarray) -> None:
        with pytest.raises(ValueError, match=r"do not fill|finite"):
            mosaic(filters, (2, 2), limit=1.0)
