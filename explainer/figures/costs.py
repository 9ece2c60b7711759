"""What a finer grid costs, as bars."""

from collections.abc import Sequence

import plotly.graph_objects as go

from explainer.figures import theme

DIGIT = 8  # pixels of each character of a bar's number


def pairs_chart(
    labels: Sequence[str],
    pairs: Sequence[int],
    current: int | None,
    hover: str,
    mode: theme.Mode,
    longest: float | None = None,
) -> go.Figure:
    """Draw one bar for each grid, from the coarsest at the top.

    Args:
        pairs: tokens times tokens of each grid.
        current: index of the grid that is in use, in full colour; None if it is none of these.
        hover: plotly's template of the text beside the pointer.
        longest: number for which there is room; the largest one if None.

    Raises:
        ValueError: a grid has no label, or fewer than one pair.
    """
    if len(labels) != len(pairs) or min(pairs) < 1:
        raise ValueError("every grid needs a label and at least one pair")
    colours = [
        (theme.PATCH if index == current else theme.MUTED).for_mode(mode)
        for index in range(len(pairs))
    ]
    bars = go.Bar(
        x=list(pairs),
        y=list(labels),
        orientation="h",
        marker={
            "color": colours,
            "opacity": [1 if n == current else 0.45 for n in range(len(pairs))],
        },
        text=[f"{number:,}" for number in pairs],
        textposition="outside",
        cliponaxis=False,
        hovertemplate=f"{hover}<extra></extra>",
    )
    figure = go.Figure(
        bars, layout={"template": theme.template(mode), "height": 200, "bargap": 0.35}
    )
    # room for the number behind the longest bar, however narrow the chart is
    figure.update_layout(margin_r=DIGIT * max(map(len, bars.text)))
    figure.update_xaxes(visible=False, range=[0, 1.25 * (longest or max(pairs))], fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    # ticks that cannot be seen keep the labels off the bars
    figure.update_yaxes(ticks="outside", tickcolor="rgba(0,0,0,0)")
    return figure
