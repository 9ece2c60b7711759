"""From Home to another picture, with one click."""

import streamlit as st

from explainer.inputs.pictures import test_digits
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.observation.wrong_digits import misclassified_digits
from explainer.shell.picker.digits import following, show_digit
from explainer.shell.picker.visitor_pictures import KIND_KEY, PHOTO_KIND_KEY, leave_pad
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import CLASSES


def move_on(choice: Choice, to: str) -> None:
    """Show another picture.

    Args:
        to: "hard" for the next digit that the model gets wrong, "other" for any.
    """
    now = session.load()
    if choice.gallery != DIGITS and choice.takes_drawings:
        leave_pad()
        session.change(sample=(now.sample + 1) % len(samples(choice.gallery)), picture="")
        return
    if choice.gallery != DIGITS:
        st.session_state[PHOTO_KIND_KEY] = "sample"
        session.change(sample=(now.sample + 1) % len(samples(choice.gallery)), photo="")
        return
    wrong = misclassified_digits(choice) if to == "hard" else ()
    st.session_state[KIND_KEY] = "hard" if wrong else "digit"
    if wrong:
        show_digit(following(wrong, now))
    else:
        digit = (now.digit + 1) % CLASSES
        index = (now.index + 1) % test_digits.count_digits(digit)
        session.change(digit=digit, index=index, picture="")
