"""What a visitor may do with runs; an order that is refused leaves a sentence for the page."""

import time
from collections.abc import Callable
from dataclasses import replace
from html import escape

import streamlit as st

from explainer.components.top_follower import follow_top
from explainer.inputs.models import load
from explainer.measuring.refusals import refused
from explainer.state import session
from explainer.state.choice import RUN
from explainer.training import Manager, RefusedError, Run, RunRequest, visitor
from explainer.views.train import setup
from explainer.views.train.wording import MISTAKES, TEXTS
from vit_core.data.kept import KEPT, KeptImagesError, load_images

REFUSED_KEY = "train-refused"  # why the last order was not carried out
DRAWN_KEY = "train-refused-drawn"  # whether the page says so already
STOPPING_KEY = "train-stopping"  # the run that was told to stop
FOLLOWED_KEY = "train-followed"  # what the page has just turned to
PATIENCE = 0.6  # seconds for which the page waits for a run to stop
LOOK = 0.03


def attempt(order: Callable[[], object]) -> None:
    """Carry an order out; where it is refused, the page says why until the next order."""
    forget_refusal()
    try:
        order()
    except (RefusedError, KeptImagesError) as refusal:
        refused(refusal.kind if isinstance(refusal, RefusedError) else "unusable")
        st.session_state[REFUSED_KEY] = str(refusal)
        follow(str(refusal))


def forget_refusal() -> None:
    st.session_state.pop(REFUSED_KEY, None)
    st.session_state.pop(DRAWN_KEY, None)


def is_newly_refused() -> bool:
    """Whether the last order was refused and the page does not say so yet."""
    return REFUSED_KEY in st.session_state and DRAWN_KEY not in st.session_state


def show_refusal() -> None:
    """Say why the last order was not carried out."""
    if message := st.session_state.get(REFUSED_KEY, ""):
        st.session_state[DRAWN_KEY] = True
        st.html(f'<div class="refused" role="alert"><p>{escape(message)}</p></div>')


def show(run_id: str) -> None:
    """Turn the page to a run, or to the setup if the id is empty."""
    now = session.load()
    if run_id == now.run:
        return
    forget_refusal()
    now = replace(now, run=run_id, epoch=None)
    if not run_id and now.source == RUN:
        now = replace(now, source=load.available_sources()[0])
    session.save(now)
    follow(TEXTS["follow_run" if run_id else "follow_setup"])


def follow(what: str) -> None:
    """Have the browser turn to the top of the page, where something else stands now."""
    number, _ = st.session_state.get(FOLLOWED_KEY, (0, ""))
    st.session_state[FOLLOWED_KEY] = (number + 1, what)


def show_top() -> None:
    """Mark the top of the page for those who follow."""
    with st.container(key="page-top"):
        number, what = st.session_state.get(FOLLOWED_KEY, (0, TEXTS["title"]))
        follow_top(f"{what} ({number})" if number else what)


def begin(manager: Manager, request: RunRequest) -> None:
    """Train something, and turn the page to it."""
    attempt(lambda: show(manager.start(visitor.current(), request, visitor.address()).id))


def again(manager: Manager, run: Run) -> None:
    """Train the same settings once more."""

    def start() -> None:
        config = run.history.config
        images = load_images(run.history.path) if config.dataset == KEPT else None
        request = RunRequest(
            config.model,
            config.train,
            config.preset,
            config.dataset,
            images,
            config.init,
            config.limit_per_class,
        )
        show(manager.start(visitor.current(), request, visitor.address()).id)

    attempt(start)


def change(run: Run) -> None:
    """Turn the knobs to a run's settings, to be changed."""
    config = run.history.config
    setup.adopt(config.model, config.train, config.dataset)
    show("")


def resume(manager: Manager, run: Run) -> None:
    attempt(lambda: manager.resume(visitor.current(), run.id, visitor.address()))


def pause(manager: Manager, run: Run) -> None:
    attempt(lambda: manager.pause(visitor.current(), run.id))


def go_on(manager: Manager, run: Run) -> None:
    attempt(lambda: manager.unpause(visitor.current(), run.id))


def stop(manager: Manager, run: Run) -> None:
    """Stop a run, and wait for that a moment, so that the page shows it at once."""
    st.session_state[STOPPING_KEY] = run.id
    attempt(lambda: manager.stop(visitor.current(), run.id))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and is_going(manager, run):
        time.sleep(LOOK)


def is_going(manager: Manager, run: Run) -> bool:
    current = manager.find(run.id)
    return current is not None and current.is_active


def delete(manager: Manager, run: Run) -> None:
    """Remove a run for good; a page that shows it turns to the setup."""
    attempt(lambda: manager.delete(visitor.current(), run.id))
    if session.load().run == run.id and manager.find(run.id) is None:
        message = st.session_state.get(REFUSED_KEY)
        show("")
        if message:  # files that are not the app's stay
            st.session_state[REFUSED_KEY] = message


def make_mistake(manager: Manager, name: str) -> None:
    """Switch a classic mistake on, and show the setup unless a run is under way."""
    setup.make(name)
    follow(TEXTS["made"].format(name=MISTAKES[name]).replace("**", ""))
    if not manager.active_of(visitor.current()):
        show("")
