"""The pipeline's picture, whose tiles lead to their pages without loading the app anew."""

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.pipeline",
    html='<div class="pipeline"></div>',
    css=assets.stylesheet("pipeline/pipeline"),
    js=assets.javascript("pipeline/pipeline"),
)


def show_pipeline(html: str, *, key: str) -> str | None:
    """Show the picture; return the view whose link was just followed."""
    return _mount(key=key, data=html, on_view_change=lambda: None).view
