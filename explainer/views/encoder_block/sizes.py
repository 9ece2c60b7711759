"""How much attention and MLP add to the stream."""

import numpy as np
import streamlit as st

from explainer.content.numbers import fixed
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.shell.table import show_table
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.encoder_block.cells import STREAM
from explainer.views.encoder_block.wording import TEXTS, facts, length, row


def cosine(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return the cosine of two rows; None where one of them is zero."""
    size = length(one) * length(other)
    return float(one.astype(np.float64) @ other.astype(np.float64)) / size if size else None


def show_sizes(choice: Choice, seen: Observation, place: Place) -> None:
    texts, page_facts = TEXTS["sizes"], facts(choice, seen, place)
    st.markdown(texts["text"])
    before, attention, middle, mlp, after = (row(choice, seen, place, name) for name in STREAM)
    change = after.astype(np.float64) - before
    names = ("part", "length", "share", "with_stream", "with_change")
    rows = (
        (texts["attention"], *compared(attention, before, change)),
        (texts["mlp"], *compared(mlp, middle, change)),
    )
    columns = zip(*rows, strict=True)
    show_table(
        {texts[name]: list(column) for name, column in zip(names, columns, strict=True)},
    )
    turned = cosine(before, after)
    if turned is None:
        st.markdown(texts["zero"].format(**page_facts))
    else:
        larger = texts["attention" if length(attention) > length(mlp) else "mlp"]
        st.markdown(
            texts["verdict_turns"].format(
                larger=larger,
                before=f"{length(before):.2f}",
                after=f"{length(after):.2f}",
                cosine=f"{turned:.2f}",
                **page_facts,
            )
        )
    if flaws(choice).residual:
        st.markdown(texts["why"])


def compared(added: np.ndarray, stream: np.ndarray, change: np.ndarray) -> tuple[str, ...]:
    """Return an added row's length, alone and against the stream, and its two cosines."""
    before = length(stream)
    return (
        f"{length(added):.3f}",
        f"{100 * length(added) / before:.0f} %" if before else "–",
        *(written(cosine(added, other)) for other in (stream, change)),
    )


def written(share: float | None) -> str:
    return "–" if share is None else fixed(share, 2, signed=True)
