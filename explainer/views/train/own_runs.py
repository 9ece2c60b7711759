"""The visitor's runs, the newest first: look at one, or delete it."""

from functools import partial

import streamlit as st

from explainer.content.numbers import share_of_right
from explainer.state import session
from explainer.training import Manager, Run
from explainer.training.run import PROBED
from explainer.views.train import orders
from explainer.views.train.of_data import OTHER, of_run, texts_about
from explainer.views.train.wording import TEXTS, settings_of, status_of, title_of, when

WORDS = TEXTS["runs"]
MOST = 3  # until somebody asks for more


def show_own(manager: Manager, runs: list[Run]) -> None:
    if not runs:
        return
    st.header(WORDS["title"], anchor=False)
    for run in runs[:MOST]:
        show_row(manager, run)
    if older := runs[MOST:]:
        with st.expander(WORDS["more"].format(count=len(older)), key="train-older"):
            for run in older:
                show_row(manager, run)


def show_row(manager: Manager, run: Run) -> None:
    with st.container(
        key=f"train-run-{run.id}", horizontal=True, vertical_alignment="center", gap="small"
    ):
        text = WORDS["row"].format(title=title_of(run), when=when(run), how=how(run))
        st.markdown(text, width="stretch")
        if run.id == session.load().run:
            st.markdown(f":small[{WORDS['shown']}]", width="content")
        else:
            st.button(
                WORDS["look"],
                key=f"train-look-{run.id}",
                type="tertiary",
                on_click=partial(orders.show, run.id),
            )
        if not run.is_active:
            show_delete(manager, run)


def show_delete(manager: Manager, run: Run) -> None:
    with st.popover(WORDS["delete"], type="tertiary", key=f"train-deleting-{run.id}"):
        st.markdown(WORDS["delete_text"].format(title=title_of(run)))
        st.button(
            WORDS["delete_sure"],
            key=f"train-delete-{run.id}",
            on_click=partial(orders.delete, manager, run),
        )


def accuracy_text(run: Run) -> str:
    """Return the text about the test accuracy of a run."""
    texts = texts_about(OTHER) if settings_of(run) is None else of_run(run).texts
    return str(texts["runs"]["accuracy"])


def how(run: Run) -> str:
    """Say how good a run became, or how it stands."""
    test, status = run.history.test_accuracy, status_of(run)
    if isinstance(test, float):
        return accuracy_text(run).format(share=share_of_right(test, run.tested))
    epochs = run.history.epochs()
    line = run.history.epoch_line(epochs[-1]) if epochs else None
    if line is None:
        return status
    if run.status == PROBED:
        return WORDS["probed"].format(share=share_of_right(line["val_accuracy"], most=0))
    share = share_of_right(line["val_accuracy"], run.validated, most=1)
    return WORDS["at"].format(status=status, share=share)
