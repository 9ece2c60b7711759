"""The bar above two halves: what A and B are, and how to change, swap or end them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape

import streamlit as st

from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.observation.observe import Observation
from explainer.shell import routes
from explainer.shell.compare.chooser import choose_second
from explainer.shell.compare.presets import InHand, Preset, presets, untrained
from explainer.shell.compare.second import shown_run
from explainer.shell.compare.wording import changes_in_words, differences, line_of
from explainer.shell.notes import note
from explainer.shell.sidebar.epochs import pick_second_epoch
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import State, encode
from explainer.state.second import compared_with, end, swapped

TEXTS = load_texts("compare")


def show_bar(choice: Choice, other: Choice | None, seen: Observation, remark: str = "") -> None:
    """Say what both halves are, and offer to change them; nothing without a comparison.

    Args:
        choice, seen: of the first half.
        other: of the second; None where none is shown.
        remark: why none is shown; empty where both are the same.
    """
    if not session.load().b:
        return
    with st.container(key="compare-bar", gap="small"):
        with st.container(key="compare-box", horizontal=True, vertical_alignment="center"):
            st.html(halves(choice, other, remark))
            show_controls(choice, other, seen)
        if shown := shown_run(other):
            pick_second_epoch(shown, plays=not choice.is_saved)


def show_controls(choice: Choice, other: Choice | None, seen: Observation) -> None:
    """Offer to change the second half, to swap both, and to end the comparison."""
    now = session.load()
    with st.container(key="compare-controls", horizontal=True, width="content", gap="xsmall"):
        opened = st.popover(
            TEXTS["change"], key="change-b", help=TEXTS["change_help"], on_change="rerun"
        )
        if opened.open:
            with opened:
                token = session.place(choice).token(seen.telling_patch)
                choose_second(choice, other or choice, token)
        if (back := swapped(now)) is not None:
            st.button(TEXTS["swap"], key="swap", on_click=repaints(partial(save, back)))
        end_comparison()


def end_comparison() -> None:
    """Draw the button that leaves the first half alone."""
    st.button(
        TEXTS["end"], key="end-compare", on_click=repaints(partial(save, end(session.load())))
    )


def halves(choice: Choice, other: Choice | None, remark: str) -> str:
    """Return what both halves are, as HTML."""
    if other is None:
        lines = f"<p>{escape(remark or TEXTS['same'])}</p>"
    else:
        lines = "".join(
            f"<p><b>{TEXTS[name]}</b> {escape(line_of(one))}{changed(one)}</p>"
            for name, one in (("a", choice), ("b", other))
        )
        differ = differences(choice.config, other.config)
        lines += f'<p class="differ">{escape(differ)}</p>'
    label = escape(TEXTS["bar"])
    return f'<div class="halves-in-words" role="group" aria-label="{label}">{lines}</div>'


def changed(choice: Choice) -> str:
    words = changes_in_words(choice)
    return f" <strong>{escape(words)}</strong>" if words else ""


def offer_compare(
    choice: Choice, seen: Observation, then: Callable[[], None] = lambda: None
) -> None:
    """Draw the button that opens what can be compared; nothing while something is.

    Args:
        then: called after a pair was chosen.
    """
    now = session.load()
    if now.b:
        return
    opened = st.popover(TEXTS["open"], key="compare", help=TEXTS["open_help"], on_change="rerun")
    if not opened.open:
        return
    with opened, st.container(gap="small"):
        st.markdown(TEXTS["lead"])
        hand = InHand(now, choice, seen, session.place(choice))
        for group, pairs in presets(hand).items():
            st.markdown(f"**{TEXTS['groups'][group]}**")
            with st.container(key=f"presets-{group}", gap=None):
                for number, pair in enumerate(pairs):
                    draw_preset(pair, f"preset-{group}-{number}", then)
            if group == "mistakes":
                note(TEXTS["presets"]["mistakes_note"])
        st.markdown(f"**{TEXTS['own_title']}**")
        choose_second(choice, choice, hand.place.token(seen.telling_patch))


def draw_preset(pair: Preset, key: str, then: Callable[[], None]) -> None:
    def choose() -> None:
        save(compared_with(pair.a, pair.b))
        then()

    st.button(f"{pair.label}", key=key, type="tertiary", on_click=repaints(choose))


def save(state: State) -> None:
    """Keep a comparison, or its end; no epochs are played on."""
    st.session_state.pop(session.PLAYING_KEY, None)
    session.save(state)


def link_untrained(choice: Choice, seen: Observation) -> None:
    """Link to the untrained model beside the trained one, where both can be shown."""
    now = end(session.load())
    hand = InHand(now, choice, seen, session.place(choice))
    for pair in untrained(hand):
        both = compared_with(pair.a, pair.b)
        both = replace(both, **session.OF_OLD, **session.page_local(State()))
        page = routes.page_of("patch_embedding")
        st.page_link(page, label=TEXTS["with_untrained"], query_params=encode(both))
