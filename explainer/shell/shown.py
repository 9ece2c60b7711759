"""Charts and HTML on a page, which can be saved as pictures as well."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explainer.figures import drawn
from explainer.figures.theme import Mode
from explainer.state.place import Place

CHART = {"displayModeBar": "hover", "displaylogo": False}


def show_html(
    html: str,
    name: str,
    title: str = "",
    *,
    into: Any = st,
    numbers: Callable[[], Any] | None = None,
    **how: Any,
) -> None:
    """Draw HTML of ``explainer.figures``.

    Args:
        name: of the picture, unlike all others of its part.
        title: what a saved picture of it is called; that of the part if it is empty.
        into: a container or column.
        numbers: what is subtracted where two halves are compared, as ``Drawn.numbers`` has it.
        how: what ``st.html`` takes besides.
    """
    drawn.note(name, title, lambda: html, numbers=numbers)
    into.html(html, **how)


def show_chart(
    make: Callable[[Mode], go.Figure],
    place: Place,
    name: str,
    title: str = "",
    *,
    alt: str,
    into: Any = st,
) -> None:
    """Draw a chart in the colours of the page; a saved one has those of paper.

    Args:
        make: returns the chart for a light or a dark page.
        name: of the picture and of the element, unlike all others of the page.
        title: what a saved picture of it is called; that of the part if it is empty.
        alt: what is to be seen, for screen readers.
        into: a container or column.
    """
    drawn.note(name, title, lambda: make("light"), numbers=lambda: make(mode()))
    into.plotly_chart(
        make(mode()),
        theme=None,
        key=place.key(name),
        config=CHART,
        alt=alt,
    )


def mode() -> Mode:
    return "dark" if st.context.theme.type == "dark" else "light"
