"""Two runs in one chart: whose line is where, in which colour, and what is refused."""

import numpy as np
import pytest

from explainer import theme
from explainer.figures.two_runs import Curves, two_runs

TEXTS = {
    "loss_axis": "loss (nats)",
    "accuracy_axis": "right (%)",
    "step_axis": "step",
    "train": "training",
    "val": "validation",
    "hover_loss": "at %{x}: %{y}",
    "hover_accuracy": "at %{x}: %{y} %",
}


def curves(name: str, shift: float = 0.0) -> Curves:
    steps = np.arange(10, 101, 10)
    return Curves(
        name,
        steps,
        2.0 - steps / 100 + shift,
        steps / 200,
        np.array([50, 100]),
        np.array([1.0, 0.5]) + shift,
        np.array([0.4, 0.6]),
    )


def chart(mode: theme.Mode = "light", **changed):
    values = {"texts": TEXTS, "epochs": [50, 100], "mode": mode} | changed
    return two_runs(curves("broken", 1.0), curves("healthy"), **values)


def test_every_run_has_a_line_and_dots_for_loss_and_accuracy() -> None:
    figure = chart()
    found = {(trace.name, trace.yaxis): trace for trace in figure.data}
    assert len(found) == len(figure.data) == 8
    for run in (curves("broken", 1.0), curves("healthy")):
        for kind, mode, steps, losses, accuracies in (
            ("training", "lines", run.steps, run.losses, run.accuracies),
            ("validation", "markers", run.val_steps, run.val_losses, run.val_accuracies),
        ):
            for axis, values in (("y", losses), ("y2", 100 * accuracies)):
                trace = found[f"{run.name}, {kind}", axis]
                assert trace.mode == mode and trace.y.dtype == np.float32
                np.testing.assert_array_equal(trace.x, steps)
                np.testing.assert_allclose(trace.y, values, rtol=1e-6)
                assert trace.hovertemplate.startswith(f"{run.name}, {kind}<br>")
                assert trace.showlegend is (axis == "y"), "one entry for both halves"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_first_run_is_in_colour_and_on_top(mode: theme.Mode) -> None:
    figure = chart(mode)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.line.color for line in lines] == [theme.MUTED.of(mode)] * 2 + [
        theme.ACCENT.of(mode)
    ] * 2
    dots = {trace.name: trace.marker.symbol for trace in figure.data if trace.mode == "markers"}
    assert dots == {"healthy, validation": "diamond", "broken, validation": "circle"}
    assert figure.layout.template.layout.font.family == theme.FONT


def test_axes_hold_all_and_say_what_they_are() -> None:
    layout = chart().layout
    assert layout.yaxis.range[0] == 0 and layout.yaxis.range[1] >= 2.9
    assert layout.yaxis2.range[0] == 0 and layout.yaxis2.range[1] >= 100
    assert layout.xaxis.range[0] == 0 and layout.xaxis.range[1] >= 100
    assert layout.yaxis.title.text == "loss (nats)"
    assert layout.yaxis2.title.text == "right (%)"
    assert layout.xaxis.title.text == "step"
    assert layout.yaxis.domain[0] > layout.yaxis2.domain[1], "the halves stand apart"
    assert [shape.x0 for shape in layout.shapes] == [50, 100]


def test_a_level_is_drawn_named_and_on_the_axis() -> None:
    figure = chart(level=(4.5, "as high as this"))
    line = figure.layout.shapes[-1]
    assert (line.y0, line.y1, line.yref) == (4.5, 4.5, "y")
    assert figure.layout.annotations[0].text == "as high as this"
    assert figure.layout.yaxis.range[1] > 4.5


@pytest.mark.parametrize(
    "change",
    [
        {"losses": np.full(10, np.nan)},
        {"accuracies": np.full(10, np.inf)},
        {"val_losses": np.array([1.0])},
    ],
)
def test_a_curve_with_a_hole_is_refused(change: dict) -> None:
    broken = Curves(**(vars(curves("broken")) | change))
    for one, other in ((broken, curves("x")), (curves("x"), broken)):
        with pytest.raises(ValueError, match="broken: each step needs one finite number"):
            two_runs(one, other, texts=TEXTS, epochs=[50], mode="light")
