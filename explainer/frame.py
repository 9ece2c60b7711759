"""What every page of the pipeline has around its parts: title, guide, code, questions, neighbours.

A page is a module of ``explainer.views`` with

- ``PARTS``: name → function ``(choice, seen)`` that draws this part, in the order of the page;
- ``CODE``: the snippets that stand under the parts;
- ``questions(choice, seen)``: at least three questions;
- ``facts(choice, seen)``: the numbers that its title, lead and guide may name in braces;

and a file of texts of the same name with ``title``, ``lead``, ``parts.<name>`` with ``title`` and
``text`` of each part, and a list ``guide`` of steps, each with ``part``, ``text`` and, where other
parts are needed beside it, a list ``also``.
"""

from types import ModuleType

import streamlit as st

from explainer import state
from explainer.content import load_texts
from explainer.services import Observation
from explainer.state import Choice

QUESTIONS = "questions"  # the part that every page has


@st.fragment
def draw(view: str, page: ModuleType, choice: Choice, seen: Observation) -> None:
    """Draw one page: everything of it, or the guide's step and the parts that it is about."""
    texts, facts = load_texts(view), page.facts(choice, seen)
    st.title(texts["title"].format(**facts))
    st.markdown(texts["lead"].format(**facts))
    for name in shown(view, list(page.PARTS)):
        with st.container(key=f"part-{name}"):
            if name != QUESTIONS:
                words = texts["parts"][name]
                st.subheader(words["title"].format(**facts))
                if text := words.get("text"):
                    st.markdown(text.format(**facts))
                page.PARTS[name](choice, seen)


def shown(view: str, parts: list[str]) -> list[str]:
    """Return the parts to draw, in the order of the page."""
    now, guide = state.load(), load_texts(view).get("guide", [])
    everything = [*parts, QUESTIONS]
    if now.mode != "guided" or not guide:
        return everything
    step = guide[min(now.step, len(guide) - 1)]
    wanted = {step["part"], *step.get("also", ())}
    return [name for name in everything if name in wanted]
