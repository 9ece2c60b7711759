"""Why not cut finer: what grids cost, and what single pixels would cost."""

from collections.abc import Mapping
from functools import lru_cache, partial

import plotly.graph_objects as go
import streamlit as st

from explainer.figures.costs import pairs_chart
from explainer.figures.theme import Mode
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.notes import note_scale
from explainer.shell.shown import show_chart
from explainer.shell.table import show_table
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.grids import Cost, cost_of, grids_to_compare, sides_of
from explainer.views.patches.wording import TEXTS
from vit_core import ViTConfig

PAPER = ViTConfig(image_size=224, patch_size=16, in_channels=3, embed_dim=768, num_heads=12)


def show_costs(choice: Choice, seen: Observation, place: Place) -> None:
    """Coarser and finer grids side by side, with this model's marked."""
    texts, config = TEXTS["cost"], seen.config
    costs = [cost_of(config, side) for side in sides_of(config)]
    here = [cost.side for cost in costs].index(config.grid_size[0])
    limits = common_limits("costs", choice, seen, place, most_pairs)
    st.markdown(texts["text"].format(**finer(config)))
    left, right = st.columns((3, 2), gap="medium")
    with left:
        columns = cost_columns(costs, has_class=config.pool == "cls")
        side, *others = columns
        shown = {
            side: [
                texts["now"].format(side=n) if n == costs[here].side else str(n)
                for n in columns[side]
            ]
        }
        shown |= {name: [f"{number:,}" for number in columns[name]] for name in others}
        show_table(shown)
    with right:
        st.markdown(f"**{texts['chart_title']}**")
        show_chart(
            lambda mode: chart_of(
                tuple(cost.side for cost in costs),
                tuple(cost.pairs for cost in costs),
                here,
                mode,
                None if limits is None else float(limits),
            ),
            place,
            "chart-pairs",
            texts["chart_title"],
            alt=texts["chart_alt"].format(
                values=", ".join(
                    texts["chart_value"].format(side=cost.side, pairs=cost.pairs) for cost in costs
                )
            ),
        )
        note_scale(place)


def most_pairs(choice: Choice, seen: Observation, place: Place) -> float:
    return float(max(cost_of(seen.config, side).pairs for side in sides_of(seen.config)))


def finer(config: ViTConfig) -> Mapping[str, object]:
    """Return what a finer grid costs beside a coarser one."""
    few, many = grids_to_compare(config)
    before, after = cost_of(config, few).pairs, cost_of(config, many).pairs
    return {
        "few": few,
        "many": many,
        "before": f"{before:,}",
        "after": f"{after:,}",
        "times": f"{after / before:.1f}",
    }


def show_download(config: ViTConfig, place: Place) -> None:
    costs = [cost_of(config, side) for side in sides_of(config)]
    columns = cost_columns(costs, has_class=config.pool == "cls")
    download_csv(
        TEXTS["cost"]["download"],
        partial(table_csv, tuple(columns), list(zip(*columns.values(), strict=True))),
        "costs-of-grids.csv",
        place.key("costs-csv"),
    )


def pixels_text(config: ViTConfig) -> str:
    """Say what single pixels would cost, here and for a photograph of the paper."""
    (height, width), tokens = config.image_hw, PAPER.num_tokens
    pixels = height * width
    return TEXTS["pixels"]["text"].format(
        pixels=f"{pixels:,}",
        pixel_pairs=f"{pixels**2:,}",
        own_pairs=f"{config.num_tokens**2:,}",
        paper_tokens=tokens,
        paper_pairs=f"{tokens**2:,}",
    )


def cost_columns(costs: list[Cost], has_class: bool) -> dict[str, list[int]]:
    texts = TEXTS["cost"]
    return {
        texts["table_side"]: [cost.side for cost in costs],
        texts["table_values"]: [cost.values for cost in costs],
        texts["table_tokens_class" if has_class else "table_tokens"]: [
            cost.tokens for cost in costs
        ],
        texts["table_pairs"]: [cost.pairs for cost in costs],
        texts["table_all"]: [cost.all_pairs for cost in costs],
    }


@lru_cache(maxsize=64)  # making a figure costs more than all the rest of the page
def chart_of(
    sides: tuple[int, ...],
    pairs: tuple[int, ...],
    here: int,
    mode: Mode,
    longest: float | None = None,
) -> go.Figure:
    texts = TEXTS["cost"]
    labels = [texts["chart_label"].format(side=side) for side in sides]
    return pairs_chart(labels, pairs, here, texts["chart_hover"], mode, longest)
