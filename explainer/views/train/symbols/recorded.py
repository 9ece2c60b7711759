"""Which way needs fewer drawings, as ``benchmarks/own_symbols.py`` measured it."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explainer.content import load_texts
from explainer.figures.few_drawings import few_drawings
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.shell.quiz import Question
from explainer.shell.shown import show_html
from explainer.training.symbols import WAYS
from explainer.views.train.saving import pictured
from explainer.views.train.wording import PLACE

TEXTS = load_texts("symbols")
FILE = Path(__file__).parent / "recorded.json"
GOOD = 0.9  # the share that the question asks about


@dataclass(frozen=True)
class Recorded:
    """What was measured.

    Attributes:
        drawings: of each symbol, ascending.
        shares: (len(drawings), 2) of new drawings that were read right, in the order of ``WAYS``.
        facts: what else the texts name.
    """

    drawings: tuple[int, ...]
    shares: np.ndarray
    facts: dict[str, Any]


@cache
def recorded() -> Recorded:
    """Return what the benchmark has written; ``shares`` has each way's, by its name."""
    values = json.loads(FILE.read_text(encoding="utf-8"))
    shares = np.array([values["shares"][way] for way in WAYS]).T
    seconds = {f"{way}_seconds": taken for way, taken in values["seconds"].items()}
    facts = {name: values[name] for name in ("symbols", "seeds", "new", "command", "date")}
    return Recorded(tuple(values["drawings"]), shares, facts | seconds)


def question() -> Question:
    """Ask how many drawings a model needs that starts from random weights."""
    known, texts = recorded(), TEXTS["question"]
    fine, scratch = known.shares.T
    enough = [place for place, share in enumerate(scratch) if share >= GOOD]
    place = enough[0] if enough else len(known.drawings) - 1
    options = [texts["option"].format(count=count) for count in known.drawings]
    options.append(texts["more"].format(count=known.drawings[-1]))
    why = texts["why"].format(
        count=known.drawings[place],
        share=written(scratch[place]),
        fine=written(fine[place]),
        new=known.facts["new"],
    )
    answer = place if enough else len(options) - 1
    return Question("drawings", texts["text"], tuple(options), answer, why, shows="few")


def written(share: float) -> str:
    return str(TEXTS["recorded"]["share"].format(share=f"{100 * share:.0f}"))


def show_recorded() -> None:
    """Offer both ways beside each other, over the number of drawings."""
    known, texts = recorded(), TEXTS["recorded"]
    with fold(PLACE, "few", texts["title"]) as is_open:
        if is_open:
            show_bars(known, texts)


def show_bars(known: Recorded, texts: dict[str, str]) -> None:
    st.markdown(texts["text"].format(**known.facts), width=760)
    with pictured("few", texts["title"]):
        html = few_drawings(
            known.shares,
            [texts["row"].format(count=count) for count in known.drawings],
            (texts["fine"], texts["scratch"]),
            texts["caption"].format(**known.facts),
            texts["share"],
        )
        show_html(html, "few")
    note(texts["command"].format(**known.facts))
