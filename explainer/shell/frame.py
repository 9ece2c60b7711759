"""What every page of the pipeline has around its parts: title, guide, code, questions.

A page is a module of ``explainer.views`` with

- ``PARTS``: name → function ``(choice, seen, place)`` that draws this part, in the order of the
  page;
- ``CODE``: the snippets that stand under the parts;
- ``questions(choice, seen, place)``: at least three questions;
- ``facts(choice, seen, place)``: the numbers that its title, lead and guide may name in braces;
- ``matrix_shapes(choice, seen, place)``, if cells can be chosen: name of each matrix → its rows and
  columns;
- ``has_part(name, choice, seen, place)``, if some parts only make sense of some pictures or models;

and a file of texts of the same name (or of its ``TEXTS_NAME``) with ``title``, ``lead``,
``parts.<name>`` with ``title`` and ``text`` of each part (and ``text_features``, for a model
without a head), and a list ``guide`` of steps, each with ``part``, ``text`` and, where other
parts are needed beside it, a list ``also``. A step that speaks of the code says ``code = true``:
the panel under its part is open, and the step is left out where the code is hidden.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import streamlit as st

from explainer.components.copy_link import copy_link
from explainer.components.guide import follow_guide
from explainer.content import load_texts
from explainer.figures import theme
from explainer.inputs.models import load
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell import code_panel, quiz, routes
from explainer.shell.controls import pick
from explainer.shell.mistake_banner import show_banner
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import MODES
from explainer.state.place import Place

Step = Mapping[str, Any]  # of a guide, as the texts have it
QUESTIONS = "questions"  # the part that every page has
LEAVE = "leave"  # set by the guide's last step
COLOURS = "".join(
    f"--frame-{name}: {shade.css};"
    for name, shade in {
        "accent": theme.ACCENT,
        "surface": theme.SURFACE,
        "background": theme.BACKGROUND,
        "text": theme.TEXT,
        "muted": theme.MUTED,
        "line": theme.LINE,
        "bad": theme.BAD,
    }.items()
)
RULES = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
STYLE = f"<style>.stApp {{ {COLOURS} }}\n{RULES}</style>"
HIGHLIGHT = """<style>.st-key-part-%s {
  padding: 1rem 1.25rem; border-radius: 0.5rem; outline: 2px solid var(--frame-accent);
  outline-offset: -2px;
}</style>"""


def style() -> None:
    """Bring the look of what stands around a page's parts."""
    st.html(STYLE)


@st.fragment
def draw(view: str, page: ModuleType, choice: Choice, seen: Observation) -> None:
    """Draw one page: everything of it, or the guide's step and the parts that it is about."""
    if not load.is_there(choice.source):
        st.rerun()  # the sidebar says that the run was deleted, and what is shown instead
    observe.keep_for_this_run(choice)
    place = session.place(choice)
    texts = texts_of(getattr(page, "TEXTS_NAME", view), seen)
    facts = page.facts(choice, seen, place)
    show_head(view, texts, facts, choice, place)
    parts = parts_of(page, choice, seen, place)
    guide = steps(texts, parts, place)
    step = show_guide(view, guide, facts, place)
    for name in shown(guide, parts, place):
        with st.container(key=place.key(f"part-{name}")):
            if name == QUESTIONS:
                quiz.show(view, page.questions(choice, seen, place), place)
                continue
            part = texts["parts"][name]
            st.header(part["title"].format(**facts), anchor=False)
            if text := text_of(part, seen):
                st.markdown(text.format(**facts))
            page.PARTS[name](choice, seen, place)
            is_open = step is not None and step["part"] == name and bool(step.get("code"))
            snippets = [snippet for snippet in page.CODE if snippet.part == name]
            code_panel.show(snippets, place, is_open=is_open)
    if step is not None:
        st.html(HIGHLIGHT % step["part"])


def parts_of(page: ModuleType, choice: Choice, seen: Observation, place: Place) -> list[str]:
    """Return the parts that a page has for these pictures, in its order."""
    has = getattr(page, "has_part", lambda name, choice, seen, place: True)
    return [name for name in page.PARTS if has(name, choice, seen, place)]


