"""What each single head is worth to the answer."""

from functools import partial

import numpy as np
import streamlit as st

from explainer import heads, state
from explainer.export import download_csv, table_csv
from explainer.figures.switched import effects
from explainer.notation import points
from explainer.services import Observation
from explainer.state import Choice
from explainer.views.multi_head.wording import TEXTS, changes_of


def show_effects(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["effects"], seen.config
    changes = changes_of(choice, seen)
    largest = np.unravel_index(int(np.abs(changes).argmax()), changes.shape)
    blocks = [texts["block_row"].format(block=n + 1) for n in range(config.depth)]
    columns = [texts["head_column"].format(head=n + 1) for n in range(config.num_heads)]
    st.html(
        effects(
            changes,
            [[points(change, changes[largest]) for change in row] for row in changes.tolist()],
            (blocks, columns),
            (state.get_block(choice), state.get_head(choice)),
            frozenset(heads.heads_off(choice)),
            texts["caption"].format(
                answer=seen.class_names[seen.prediction],
                block=largest[0] + 1,
                head=largest[1] + 1,
                change=points(float(changes[largest])),
            ),
        )
    )
    st.markdown(texts["sure" if abs(changes[largest]) < 0.01 else "moving"])
    download_csv(
        texts["download"].format(count=changes.size),
        partial(effects_csv, choice, seen),
        "heads-one-by-one.csv",
        "effects-csv",
    )


def effects_csv(choice: Choice, seen: Observation) -> str:
    """Return the probabilities of all classes with each head off, a line for each head."""
    found = heads.effects(choice, seen)
    rows = [
        (block + 1, head + 1, *found[block, head].tolist())
        for block in range(found.shape[0])
        for head in range(found.shape[1])
    ]
    every = ("none", "none", *seen.probabilities.tolist())
    return table_csv(("block", "head", *seen.class_names), [every, *rows])
