"""The epoch slider, and the button that plays a run's epochs one after another."""

import streamlit as st

from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.inputs.models import saved_epochs
from explainer.inputs.models.saved_epochs import Shown
from explainer.shell import controls
from explainer.shell.compare import playing
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.second import changed_second
from explainer.training.run import PROBED

TEXTS = load_texts("run_models")
DRAWN_KEY = "epochs-drawn"  # set when the page is drawn, so that the first tick is skipped
SINGLE = ("uploaded", PROBED)  # of which there is one model alone
PACE = 1.0  # seconds between two epochs while they are played


def pick_epoch(shown: Shown) -> None:
    """Draw slider and button; the slider shows the epoch that the page shows."""
    if len(shown.epochs) == 1:
        text_name = shown.run.status if shown.run.status in SINGLE else "only_epoch"
        note(TEXTS[text_name].format(epoch=shown.epoch))
        return
    controls.slide(
        TEXTS["epoch"], shown.epochs, shown.epoch, take_epoch, key="epoch", help=TEXTS["epoch_help"]
    )
    play(shown, "play-epochs")


def pick_second_epoch(shown: Shown, plays: bool) -> None:
    """Draw the slider for the second half of a comparison.

    Args:
        plays: whether the button stands here; where the first half is a run as well, that of the
            sidebar plays both in step.
    """
    if len(shown.epochs) == 1:
        return
    label = load_texts("compare")["chooser"]["epoch"]
    controls.slide(label, shown.epochs, shown.epoch, take_second_epoch, key="b-epoch")
    if plays:
        play(shown, "b-play-epochs")


def play(shown: Shown, key: str) -> None:
    """Draw the button, and go on from epoch to epoch while they are played."""
    plays = is_playing(shown) and playing.goes_on(session.load())
    if not plays:
        st.session_state.pop(session.PLAYING_KEY, None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            TEXTS["stop" if plays else "play"],
            key=key,
            on_click=repaints(toggle),
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


def take_second_epoch(epoch: int) -> None:
    """Keep the epoch that was chosen for the second half, and stop playing."""
    st.session_state.pop(session.PLAYING_KEY, None)
    session.save(changed_second(session.load(), epoch=epoch))


def is_playing(shown: Shown) -> bool:
    return st.session_state.get(session.PLAYING_KEY) == shown.run.id


def toggle(shown: Shown) -> None:
    """Start playing, from the first epoch if the last one is shown; or stop."""
    if is_playing(shown):
        del st.session_state[session.PLAYING_KEY]
        return
    st.session_state[session.PLAYING_KEY] = shown.run.id
    now = session.load()
    if not playing.goes_on(now):
        session.save(playing.from_the_start(now))


def tick(shown: Shown) -> None:
    """Go on to the next epoch; a fragment also runs with the page itself, which does not count."""
    if st.session_state.pop(DRAWN_KEY, False):
        return
    now = session.load()
    if is_playing(shown) and playing.goes_on(now):
        session.save(playing.moved_on(now))
        st.rerun()
