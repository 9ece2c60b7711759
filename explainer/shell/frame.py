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
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import streamlit as st

from explainer.components.sight import key_of, watch_sight
from explainer.content import load_texts
from explainer.figures import drawn
from explainer.inputs.models import load
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell import code_panel, more, opening, quiz, routes
from explainer.shell.compare.bar import offer_compare, show_bar
from explainer.shell.compare.difference import show_difference
from explainer.shell.compare.halves import (
    Half,
    draw_halves,
    draw_leads,
    draw_switch,
    places_of,
)
from explainer.shell.controls import switch
from explainer.shell.look import RULES
from explainer.shell.mistake_banner import show_banner
from explainer.shell.quiz import Question
from explainer.shell.saved import Heading
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


def draw(
    view: str, page: ModuleType, choice: Choice, seen: Observation, second: Half | None = None
) -> None:
    """Draw one page: its head, the parts that are in sight, and room for the others.

    Each part is a fragment, which a choice draws again without the rest of the page.

    Args:
        second: what stands beside it in a comparison; of another module, it has no such parts.
    """
    place = session.place(choice)
    names = [*page.PARTS, QUESTIONS]
    remark = ""
    if second and second.page is not page:
        second, remark = None, load_texts("compare")["other_page"]
    shown = Shown(view, page, choice, seen, second, remark)
    with sight.opening(view, names):
        fragment(draw_head, "head", shown)
        if second:
            draw_switch(choice, seen, second)
        for name in names:
            with st.container(key=place.key(f"part-{name}")):
                fragment(draw_part, name, shown, name)
        fragment(draw_sight, "sight")


@dataclass(frozen=True)
class Shown:
    """What a page shows.

    Attributes:
        second: what stands beside it in a comparison.
        remark: of the bar above a comparison, why there is no second half.
    """

    view: str
    page: ModuleType
    choice: Choice
    seen: Observation
    second: Half | None = None
    remark: str = ""

    @property
    def texts(self) -> Mapping[str, Any]:
        return texts_of(getattr(self.page, "TEXTS_NAME", self.view), self.seen)

    def of_second(self, second: Half) -> "Shown":
        """Return the second half as a page of its own."""
        return replace(self, page=second.page, choice=second.choice, seen=second.seen, second=None)

    def is_there(self) -> bool:
        """Whether the models can still be read: a run may be deleted while a page shows it."""
        second = self.second
        return load.is_there(self.choice.source) and (
            second is None or load.is_there(second.choice.source)
        )


def fragment(function: Callable[..., None], name: str, *arguments: object) -> None:
    """Run a function as a fragment of the page, which ``sight`` can have drawn again."""
    st.fragment(function, key=key_of(name))(*arguments)


def opened() -> sight.Sight:
    """Return what is in sight of the page that ``draw`` has opened."""
    in_sight = sight.current()
    assert in_sight is not None, "the page was opened"
    return in_sight


def draw_head(shown: Shown) -> None:
    """Draw the title, the lead and the quiet row."""
    if not shown.is_there():
        st.rerun()  # the sidebar says that the run was deleted, and what is shown instead
    in_sight = opened()
    choice, seen, second = shown.choice, shown.seen, shown.second
    place, second_place = places_of(choice, seen, second)
    with sight.drawing(in_sight, "head"):
        facts = facts_of(shown, place)
        lead = shown.texts["lead"].format(**facts)
        leads = [lead]
        if second and second_place:
            other = shown.of_second(second)
            leads.append(other.texts["lead"].format(**facts_of(other, second_place)))
        show_head(shown, facts, leads)
        choose_here({"lead": lead}, choice, place, "head")


def draw_part(shown: Shown, name: str) -> None:
    """Draw one part of a page if it is in sight, or else only its title."""
    if not shown.is_there():
        st.rerun()
    in_sight = opened()
    view, choice, seen, second = shown.view, shown.choice, shown.seen, shown.second
    place, second_place = places_of(choice, seen, second)
    if name == QUESTIONS:
        observe.keep_for_this_run(choice)
        if not questions_of(shown, place)[1]:
            with sight.drawing(in_sight, name):
                return  # all of them stand at their parts
    if not in_sight.is_near(name):
        title = load_texts("frame")["questions_title"]
        if name != QUESTIONS:
            title = shown.texts["parts"][name]["title"].format(**facts_of(shown, place))
        show_room(title, in_sight.height(name))
        return
    observe.keep_for_this_run(choice)
    with sight.drawing(in_sight, name):
        asked, others = questions_of(shown, place)
        if name == QUESTIONS:
            quiz.show(view, others, place)
        elif second and second_place:
            draw_both(shown, second, place, second_place, name, asked.get(name))
        else:
            show_title(shown, place, name)
            if question := asked.get(name):
                quiz.show_question(view, question, place)
            show_text(shown, place, name)
            heading = Heading(view, name, title_of(shown, place, name), (choice,))
            with more.part(place, heading):
                draw_body(shown, place, name)
        if name != QUESTIONS:
            page = shown.page
            code_panel.show([snippet for snippet in page.CODE if snippet.part == name], place)
    if in_sight.is_forgotten():
        st.rerun()  # a callback changed the state without having the other parts drawn


