"""Own symbols: the sheet to draw on, both ways to learn them, and what was measured before."""

from functools import partial
from typing import Any

import streamlit as st

from explainer.components.symbols import symbols_sheet
from explainer.content import load_texts
from explainer.inputs.pictures import symbols as drawn
from explainer.shell.notes import note
from explainer.shell.quiz import show_question
from explainer.training import Manager, RefusedError, RunRequest, visitor
from explainer.training.symbols import FINE, WAYS, init_of, settings
from explainer.views.train import orders
from explainer.views.train.start import look_again
from explainer.views.train.symbols.after import show_pair_of
from explainer.views.train.symbols.recorded import question, show_recorded
from explainer.views.train.wording import PLACE, between
from vit_core.data.kept import KEPT

TEXTS = load_texts("symbols")
TYPICAL = (40, 10, 10)  # drawings learned from, and kept back, of five symbols with ten of each
HEARD_KEY = "symbols-orders"  # how many orders of the sheet were heard
PAUSE = 1.0  # seconds between two questions how long learning takes


def show_panel(manager: Manager) -> None:
    """Draw everything that stands before a run with the visitor's own symbols."""
    st.subheader(TEXTS["title"], anchor=False)
    st.markdown(TEXTS["lead"], width=760)
    note(TEXTS["privacy"].format(hours=manager.limits.keep_hours))
    show_question("train", question(), PLACE)
    with st.container(key="part-symbols"):
        symbols_sheet(
            texts=sheet_texts(),
            limits=sheet_limits(),
            is_open=not manager.storage_problem(),
            heard=st.session_state.get(HEARD_KEY, 0),
            on_order=partial(take_order, manager),
        )
    if problem := manager.storage_problem():
        note(problem)
    look_again(manager)
    show_estimate(manager)
    st.markdown(TEXTS["ways"], width=760)
    show_pair_of(manager.runs_of(visitor.current()))
    show_recorded()


def sheet_texts() -> dict[str, Any]:
    """Return the words of the sheet; those of the pad are the picker's, but for two."""
    pad = {**load_texts("picker")["pad"], **TEXTS["pad"]}
    ways = {way: TEXTS["sheet"]["orders"][way] for way in WAYS}
    return {**TEXTS["sheet"], "pad": pad, "orders": ways, "first": WAYS[0]}


def sheet_limits() -> dict[str, int]:
    return {
        "least_classes": drawn.CLASSES[0],
        "classes": drawn.CLASSES[1],
        "least": drawn.DRAWINGS[0],
        "aim": drawn.AIM,
        "drawings": drawn.DRAWINGS[1],
        "name": drawn.LONGEST_NAME,
    }


def take_order(manager: Manager, sent: object) -> None:
    """Start the run that the sheet asks for, or say why it cannot be."""
    st.session_state[HEARD_KEY] = st.session_state.get(HEARD_KEY, 0) + 1
    try:
        request = request_of(sent)
    except drawn.SymbolsError as error:
        orders.attempt(partial(refuse, str(error)))
        return
    orders.begin(manager, request)


def refuse(why: str) -> None:
    raise RefusedError(why, "unusable")


def request_of(sent: object) -> RunRequest:
    """Return what the manager is asked for.

    Raises:
        SymbolsError: what was sent cannot be learned.
    """
    data = drawn.as_data(drawn.read_symbols(sent))
    way = sent["how"] if isinstance(sent, dict) and sent.get("how") in WAYS else FINE
    model, train = settings(way, len(data.info.class_names), len(data.train))
    return RunRequest(model, train, dataset=KEPT, images=data, init=init_of(way))


def show_estimate(manager: Manager) -> None:
    """Say how long it takes with the recommended way, as soon as that was measured."""
    model, train = settings(FINE, 5, TYPICAL[0])
    known = manager.estimate(model, train, TYPICAL) is not None
    st.fragment(tell_estimate, run_every=None if known else PAUSE)(manager, not known)


def tell_estimate(manager: Manager, is_waiting: bool) -> None:
    estimate = manager.estimate(*settings(FINE, 5, TYPICAL[0]), TYPICAL)
    if estimate is None:
        return
    if is_waiting:
        st.rerun()
    note(TEXTS["estimate"].format(time=between(estimate.least, estimate.most)))
