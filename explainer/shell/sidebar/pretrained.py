"""The place in the sidebar for models that others trained: which there are, and getting them."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explainer.content import load_texts
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.inputs.models import pretrained
from explainer.inputs.models.downloads import Download, the_downloads
from explainer.inputs.models.pretrained import MEGABYTE, Offer
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import PRETRAINED
from explainer.state.link import State
from explainer.training import visitor

TEXTS = load_texts("pretrained")
CHOSEN_KEY = "pretrained-offer"
ASKED_KEY = "pretrained-asked"  # the download that this visitor waits for
EVERY = 0.5  # seconds between two looks at a download


def offered_models(now: State) -> dict[str, str]:
    """Return the pretrained models that can be looked at at once: name → title."""
    ready = {offer.name: offer.title for offer in pretrained.offers() if offer.is_ready}
    if now.source == PRETRAINED and now.pretrained not in ready:
        ready[now.pretrained] = strangers_word(now.pretrained)
    return ready


def settle_pretrained(now: State) -> str:
    """Read the model that is asked for; return a sentence if it cannot be used.

    While it is read, or waits for a place in memory, the page says so.
    """
    said = st.empty()
    offer = pretrained.find(now.pretrained)
    title = offer.title if offer else strangers_word(now.pretrained)

    def wait(seconds: float) -> None:
        count = pretrained.places().count
        said.info(TEXTS["waiting"].format(count=count, seconds=round(seconds)))

    try:
        if now.pretrained not in pretrained.places():
            said.info(TEXTS["loading"].format(title=title))
        pretrained.load_model(now.pretrained, wait)
    except pretrained.CheckpointError as error:
        return str(error)
    finally:
        said.empty()
    return ""


def offer_pretrained() -> None:
    """Draw what can be chosen and downloaded, closed until somebody asks for it."""
    asked = the_downloads().find(st.session_state.get(ASKED_KEY, ""))
    with st.expander(TEXTS["title"], expanded=asked is not None):
        note(TEXTS["note"])
        offers = pretrained.offers()
        titles = {offer.name: offer.title for offer in offers}
        name = st.selectbox(
            TEXTS["model"], list(titles), key=CHOSEN_KEY, format_func=titles.__getitem__
        )
        show_offer(next(offer for offer in offers if offer.name == name))
        show_notes(notes_of(session.load()))


def notes_of(now: State) -> tuple[str, ...]:
    """Return what there is to say of how the model on the page was read."""
    if now.source != PRETRAINED or now.pretrained not in pretrained.places():
        return ()
    return pretrained.load_model(now.pretrained).preprocessing.notes


def show_notes(notes: Sequence[str]) -> None:
    """List what was taken for granted or left out when a model was read."""
    if notes:
        note(TEXTS["notes"])
        for one in notes:
            note(f"{strangers_word(one, LONGEST_SENTENCE)}")


def show_offer(offer: Offer) -> None:
    if offer.about:
        note(offer.about)
    if offer.licence:
        note(TEXTS["licence"].format(licence=offer.licence))
    if offer.is_ready:
        st.button(TEXTS["use"], key="use-pretrained", on_click=partial(use, offer.name))
        return
    found = the_downloads().find(offer.name)
    if found is not None and found.state == "running":
        follow(offer)
    else:
        offer_download(offer, found)


@st.fragment(run_every=EVERY)
def follow(offer: Offer) -> None:
    """Draw how far a download is, until it has ended."""
    found = the_downloads().find(offer.name)
    if found.state == "running":
        show_progress(offer, found)
        return
    if found.state == "done" and st.session_state.get(ASKED_KEY) == offer.name:
        use(offer.name)
    st.rerun()


def offer_download(offer: Offer, found: Download | None) -> None:
    """Draw the button that downloads, and how the last download ended."""
    running = the_downloads().running()
    size = TEXTS["size"].format(megabytes=offer.megabytes)
    st.button(
        TEXTS["download"].format(size=size),
        key="download-pretrained",
        on_click=partial(start, offer.name),
        disabled=running is not None,
    )
    if running is not None:
        note(TEXTS["busy"])
    elif found is not None and found.state == "cancelled":
        note(TEXTS["cancelled"])
    elif found is not None and found.said:
        why = strangers_word(found.said, LONGEST_SENTENCE)
        st.error(TEXTS["failed"].format(why=why))


def show_progress(offer: Offer, found: Download) -> None:
    words = TEXTS["starting"].format(title=offer.title)
    if found.total:
        words = TEXTS["downloading"].format(
            title=offer.title,
            done=round(found.done / MEGABYTE),
            total=round(found.total / MEGABYTE),
        )
    st.progress(found.share, words)
    if found.owner == visitor.current():
        st.button(
            TEXTS["cancel"],
            key="cancel-download",
            on_click=partial(the_downloads().cancel, offer.name, found.owner),
        )


def start(name: str) -> None:
    st.session_state[ASKED_KEY] = name
    the_downloads().start(name, visitor.current())


def use(name: str) -> None:
    st.session_state.pop(ASKED_KEY, None)
    session.change(source=PRETRAINED, pretrained=name)
