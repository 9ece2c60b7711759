"""What each single head is worth to the answer."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.content.numbers import points, precise_percent
from explainer.content.strangers_words import plain_format
from explainer.figures.switched import effects
from explainer.observation import heads
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.notes import note_scale
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS, changes_of


def show_effects(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = texts_of("multi_head", seen)["effects"], seen.config
    st.markdown(texts["text" if seen.has_head else "text_features"].format(**words_of(seen)))
    if not heads.effects_are_cheap(choice):
        count = config.depth * config.num_heads
        if not st.button(texts["measure"].format(count=count), key=place.key("measure-effects")):
            return
        with st.spinner(texts["measuring"].format(count=count)):
            heads.effects(choice, seen)
    changes = changes_of(choice, seen)
    largest = np.unravel_index(int(np.abs(changes).argmax()), changes.shape)
    write = partial(points, like=changes[largest]) if seen.has_head else cosine_text
    written = [[write(change) for change in row] for row in changes.tolist()]
    limits = common_limits("effects", choice, seen, place, effect_limit)
    names = {"block": largest[0] + 1, "head": largest[1] + 1}
    blocks = [texts["block_row"].format(block=n + 1) for n in range(config.depth)]
    columns = [texts["head_column"].format(head=n + 1) for n in range(config.num_heads)]
    show_html(
        effects(
            changes,
            written,
            (blocks, columns),
            (place.block, place.head),
            frozenset((*place.off, *choice.edits.heads_off)),
            plain_format(
                texts["caption"],
                answer=seen.class_names[seen.prediction],
                change=points(float(changes[largest])),
                **names,
            )
            if seen.has_head
            else texts["caption_features"].format(cosine=written[largest[0]][largest[1]], **names),
            None if limits is None else float(limits),
        ),
        "effects",
        TEXTS["effects"]["title"].format(count=changes.size),
    )
    note_scale(place)
    sure = seen.has_head and abs(changes[largest]) < 0.01
    st.markdown(texts["sure" if sure else "moving"])
    download_csv(
        texts["download"].format(count=changes.size),
        partial(effects_csv, choice, seen),
        "heads-one-by-one.csv",
        place.key("effects-csv"),
    )


def effect_limit(choice: Choice, seen: Observation, place: Place) -> float:
    """Return the largest effect of a head; 0 of a model that nobody has run for it."""
    if not heads.effects_are_cheap(choice):
        return 0.0
    return float(np.abs(changes_of(choice, seen)).max())


def words_of(seen: Observation) -> dict[str, str]:
    if not seen.has_head:
        return {}
    share = precise_percent(float(seen.probabilities[seen.prediction]))
    return {"answer": seen.class_names[seen.prediction], "share": share}


def cosine_text(change: float) -> str:
    return f"{1 + change:.3f}"


def effects_csv(choice: Choice, seen: Observation) -> str:
    """Return the output with each head off, probabilities or features, a line for each head."""
    outputs = heads.effects(choice, seen)
    rows = [
        (block + 1, head + 1, *outputs[block, head].tolist())
        for block in range(outputs.shape[0])
        for head in range(outputs.shape[1])
    ]
    every = ("none", "none", *seen.output.tolist())
    columns = seen.class_names if seen.has_head else range(1, len(seen.output) + 1)
    return table_csv(("block", "head", *map(str, columns)), [every, *rows])
