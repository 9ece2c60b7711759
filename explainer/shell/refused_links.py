"""One sentence for each thing that a link asked for and did not get; no link breaks a page."""

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.inputs.pictures import test_digits
from explainer.measuring.refusals import refused
from explainer.observation.learning.one_weight import nearest
from explainer.state import session
from explainer.state.choice import RUN, Choice
from explainer.state.link import READERS, Refusal, State, spelled
from explainer.state.place import Place, narrowed_unit, read_unit, read_weight

COUNTED_KEY = "refused-counted"  # the sentences of the page that are counted already
LONGEST = 40  # characters of a stranger's text that are repeated


def settle(asked: State, choice: Choice) -> None:
    """Narrow what the link asked for to the model and the images that there are.

    Args:
        asked: the state as the link has it.
    """
    config, now = choice.config, session.load()
    largest = {
        "query": config.num_tokens - 1,
        "block": config.depth - 1,
        "head": config.num_heads - 1,
    }
    if config.num_classes:
        largest |= dict.fromkeys(("target", "explain"), config.num_classes - 1)
    beyond: dict[str, Any] = {
        name: last
        for name, last in largest.items()
        if getattr(asked, name) is not None and getattr(asked, name) > last
    }
    session.refused().extend(narrowed_before(asked, now))
    for name, last in beyond.items():
        allowed = load_texts("frame")["allowed_here"].format(most=last)
        session.refused().append(Refusal(name, str(getattr(asked, name)), allowed, str(last)))
    if asked.weight and (near := nearest_weight(asked, choice)) != asked.weight:
        allowed = load_texts("frame")["allowed_weight"]
        session.refused().append(Refusal("weight", asked.weight, allowed, near))
        beyond["weight"] = near
    unit = narrowed_unit(read_unit(asked.liked), config)
    if unit and str(unit) != asked.liked:
        allowed = load_texts("frame")["allowed_unit"]
        session.refused().append(Refusal("liked", asked.liked, allowed, str(unit)))
        beyond["liked"] = str(unit)
    if beyond:
        session.save(replace(now, **beyond))


def nearest_weight(asked: State, choice: Choice) -> str:
    """Return the weight that is nearest to the one of a link; empty if there is none like it."""
    near = nearest(read_weight(asked.weight), choice)
    return "" if near is None else str(near)


def narrowed_before(asked: State, now: State) -> Iterator[Refusal]:
    """Yield a refusal for what the choice of model and image has already narrowed."""
    texts = load_texts("frame")
    if now.source != asked.source and asked.source != RUN:  # the sidebar has reported a missing run
        allowed = texts["allowed_sources"].format(sources=spelled(load.available_sources()))
        yield Refusal("source", asked.source, allowed, now.source)
    if now.index != asked.index:
        most = test_digits.count_digits(now.digit) - 1
        allowed = texts["allowed_index"].format(digit=now.digit, most=most)
        yield Refusal("index", str(asked.index), allowed, str(now.index))
    if now.picture != asked.picture:
        yield Refusal("picture", asked.picture, READERS["picture"].allowed, "")


def settle_cell(place: Place, has_cell: bool) -> None:
    """Forget a cell that the page does not have."""
    if place.cell and not has_cell:
        allowed = load_texts("frame")["allowed_cell"]
        session.refused().append(Refusal("cell", str(place.cell), allowed, ""))
        session.change(cell="")


def show_refusals() -> None:
    """Show what was ignored. A stranger's text is escaped, so it stays text."""
    sentences = [
        refusal if isinstance(refusal, str) else sentence(refusal) for refusal in session.refused()
    ]
    counted = st.session_state.get(COUNTED_KEY, [])
    for _ in [one for one in sentences if one not in counted]:
        refused("wrong_link")
    st.session_state[COUNTED_KEY] = sentences
    if sentences:
        lines = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
        st.html(f'<div class="refused" role="status">{lines}</div>')


def sentence(refusal: Refusal) -> str:
    return load_texts("frame")["refused" if refusal.used else "refused_without"].format(
        name=refusal.name,
        text=shortened(refusal.text),
        allowed=refusal.allowed,
        used=refusal.used,
    )


def shortened(text: str) -> str:
    """Return a stranger's text in one short line of visible characters."""
    visible = "".join(letter if letter.isprintable() else "�" for letter in text)
    return visible if len(visible) <= LONGEST else visible[:LONGEST] + "…"
