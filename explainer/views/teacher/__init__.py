"""The teacher's window: this screen's answer, what to say, and the minutes that are left."""

import html
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from explainer.components.teacher import Lesson, teacher
from explainer.content import load_texts
from explainer.inputs.models.for_browser import browser_model, fits_browser
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.shell import routes
from explainer.shell.classroom import led_room
from explainer.shell.pen_line import keep_pen_line
from explainer.shell.story.map_line import keep_map_line
from explainer.shell.story.packed import pack_story
from explainer.shell.story.step_line import keep_step_line
from explainer.shell.story.wording import texts_for
from explainer.shell.story_screens import ORDER
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import read_link
from explainer.views.teacher.plans import PLANS

ASKED = ("logits", "pooled")  # what experiments show of a pass with edits
LONGEST_LINK = 8_000  # characters
OF_OTHER_TABS = ("present", "screen")  # what the window has of its own
STYLE = f"<style>{(Path(__file__).parent / 'page.css').read_text(encoding='utf-8')}</style>"


def render(choice: Choice, observation: Observation) -> None:
    observe.keep_for_this_run(choice)
    texts = texts_for(choice, observation, fits_browser(choice.config), "teacher")
    st.html(STYLE)
    st.html(f'<h1 class="teacher-heading">{html.escape(load_texts("pages")["teacher"])}</h1>')
    place, code = session.place(choice), led_room()
    lesson = Lesson(
        query=place.config.num_prefix_tokens + place.patch(observation.telling_patch),
        target=place.target,
        link=link(),
        address=routes.address("story"),
        live=browser_model(choice),
        room={"code": code, "address": routes.path("room")} if code else None,
        texts=texts["frame"],
        says=[texts["screens"][name]["say"] for name in ORDER],
        plans=PLANS,
    )
    teacher(key="teacher", data=pack_story(choice, observation), lesson=lesson, on_link=take_link)
    keep_pen_line(choice, "teacher-line", ASKED)
    keep_step_line(choice, "teacher-line-step")
    keep_map_line(choice, "teacher-line-map")


def link() -> str:
    """Return the parameters of the link to the model and picture that are shown."""
    kept = {name: text for name, text in session.link().items() if name not in OF_OTHER_TABS}
    return urlencode(kept)


def take_link(sent: object) -> None:
    """Show what the story in another tab shows; whatever its link says falls back as any link."""
    if not isinstance(sent, str) or len(sent) > LONGEST_LINK:
        return
    asked, _ = read_link(dict(parse_qsl(sent)))
    session.save(replace(asked, screen=session.load().screen, present=""))
