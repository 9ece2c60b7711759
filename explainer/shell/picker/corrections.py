"""Controls that correct how a photograph of a digit is read."""

from dataclasses import replace
from functools import partial

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.pictures.adjustment import AS_FOUND, WHOLE, Adjustment, turned
from explainer.inputs.pictures.prepare import MAX_STEPS
from explainer.shell import controls
from explainer.shell.picker.visitor_pictures import DigitPhoto, digit_photos, keep_digit_photo

TEXTS = load_texts("picker")["correct"]

INKS = ("", "dark", "light")


def offer_corrections(kind: str, photo: DigitPhoto) -> None:
    """Draw the controls, open if there is a problem or a correction.

    Args:
        kind: of source, "upload" or "camera".
    """
    now = photo.adjustment
    with st.expander(TEXTS["title"], expanded=bool(photo.problem) or now != AS_FOUND):
        row = st.container(horizontal=True, gap="small")
        for name, quarters in (("left", -1), ("right", 1)):
            row.button(
                TEXTS[name],
                key=f"{kind}-turn-{name}",
                width="stretch",
                on_click=partial(turn, kind, quarters),
            )
        for name in ("across", "down"):
            key, chosen = f"{kind}-{name}", getattr(now, name)
            controls.sync_widget(key, chosen)
            st.slider(
                TEXTS[name],
                *WHOLE,
                value=chosen,
                key=key,
                format="%d %%",
                on_change=partial(take_value, kind, name, key),
            )
        key = f"{kind}-ink"
        controls.sync_widget(key, now.ink)
        st.segmented_control(
            TEXTS["ink"],
            INKS,
            default=now.ink,
            key=key,
            required=True,
            format_func=lambda ink: TEXTS[ink or "auto"],
            on_change=partial(take_value, kind, "ink", key),
        )
        key = f"{kind}-more"
        controls.sync_widget(key, now.more)
        st.slider(
            TEXTS["more"],
            -MAX_STEPS,
            MAX_STEPS,
            value=now.more,
            key=key,
            help=TEXTS["more_help"],
            on_change=partial(take_value, kind, "more", key),
        )
        st.button(
            TEXTS["reset"],
            key=f"{kind}-reset",
            width="stretch",
            disabled=now == AS_FOUND,
            on_click=partial(correct, kind, AS_FOUND),
        )


def take_value(kind: str, name: str, key: str) -> None:
    """Keep the value of a control; it is None while the browser still draws the control."""
    if (value := st.session_state[key]) is not None and kind in digit_photos():
        correct(kind, replace(digit_photos()[kind].adjustment, **{name: value}))


def turn(kind: str, quarters: int) -> None:
    if kind in digit_photos():
        correct(kind, turned(digit_photos()[kind].adjustment, quarters))


def correct(kind: str, adjustment: Adjustment) -> None:
    if kind in digit_photos():
        keep_digit_photo(kind, digit_photos()[kind].photo, adjustment)
