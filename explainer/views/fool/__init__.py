"""Fool it: cover, swap, move and turn, switch heads off, and see at once what the model answers."""

import html
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from explainer.components.fool import BOUNDS, LINE, Told, fool
from explainer.components.live_server import live_server
from explainer.inputs.models.for_browser import browser_model
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.shell import routes
from explainer.shell.mistake_banner import show_banner
from explainer.shell.pen_line import keep_pen_line
from explainer.shell.share import show_link
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.edits import read_edits, write_edits
from explainer.state.link import READERS
from explainer.views.fool.bounds import bound
from explainer.views.fool.hear import hear, leave
from explainer.views.fool.packed import pack_fool
from explainer.views.fool.wording import texts_for

STYLE = f"<style>{Path(__file__).with_name('page.css').read_text(encoding='utf-8')}</style>"
LINKED = ("patches", "multi_head", "position", "story")  # where before and after are compared


def render(choice: Choice, observation: Observation) -> None:
    observe.keep_for_this_run(choice)
    st.html(STYLE)
    texts = texts_for(observation)
    title = html.escape(texts["title" if observation.has_head else "title_features"])
    with st.container(
        key="fool-head",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        st.html(f'<h1 class="fool-title">{title}</h1>', width="content")
        show_link()
    show_banner(choice)
    opened = fool(
        data=pack_fool(choice, observation),
        told=Told(
            edits=fitting_edits(choice, texts["left_out"]),
            live=browser_model(choice),
            addresses=addresses(),
            after=names_after_edits(),
        ),
        on_hear=lambda heard: hear(choice, heard),
    )
    last = f"blocks.{choice.config.depth - 1}.attn.pattern"
    keep_pen_line(choice, LINE, ("logits", "pooled", last), mean_heads=True)
    keep_bounds(choice, observation)
    if opened:
        leave(choice, opened)


@st.fragment
def keep_bounds(choice: Choice, observation: Observation) -> None:
    """Search for what a challenge asks, when it is opened, in a fragment of its own."""
    observe.keep_for_this_run(choice)
    live_server(key=BOUNDS, name=BOUNDS, answer=lambda sent: bound(choice, observation, sent))


def fitting_edits(choice: Choice, left_out: str) -> str:
    """Return the text of the changes that fit the model; say so if there are others."""
    asked = read_edits(session.load().edits)
    edits = asked.fitting(choice.config)
    text = write_edits(edits)
    if edits != asked:
        session.refused().append(left_out)
        session.change(edits=text)
    return text


def addresses() -> dict[str, str]:
    """Return where before and after can be compared; the browser adds the changes."""
    query = urlencode(session.link())
    return {view: f"{routes.address(view)}?{query}".rstrip("?") for view in LINKED}


def names_after_edits() -> list[str]:
    names = list(READERS)
    return names[names.index("edits") + 1 :]
