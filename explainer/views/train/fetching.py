"""A data set that the server does not have yet: its download, and how far that is."""

from functools import partial

import streamlit as st

from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.inputs.data_sets import the_downloads
from explainer.inputs.models.downloads import Download
from explainer.shell.notes import note
from explainer.training import visitor
from explainer.training.limits import MEGABYTE
from explainer.views.train.of_data import of_dataset
from explainer.views.train.wording import TEXTS
from vit_core.data.torchvision_sets import DOWNLOAD_BYTES

WORDS = TEXTS["fetching"]
PAUSE = 0.5  # seconds between two looks at a download


def show_download(name: str) -> None:
    """Offer to download a data set, or show how far its download is."""
    st.markdown(WORDS["text"].format(data=of_dataset(name).title))
    download = the_downloads().find(name)
    if download is not None and download.state == "running":
        st.fragment(follow, run_every=PAUSE)(name)
    else:
        offer(name, download)


def offer(name: str, download: Download | None) -> None:
    """Draw the button, and how the last download ended."""
    running = the_downloads().running()
    megabytes = round(DOWNLOAD_BYTES[name] / MEGABYTE)
    st.button(
        WORDS["start"].format(megabytes=megabytes),
        key="train-fetch",
        type="primary",
        disabled=running is not None,
        on_click=partial(start, name),
    )
    if running is not None:
        note(WORDS["busy"])
    elif download is not None and download.state == "cancelled":
        note(WORDS["cancelled"])
    elif download is not None and download.message:
        st.markdown(f"{strangers_word(download.message, LONGEST_SENTENCE)}")


def follow(name: str) -> None:
    """Draw the progress of a download until it has ended."""
    download = the_downloads().find(name)
    if download is None or download.state != "running":
        st.rerun()
    is_checking = download.total and download.done >= download.total
    text = WORDS["checking"] if is_checking else WORDS["running"]
    done, total = (round(count / MEGABYTE) for count in (download.done, download.total))
    st.progress(download.share, text.format(done=done, total=total))
    if download.owner == visitor.current():
        st.button(
            WORDS["cancel"],
            key="train-fetch-cancel",
            on_click=partial(the_downloads().cancel, name, download.owner),
        )


def start(name: str) -> None:
    the_downloads().start(name, visitor.current())
