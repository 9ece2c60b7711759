"""Links the two halves of a comparison: what is pointed at in one is marked in the other."""

from collections.abc import Sequence

import streamlit as st

from explainer.components import assets
from vit_core import ViTConfig

_mount = st.components.v2.component(
    "vit_explainer.halves", html="<i hidden></i>", js=assets.javascript("halves/halves")
)


def link_halves(a: ViTConfig, b: ViTConfig, *, apart: Sequence[str] = (), key: str) -> None:
    """Link all components of one half with those of the other, while this is on the page.

    A token is linked with the one that ``explainer.state.second.same_token`` finds.

    Args:
        a, b: of the models of the first and of the second half.
        apart: axes that are not linked, since their indices mean other things in both halves:
            ``"class"`` where the models know other classes.
        key: of the component.
    """
    _mount(key=key, data={"a": grid_of(a), "b": grid_of(b), "apart": list(apart)})


def grid_of(config: ViTConfig) -> dict[str, int]:
    rows, columns = config.grid_size
    has_class = int(config.pool == "cls")
    return {
        "class_tokens": has_class,
        "prefix": config.num_prefix_tokens,
        "rows": rows,
        "columns": columns,
    }
