"""A button that copies a picture, which the server draws when somebody asks for it."""

from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from explainer.components import assets
from explainer.components.packing import pack

_mount = st.components.v2.component(
    "vit_explainer.copy_picture",
    html='<button type="button"></button><span role="status"></span>',
    css=assets.stylesheet("copy_picture/copy_picture"),
    js=assets.javascript("shared/data", "shared/kept", "copy_picture/copy_picture"),
)


def copy_picture(*, key: str, make: Callable[[], bytes], texts: Mapping[str, str]) -> None:
    """Draw the button.

    Args:
        key: of the component.
        make: returns the picture as PNG; called only when somebody has clicked.
        texts: ``copy`` on the button; ``working``, ``copied`` and ``cannot``, said beside it.
    """
    asked = f"{key}-asked"

    def ask() -> None:
        st.session_state[asked] = True

    arrays = {}
    if st.session_state.pop(asked, False):
        arrays["png"] = np.frombuffer(make(), np.uint8)
    _mount(
        key=key,
        data=pack({"texts": dict(texts)}, arrays),
        on_asked_change=ask,
        width="content",
    )
