"""How widely heads look: entropy and mean attention distance."""

from functools import lru_cache, partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content.token_names import prefix_names
from explainer.figures.by_block import by_block
from explainer.figures.theme import Mode
from explainer.observation import heads
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_chart
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS, facts


def show_spread(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["spread"], seen.config
    block, head = place.block, place.head
    st.markdown(texts["text"].format(**facts(choice, seen, place)))
    ends = common_limits("spread", choice, seen, place, spread_ends)
    evenly = np.log2(config.num_tokens), heads.even_distance(config.grid_size)
    for name, values, even, end, column in zip(
        ("entropy", "distance"),
        heads.spread(choice, seen),
        evenly,
        (None, None) if ends is None else ends.tolist(),
        st.columns(2, gap="medium"),
        strict=True,
    ):
        column.markdown(f"**{texts[name]}**")
        show_chart(
            partial(
                spread_chart,
                name,
                tuple(map(tuple, values.tolist())),
                (block, head),
                float(even),
                highest=end,
            ),
            place,
            f"chart-{name}",
            texts[name],
            into=column,
            alt=texts[f"{name}_alt"].format(
                values=", ".join(f"{value:.2f}" for value in np.nanmean(values, axis=1)),
                block=block + 1,
                head=head + 1,
                chosen=f"{values[block, head]:.2f}",
            ),
        )
    note_scale(place)
    prefix = prefix_names(config)
    note(
        texts["note"].format(
            patch=config.patch_hw[0],
            prefix=texts["prefix"].format(names=", ".join(prefix)) if prefix else "",
        )
    )
    download_csv(
        texts["download"],
        partial(spread_csv, choice, seen),
        "heads-spread.csv",
        place.key("spread-csv"),
    )


@lru_cache(maxsize=256)  # making a figure costs more than all the rest of the page
def spread_chart(
    name: str,
    values: tuple[tuple[float, ...], ...],
    chosen: tuple[int, int],
    even: float,
    mode: Mode,
    highest: float | None = None,
) -> go.Figure:
    texts = TEXTS["spread"]
    return by_block(
        np.array(values),
        chosen,
        axis=texts[f"{name}_axis"],
        block_axis=texts["block_axis"],
        hover=texts[f"{name}_hover"],
        reference=(even, texts[f"{name}_reference"].format(value=f"{even:.2f}")),
        mode=mode,
        highest=highest,
    )


def spread_ends(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return where the axes of both charts end: at the largest value, or that of an even head."""
    config, (entropy, distance) = seen.config, heads.spread(choice, seen)
    evenly = float(np.log2(config.num_tokens)), heads.even_distance(config.grid_size)
    return [
        max(even, float(np.nanmax(values, initial=0.0)))
        for even, values in zip(evenly, (entropy, distance), strict=True)
    ]


def spread_csv(choice: Choice, seen: Observation) -> str:
    entropy, distance = heads.spread(choice, seen)
    return table_csv(
        TEXTS["spread"]["csv_columns"],
        [
            (block + 1, head + 1, float(entropy[block, head]), float(distance[block, head]))
            for block in range(entropy.shape[0])
            for head in range(entropy.shape[1])
        ],
    )
