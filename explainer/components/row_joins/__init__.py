"""A row slides in above many rows: how the class token joins the patches."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from explainer.components import assets
from explainer.figures import drawn
from explainer.figures.panels import Panel
from explainer.figures.saved.tree import image_of

_mount = st.components.v2.component(
    "vit_explainer.row_joins",
    html='<div class="joining"></div>',
    css=assets.stylesheet("row_joins/row_joins"),
    js=assets.javascript("shared/data", "row_joins/row_joins"),
)


def row_joins(*, key: str, rows: str, row: str, texts: Mapping[str, str]) -> None:
    """Play the animation when it comes in sight; with reduced motion, draw it before and after.

    Args:
        rows, row: addresses of the pictures of the many rows and of the one that joins them.
        texts: ``rows`` and ``row``, what each is called; ``before`` and ``after``, above the two
            stills; ``again``, on the button; ``alt``, what is to be seen.
    """
    drawn.note(drawn.base_name(key), texts["after"], lambda: [shown_rows(row, rows, texts)])
    _mount(key=key, data={"rows": rows, "row": row, "texts": dict(texts)})


def shown_rows(row: str, rows: str, texts: Mapping[str, str]) -> Panel:
    """Return all rows as they are in the end, with the one that has joined on top."""
    one, many = image_of(row), image_of(rows)
    clear = np.zeros((1, many.shape[1], 4), np.uint8)
    opaque = [np.dstack([each, np.full(each.shape[:2], 255, np.uint8)]) for each in (one, many)]
    sheet = np.concatenate([opaque[0], clear, opaque[1]])
    side = max(2, min(12, 720 // sheet.shape[1]))
    return Panel(
        sheet,
        lines=[texts["row"], texts["rows"]],
        width=side * sheet.shape[1],
        height=side * sheet.shape[0],
    )
