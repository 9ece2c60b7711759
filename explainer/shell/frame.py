"""What every page of the pipeline has around its parts: title, quiet row, code, questions.

A page is a module of ``explainer.views`` with

- ``PARTS``: name → function ``(choice, seen, place)`` that draws this part, in the order of the
  page;
- ``CODE``: the snippets that stand under the parts;
- ``questions(choice, seen, place)``: at least three questions; one with a ``part`` is asked at the
  top of that part, the others at the end of the page;
- ``facts(choice, seen, place)``: the numbers that its title and lead may name in braces;
- ``matrix_shapes(choice, seen, place)``, if cells can be chosen: name of each matrix → its rows and
  columns,

and a file of texts of the same name (or of its ``TEXTS_NAME``) with ``title``, ``lead``,
``parts.<name>`` with ``title`` and ``text`` of each part (and ``text_features``, for a model
without a head).
"""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import streamlit as st

from explainer.components.sight import key_of, watch_sight
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell import code_panel, opening, quiz, routes
from explainer.shell.controls import switch
from explainer.shell.look import RULES
from explainer.shell.mistake_banner import show_banner
from explainer.shell.quiz import Question
from explainer.shell.share import show_link
from explainer.shell.sidebar.here import choose_here
from explainer.shell.story_screens import screen_about
from explainer.state import session, sight
from explainer.state.choice import Choice
from explainer.state.place import Place

QUESTIONS = "questions"  # the part that every page has
FOR_PLACE_KEY = "for-place"  # what was computed for the place that the session looks at


def style() -> None:
    """Bring the look of what stands around a page's parts, unless the empty page had it."""
    if not opening.served:
        st.html(f"<style>{RULES}</style>")


def draw(view: str, page: ModuleType, choice: Choice, seen: Observation) -> None:
    """Draw one page: its head, the parts that are in sight, and room for the others.

    Each part is a fragment, which a choice draws again without the rest of the page.
    """
    place = session.place(choice)
    names = [*page.PARTS, QUESTIONS]
    with sight.opening(view, names):
        fragment(draw_head, "head", view, page, choice, seen)
        for name in names:
            with st.container(key=place.key(f"part-{name}")):
                fragment(draw_part, name, view, page, choice, seen, name)
        fragment(draw_sight, "sight")


def fragment(function: Callable[..., None], name: str, *arguments: object) -> None:
    """Run a function as a fragment of the page, which ``sight`` can have drawn again."""
    st.fragment(function, key=key_of(name))(*arguments)


def opened() -> sight.Sight:
    """Return what is in sight of the page that ``draw`` has opened."""
    in_sight = sight.current()
    assert in_sight is not None, "the page was opened"
    return in_sight


def draw_head(view: str, page: ModuleType, choice: Choice, seen: Observation) -> None:
    """Draw the title, the lead and the quiet row."""
    if not load.is_there(choice.source):
        st.rerun()  # the sidebar says that the run was deleted, and what is shown instead
    in_sight = opened()
    place = session.place(choice)
    texts = texts_of(getattr(page, "TEXTS_NAME", view), seen)
    with sight.drawing(in_sight, "head"):
        facts = facts_of(page, choice, seen, place)
        show_head(view, texts, facts, choice)
        choose_here({"lead": texts["lead"].format(**facts)}, choice, place, "head")


