"""The pictures of one step, of a batch and of a schedule, as objects."""

import math

import numpy as np
import plotly.graph_objects as go
import pytest

from explainer.figures import theme
from explainer.figures.saved import charts, page_html
from explainer.figures.steps import (
    FLOOR,
    Line,
    cosine_table,
    line_chart,
    optimizer_table,
    rate_chart,
)
from explainer.figures.switched import ink

NAMES = {"small": "too small", "right": "right", "large": "too large", "leap": "leap", "now": "now"}
TEXTS = {"caption": "cosines", "corner": "classes", "none": "–", "table": "steps", "row": "weights"}


def drawn(losses: list[float], zones: list[str], chosen: int = 0) -> go.Figure:
    rates = np.linspace(-2, 2, len(losses))
    return rate_chart(
        rates,
        np.array(losses),
        0.1,
        zones,
        chosen,
        written=[(f"{rate:g}", f"{loss:g}") for rate, loss in zip(rates, losses, strict=True)],
        axes=("rate", "loss"),
        names=NAMES,
        hover="%{customdata[0]}",
        mode="light",
    )


def test_losses_are_drawn_as_exponents_each_in_the_colour_of_its_zone() -> None:
    zones = ["small", "right", "right", "large", "leap"]
    figure = drawn([0.1, 0.01, 1e-30, math.inf, 0.0], zones, chosen=1)
    line, *dots = figure.data
    np.testing.assert_allclose(line.y, [-1, -2, FLOOR, math.nan, FLOOR])
    assert [trace.marker.color for trace in dots] == [
        shade.light for shade in (theme.MUTED, theme.GOOD, theme.BAD, theme.ACCENT)
    ]
    np.testing.assert_allclose(dots[1].y, [-2, FLOOR])
    assert list(dots[1].marker.size) == [17, 8], "the chosen rate is the larger dot"
    assert dots[1].customdata[0][1] == "0.01"
    (level,) = figure.layout.shapes
    assert level.y0 == level.y1 == pytest.approx(-1)
    assert figure.layout.yaxis.range[0] < FLOOR and figure.layout.yaxis.range[1] > -1
    said = [note.text for note in figure.layout.annotations]
    assert said == ["● too small", "● right", "● too large", "● leap", "┄ now"]
    assert len({(note.x, note.y) for note in figure.layout.annotations}) == 5


def test_a_chart_names_only_the_zones_that_it_has() -> None:
    said = [note.text for note in drawn([0.05, 0.04], ["right"] * 2).layout.annotations]
    assert said == ["● right", "┄ now"]


def test_a_chart_of_rates_needs_one_loss_for_each() -> None:
    with pytest.raises(ValueError, match="one loss, one zone"):
        drawn([0.1, 0.2], ["small"])
    with pytest.raises(ValueError, match="one height"):
        Line("one", np.zeros(2), np.zeros(3), theme.ACCENT)


def test_long_names_stand_below_one_another() -> None:
    short, long = (
        line_chart(
            [Line(name, np.arange(3.0), np.arange(3.0), theme.ACCENT) for name in names],
            axes=("x", "y"),
            hover="",
            mode="dark",
            marks=[(1.0, "here")],
        )
        for names in (("a", "b"), ("a name of so many letters", "b"))
    )
    assert {note.x for note in short.layout.annotations} == {0, 0.5}
    assert {note.x for note in long.layout.annotations} == {0}
    assert long.layout.height > short.layout.height
    assert short.layout.shapes[0].x0 == short.layout.shapes[0].x1 == 1


def test_a_strangers_name_is_no_markup_in_a_chart() -> None:
    figure = line_chart(
        [Line("<b>x</b>", np.arange(2.0), np.arange(2.0), theme.ACCENT, ["1", "2"])],
        axes=("x", "y"),
        hover="%{customdata[0]}",
        mode="light",
    )
    assert figure.data[0].customdata[0][0] == "&lt;b&gt;x&lt;/b&gt;"
    assert "<b>" not in figure.layout.annotations[0].text


def test_the_table_of_cosines() -> None:
    values = np.array([[0.4, -0.004], [math.nan, -0.8]])
    html = cosine_table(values, ["this", "<i>"], ["a", "b"], (0, 1), TEXTS)
    assert html.count("<td") == 4 and ">0.40<" in html and ">0.00<" in html and ">−0.80<" in html
    assert 'class="none">–<' in html and 'class="chosen"' in html
    assert "<i>" not in html and "&lt;i&gt;" in html
    assert html.count("<tr class=") == 1, "the first row stands apart"
    strongest = "background:rgb(2,67,123)"
    assert strongest in html
    assert strongest not in cosine_table(values, ["a", "b"], ["a", "b"], None, TEXTS, limit=2.0)
    assert ink(np.array([2, 67, 123])) == "#fff"
    for wrong in (values[:1], np.array([[math.inf, 0], [0, 0]])):
        with pytest.raises(ValueError, match="do not fit"):
            cosine_table(wrong, ["a", "b"], ["a", "b"], None, TEXTS)


def test_the_table_of_optimizers() -> None:
    rows = [("head.weight", [("1.00 · 2", 1.0), ("– · 0", None)]), ("all", [("0.5 · 3", 0.5)] * 2)]
    html = optimizer_table(rows, ["SGD", "<b>"], 1, TEXTS)
    assert "<code>head.weight</code>" in html and "<code>all</code>" not in html
    assert html.count("<i style") == 3, "what has no direction has no bar"
    assert html.count('<td class="now">') == 2 and "--share:0.500" in html
    assert "&lt;b&gt;" in html and "<tr class=sum>" in html


def test_all_of_them_can_be_saved() -> None:
    figure = drawn([0.1, math.nan], ["small", "large"])
    assert charts.plotly(figure).width > 0
    for html in (
        cosine_table(np.eye(2), ["a", "b"], ["a", "b"], (0, 0), TEXTS),
        optimizer_table([("a.b", [("1", 1.0)])], ["SGD"], 0, TEXTS),
    ):
        assert page_html.page_html(html).width > 0
