"""Train: shape a model, watch it learn, and take it apart afterwards.

One run at a time is shown, the one that the address names; without one, what shall be trained is
chosen. The page draws what the run's directory says and lets the manager act; it trains nothing.
"""

from functools import partial
from html import escape
from pathlib import Path

import streamlit as st

from explainer import training
from explainer.content import load_texts
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.shell.share import show_link
from explainer.state import session
from explainer.training import Manager, Run, visitor
from explainer.training.run import PROBED
from explainer.views.train import orders
from explainer.views.train.compare import show_compare
from explainer.views.train.data_choice import show_choice
from explainer.views.train.film import show_film_of_run
from explainer.views.train.live import show_run
from explainer.views.train.mistakes import show_gallery
from explainer.views.train.most_wrong import has_hardest
from explainer.views.train.of_data import of_run
from explainer.views.train.own_runs import show_own
from explainer.views.train.pictures.result import show_probe
from explainer.views.train.results import show_hardest, show_take_along
from explainer.views.train.symbols.after import show_after_symbols
from explainer.views.train.wording import PLACE, TEXTS, settings_of, title_of, when

STYLE = f"<style>{(Path(__file__).parent / 'train.css').read_text(encoding='utf-8')}</style>"


def render() -> None:
    manager = training.the_manager()
    manager.warm_up()
    st.html(STYLE)
    run, own_runs = find_shown(manager), manager.runs_of(visitor.current())
    if own_runs:
        visitor.remember()
    orders.show_top()
    show_head(run)
    orders.show_refusal()
    if visitor.is_lost():
        note(load_texts("runs")["not_kept"].format(url=st.context.url or "."))
    show_elsewhere(manager, run)
    if run is None:
        show_choice(manager)
    elif settings_of(run) is None:
        st.markdown(f"{run.message} {TEXTS['damaged']}".strip())
        st.button(TEXTS["start_again"], key="train-another", on_click=partial(orders.show, ""))
    elif run.status == PROBED:
        show_probe(run)
    else:
        show_run(manager, run)
        show_after_symbols(run, own_runs)
        show_after(run)
    if run is None or run.status != PROBED:  # whose one model makes no film
        show_film_of_run(manager, run)
    show_own(manager, own_runs)
    show_compare(comparable(manager, run, own_runs), run)
    with fold(PLACE, "mistakes", load_texts("mistakes")["title"]) as is_open:
        if is_open:
            show_gallery(partial(orders.make_mistake, manager))
    if not own_runs:
        visitor.recover()  # down here, where its place is not seen


def show_after(run: Run) -> None:
    """Offer what can be looked at and taken along after a run, drawn when somebody asks for it."""
    if run.is_active:
        return
    texts = TEXTS["after"]
    if has_hardest(run):
        with fold(PLACE, "hardest", of_run(run).texts["after"]["hardest"]) as is_open:
            if is_open:
                show_hardest(run)
    with fold(PLACE, "along", texts["take"]) as is_open:
        if is_open:
            show_take_along(run)


def find_shown(manager: Manager) -> Run | None:
    """Return the run to show: the address's, else the visitor's own that is under way."""
    asked = session.load().run
    run = manager.find(asked) if asked else None
    if asked and run is None:
        session.refused().append(TEXTS["gone"].format(run=asked))
        orders.show("")
    if run is None and (run := manager.active_of(visitor.current())):
        orders.show(run.id)
    return run


def show_head(run: Run | None) -> None:
    """Title; with a run, also what it is and its link."""
    st.title(TEXTS["title"], anchor=False)
    if run is None:
        return
    with st.container(
        key="train-head",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        began = "" if run.status == "recorded" else f" · {when(run)}"
        st.html(f'<p class="train-title">{escape(title_of(run))}{began}</p>')
        show_link()
    if run.status == "recorded":
        note(TEXTS["live"]["recorded"])
    elif not run.belongs_to(visitor.current()):
        note(TEXTS["live"]["foreign"])


def show_elsewhere(manager: Manager, run: Run | None) -> None:
    """Lead back to the visitor's run that is under way while another is looked at."""
    active = manager.active_of(visitor.current())
    if run is None or active is None or active.id == run.id:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="train-elsewhere"):
        st.markdown(TEXTS["running_elsewhere"].format(title=active.title), width="content")
        st.button(
            TEXTS["look"],
            key="train-look-active",
            type="tertiary",
            on_click=partial(orders.show, active.id),
        )


def comparable(manager: Manager, run: Run | None, own_runs: list[Run]) -> list[Run]:
    """Return the runs that this visitor may know: their own, the one shown, the recorded."""
    known = {one.id: one for one in (*own_runs, *((run,) if run else ()), *manager.recorded())}
    return [one for one in known.values() if one.status != PROBED]
