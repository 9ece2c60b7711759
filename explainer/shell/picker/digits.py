"""Test digits, and those that the model gets wrong."""

from bisect import bisect_left, bisect_right
from functools import partial
from typing import Any

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.pictures import test_digits
from explainer.observation.wrong_digits import (
    SEARCHED,
    MisclassifiedDigit,
    listed_indices,
    misclassified_digits,
)
from explainer.shell import controls
from explainer.shell.picker.preview import preview
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import State

TEXTS = load_texts("picker")


def keep_digit(digit: int) -> None:
    """Keep the chosen digit; the index is narrowed: some digits have fewer images."""
    index = min(session.load().index, test_digits.count_digits(digit) - 1)
    session.change(digit=digit, index=index)


def keep_index(index: int) -> None:
    """Keep the chosen image of the digit."""
    session.change(index=index)


def pick_digit(now: State, choice: Choice) -> None:
    controls.pick(TEXTS["digit"], range(10), now.digit, keep_digit, key="digit")
    count = test_digits.count_digits(now.digit)
    controls.enter(
        TEXTS["index"].format(digit=now.digit),
        now.index,
        keep_index,
        key="index",
        most=count - 1,
    )
    preview(choice, TEXTS["preview_digit"])


def pick_hard(now: State, choice: Choice) -> None:
    """Walk through the test digits that the model gets wrong."""
    wrong = misclassified_digits(choice)
    if not wrong:
        preview(choice, TEXTS["hard_none"])
        return
    position = next((index for index, example in enumerate(wrong) if is_shown(example, now)), None)
    searched = len(listed_indices()) if choice.trained and choice.is_saved else SEARCHED
    facts: dict[str, Any] = {"count": len(wrong), "searched": searched, "digit": now.digit}
    if position is None:
        text = TEXTS["hard_right"]
        facts["place"] = ""
    else:
        text = TEXTS["hard_wrong"]
        facts |= {"said": wrong[position].predicted, "place": position + 1}
    if not choice.trained:
        count = TEXTS["hard_untrained"]
    elif choice.is_saved:
        count = TEXTS["hard_run"]
    else:
        count = TEXTS["hard_trained" if position is not None else "hard_trained_other"]
    preview(choice, text, count, **facts)
    row = st.container(horizontal=True, gap="small")
    for name, target in (
        ("hard_previous", preceding(wrong, now)),
        ("hard_next", following(wrong, now)),
    ):
        row.button(TEXTS[name], key=name, width="stretch", on_click=partial(show_digit, target))


def is_shown(example: MisclassifiedDigit, now: State) -> bool:
    return (example.digit, example.index) == (now.digit, now.index) and not now.picture


def test_set_indices(wrong: tuple[MisclassifiedDigit, ...], now: State) -> tuple[list[int], int]:
    """Return the test-set indices of hard digits, in order, and that of the chosen digit."""
    of_class = test_digits.digit_indices()
    return [int(of_class[example.digit][example.index]) for example in wrong], int(
        of_class[now.digit][now.index]
    )


def following(wrong: tuple[MisclassifiedDigit, ...], now: State) -> MisclassifiedDigit:
    """Return the hard digit after the chosen one; after the last comes the first."""
    ordered, chosen = test_set_indices(wrong, now)
    return wrong[bisect_right(ordered, chosen) % len(wrong)]


def preceding(wrong: tuple[MisclassifiedDigit, ...], now: State) -> MisclassifiedDigit:
    ordered, chosen = test_set_indices(wrong, now)
    return wrong[bisect_left(ordered, chosen) - 1]


def show_digit(example: MisclassifiedDigit) -> None:
    session.change(digit=example.digit, index=example.index, picture="")
