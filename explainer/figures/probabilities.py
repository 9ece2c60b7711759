"""The probability of each class as bars."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explainer import theme
from explainer.theme import Mode


def probabilities(
    values: np.ndarray,
    names: Sequence[str],
    truth: int,
    texts: Sequence[str],
    axis: str,
    true_name: str,
    mode: Mode,
) -> go.Figure:
    """Return horizontal bars over 0..1, the first class on top.

    The most probable class has the accent colour; the true one is named beside its bar.

    Args:
        values: (C,) probabilities.
        texts: what stands beside each bar.
        axis: title of the axis.
        true_name: what marks the true class.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("probabilities must be finite numbers")
    best = int(values.argmax())
    beside = [
        f"{text}  <b>✓ {true_name}</b>" if place == truth else text
        for place, text in enumerate(texts)
    ]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=list(names),
            orientation="h",
            text=beside,
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": [
                    (theme.ACCENT if place == best else theme.MUTED).of(mode)
                    for place in range(len(values))
                ],
                "cornerradius": 3,
            },
            hovertemplate="%{y}: %{x:.6f}<extra></extra>",
        )
    )
    figure.update_layout(
        template=theme.template(mode),
        height=34 * len(values) + 50,
        bargap=0.3,
        xaxis={
            "range": [0, 1],
            "domain": [0, 0.72],  # the words beside a full bar need the rest
            "title": {"text": axis},
            "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "fixedrange": True,
        },
        yaxis={
            "autorange": "reversed",
            "type": "category",
            "tickfont": {"size": 15, "color": theme.TEXT.of(mode)},
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure
