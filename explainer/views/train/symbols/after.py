"""After a run with own symbols: the pad for the next one, and both ways beside each other."""

from collections.abc import Iterable

import numpy as np
import streamlit as st

from explainer.content import load_texts
from explainer.figures.few_drawings import few_drawings
from explainer.shell import routes
from explainer.shell.notes import note
from explainer.shell.picker.visitor_pictures import SYMBOL_KIND_KEY
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import RUN
from explainer.training import Run, visitor
from explainer.training.symbols import WAYS, way_of
from explainer.views.train.of_data import of_run
from explainer.views.train.saving import pictured
from explainer.views.train.wording import settings_of
from vit_core.data.kept import OWN_SYMBOLS

TEXTS = load_texts("symbols")


def show_after_symbols(run: Run, own_runs: list[Run]) -> None:
    """Draw what follows a run with somebody's symbols; nothing for other runs, or while it goes on.

    Args:
        own_runs: of this visitor.
    """
    if run.is_active or not is_of_symbols(run) or len(run.history.epochs()) < 2:
        return
    config = run.history.config
    with st.container(key="train-symbols-after"):
        if st.button(TEXTS["after"]["ask"], key="train-ask-symbol", type="primary"):
            draw_a_new_one(run)
        text = TEXTS["after"]["kept_back"]
        st.markdown(text.format(learned=config.images, count=config.val_images), width=760)
        if run.belongs_to(visitor.current()):
            show_pair_of([run, *own_runs])


def is_of_symbols(run: Run) -> bool:
    """Whether a run learns, or learned, somebody's own symbols."""
    return settings_of(run) is not None and of_run(run).name == OWN_SYMBOLS


def draw_a_new_one(run: Run) -> None:
    """Turn to Home's pad, with the run's last model."""
    st.session_state[SYMBOL_KIND_KEY] = "draw"
    session.change(source=RUN, run=run.id, epoch=None, picture="", photo="", sample=0)
    routes.go("home")


def show_pair_of(runs: Iterable[Run]) -> None:
    """Draw how both ways did with the drawings of the first of these runs that is of symbols."""
    known = [run for run in runs if is_finished(run) and is_of_symbols(run)]
    if not known:
        return
    alike = [run for run in known if run.history.config.data == known[0].history.config.data]
    by_way: dict[str, Run] = {}
    for run in alike:
        by_way.setdefault(way_of(run.history.config.init), run)
    texts = TEXTS["pair"]
    st.subheader(texts["title"], anchor=False)
    if len(by_way) < len(WAYS):
        st.markdown(texts["one"], width=760)
        return
    count = known[0].history.config.val_images
    names, shares = TEXTS["recorded"], [[accuracy_of(by_way[way]) for way in WAYS]]
    text = texts["text"].format(count=count)
    st.markdown(text, width=760)
    with pictured("pair", texts["title"], known[0]):
        html = few_drawings(
            np.array(shares),
            [texts["row"]],
            (names["fine"], names["scratch"]),
            texts["caption"].format(count=count),
            names["share"],
        )
        show_html(html, "pair")
    note(texts["more"].format(step=f"{100 / count:.0f}"))


def is_finished(run: Run) -> bool:
    return run.status == "finished" and accuracy_of(run) is not None


def accuracy_of(run: Run) -> float | None:
    """Return the share of the drawings kept back that the last model read right."""
    line = run.history.epoch_line(max(run.history.epochs(), default=0))
    accuracy = line.get("val_accuracy") if line else None
    return accuracy if isinstance(accuracy, float) else None
