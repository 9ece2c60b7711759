"""The epoch slider, and the button that plays a run's epochs one after another."""

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.models import saved_epochs
from explainer.inputs.models.saved_epochs import Shown
from explainer.shell import controls
from explainer.shell.notes import note
from explainer.state import session

TEXTS = load_texts("run_models")
DRAWN_KEY = "epochs-drawn"  # set when the page is drawn, so that the first tick is skipped
PACE = 1.0  # seconds between two epochs while they are played


def pick_epoch(shown: Shown) -> None:
    """Draw slider and button; the slider shows the epoch that the page shows."""
    if len(shown.epochs) == 1:
        text_name = "uploaded" if shown.run.status == "uploaded" else "only_epoch"
        note(TEXTS[text_name].format(epoch=shown.epoch))
        return
    last = shown.epochs[-1]
    plays = is_playing(shown) and shown.epoch != last
    if not plays:
        st.session_state.pop(session.PLAYING_KEY, None)
    controls.slide(
        TEXTS["epoch"], shown.epochs, shown.epoch, take_epoch, key="epoch", help=TEXTS["epoch_help"]
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            TEXTS["stop" if plays else "play"],
            key="play-epochs",
            on_click=toggle,
            args=(shown,),
        )
        st.markdown(f":small[{saved_epochs.epoch_words(shown)}]", width="content")
    if plays:
        st.session_state[DRAWN_KEY] = True
        st.fragment(tick, run_every=PACE)(shown)


def take_epoch(epoch: int) -> None:
    """Keep the epoch that was chosen, and stop playing, which would move on from it."""
    st.session_state.pop(session.PLAYING_KEY, None)
    session.change(epoch=epoch)


def is_playing(shown: Shown) -> bool:
    return st.session_state.get(session.PLAYING_KEY) == shown.run.id


def toggle(shown: Shown) -> None:
    """Start playing, from the first epoch if the last one is shown; or stop."""
    if is_playing(shown):
        del st.session_state[session.PLAYING_KEY]
        return
    st.session_state[session.PLAYING_KEY] = shown.run.id
    if shown.epoch == shown.epochs[-1]:
        session.change(epoch=shown.epochs[0])


def tick(shown: Shown) -> None:
    """Go on to the next epoch; a fragment also runs with the page itself, which does not count."""
    if st.session_state.pop(DRAWN_KEY, False):
        return
    if is_playing(shown):
        session.change(epoch=next(epoch for epoch in shown.epochs if epoch > shown.epoch))
        st.rerun()
