"""A row slides in above many rows: how the class token joins the patches."""

from collections.abc import Mapping

import streamlit as st

from explainer.components import assets

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
    _mount(key=key, data={"rows": rows, "row": row, "texts": dict(texts)})
