"""Two training runs in one chart: the loss above, the accuracy below, over the same steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explainer import theme
from explainer.theme import Mode

LOSS_SHARE = 0.56  # of the height, for the upper half


@dataclass(frozen=True)
class Curves:
    """What was measured during one run.

    Attributes:
        name: of the run, in the legend.
        steps, losses, accuracies: (n,) on training images; loss in nats, accuracies from 0 to 1.
        val_steps, val_losses, val_accuracies: (m,) on validation images.
    """

    name: str
    steps: np.ndarray
    losses: np.ndarray
    accuracies: np.ndarray
    val_steps: np.ndarray
    val_losses: np.ndarray
    val_accuracies: np.ndarray


def two_runs(
    one: Curves,
    other: Curves,
    *,
    texts: Mapping[str, str],
    epochs: Sequence[int],
    level: tuple[float, str] | None = None,
    mode: Mode,
) -> go.Figure:
    """Return a line for each run's training and a dot for each of its validations.

    Args:
        one: in full colour and on top; ``other`` is what it is compared with.
        texts: ``loss_axis``, ``accuracy_axis``, ``step_axis``, ``train``, ``val`` and
            ``hover_loss`` and ``hover_accuracy``, plotly's templates.
        epochs: steps at which an epoch ends, marked by faint lines.
        level: a loss to compare with, drawn as a dotted line, and what it is.
        mode: of the theme.

    Raises:
        ValueError: a curve's values are not as many as its steps, or not finite numbers.
    """
    for curves in (one, other):
        check(curves)
    most = max(float(part.max(initial=0)) for it in (one, other) for part in losses_of(it))
    figure = go.Figure(layout=layout(texts, epochs, max(most, level[0] if level else 0), mode))
    for curves, shade, width in ((other, theme.MUTED, 1.75), (one, theme.ACCENT, 2.5)):
        style = {"color": shade.of(mode), "width": width}
        for axis, values, val_values, scale, hover in (
            ("y", curves.losses, curves.val_losses, 1, texts["hover_loss"]),
            ("y2", curves.accuracies, curves.val_accuracies, 100, texts["hover_accuracy"]),
        ):
            in_legend = axis == "y"
            train_name, val_name = (f"{curves.name}, {texts[kind]}" for kind in ("train", "val"))
            figure.add_scatter(
                x=curves.steps.astype(np.float32),
                y=(scale * values).astype(np.float32),
                yaxis=axis,
                mode="lines",
                line=style,
                name=train_name,
                legendgroup=train_name,
                showlegend=in_legend,
                hovertemplate=f"{train_name}<br>{hover}<extra></extra>",
            )
            figure.add_scatter(
                x=curves.val_steps.astype(np.float32),
                y=(scale * val_values).astype(np.float32),
                yaxis=axis,
                mode="markers",
                marker={
                    "size": 11,
                    "color": shade.of(mode),
                    "symbol": "circle" if curves is one else "diamond",
                    "line": {"width": 1.5, "color": theme.BACKGROUND.of(mode)},
                },
                name=val_name,
                legendgroup=val_name,
                showlegend=in_legend,
                hovertemplate=f"{val_name}<br>{hover}<extra></extra>",
            )
    if level is not None:
        draw_level(figure, level, mode)
    return figure


def losses_of(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    return curves.losses, curves.val_losses


def check(curves: Curves) -> None:
    pairs = (
        (curves.steps, curves.losses),
        (curves.steps, curves.accuracies),
        (curves.val_steps, curves.val_losses),
        (curves.val_steps, curves.val_accuracies),
    )
    for steps, values in pairs:
        if steps.shape != values.shape or not np.isfinite(values).all():
            raise ValueError(f"{curves.name}: each step needs one finite number")


def draw_level(figure: go.Figure, level: tuple[float, str], mode: Mode) -> None:
    height, name = level
    figure.add_shape(
        type="line", xref="paper", x0=0, x1=1, yref="y", y0=height, y1=height,
        line={"color": theme.TEXT.of(mode), "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    figure.add_annotation(
        x=1, y=height, xref="paper", yref="y", text=name, showarrow=False, xanchor="right",
        yanchor="top", font={"size": 13, "color": theme.TEXT.of(mode)},
    )  # fmt: skip


def layout(texts: Mapping[str, str], epochs: Sequence[int], most: float, mode: Mode) -> go.Layout:
    last = max(epochs, default=1)
    return go.Layout(
        template=theme.template(mode),
        height=520,
        hovermode="closest",
        margin={"t": 8, "b": 8},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 13},
        },
        xaxis={
            "title": {"text": texts["step_axis"]},
            "range": [0, 1.02 * last],
            "anchor": "y2",
            "showgrid": False,
            "fixedrange": True,
        },
        yaxis={
            "title": {"text": texts["loss_axis"]},
            "domain": [1 - LOSS_SHARE + 0.05, 1],
            "range": [0, 1.05 * most],
            "fixedrange": True,
        },
        yaxis2={
            "title": {"text": texts["accuracy_axis"]},
            "domain": [0, 1 - LOSS_SHARE - 0.03],
            "range": [0, 103],
            "tickvals": [0, 25, 50, 75, 100],
            "fixedrange": True,
            "anchor": "x",
        },
        shapes=[
            {
                "type": "line",
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "x0": step,
                "x1": step,
                "layer": "below",
                "line": {"color": theme.LINE.of(mode), "width": 1},
            }
            for step in epochs
        ],
    )
