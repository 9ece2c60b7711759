"""Colours by meaning, the two colour maps, and the one template of all charts.

A meaning has one colour on every page: a patch, the class token, query, key and value. Each colour
is a pair, for the light and for the dark theme, of at least 4.5 : 1 against that theme's
backgrounds, so that it may colour text as well. ``.streamlit/config.toml`` repeats the surfaces.
"""

from functools import cache
from typing import Literal, NamedTuple

import plotly.graph_objects as go

Mode = Literal["light", "dark"]


class Shade(NamedTuple):
    """One meaning's colour in both themes."""

    light: str
    dark: str

    def for_mode(self, mode: Mode) -> str:
        return self.dark if mode == "dark" else self.light

    @property
    def css(self) -> str:
        """A CSS value that follows the theme without a rerun."""
        return f"light-dark({self.light}, {self.dark})"


ACCENT = Shade("#3b43c4", "#a9b1ff")
PATCH = Shade("#00766c", "#4fc1b0")
CLASS_TOKEN = Shade("#7d5a00", "#ebc04b")
QUERY = Shade("#b8380c", "#ff9166")
KEY = Shade("#0b69a6", "#6cc0f5")
VALUE = Shade("#972d82", "#ee93d6")

MARKS = {
    "patch": PATCH,
    "class-token": CLASS_TOKEN,
    "query": QUERY,
    "key": KEY,
    "value": VALUE,
    "accent": ACCENT,
}

# of classes, at least 3 : 1 against the backgrounds; where there are more classes than colours,
# these begin anew
CLASSES = (
    Shade("#3b43c4", "#98a1ff"),
    Shade("#c94a06", "#ff8f52"),
    Shade("#00807a", "#3fd0bd"),
    Shade("#b0188e", "#f07ad9"),
    Shade("#8a6a00", "#f0c83c"),
    Shade("#1c8436", "#7ddb5f"),
    Shade("#0d78bd", "#57b8ff"),
    Shade("#c0213f", "#ff7088"),
    Shade("#6b7280", "#b6bcc6"),
    Shade("#7a4a1e", "#c99a6b"),
)

TEXT = Shade("#1c1f26", "#e8e9ec")
MUTED = Shade("#5b6069", "#a3a9b4")
GOOD = Shade("#1c7a3d", "#6fd08c")
BAD = Shade("#b3261e", "#ff9a90")
BACKGROUND = Shade("#fcfbf8", "#15171c")
SURFACE = Shade("#f3f1eb", "#1d2027")
LINE = Shade("#dedad0", "#343944")

FONT = "Atkinson Hyperlegible Next, sans-serif"
FONT_MONO = "Atkinson Hyperlegible Mono, monospace"

# From nothing to the most. Lightness rises evenly (in OKLab), so that it also reads in grey and for
# every kind of colour vision; dark is low in both themes, as in the digits themselves.
SEQUENTIAL = [
    "#130f29",
    "#1d1e51",
    "#143575",
    "#015284",
    "#046e8e",
    "#0a8a97",
    "#00a89c",
    "#49c394",
    "#9bd494",
    "#d6e3ab",
    "#fff6d1",
]

# Negative is blue, positive is brown, zero is the neutral middle; lightness is the same on both
# sides, and blue against brown stays apart for every kind of colour vision.
DIVERGING = [
    "#02437b",
    "#2a64a0",
    "#5886b9",
    "#86a9d0",
    "#b6cce5",
    "#f2f1ee",
    "#e2c2b2",
    "#ca9980",
    "#b07150",
    "#944a1f",
    "#6c2d02",
]

# The same on a dark surface: what is near zero is dark there, not a glaring white.
DIVERGING_DARK = [
    "#acd5ff",
    "#79b6f4",
    "#4790d8",
    "#316ca5",
    "#284a6c",
    "#25282c",
    "#643d20",
    "#985521",
    "#c77434",
    "#e79e6b",
    "#f8c5a2",
]


def colorscale(stops: list[str]) -> list[list[float | str]]:
    """Return plotly's form of a colour map whose stops are evenly spaced from 0 to 1."""
    return [[index / (len(stops) - 1), colour] for index, colour in enumerate(stops)]


@cache
def template(mode: Mode) -> go.layout.Template:
    """Return the look of every chart: no frame, no background, faint lines, the app's font.

    Made once, since it costs more than a chart; figures copy it.
    """
    axis = {
        "gridcolor": LINE.for_mode(mode),
        "linecolor": LINE.for_mode(mode),
        "zerolinecolor": LINE.for_mode(mode),
        "tickfont": {"color": MUTED.for_mode(mode), "size": 13},
        "title": {"font": {"color": MUTED.for_mode(mode), "size": 13}, "standoff": 8},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 14, "color": TEXT.for_mode(mode)},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [
                shade.for_mode(mode) for shade in (ACCENT, PATCH, QUERY, KEY, VALUE, MUTED)
            ],
            "colorscale": {
                "sequential": colorscale(SEQUENTIAL),
                "diverging": colorscale(DIVERGING),
            },
            "hoverlabel": {
                "bgcolor": SURFACE.for_mode(mode),
                "bordercolor": LINE.for_mode(mode),
                "font": {"family": FONT, "size": 14, "color": TEXT.for_mode(mode)},
            },
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": axis,
            "yaxis": axis,
        }
    )
