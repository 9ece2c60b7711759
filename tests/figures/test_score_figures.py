"""Pictures of scores: means and middle halves, small maps in a table, numbers in a table."""

import re

import numpy as np
import pytest

from explainer.figures import theme
from explainer.figures.map_table import MapCell, ends, map_colours, map_table
from explainer.figures.score_chart import Scores, score_chart
from explainer.figures.score_table import ScoreCell, score_table

NAMES = ("one", "two <b>", "three")
VALUES = [np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([1.0, 1.0]), np.array([-1.0, 5.0])]


def scores(values=VALUES) -> Scores:
    return Scores("drop", values, theme.ACCENT, "circle", ("a", "b", "c"))


def test_a_dot_is_the_mean_and_a_line_the_middle_half() -> None:
    figure = score_chart(
        NAMES, [scores()], axis="area", mode="dark", span=(0, 5), apart=1, level=(2.0, "chance")
    )
    lines, dots = figure.data
    assert list(dots.x) == [2.0, 1.0, 2.0] and list(dots.y) == [0, 1, 2]
    assert dots.marker.color == theme.ACCENT.dark
    np.testing.assert_array_equal(lines.x[:2], [1.0, 3.0])
    assert np.isnan(lines.x[2]) and len(lines.x) == 9
    assert figure.layout.yaxis.range == (2.5, -0.5), "the first row is the top one"
    assert figure.layout.yaxis.ticktext == ("one", "two &lt;b&gt;", "three")
    assert sorted(shape.y0 for shape in figure.layout.shapes) == [0, 1.5]
    assert [note.text for note in figure.layout.annotations] == ["● drop", "┊ chance"]


def test_two_series_stand_below_each_other_in_a_row() -> None:
    figure = score_chart(NAMES, [scores(), scores()], axis="area", mode="light", span=(0, 5))
    first, second = figure.data[1].y, figure.data[3].y
    assert (np.array(first) < np.arange(3)).all() and (np.array(second) > np.arange(3)).all()


@pytest.mark.parametrize("broken", [[np.array([np.nan])] * 3, VALUES[:2], [np.array([])] * 3])
def test_what_has_no_mean_is_refused(broken) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        score_chart(NAMES, [scores(broken)], axis="area", mode="light", span=(0, 1))


def test_a_map_has_a_scale_of_its_own() -> None:
    values = np.array([-1.0, 0.0, 0.5, 0.25])
    assert ends(values, signed=True) == (-1.0, 1.0) and ends(values, signed=False) == (-1.0, 0.5)
    signed = map_colours(values, (2, 2), signed=True)
    middle = [int(theme.DIVERGING[5][at : at + 2], 16) for at in (1, 3, 5)]
    assert np.abs(signed[0, 1].astype(int) - middle).max() <= 2
    unsigned = map_colours(values, (2, 2), signed=False)
    least, most = (
        [int(stop[at : at + 2], 16) for at in (1, 3, 5)]
        for stop in (theme.SEQUENTIAL[0], theme.SEQUENTIAL[-1])
    )
    assert unsigned[0, 0].tolist() == least and unsigned[1, 0].tolist() == most
    nothing = map_colours(np.zeros(4), (2, 2), signed=True)
    assert np.abs(nothing.astype(int) - middle).max() <= 2
    with pytest.raises(ValueError, match="finite"):
        map_colours(np.array([np.inf, 0, 0, 0]), (2, 2), signed=False)


def test_a_table_of_maps_says_what_is_in_each() -> None:
    cell = MapCell(np.zeros((2, 2, 3), np.uint8), "0.50", 'from "0" to 1')
    html = map_table(["as it is"], [("<i>x", [cell])], corner="method", caption="maps", apart=1)
    assert 'alt="from &quot;0&quot; to 1"' in html and "<span>0.50</span>" in html
    assert '<th scope="row">&lt;i&gt;x</th>' in html and "<tr class=apart>" in html
    assert 'role="region" tabindex="0" aria-label="maps"' in html
    with pytest.raises(ValueError, match="1 cells"):
        map_table(["a"], [("x", [])], corner="", caption="")


def test_a_table_of_scores_marks_the_best() -> None:
    html = score_table(
        [("deletion", "black"), ("insertion", "black")],
        [("x", [ScoreCell("0.1", True), ScoreCell("<0.2")]), ("y", [ScoreCell("1")] * 2)],
        corner="method",
        caption="scores",
    )
    assert re.findall(r"<td class=strong>(.*?)</td>", html) == ["0.1"]
    assert "&lt;0.2" in html and "apart>" not in html
    with pytest.raises(ValueError, match="2 cells"):
        score_table([("a", ""), ("b", "")], [("x", [])], corner="", caption="")
