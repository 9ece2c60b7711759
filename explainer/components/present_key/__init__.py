"""The key P, which presents the story at the screen about the page that is shown."""

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.present_key",
    html="<i hidden></i>",
    js=assets.javascript("shared/keys", "present_key/present_key"),
)


def pressed_present_key(is_heard: bool) -> bool:
    """Listen to the key; return whether it was just pressed.

    Args:
        is_heard: whether the key means something on this page.
    """
    result = _mount(key="present-key", data={"isHeard": is_heard}, on_pressed_change=lambda: None)
    return bool(result.pressed)
