"""Test digits, those that the model gets wrong, and the drawing pad."""

from bisect import bisect_left, bisect_right
from functools import partial

import numpy as np
import streamlit as st

from explainer.components.drawing_pad import drawing_pad
from explainer.content import load_texts
from explainer.inputs.pictures import link_code, test_digits
from explainer.inputs.pictures.prepare import centred
from explainer.observation.wrong_digits import SEARCHED, Hard, found_hard, hard_digits
from explainer.shell import controls
from explainer.shell.picker.preview import preview, preview_own
from explainer.shell.picker.visitor_pictures import Own, keep, own_pictures
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import State

TEXTS = load_texts("picker")


def take_number(name: str) -> None:
    """Keep a digit, or a number of it, of which there may be fewer of another digit."""
    now = session.load()
    digit = st.session_state["digit"] if name == "digit" else now.digit
    index = st.session_state["index"] if name == "index" else now.index
    session.change(digit=digit, index=min(index, test_digits.count_digits(digit) - 1))


def pick_digit(now: State, choice: Choice) -> None:
    controls.tell("digit", now.digit)
    st.segmented_control(
        TEXTS["digit"],
        range(10),
        key="digit",
        required=True,
        on_change=partial(take_number, "digit"),
    )
    count = test_digits.count_digits(now.digit)
    controls.tell("index", now.index)
    st.number_input(
        TEXTS["index"].format(count=count, digit=now.digit),
        min_value=0,
        max_value=count - 1,
        step=1,
        key="index",
        on_change=partial(take_number, "index"),
    )
    preview(choice, TEXTS["preview_digit"])


def pick_hard(now: State, choice: Choice) -> None:
    """Walk through the test digits that the model gets wrong."""
    found = hard_digits(choice)
    if not found:
        preview(choice, TEXTS["hard_none"])
        return
    shown = next((place for place, hard in enumerate(found) if is_shown(hard, now)), None)
    searched = len(found_hard()) if choice.trained and choice.is_saved else SEARCHED
    facts = {"count": len(found), "searched": searched, "digit": now.digit}
    if shown is None:
        words = TEXTS["hard_right"]
        facts["place"] = ""
    else:
        words = TEXTS["hard_wrong"]
        facts |= {"said": found[shown].said, "place": shown + 1}
    if not choice.trained:
        count = TEXTS["hard_untrained"]
    elif choice.is_saved:
        count = TEXTS["hard_run"]
    else:
        count = TEXTS["hard_trained" if shown is not None else "hard_trained_other"]
    preview(choice, words, count, **facts)
    row = st.container(horizontal=True, gap="small")
    for name, target in (
        ("hard_previous", preceding(found, now)),
        ("hard_next", following(found, now)),
    ):
        row.button(TEXTS[name], key=name, width="stretch", on_click=partial(show, target))


def is_shown(hard: Hard, now: State) -> bool:
    return (hard.digit, hard.index) == (now.digit, now.index) and not now.picture


def places(found: tuple[Hard, ...], now: State) -> tuple[list[int], int]:
    """Return where in the test set hard digits are, in order, and where the chosen digit is."""
    of_class = test_digits.digit_places()
    return [int(of_class[hard.digit][hard.index]) for hard in found], int(
        of_class[now.digit][now.index]
    )


def following(found: tuple[Hard, ...], now: State) -> Hard:
    """Return the hard digit after the chosen digit; after the last comes the first."""
    ordered, here = places(found, now)
    return found[bisect_right(ordered, here) % len(found)]


def preceding(found: tuple[Hard, ...], now: State) -> Hard:
    ordered, here = places(found, now)
    return found[bisect_left(ordered, here) - 1]


def show(hard: Hard) -> None:
    session.change(digit=hard.digit, index=hard.index, picture="")


def draw_digit(now: State, choice: Choice) -> None:
    last = own_pictures().get("draw")
    here = last is not None and last.code == now.picture
    drawing_pad(
        key="drawing-pad",
        texts=TEXTS["pad"],
        shown=link_code.decode(last.code) if here else None,
        name=last.name if here else "",
        on_draw=take_drawing,
    )
    preview_own(now, choice)


def take_drawing(ink: np.ndarray, name: str) -> None:
    """Keep a drawing; an empty pad gives way to the test digit."""
    if ink.any():
        keep("draw", Own(link_code.encode(centred(ink)), name))
    else:
        own_pictures().pop("draw", None)
        session.change(picture="")
