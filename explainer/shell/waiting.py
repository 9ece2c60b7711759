"""What takes seconds is computed when somebody asks for it, beside the page, for all visitors."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Any, TypeVar

import streamlit as st

from explainer.caching import BytesCache
from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.observation import tasks
from explainer.observation.tasks import Report, Standing
from explainer.shell.more import listeners
from explainer.state.place import Place
from vit_core.errors import VitError

Value = TypeVar("Value")

PACE = 0.5  # seconds between two looks of a page
QUICK_PACE = 0.05  # of one who reads a page without a browser
ASKED_KEY = "asked-for"  # name of what was asked for, in a half of a page → of what
ORDERS_KEY = "ordered"  # name of what is computed, in a half of a page → the session's order


@dataclass(frozen=True)
class Order:
    """What a visitor wants, or no longer wants, to have computed in a place of a page.

    Attributes:
        key: of the value.
        ended: how far it was when the visitor stopped it, or when it failed.
    """

    key: Hashable
    ended: Standing[Any] | None = None


def awaited(
    key: Hashable,
    make: Callable[[Report], Value],
    words: str,
    place: Place,
    name: str,
    *,
    offer: str = "",
    kept: BytesCache[Any] | None = None,
) -> Value | None:
    """Return what ``tasks.standing`` makes; while it is made, draw how far it is and return None.

    Beside the bar stands a button that stops it. The page is drawn again once the value is
    there, was stopped, or has failed; then it says so, and offers it anew.

    Args:
        key, make, kept: as ``tasks.standing`` has them.
        words: what is computed, in which {done} and {total} may stand.
        name: of what is computed, unlike all others of the page.
        offer: on the button with which it begins; empty if it begins by itself.
    """
    found: Value | None = tasks.known(key, kept)
    if found is not None:
        return found
    if listeners:
        return made_at_once(key, make, kept)
    order = order_of(key, place, name)
    if order is None and not offer:
        order = Order(key)
        keep_order(order, place, name)
    with st.container(key=place.key(f"waiting-{name}")):
        if order is None or order.ended is not None:
            show_offer(key, order, place, name, offer)
            return None
        st.fragment(watch, run_every=PACE)(order, make, words, place, name, kept)
    return None


def made_at_once(
    key: Hashable, make: Callable[[Report], Value], kept: BytesCache[Any] | None
) -> Value | None:
    """Wait for a value for one who reads a page without a browser; None if it cannot be made."""
    while True:
        now = tasks.standing(key, make, kept=kept)
        if now.value is not None or isinstance(now.error, VitError):
            return now.value
        if now.error is not None:
            raise now.error
        sleep(QUICK_PACE)


def watch(
    order: Order,
    make: Callable[[Report], Any],
    words: str,
    place: Place,
    name: str,
    kept: BytesCache[Any] | None,
) -> None:
    """Draw how far a computation is, and a button to stop it, until it has ended."""
    texts = load_texts("frame")["waiting"]
    if order_of(order.key, place, name) != order:
        st.rerun()  # Streamlit has no part drawn alone by what is not a callback
    now = tasks.standing(order.key, make, kept=kept)
    if now.error is not None:
        keep_order(Order(order.key, now), place, name)
    if now.error is not None or now.value is not None:
        st.rerun()
    text = words.format(done=now.done, total=now.total) if now.total else texts["queue"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(now.share, text=text)
        st.button(
            texts["stop"],
            key=place.key(f"stop-{name}"),
            on_click=partial(stop, order.key, place, name),
        )


def stop(key: Hashable, place: Place, name: str) -> None:
    """Stop a computation; a click that Streamlit hands on twice changes nothing the second time."""
    order, ended = order_of(key, place, name), tasks.stop(key)
    if order is None or order.ended is None:
        keep_order(Order(key, ended), place, name)


def show_offer(key: Hashable, order: Order | None, place: Place, name: str, offer: str) -> None:
    """Draw the button with which a computation begins, and how the last one ended."""
    texts = load_texts("frame")["waiting"]
    ended = order.ended if order else None
    if ended is not None and ended.error is not None:
        if not isinstance(ended.error, VitError):
            raise ended.error
        why = strangers_word(ended.error, LONGEST_SENTENCE)
        st.markdown(texts["failed"].format(why=why))
    elif ended is not None:
        stopped = texts["stopped" if ended.total else "stopped_early"]
        st.markdown(stopped.format(share=percent(ended.share)))
    st.button(
        offer or texts["again"],
        key=place.key(f"ask-{name}"),
        on_click=partial(keep_order, Order(key), place, name),
    )


def order_of(key: Hashable, place: Place, name: str) -> Order | None:
    """Return the session's order for a value in a place of the page, if there is one."""
    order: Order | None = st.session_state.get(ORDERS_KEY, {}).get(place.key(name))
    return order if order is not None and order.key == key else None


def keep_order(order: Order, place: Place, name: str) -> None:
    st.session_state.setdefault(ORDERS_KEY, {})[place.key(name)] = order


def ready(
    is_there: Callable[[], bool],
    words: str,
    place: Place,
    name: str,
    share: Callable[[], float] = lambda: 0.0,
) -> bool:
    """Return whether something has been computed; if not, say so and draw the page once it has.

    Args:
        is_there: whether it is there; if not, it is computed meanwhile.
        words: what is computed.
        name: of what is computed, unlike all others of the page.
        share: how much of it is done, 0 to 1.
    """
    while listeners and not is_there():
        sleep(QUICK_PACE)
    if is_there():
        return True

    def wait() -> None:
        if is_there():
            st.rerun()
        st.progress(min(1.0, max(0.0, share())), text=words)

    with st.container(key=place.key(f"waiting-{name}")):
        st.fragment(wait, run_every=PACE)()
    return False


def is_asked(of: Hashable, label: str, place: Place, name: str) -> bool:
    """Return whether somebody wants to see something of a choice; if not, offer it.

    Args:
        of: the choice, or whatever else is another one where it has to be asked for again.
        label: of the button.
        name: of what is offered, unlike all others of the page.
    """
    key = place.key(name)
    asked = st.session_state.setdefault(ASKED_KEY, {})
    if listeners or asked.get(key) == of:
        return True
    st.button(label, key=place.key(f"ask-{name}"), on_click=partial(ask, key, of))
    return False


def ask(key: str, of: Hashable) -> None:
    st.session_state.setdefault(ASKED_KEY, {})[key] = of
