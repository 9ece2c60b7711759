"""The worksheet and its key: a preview, and both as files for printing."""

from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import streamlit as st

from explainer.components.paper import show_paper
from explainer.content import load_texts
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.shell import routes, saved
from explainer.shell.controls import pick_block, pick_head
from explainer.shell.mistake_banner import show_banner
from explainer.shell.sidebar.here import choose_here
from explainer.state import session
from explainer.state.choice import Choice
from explainer.views.worksheet.sheet import PAPERS, Sheet, worksheet

TEXTS = load_texts("worksheet")
SHOWN_ON = "self_attention"  # the page to which the link on paper leads
WIDTHS = {"a4": 210, "letter": 216}  # of the paper, in millimetres
HALVES = ("sheet", "key")
NOT_ON_PAPER = ("b", "present")  # parameters of a link: the sheet is about one model, for one pupil


def render(choice: Choice, observation: Observation) -> None:
    observe.keep_for_this_run(choice)
    place = session.place(choice)
    st.title(TEXTS["page_title"], anchor=False)
    with st.container(key="lead"):
        st.markdown(TEXTS["lead"])
    choose_here(TEXTS, choice, place, "head")
    show_banner(choice)
    with st.container(key="worksheet-options", horizontal=True, vertical_alignment="bottom"):
        paper = st.segmented_control(
            TEXTS["paper"],
            list(PAPERS),
            default="a4",
            required=True,
            key="worksheet-paper",
            format_func=TEXTS["papers"].__getitem__,
        )
        shown = st.segmented_control(
            TEXTS["shown"],
            HALVES,
            default="sheet",
            required=True,
            key="worksheet-shown",
            format_func=lambda half: TEXTS[f"{half}_label"],
        )
    with st.container(key="worksheet-place", horizontal=True):
        pick_block(place)
        pick_head(place)
    sheet = Sheet(choice, observation, place, paper=paper or "a4")
    sheet = replace(sheet, link=link_on_paper(sheet))
    files = {half: worksheet(replace(sheet, is_key=half == "key")) for half in HALVES}
    with st.container(horizontal=True):
        for half, content in files.items():
            st.download_button(
                TEXTS[f"download_{half}"],
                content,
                file_name=f"{TEXTS[f'file_{half}']}-{sheet.paper}.html",
                mime="text/html",
                key=f"worksheet-download-{half}",
                on_click="ignore",
            )
    st.markdown(TEXTS["note"] if sheet.link else f"{TEXTS['note']} {TEXTS['note_local']}")
    half = shown or "sheet"
    show_paper(
        files[half],
        TEXTS[f"preview_{half}_title"],
        WIDTHS[sheet.paper],
        key="worksheet-paper-shown",
    )


def link_on_paper(sheet: Sheet) -> str:
    """Return the link to the page on which pupils find the same numbers.

    Empty where the app has no address, or one that leads nobody else here.
    """
    here = (saved.given_address or st.context.url or "").partition("?")[0]
    if urlsplit(here).hostname in (None, *saved.LOCAL):
        return ""
    home = here.removesuffix(routes.address("worksheet"))
    token = sheet.choice.config.num_prefix_tokens + sheet.query
    asked = {name: text for name, text in session.link().items() if name not in NOT_ON_PAPER}
    query = urlencode(asked | {"query": str(token)})
    return f"{home.rstrip('/')}/{routes.address(SHOWN_ON)}?{query}"
