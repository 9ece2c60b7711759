"""Pretrained models in the sidebar: the list of those on offer, and their downloads."""

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
REFRESH_SECONDS = 0.5  # between two updates of a download's progress


def offered_models(now: State) -> dict[str, str]:
    """Return the pretrained models that are ready to be shown: name → title."""
    ready = {offer.name: offer.title for offer in pretrained.offers() if offer.is_ready}
    if now.source == PRETRAINED and now.pretrained not in ready:
        ready[now.pretrained] = strangers_word(now.pretrained)
    return ready


def settle_pretrained(now: State) -> str:
    """Read the model that is asked for; return a message if it cannot be used.

    While it is read, or waits for a free slot in memory, the page says so.
    """
    status = st.empty()
    offer = pretrained.find(now.pretrained)
    title = offer.title if offer else strangers_word(now.pretrained)

    def wait(seconds: float) -> None:
        count = pretrained.slots().count
        status.info(TEXTS["waiting"].format(count=count, seconds=round(seconds)))

    try:
        if now.pretrained not in pretrained.slots():
            status.info(TEXTS["loading"].format(title=title))
        pretrained.load_model(now.pretrained, wait)
    except pretrained.CheckpointError as error:
        return str(error)
    finally:
        status.empty()
    return ""


def offer_pretrained() -> None:
    """Draw the list and the downloads in an expander, open while this visitor waits for one."""
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
    """Return the notes on how the model on the page was read."""
    if now.source != PRETRAINED or now.pretrained not in pretrained.slots():
        return ()
    return pretrained.load_model(now.pretrained).preprocessing.notes


def show_notes(notes: Sequence[str]) -> None:
    """List what was assumed or left out when a model was read."""
    if notes:
        note(TEXTS["notes"])
        for text in notes:
            note(f"{strangers_word(text, LONGEST_SENTENCE)}")


def show_offer(offer: Offer) -> None:
    if offer.about:
        note(offer.about)
    if offer.licence:
        note(TEXTS["licence"].format(licence=offer.licence))
    if offer.is_ready:
        st.button(TEXTS["use"], key="use-pretrained", on_click=partial(use, offer.name))
        return
    download = the_downloads().find(offer.name)
    if download is not None and download.state == "running":
        follow(offer)
    else:
        offer_download(offer, download)


@st.fragment(run_every=REFRESH_SECONDS)
def follow(offer: Offer) -> None:
    """Draw the progress of a download until it has ended."""
    download = the_downloads().find(offer.name)
    if download is not None and download.state == "running":
        show_progress(offer, download)
        return
    if (
        download is not None
        and download.state == "done"
        and st.session_state.get(ASKED_KEY) == offer.name
    ):
        use(offer.name)
    st.rerun()


def offer_download(offer: Offer, download: Download | None) -> None:
    """Draw the download button, and how the last download ended."""
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
    elif download is not None and download.state == "cancelled":
        note(TEXTS["cancelled"])
    elif download is not None and download.message:
        why = strangers_word(download.message, LONGEST_SENTENCE)
        st.error(TEXTS["failed"].format(why=why))


def show_progress(offer: Offer, download: Download) -> None:
    text = TEXTS["starting"].format(title=offer.title)
    if download.total:
        text = TEXTS["downloading"].format(
            title=offer.title,
            done=round(download.done / MEGABYTE),
            total=round(download.total / MEGABYTE),
        )
    st.progress(download.share, text)
    if download.owner == visitor.current():
        st.button(
            TEXTS["cancel"],
            key="cancel-download",
            on_click=partial(the_downloads().cancel, offer.name, download.owner),
        )


def start(name: str) -> None:
    st.session_state[ASKED_KEY] = name
    the_downloads().start(name, visitor.current())


def use(name: str) -> None:
    st.session_state.pop(ASKED_KEY, None)
    session.change(source=PRETRAINED, pretrained=name)