def draw_part(view: str, page: ModuleType, choice: Choice, seen: Observation, name: str) -> None:
    """Draw one part of a page if it is in sight, or else only its title."""
    if not load.is_there(choice.source):
        st.rerun()
    in_sight = opened()
    place = session.place(choice)
    texts = texts_of(getattr(page, "TEXTS_NAME", view), seen)
    if name == QUESTIONS:
        observe.keep_for_this_run(choice)
        if not questions_of(page, choice, seen, place)[1]:
            with sight.drawing(in_sight, name):
                return  # all of them stand at their parts
    if not in_sight.is_near(name):
        if name == QUESTIONS and not questions_of(page, choice, seen, place)[1]:
            return  # all are asked in the parts, so there is nothing to keep room for
        title = load_texts("frame")["questions_title"]
        if name != QUESTIONS:
            facts = facts_of(page, choice, seen, place)
            title = texts["parts"][name]["title"].format(**facts)
        show_room(title, in_sight.height(name))
        return
    observe.keep_for_this_run(choice)
    with sight.drawing(in_sight, name):
        asked, others = questions_of(page, choice, seen, place)
        if name == QUESTIONS:
            quiz.show(view, others, place)
        else:
            facts = facts_of(page, choice, seen, place)
            part = texts["parts"][name]
            st.header(part["title"].format(**facts), anchor=False)
            if question := asked.get(name):
                quiz.show_question(view, question, place)
            if text := text_of(part, seen):
                st.markdown(text.format(**facts))
            choose_here(part, choice, place, name)
            page.PARTS[name](choice, seen, place)
            code_panel.show([snippet for snippet in page.CODE if snippet.part == name], place)
    if in_sight.is_forgotten():
        st.rerun()  # a callback changed the state without having the other parts drawn


def draw_sight() -> None:
    """Watch which parts come into sight."""
    in_sight = opened()
    if not sight.DRAWS_ALL:
        watch_sight(in_sight.names, in_sight.stale())


def show_room(title: str, height: int) -> None:
    """Draw the title of a part and keep room for the rest, so that nothing moves when it comes."""
    st.header(title, anchor=False)
    st.html(f'<div class="room" style="height: {height}px" aria-hidden="true"></div>')


def facts_of(
    page: ModuleType, choice: Choice, seen: Observation, place: Place
) -> Mapping[str, object]:
    """Return the numbers that the texts of a page name, computed once for all its parts."""
    return for_place("facts", choice, place, lambda: page.facts(choice, seen, place))


def questions_of(
    page: ModuleType, choice: Choice, seen: Observation, place: Place
) -> tuple[Mapping[str, Question], Sequence[Question]]:
    """Return the questions of each part, and those at the page's end, computed once for all."""
    return for_place(
        "questions",
        choice,
        place,
        lambda: quiz.by_part(page.questions(choice, seen, place), [*page.PARTS]),
    )


def for_place(name: str, choice: Choice, place: Place, make: Callable[[], Any]) -> Any:
    """Return what ``make`` made for this place the last time, if that was the same place."""
    known = st.session_state.setdefault(FOR_PLACE_KEY, {})
    asked = st.session_state.get(session.VIEW_KEY), choice, place
    if name not in known or known[name][0] != asked:
        known[name] = asked, make()
    return known[name][1]


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
) -> None:
    """Title and lead, and the quiet row."""
    frame_texts = load_texts("frame")
    number, count = routes.PIPELINE.index(view) + 1, len(routes.PIPELINE)
    with st.container(key="page-number"):
        st.markdown(frame_texts["number"].format(number=number, count=count))
    st.title(texts["title"].format(**facts), anchor=False)
    with st.container(key="lead"):
        st.markdown(texts["lead"].format(**facts))
    show_banner(choice)
    show_quiet_row(view)


def offer_story(view: str) -> None:
    """Say where the guide went that an old link asks for."""
    texts = load_texts("frame")
    if session.load().mode == "guided" and screen_about(view):
        with st.container(key="of-old", horizontal=True, vertical_alignment="center"):
            st.markdown(texts["guide_went"], width="content")
            link_story(view, texts["guide_story"])


def link_story(view: str, label: str) -> None:
    """Link to the story's screen about a view, if there is one."""
    if screen := screen_about(view):
        routes.link("story", label, screen=str(screen))


def show_quiet_row(view: str) -> None:
    """The same in the story, the switch for the code, and the link to what is looked at."""
    texts, code = load_texts("frame"), session.load().code
    with st.container(
        key="quiet-row",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        link_story(view, texts["story_link"])
        if code != "hide":
            switch(
                texts["code_switch"],
                code == "open",
                change_code,
                key="code",
                help=texts["code_help"],
            )
        routes.link("glossary", routes.TITLES["glossary"])
        show_link()


def change_code(is_open: bool) -> None:
    session.change(code="open" if is_open else "show")