def text_of(part: Mapping[str, Any], seen: Observation) -> str:
    """Return the text above a part; for a model without a head it may be another one."""
    return part.get("text" if seen.has_head else "text_features") or part.get("text", "")


def has_cell(page: ModuleType, choice: Choice, seen: Observation, place: Place) -> bool:
    """Whether the chosen cell lies in a matrix of the page; also true while none is chosen."""
    shapes: Any = getattr(page, "matrix_shapes", lambda choice, seen, place: {})
    return place.cell is None or place.cell_in(shapes(choice, seen, place)) is not None


def show_head(
    view: str,
    texts: Mapping[str, Any],
    facts: Mapping[str, object],
    choice: Choice,
    place: Place,
) -> None:
    """Title and lead, and a quiet row: how to look at the page, and its link."""
    frame_texts = load_texts("frame")
    number, count = routes.PIPELINE.index(view) + 1, len(routes.PIPELINE)
    st.html(
        f'<p class="page-number">{frame_texts["number"].format(number=number, count=count)}</p>'
    )
    st.title(texts["title"].format(**facts), anchor=False)
    with st.container(key="lead"):
        st.markdown(texts["lead"].format(**facts))
    show_banner(choice)
    with st.container(
        key="quiet-row",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        pick(
            frame_texts["mode"],
            tuple(reversed(MODES)),
            "free" if place.step is None else "guided",
            change_mode,
            key="mode",
            format_func=frame_texts.__getitem__,
            label_visibility="collapsed",
        )
        copy_link(frame_texts["copy_link"])


def change_mode(mode: str) -> None:
    session.change(mode=mode, step=0)


def steps(texts: Mapping[str, Any], parts: list[str], place: Place) -> list[Step]:
    """Return the guide's steps about these parts; none of them about code where code is hidden."""
    return [
        step
        for step in texts.get("guide", [])
        if step["part"] in (*parts, QUESTIONS) and (place.shows_code or not step.get("code"))
    ]


def step_of(guide: list[Step], place: Place) -> int | None:
    """Return the guide's step, 0..len(guide) - 1; None while the page is looked at freely."""
    return None if place.step is None or not guide else min(place.step, len(guide) - 1)


def shown(guide: list[Step], parts: list[str], place: Place) -> list[str]:
    """Return the parts to draw: all in the order of the page, or those of the guide's step.

    A step's own part comes first, right below its text.
    """
    here = step_of(guide, place)
    if here is None:
        return [*parts, QUESTIONS]
    step = guide[here]
    beside = set(step.get("also", ())) - {step["part"]}
    return [step["part"], *(name for name in parts if name in beside)]


def show_guide(
    view: str, guide: list[Step], facts: Mapping[str, object], place: Place
) -> Step | None:
    """Draw the guide's card; return its step, or None while the page is looked at freely."""
    here = step_of(guide, place)
    if here is None:
        return None
    frame_texts = load_texts("frame")
    step, last = guide[here], here == len(guide) - 1
    following = routes.following(view)
    onward = frame_texts["next"]
    if last:
        onward = (
            frame_texts["next_page"].format(title=routes.TITLES[following])
            if following
            else frame_texts["home"]
        )
    progress = frame_texts["step"].format(number=here + 1, count=len(guide))
    with st.container(key="guide-start"):
        follow_guide(progress)
    with st.container(key="guide", border=True):
        st.markdown(step["text"].format(**facts))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                frame_texts["back"],
                key="guide-back",
                disabled=not here,
                on_click=partial(session.change, step=here - 1),
            )
            # one button all the way, so that the keyboard's focus stays on it
            st.button(
                onward,
                key="guide-next",
                type="primary",
                on_click=leave if last else partial(session.change, step=here + 1),
            )
            st.markdown(f":small[{progress}]", width="content")
    if st.session_state.pop(LEAVE, False):
        routes.go(following or "home")
    return step


def leave() -> None:
    # a callback cannot change the page itself
    st.session_state[LEAVE] = True
