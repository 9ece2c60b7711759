"""Test digits that the model gets wrong."""

import streamlit as st

from explainer import state
from explainer.figures.looks import looks, whole
from explainer.hard import some_hard_digits
from explainer.services import Observation, test_digit
from explainer.state import Choice
from explainer.views.classification_head.wording import TEXTS, facts

SHOWN_MISTAKES = 4


def show_wrong(choice: Choice, seen: Observation) -> None:
    texts, names = TEXTS["parts"]["wrong"], seen.class_names
    mistakes = some_hard_digits(choice, SHOWN_MISTAKES)
    if seen.label is not None and seen.label != seen.prediction:
        said = texts["here"].format(
            truth=names[seen.label],
            written=TEXTS["parts"]["parts"]["title"],
            **facts(choice, seen),
        )
        st.markdown(said)
    if not mistakes:
        st.markdown(texts["none"])
        return
    words = [
        {"truth": names[one.digit], "said": names[one.said], "number": place + 1}
        for place, one in enumerate(mistakes)
    ]
    st.html(
        looks(
            [
                (
                    whole(test_digit(one.digit, one.index), texts["alt"].format(**said)),
                    texts["taken"].format(**said),
                    (),
                )
                for one, said in zip(mistakes, words, strict=True)
            ]
        )
    )
    with st.container(horizontal=True):
        for place, (one, said) in enumerate(zip(mistakes, words, strict=True)):
            if st.button(texts["look"].format(**said), key=f"head-mistake-{place}"):
                state.change(digit=one.digit, index=one.index, picture="")
                st.rerun()  # the whole page, as the sidebar shows the image
