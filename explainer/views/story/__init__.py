"""The story: eighteen short screens through the whole model, drawn in the browser."""

import html
from pathlib import Path

import streamlit as st

from explainer.components.story import Told, pack_halves, story
from explainer.content import load_texts
from explainer.inputs.models.for_browser import browser_model
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.shell import routes
from explainer.shell.classroom import membership
from explainer.shell.compare.second import second_choice
from explainer.shell.mistake_banner import show_banner
from explainer.shell.pen_line import keep_pen_line
from explainer.shell.picker.pad import shown_name
from explainer.shell.story.map_line import keep_map_line
from explainer.shell.story.packed import pack_story
from explainer.shell.story.step_line import keep_step_line
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import SCREENS, State, encode, read_link
from explainer.training import visitor
from explainer.views.story.compared import header_of, show_compare, show_second_epoch
from explainer.views.story.hear import hear
from explainer.views.story.in_room import room_told

ASKED = ("logits", "pooled")  # what experiments show of a pass with edits
LINKED = (
    "train",
    "home",
    "fool",
    "teacher",
    "room",
    *routes.PIPELINE,
)  # the pages to which screens link
TEXTS = load_texts("story")
STYLE = f"<style>{(Path(__file__).parent / 'page.css').read_text(encoding='utf-8')}</style>"


def render(choice: Choice, observation: Observation) -> None:
    observe.keep_for_this_run(choice)
    st.html(STYLE)
    st.html(f'<h1 class="story-heading">{html.escape(TEXTS["heading"])}</h1>')
    show_banner(choice)
    place = session.place(choice)
    second = second_choice(choice)
    show_second_epoch(second)
    data = pack_story(choice, observation)
    if second:
        other = observe.observe(second)
        observe.keep_for_this_run(second)
        data = pack_halves(header_of(choice, second), data, pack_story(second, other))
    member = membership(remembers=False)
    told = Told(
        query=place.config.num_prefix_tokens + place.patch(observation.telling_patch),
        screen=session.load().screen,
        target=place.target,
        addresses=addresses(),
        live=browser_model(choice),
        drawing=shown_name(),
        other_live=browser_model(second) if second else None,
        room=room_told(member),
    )
    with st.container(key="story-room"):
        show_compare(choice, second, observation)
        opened = story(
            key="story",
            data=data,
            told=told,
            on_hear=lambda heard: hear(choice, heard),
        )
    keep_pen_line(choice, "story-line", ASKED)
    keep_step_line(choice, "story-line-step")
    keep_map_line(choice, "story-line-map")
    if second:
        keep_pen_line(second, "story-line-b", ASKED)
        keep_step_line(second, "story-line-b-step")
        keep_map_line(second, "story-line-b-map")
    if member:
        visitor.remember()  # down here, where nothing moves by it
    elif session.load().room and not visitor.is_known():
        visitor.recover(answers=True)
    if opened:
        leave(*opened)


def leave(view: str, screen: int, edits: str) -> None:
    """Turn to a page. The browser's Back leads to the same screen again.

    Args:
        edits: of the picture, that go along to the page that is for them.
    """
    if view in routes.TITLES and 1 <= screen <= SCREENS:
        session.change(screen=screen)
        if view == "fool" and edits:
            session.keep_for("fool", read_link({"edits": edits})[0])
        if view == "learning" and (target := session.load().target) is not None:
            session.keep_for("learning", State(target=target))
        # with the screen, since Streamlit writes these to the address that is left
        st.switch_page(routes.page_of(view), query_params=encode(session.load()))


def addresses() -> dict[str, str]:
    """Return where the pages with the numbers are, each with model, picture and patch."""
    return {view: routes.path(view) for view in LINKED}
