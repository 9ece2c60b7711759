"""The page on patches: how an image becomes a list of rows of numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st

from explainer import services, state
from explainer.components.patch_explorer import patch_explorer
from explainer.content import load_texts
from explainer.figures.costs import pairs_chart
from explainer.figures.grids import gridded
from explainer.services import Observation
from explainer.state import Choice
from explainer.tokens import token_names
from vit_core import ViTConfig

THUMBNAIL = 168  # pixels on a side: a multiple of 28


@st.fragment
def render(choice: Choice, observation: Observation) -> None:
    texts = load_texts("patches")
    st.title(texts["title"])
    st.markdown(texts["lead"])
    st.markdown(texts["how_to"])
    patch = state.get_patch(choice, observation.telling_patch)
    patch_explorer(
        key="patch-explorer",
        image=observation.pixels,
        grid=observation.config.grid_size,
        vectors=observation.tensors["patches"],
        texts=load_texts("patch_explorer"),
        patch=patch,
        on_choose=partial(choose, choice),
    )
    show_normalisation(choice, observation, patch)
    show_shape(observation.config)
    show_costs(observation)


def choose(choice: Choice, clicked: Mapping[str, int]) -> None:
    """Keep the patch that was clicked in the explorer."""
    if "query" in clicked:
        state.set_patch(choice, clicked["query"])


def show_shape(config: ViTConfig) -> None:
    """The shape of the list of patches, in two notations."""
    texts = load_texts("patches")
    (height, width), (rows, columns) = config.image_hw, config.grid_size
    channels = config.in_channels
    st.subheader(texts["formula_title"])
    sides, paper = st.columns(2, gap="medium")
    sides.markdown(
        texts["formula"].format(
            height=height,
            width=width,
            channels=texts["one_channel" if channels == 1 else "channels"].format(
                channels=channels
            ),
            rows=rows,
            columns=columns,
            count=config.num_patches,
            values=config.patch_dim,
            pixels=height * width * channels,
        )
    )
    sizes = (height, width, channels, rows)
    sides.latex(texts["formula_sides"])
    sides.latex(texts["formula_live"] % (*sizes, *sizes, config.num_patches, config.patch_dim))
    patch = config.patch_hw[0]
    paper.markdown(texts["paper"].format(side=rows, patch=patch))
    paper.latex(texts["paper_latex"] % (height, width, patch, config.num_patches, config.patch_dim))


def show_normalisation(choice: Choice, observation: Observation, patch: int) -> None:
    """The way of one pixel to the number that the model receives."""
    texts, config = load_texts("patches"), observation.config
    info = services.load_source(choice.source, choice.config, choice.seed).info
    names = token_names(config, load_texts("token_explorer"))
    vector = observation.tensors["patches"][patch]
    st.subheader(texts["normalise_title"])
    words, example = st.columns(2, gap="medium", vertical_alignment="center")
    words.markdown(texts["normalise"].format(patch=names[config.num_prefix_tokens + patch]))
    brightest = int(vector.argmax())
    pixel = patch_pixels(observation.pixels, config, patch).reshape(-1)[brightest]
    example.latex(
        texts["normalise_latex"] % (pixel, info.mean[0], info.std[0], f"{vector[brightest]:.4f}")
    )


def patch_pixels(pixels: np.ndarray, config: ViTConfig, patch: int) -> np.ndarray:
    """Cut a patch out of a grey image."""
    height, width = config.patch_hw
    row, column = divmod(patch, config.grid_size[1])
    return pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]


@dataclass(frozen=True)
class Cost:
    """What a grid of ``side`` × ``side`` patches asks of a model that is otherwise the same."""

    side: int
    patch: int
    values: int
    tokens: int
    pairs: int
    all_pairs: int


def cost_of(config: ViTConfig, side: int) -> Cost:
    cut = replace(config, patch_size=config.image_hw[0] // side)
    pairs = cut.num_tokens**2
    return Cost(
        side,
        cut.patch_hw[0],
        cut.patch_dim,
        cut.num_tokens,
        pairs,
        pairs * cut.num_heads * cut.depth,
    )


def show_costs(observation: Observation) -> None:
    """Coarser and finer grids side by side, with this model's marked."""
    texts, config = load_texts("patches"), observation.config
    costs = [cost_of(config, side) for side in state.PATCHES]
    sides = [cost.side for cost in costs]
    here = sides.index(config.grid_size[0]) if config.grid_size[0] in sides else None
    st.subheader(texts["cost_title"])
    st.markdown(texts["cost"])
    with st.container(horizontal=True):
        for place, cost in enumerate(costs):
            st.image(
                gridded(
                    observation.pixels, (cost.side, cost.side), THUMBNAIL // len(observation.pixels)
                ),
                caption=texts["thumbnail_now" if place == here else "thumbnail"].format(
                    side=cost.side, patch=cost.patch
                ),
                width=THUMBNAIL,
                alt=texts["thumbnail_alt"].format(side=cost.side),
                output_format="PNG",
            )
    left, right = st.columns((3, 2), gap="medium")
    with left:
        show_table(costs, here, has_class=config.pool == "cls")
    with right:
        st.markdown(f"**{texts['chart_title']}**")
        st.plotly_chart(
            pairs_chart(
                [texts["chart_label"].format(side=cost.side) for cost in costs],
                [cost.pairs for cost in costs],
                here,
                texts["chart_hover"],
                "dark" if st.context.theme.type == "dark" else "light",
            ),
            theme=None,
            config={"displayModeBar": False},
        )


def show_table(costs: list[Cost], here: int | None, has_class: bool) -> None:
    texts = load_texts("patches")
    st.table(
        {
            texts["table_side"]: [
                texts["now"].format(side=cost.side) if place == here else str(cost.side)
                for place, cost in enumerate(costs)
            ],
            texts["table_values"]: [f"{cost.values}" for cost in costs],
            texts["table_tokens_class" if has_class else "table_tokens"]: [
                f"{cost.tokens}" for cost in costs
            ],
            texts["table_pairs"]: [f"{cost.pairs:,}" for cost in costs],
            texts["table_all"]: [f"{cost.all_pairs:,}" for cost in costs],
        },
        border="horizontal",
        hide_index=True,
    )
