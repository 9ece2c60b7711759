"""Loss and accuracy beside each other, drawn anew with every measurement without a flicker.

Streamlit takes a plotly chart apart and builds it again whenever one of its numbers changes, and
with it goes what somebody points at.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explainer.components import assets
from explainer.figures import drawn

_mount = st.components.v2.component(
    "vit_explainer.curves",
    html='<div class="curves"></div>',
    css=assets.stylesheet("curves/curves"),
    js=assets.javascript("shared/kept", "curves/curves"),
)


def show_curves(figure: Mapping[str, Any], *, key: str) -> None:
    """Draw what ``explainer.figures.curves.curves`` returned."""
    drawn.note(drawn.base_name(key), "", lambda: figure)
    _mount(key=key, data=dict(figure))
