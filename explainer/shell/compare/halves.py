"""The two halves of a part: side by side, or one on the other where the page is narrow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from types import ModuleType

import streamlit as st

from explainer.components.flip import flip_halves
from explainer.components.halves import link_halves
from explainer.content import load_texts
from explainer.observation.observe import Observation
from explainer.shell.compare.wording import changes_of, names_of
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place

TEXTS = load_texts("compare")


@dataclass(frozen=True)
class Half:
    """What the second half of a page shows.

    Attributes:
        page: the module that draws it.
    """

    page: ModuleType
    choice: Choice
    seen: Observation


def places_of(choice: Choice, seen: Observation, second: Half | None) -> tuple[Place, Place | None]:
    """Return the places of both halves; of the first alone where nothing is compared."""
    if second is None:
        return session.place(choice), None
    return session.places(choice, second.choice, seen.telling_patch)


def draw_switch(choice: Choice, seen: Observation, second: Half) -> None:
    """Draw what both halves share: the switch between them, and the link of what is pointed at."""
    with st.container(key="halves-switch"):
        flip_halves("flip-halves")
    of_first, of_second = seen.class_names, second.seen.class_names
    apart = [] if of_first == of_second else ["class"]
    config, other = choice.config, second.choice.config
    for axis, sizes in (
        ("block", (config.depth, other.depth)),
        ("head", (config.num_heads, other.num_heads)),
        ("dimension", (config.embed_dim, other.embed_dim)),
        ("unit", (config.mlp_dim, other.mlp_dim)),
        ("number", (config.head_dim, other.head_dim)),
        ("pixel", (config.patch_dim, other.patch_dim)),
    ):
        if sizes[0] != sizes[1]:
            apart.append(axis)
    link_halves(config, other, apart=apart, key="link-halves")


def draw_halves(
    name: str,
    place: Place,
    choice: Choice,
    second: Half,
    second_place: Place,
    draw_first: Callable[[], None],
    draw_second: Callable[[], None],
) -> None:
    """Draw both halves of a part.

    Args:
        name: of the part.
        draw_first, draw_second: draw what stands in each half.
    """
    show_names(choice, second.choice)
    with st.container(key=f"halves-{name}"):
        with st.container(key=place.key(f"half-{name}")):
            draw_first()
        with (
            st.container(key=second_place.key(f"half-{name}")),
            session.acting(session.Second(choice.config, second.choice.config)),
        ):
            draw_second()


def draw_leads(choices: tuple[Choice, Choice], leads: Sequence[str]) -> None:
    """Draw the lead of each half, where they are not the same."""
    show_names(*choices)
    keys = "half-lead", f"{session.SECOND_PREFIX}half-lead"
    with st.container(key="halves-lead"):
        for key, lead in zip(keys, leads, strict=True):
            with st.container(key=key):
                st.markdown(lead)


def show_names(first: Choice, second: Choice) -> None:
    """Say which half is which, and what is changed in it."""
    names = "".join(map(name_of, ("a", "b"), names_of(first, second), (first, second)))
    st.html(f'<div class="half-names">{names}</div>')


def name_of(half: str, name: str, choice: Choice) -> str:
    """Return the line above a half as HTML."""
    changes = " ".join(changes_of(choice))
    banner = f'<p class="changed">{escape(changes)}</p>' if changes else ""
    return (
        f'<div class="half-name" data-half="{half}"><p><b>{TEXTS[half]}</b> '
        f"{escape(name)}</p>{banner}</div>"
    )