def draw_both(
    shown: Shown,
    second: Half,
    place: Place,
    second_place: Place,
    name: str,
    question: Question | None,
) -> None:
    """Draw a part of a page twice: what both halves have in common once, and the rest in each."""
    other = shown.of_second(second)
    halves = ((shown, place), (other, second_place))
    titles = [title_of(half, at, name) for half, at in halves]
    texts = [text_in(half, at, name) for half, at in halves]
    st.header(titles[0], anchor=False)
    if question:
        quiz.show_question(shown.view, question, place, load_texts("compare")["about_a"])
    is_same = texts[0] == texts[1]
    if is_same:
        show_text(shown, place, name)
    pictures: list[list[drawn.Drawn]] = []

    def draw(half: Shown, at: Place, title: str) -> None:
        observe.keep_for_this_run(half.choice)
        if title != titles[0]:
            st.subheader(title, anchor=False)
        if not is_same:
            show_text(half, at, name)
        with drawn.collect() as own:
            draw_body(half, at, name)
        drawn.hand_on(own, at.half)
        pictures.append(own)

    heading = Heading(shown.view, name, titles[0], (shown.choice, second.choice))
    with more.part(place, heading):
        draw_halves(
            name,
            place,
            shown.choice,
            second,
            second_place,
            lambda: draw(shown, place, titles[0]),
            lambda: draw(other, second_place, titles[1]),
        )
    first, then = pictures
    show_difference(first, then, place, name)


def show_title(shown: Shown, place: Place, name: str) -> None:
    st.header(title_of(shown, place, name), anchor=False)


def title_of(shown: Shown, place: Place, name: str) -> str:
    title: str = shown.texts["parts"][name]["title"].format(**facts_of(shown, place))
    return title


def show_text(shown: Shown, place: Place, name: str) -> None:
    if text := text_in(shown, place, name):
        st.markdown(text)


def text_in(shown: Shown, place: Place, name: str) -> str:
    """Return the text above a part; empty for none."""
    return text_of(shown.texts["parts"][name], shown.seen).format(**facts_of(shown, place))


def draw_body(shown: Shown, place: Place, name: str) -> None:
    """Draw what a page's module draws of a part."""
    if place.half != "b":  # the sidebar's choice is that of the first half
        choose_here(shown.texts["parts"][name], shown.choice, place, name)
    shown.page.PARTS[name](shown.choice, shown.seen, place)


def draw_sight() -> None:
    """Watch which parts come into sight."""
    in_sight = opened()
    if not sight.DRAWS_ALL:
        watch_sight(in_sight.names, in_sight.stale())


def show_room(title: str, height: int) -> None:
    """Draw the title of a part and keep room for the rest, so that nothing moves when it comes."""
    st.header(title, anchor=False)
    st.html(f'<div class="room" style="height: {height}px" aria-hidden="true"></div>')


def facts_of(shown: Shown, place: Place) -> Mapping[str, object]:
    """Return the numbers that the texts of a page name, computed once for all its parts."""
    page, choice, seen = shown.page, shown.choice, shown.seen
    return for_place("facts", choice, place, lambda: page.facts(choice, seen, place))


def questions_of(shown: Shown, place: Place) -> tuple[Mapping[str, Question], Sequence[Question]]:
    """Return the questions of each part, and those at the page's end, computed once for all."""
    page, choice, seen = shown.page, shown.choice, shown.seen
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
    key = place.key(name)
    if key not in known or known[key][0] != asked:
        known[key] = asked, make()
    return known[key][1]


def text_of(part: Mapping[str, Any], seen: Observation) -> str:
    """Return the text above a part; for a model without a head it may be another one."""
    return part.get("text" if seen.has_head else "text_features") or part.get("text", "")


def has_cell(page: ModuleType, choice: Choice, seen: Observation, place: Place) -> bool:
    """Whether the chosen cell lies in a matrix of the page; also true while none is chosen."""
    shapes: Any = getattr(page, "matrix_shapes", lambda choice, seen, place: {})
    return place.cell is None or place.cell_in(shapes(choice, seen, place)) is not None


def show_head(shown: Shown, facts: Mapping[str, object], leads: Sequence[str]) -> None:
    """Title and lead, and the quiet row.

    Args:
        leads: of the first half, and of the second where there is one.
    """
    frame_texts, view = load_texts("frame"), shown.view
    number, count = routes.PIPELINE.index(view) + 1, len(routes.PIPELINE)
    with st.container(key="page-number"):
        st.markdown(frame_texts["number"].format(number=number, count=count))
    st.title(shown.texts["title"].format(**facts), anchor=False)
    second = shown.second
    other = second.choice if second else None
    show_bar(shown.choice, other, shown.seen, shown.remark)
    if second and len({*leads}) > 1:
        draw_leads((shown.choice, second.choice), leads)
    else:
        with st.container(key="lead"):
            st.markdown(leads[0])
    show_banner(shown.choice)
    show_quiet_row(shown)


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


def show_quiet_row(shown: Shown) -> None:
    """The same in the story, a second half, the switch for the code, and the link to this."""
    texts, code = load_texts("frame"), session.load().code
    with st.container(
        key="quiet-row",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        link_story(shown.view, texts["story_link"])
        offer_compare(shown.choice, shown.seen)
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
