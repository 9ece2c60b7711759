"""Which parts of a page are in sight, and which of them still show an older state.

Each part of a page is a Streamlit fragment of its own, so that a choice draws only what is in sight
again, beginning with the part in which it was made. The others keep what they show until they come
near; then the browser asks for them. Nothing is drawn here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from explainer.state import session
from explainer.state.link import PAGE_LOCAL, State

SIGHT_KEY = "what-is-in-sight"
# of a state; all else says which model and picture, and what stands around the page
OF_PLACE = ("query", "block", "head", "code", *PAGE_LOCAL)
# True draws all parts at every run, for one who reads a page without a browser
DRAWS_ALL = False
USUAL_HEIGHT = 600  # pixels of a part that nobody has seen yet
MOST_HEIGHT = 20_000


@dataclass
class Sight:
    """What the browser of one session shows of its page.

    Attributes:
        view: of the page.
        names: of all its parts, in order.
        near: those that are in sight, or nearly.
        heights: of parts that were drawn, in pixels.
        drawn: part → the state that it shows.
        drawing: the part that is being drawn.
        asked: parts that are to be drawn in this run, beside the one whose widget was used.
        is_opening: whether the whole page is being drawn, and not some of its parts.
    """

    view: str
    names: tuple[str, ...]
    near: tuple[str, ...]
    heights: dict[str, int] = field(default_factory=dict)
    drawn: dict[str, State] = field(default_factory=dict)
    drawing: str = ""
    asked: set[str] = field(default_factory=set)
    is_opening: bool = False

    def is_near(self, name: str) -> bool:
        return DRAWS_ALL or name in self.near

    def height(self, name: str) -> int:
        """Return how many pixels to keep free for a part that is not drawn yet."""
        return self.heights.get(name, USUAL_HEIGHT)

    def stale(self) -> list[str]:
        """Return the parts that show an older state, or nothing yet."""
        now = shown_state()
        return [name for name in self.names if self.drawn.get(name) != now]

    def stale_near(self) -> list[str]:
        """Return those of them that are in sight."""
        return [name for name in self.stale() if name in self.near]

    def is_forgotten(self) -> bool:
        """Whether a part in sight is stale and nobody will draw it in this run."""
        return not (DRAWS_ALL or self.is_opening or self.asked.issuperset(self.stale_near()))


@contextmanager
def opening(view: str, names: Sequence[str]) -> Iterator[Sight]:
    """Draw a whole page inside of the ``with``: what is in sight of it, and room for the rest."""
    sight = st.session_state.get(SIGHT_KEY)
    if sight is None or sight.view != view:
        sight = Sight(view, tuple(names), first_of(names))
        st.session_state[SIGHT_KEY] = sight
    sight.names = tuple(names)
    sight.near = tuple(name for name in names if name in sight.near) or first_of(names)
    sight.drawn.clear()
    sight.asked.clear()
    sight.is_opening = True
    yield sight
    sight.is_opening = False  # it stays True if the run is interrupted


def shown_state() -> State:
    """Return the state that a part shows which is drawn now."""
    return session.load()


def in_this_half(callback: Callable[..., None]) -> Callable[..., None]:
    """Return a callback whose choice counts in the half of a comparison that is drawn now."""
    half = session.acting_half()

    def kept(*args: Any, **kwargs: Any) -> None:
        with session.acting(half):
            callback(*args, **kwargs)

    return kept


def first_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the parts that are drawn before the browser has said which are in sight.

    As a rule these are all that are near a window at the page's top, so that it asks for no more.
    """
    return tuple(names[: len(names) // 2 + 1])


def is_same_choice(before: State, after: State) -> bool:
    """Whether two states show the same model and picture; the parts of a page know no others."""
    moved = {name: getattr(before, name) for name in OF_PLACE}
    return replace(after, **moved) == before


def current() -> Sight | None:
    return st.session_state.get(SIGHT_KEY)


@contextmanager
def drawing(sight: Sight, name: str) -> Iterator[None]:
    """Draw one part inside of the ``with``."""
    state, sight.drawing = shown_state(), name
    try:
        yield
    finally:
        sight.drawing = ""
    sight.drawn[name] = state
    sight.asked.discard(name)


def keep(sent: object) -> None:
    """Keep what a browser says is in sight.

    Args:
        sent: ``{"near": names, "heights": {name: pixels}}``, or whatever else a browser may send.
    """
    sight = current()
    if sight is None or not isinstance(sent, Mapping):
        return
    near, heights = sent.get("near"), sent.get("heights")
    if isinstance(near, list):
        sight.near = tuple(name for name in sight.names if name in near) or sight.near
    if isinstance(heights, Mapping):
        for name in sight.names:
            height = heights.get(name)
            if isinstance(height, int | float) and 0 < height <= MOST_HEIGHT:
                sight.heights[name] = round(height)
