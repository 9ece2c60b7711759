"""The options of an answered question, and the way to the picture that shows the right one.

The keyboard's focus goes on here from the option that was clicked, which is gone.
"""

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.verdict",
    html='<div><ul tabindex="-1"></ul><button type="button" hidden></button></div>',
    css=assets.stylesheet("verdict/verdict"),
    js=assets.javascript("answers/store", "verdict/verdict"),
)


def show_verdict(
    options: Sequence[tuple[str, str]],
    texts: Mapping[str, str],
    *,
    show_me: Sequence[str],
    fresh: bool,
    keep: tuple[str, Mapping[str, str]] | None = None,
    key: str,
) -> None:
    """Draw all options with what became of each.

    Args:
        options: each with one of ``chosen_right``, ``chosen_wrong``, ``right`` and ``other``.
        texts: what is said of each of these, and ``show_me``, the label of the button.
        show_me: keys under which the page may have what the button leads to, the likeliest first;
            no button where there are none.
        fresh: whether the last click gave the answer.
        keep: name of the question, and the answer as the browser is to keep it.
    """
    data = {
        "options": [option for option, _ in options],
        "states": [state for _, state in options],
        "texts": dict(texts),
        "showMe": [class_of(target) for target in show_me],
        "fresh": fresh,
        "keep": [[keep[0], dict(keep[1])]] if keep else [],
    }
    _mount(key=key, data=data)


def class_of(key: str) -> str:
    """Return the CSS class that Streamlit gives what has this key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())
