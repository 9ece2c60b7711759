"""What every page of the pipeline has around its parts: title, guide, code, questions.

A page is a module of ``explainer.views`` with

- ``PARTS``: name → function ``(choice, seen)`` that draws this part, in the order of the page;
- ``CODE``: the snippets that stand under the parts;
- ``questions(choice, seen)``: at least three questions;
- ``facts(choice, seen)``: the numbers that its title, lead and guide may name in braces;
- ``has_part(name, choice, seen)``, if some parts only make sense of some pictures or models;

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
    name_of_texts = getattr(page, "TEXTS_NAME", view)
    texts, facts = texts_of(name_of_texts, seen), page.facts(choice, seen)
    show_head(view, texts, facts, choice)
    parts = parts_of(page, choice, seen)
    guide = steps(texts, parts)
    step = show_guide(view, guide, facts)
    for name in shown(guide, parts):
        with st.container(key=f"part-{name}"):
            if name == QUESTIONS:
                quiz.show(view, page.questions(choice, seen))
                continue
            words = texts["parts"][name]
            st.header(words["title"].format(**facts), anchor=False)
            if text := text_of(words, seen):
                st.markdown(text.format(**facts))
            page.PARTS[name](choice, seen)
            is_open = step is not None and step["part"] == name and bool(step.get("code"))
            code_panel.show([one for one in page.CODE if one.part == name], is_open=is_open)
    if step is not None:
        st.html(HIGHLIGHT % step["part"])


def parts_of(page: ModuleType, choice: Choice, seen: Observation) -> list[str]:
    """Return the parts that a page has for these pictures, in its order."""
    has = getattr(page, "has_part", lambda name, choice, seen: True)
    return [name for name in page.PARTS if has(name, choice, seen)]


def text_of(words: Mapping[str, Any], seen: Observation) -> str:
    """Return what is said of a part; of a model without a head it may be something else."""
    return words.get("text" if seen.has_head else "text_features") or words.get("text", "")


def show_head(
    view: str, texts: Mapping[str, Any], facts: Mapping[str, object], choice: Choice
) -> None:
    """Title and lead, and a quiet row: how to look at the page, and its link."""
    words = load_texts("frame")
    number, count = list(routes.PIPELINE).index(view) + 1, len(routes.PIPELINE)
    st.html(f'<p class="page-number">{words["number"].format(number=number, count=count)}</p>')
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
            words["mode"],
            tuple(reversed(MODES)),
            session.load().mode,
            change_mode,
            key="mode",
            format_func=words.__getitem__,
            label_visibility="collapsed",
        )
        copy_link(words["copy_link"])


def change_mode(mode: str) -> None:
    session.change(mode=mode, step=0)


def steps(texts: Mapping[str, Any], parts: list[str]) -> list[Step]:
    """Return the guide's steps about these parts; none of them about code where code is hidden."""
    hidden = session.load().code == "hide"
    return [
        step
        for step in texts.get("guide", [])
        if step["part"] in (*parts, QUESTIONS) and not (hidden and step.get("code"))
    ]


def place(guide: list[Step]) -> int | None:
    """Return the guide's step, 0..len(steps) - 1; None while the page is looked at freely."""
    now, count = session.load(), len(guide)
    return min(now.step, count - 1) if now.mode == "guided" and count else None


def shown(guide: list[Step], parts: list[str]) -> list[str]:
    """Return the parts to draw: all in the order of the page, or those of the guide's step.

    A step's own part comes first, right below the words about it.
    """
    here = place(guide)
    if here is None:
        return [*parts, QUESTIONS]
    step = guide[here]
    beside = set(step.get("also", ())) - {step["part"]}
    return [step["part"], *(name for name in parts if name in beside)]


def show_guide(view: str, guide: list[Step], facts: Mapping[str, object]) -> Step | None:
    """Draw the guide's card; return its step, or None while the page is looked at freely."""
    here = place(guide)
    if here is None:
        return None
    words = load_texts("frame")
    step, last = guide[here], here == len(guide) - 1
    following = routes.following(view)
    onward = words["next"]
    if last:
        onward = (
            words["next_page"].format(title=routes.TITLES[following])
            if following
            else words["home"]
        )
    said = words["step"].format(number=here + 1, count=len(guide))
    with st.container(key="guide-start"):
        follow_guide(said)
    with st.container(key="guide", border=True):
        st.markdown(step["text"].format(**facts))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                words["back"],
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
            st.markdown(f":small[{said}]", width="content")
    if st.session_state.pop(LEAVE, False):
        routes.go(following or "home")
    return step


def leave() -> None:
    # a callback cannot change the page itself
    st.session_state[LEAVE] = True
