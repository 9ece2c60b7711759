"""The page on patches: how an image becomes a list of rows of numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.caching import remember
from explainer.components.patch_explorer import patch_explorer
from explainer.content import load_texts
from explainer.content.equality import latex_sign, number_of, sign
from explainer.content.token_names import channel_name, token_names, value_names
from explainer.figures.costs import pairs_chart
from explainer.figures.grids import gridded
from explainer.figures.pixels import pieces, rendering
from explainer.figures.theme import Mode
from explainer.inputs.models import load
from explainer.observation.observe import Observation
from explainer.observation.patches_of import cut
from explainer.observation.text_variants import texts_of
from explainer.shell import controls
from explainer.shell.code_panel import Snippet
from explainer.shell.downloads import download_csv, matrix_csv, table_csv
from explainer.shell.notes import note
from explainer.shell.quiz import Question, compared
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import PATCHES
from explainer.state.place import Place
from vit_core import ViTConfig
from vit_core.data import DataInfo, normalize
from vit_core.model import patchify

TEXTS = load_texts("patches")
TOKENS = load_texts("token_explorer")
WIDTH = 280  # of the image under another grid, or a little more
FINER = (2, 4, 8, 16, 32)  # patches per side to compare, where those of digits leave broken ones
LEAST_PATCH = 2  # pixels
RESHAPED = "patches-reshaped"  # a knob was turned on the page, which the sidebar has yet to see
PAPER = ViTConfig(image_size=224, patch_size=16, in_channels=3, embed_dim=768, num_heads=12)


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config = seen.config
    (image_height, image_width), (height, width) = config.image_hw, config.patch_hw
    channels = config.in_channels
    return {
        "image_height": image_height,
        "image_width": image_width,
        "channels": TEXTS["parts"]["shape"]["one_channel" if channels == 1 else "channels"].format(
            channels=channels
        ),
        "height": height,
        "width": width,
        "rows": config.grid_size[0],
        "columns": config.grid_size[1],
        "count": config.num_patches,
        "values": config.patch_dim,
        "pixels": f"{image_height * image_width * channels:,}",
        "patch": names_of(config)[patch_of(choice, seen, place)],
    }


def patch_of(choice: Choice, seen: Observation, place: Place) -> int:
    return place.patch(seen.telling_patch)


def names_of(config: ViTConfig) -> list[str]:
    """Name the patches."""
    return token_names(config, TOKENS)[config.num_prefix_tokens :]


def info_of(choice: Choice) -> DataInfo:
    return load.source_of(choice).info


# cut, pull apart, flatten


def show_explorer(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config, patch = TEXTS["parts"]["explore"], seen.config, patch_of(choice, seen, place)
    patch_explorer(
        key=place.key("patch-explorer"),
        image=seen.pixels,
        grid=config.grid_size,
        vectors=seen.tensors["patches"],
        texts=texts_of("patch_explorer", seen),
        patch=patch,
        on_choose=partial(choose, choice),
    )
    download_csv(
        texts["download"],
        partial(
            matrix_csv,
            seen.tensors["patches"],
            names_of(config),
            pixel_names(config),
            "patch",
        ),
        "patches.csv",
        place.key("patches-csv"),
    )
    note(texts["download_note"].format(patch=names_of(config)[patch], index=patch))


def choose(choice: Choice, clicked: Mapping[str, int]) -> None:
    """Keep the patch that was clicked in the explorer."""
    if "query" in clicked:
        session.set_patch(choice, clicked["query"])


def pixel_names(config: ViTConfig) -> list[str]:
    """Name the values of a patch."""
    return value_names(config)


# from brightness to numbers around zero


def show_normalisation(choice: Choice, seen: Observation, place: Place) -> None:
    """The way of one pixel to the number that the model receives."""
    texts, patch = texts_of("patches", seen)["parts"]["normalise"], patch_of(choice, seen, place)
    vector, info = seen.tensors["patches"][patch], info_of(choice)
    values = cut(seen, seen.config.patch_hw)[patch]
    brightest = int(values.argmax())
    channel = brightest // (len(values) // seen.config.in_channels)
    pixel = int(values[brightest])
    numbers = f"{info.mean[channel]:.4f}", f"{info.std[channel]:.4f}"
    examples = [(texts["example"], pixel, float(vector[brightest]))]
    if pixel:
        examples.append((texts["example_black"], 0, black_of(info, channel)))
    said = {
        "patch": names_of(seen.config)[patch],
        "channel": channel_name(seen.config, channel),
    }
    for column, (words, brightness, value) in zip(
        st.columns(2, gap="medium"), examples, strict=False
    ):
        column.markdown(words.format(**said))
        shown = f"{value:.4f}"
        sign = latex_sign(normalised(brightness, *numbers), shown)
        column.latex(texts["normalise_latex"] % (brightness, *numbers, sign, shown))


def normalised(brightness: int, mean: str, std: str) -> float:
    """Return what the shown numbers give."""
    return (brightness / 255 - number_of(mean)) / number_of(std)


def black_of(info: DataInfo, channel: int = 0) -> float:
    """Return what the model receives for a black pixel, or for none of a colour."""
    return (0 - info.mean[channel]) / info.std[channel]


# the shape of the list


def show_shape(choice: Choice, seen: Observation, place: Place) -> None:
    """The shape of the list of patches, in two notations."""
    texts, config, words = TEXTS["parts"]["shape"], seen.config, facts(choice, seen, place)
    (height, width), rows = config.image_hw, config.grid_size[0]
    sides, paper = st.columns(2, gap="medium")
    sides.latex(texts["formula_sides"])
    sizes = (height, width, config.in_channels, rows)
    sides.latex(texts["formula_live"] % (*sizes, *sizes, config.num_patches, config.patch_dim))
    sides.markdown(texts["letters"].format(**words))
    paper.markdown(texts["paper"].format(**words))
    paper.latex(
        texts["paper_latex"]
        % (height, width, config.patch_hw[0], config.num_patches, config.patch_dim)
    )


# another grid


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


def sides_of(config: ViTConfig) -> list[int]:
    """Return the patches per side to compare, the model's own among them."""
    size = config.image_hw[0]
    sides = PATCHES
    if any(size % side for side in sides):
        sides = [side for side in FINER if size % side == 0 and size >= side * LEAST_PATCH]
    if len(sides) < 2:  # an odd number of pixels
        most = min(FINER[-1], size // LEAST_PATCH)
        sides = [side for side in range(1, most + 1) if size % side == 0]
    return sorted({*sides, config.grid_size[0]})


def side_of(choice: Choice, place: Place) -> int:
    """Return the patches per side to look at: the model's own, unless another is tried."""
    tried = place.cut
    is_tried = tried in sides_of(choice.config) and not choice.is_shaped
    return tried if is_tried else choice.config.grid_size[0]


def keep_side(choice: Choice, side: int) -> None:
    """Try another grid on the image of a fixed model, or build one of the knobs' with it."""
    if not choice.is_shaped:
        session.change(cut=None if side == choice.config.grid_size[0] else side)
    else:
        session.change(patches=side, cut=None)
        st.session_state[RESHAPED] = True


def show_cut(choice: Choice, seen: Observation, place: Place) -> None:
    if st.session_state.pop(RESHAPED, False):
        st.rerun()  # the sidebar, and the model with it
    texts, config = texts_of("patches", seen)["parts"]["cut"], seen.config
    side = side_of(choice, place)
    controls.slide(
        texts["slide"],
        sides_of(config),
        side,
        partial(keep_side, choice),
        key=place.key("cut"),
    )
    own = config.grid_size[0]
    if choice.is_shaped:
        st.markdown(texts["untrained"])
    else:
        words = {"own": own, "own_patch": config.patch_hw[0]}
        kind = "trained" if choice.trained else "drawn"
        st.markdown(texts[f"{'own' if side == own else 'other'}_{kind}"].format(**words))
    cost = cost_of(config, side)
    grid, apart, numbers = st.columns((2, 2, 1), gap="medium")
    grid.image(
        gridded(seen.pixels, (side, side), max(2, WIDTH // seen.pixels.shape[1])),
        width="stretch",
        alt=texts["gridded_alt"].format(side=side),
        output_format="PNG",
    )
    alt = texts["pieces_alt"].format(count=side**2, patch=cost.patch)
    apart.html(remember(("cut", choice, side), partial(draw_pieces, seen, side, alt)))
    # below each other beside the pictures, side by side below them on a telephone
    with numbers, st.container(horizontal=True, gap="medium"):
        st.metric(texts["patches"], side**2)
        st.metric(texts["values"], cost.values)
        st.metric(texts["tokens"], cost.tokens, help=texts["tokens_help"])
        st.metric(texts["pairs"], f"{cost.pairs:,}")


def draw_pieces(seen: Observation, side: int, alt: str) -> str:
    """The image cut by ``patchify`` itself, laid out with gaps."""
    patch = seen.config.image_hw[0] // side, seen.config.image_hw[1] // side
    address = pieces(cut(seen, patch), (side, side), patch)
    return (
        f'<img src="{address}" alt="{alt}" style="display:block;width:100%;'
        f'image-rendering:{rendering(seen.pixels)};border-radius:0">'
    )


# why not cut finer


def show_costs(choice: Choice, seen: Observation, place: Place) -> None:
    """Coarser and finer grids side by side, with this model's marked."""
    texts, config = TEXTS["parts"]["cost"], seen.config
    costs = [cost_of(config, side) for side in sides_of(config)]
    here = [cost.side for cost in costs].index(config.grid_size[0])
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
        st.table(shown, border="horizontal", hide_index=True)
        download_csv(
            texts["download"],
            partial(table_csv, tuple(columns), list(zip(*columns.values(), strict=True))),
            "costs-of-grids.csv",
            place.key("costs-csv"),
        )
    with right:
        st.markdown(f"**{texts['chart_title']}**")
        st.plotly_chart(
            chart_of(
                tuple(cost.side for cost in costs),
                tuple(cost.pairs for cost in costs),
                here,
                st.context.theme.type or "light",
            ),
            theme=None,
            key=place.key("chart-pairs"),
            config={"displayModeBar": "hover", "displaylogo": False},
            alt=texts["chart_alt"].format(
                values=", ".join(
                    texts["chart_value"].format(side=cost.side, pairs=cost.pairs) for cost in costs
                )
            ),
        )
    tokens = PAPER.num_tokens
    st.markdown(texts["paper"].format(paper_tokens=tokens, paper_pairs=f"{tokens**2:,}"))


def cost_columns(costs: list[Cost], has_class: bool) -> dict[str, list[int]]:
    texts = TEXTS["parts"]["cost"]
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
def chart_of(sides: tuple[int, ...], pairs: tuple[int, ...], here: int, mode: Mode) -> go.Figure:
    texts = TEXTS["parts"]["cost"]
    labels = [texts["chart_label"].format(side=side) for side in sides]
    return pairs_chart(labels, pairs, here, texts["chart_hover"], mode)


PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "explore": show_explorer,
    "normalise": show_normalisation,
    "shape": show_shape,
    "cut": show_cut,
    "cost": show_costs,
}
CODE = (
    Snippet("explore", patchify, ("grid =", "return grid.permute", "batch, rows")),
    Snippet("normalise", normalize, ("return",)),
)


# questions


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    words = facts(choice, seen, place)
    texts = texts_of("patches", seen)["questions"]
    return [
        ask_ink(seen, texts["ink"]),
        ask_values(words),
        ask_pairs(seen.config),
        ask_number(seen.config, patch_of(choice, seen, place)),
        ask_black(info_of(choice), texts["black"]),
    ]


def ask_ink(seen: Observation, texts: Mapping[str, str]) -> Question:
    """Ask which of four patches is the brightest: it, and three from further down."""
    config = seen.config
    ink = cut(seen, config.patch_hw).sum(axis=1, dtype=np.int64).tolist()
    order = sorted(range(len(ink)), key=lambda patch: -ink[patch])
    best = order[0]
    others = (order[place] for place in (1, 3, len(order) // 4 + 1) if place < len(order))
    options = sorted({best, *others})
    names = names_of(config)
    shown = [(names[patch], f"{ink[patch]:,}") for patch in options]
    most = 255 * config.patch_dim
    return compared("ink", texts["text"], shown, options.index(best), texts["why"], most=most)


def ask_values(words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["values"]
    right = words["values"]
    return number_question(
        "values",
        texts["text"],
        {right, words["height"], words["count"], 2 * right},
        right,
        texts["why"].format(**words),
    )


def ask_pairs(config: ViTConfig) -> Question:
    """Ask what a finer grid costs, which has a whole number of patches where a coarser has one."""
    texts, (few, many) = TEXTS["questions"]["pairs"], grids_to_compare(config)
    before, after, times = cost_of(config, few), cost_of(config, many), many // few
    return number_question(
        "pairs",
        texts["text"].format(few=few, many=many, before=before.pairs),
        {times * before.pairs, times**2 * before.pairs, after.pairs, times**6 * before.pairs},
        after.pairs,
        texts["why"].format(
            tokens=after.tokens, after=after.pairs, times=after.pairs / before.pairs
        ),
    )


def grids_to_compare(config: ViTConfig) -> tuple[int, int]:
    """Return patches per side of two grids that fit the image, the model's own among them.

    Twice as many where the image can be cut so, else the model's own and the next coarser.
    """
    side, size = config.grid_size[0], config.image_hw[0]
    if side * 2 in sides_of(config):
        return side, side * 2
    if side == 1:
        return 1, next(many for many in range(2, size + 1) if size % many == 0)
    # of a whole number of patches every divisor is one as well
    return next(few for few in range(side // 2, 0, -1) if side % few == 0), side


def ask_number(config: ViTConfig, patch: int) -> Question:
    texts, (rows, columns) = TEXTS["questions"]["number"], config.grid_size
    row, column = divmod(patch, columns)
    right = patch + 1
    return number_question(
        "number",
        texts["text"].format(patch=names_of(config)[patch]),
        {right, column * rows + row + 1, (row + 1) * (column + 1), right + columns},
        right,
        texts["why"].format(
            above=row, columns=columns, column=column + 1, number=right, index=patch
        ),
    )


def ask_black(info: DataInfo, texts: Mapping[str, str]) -> Question:
    black, mean, std = written(black_of(info)), f"{info.mean[0]:.4f}", f"{info.std[0]:.4f}"
    sign_of_black = sign(normalised(0, mean, std), black)
    options = (written(-1), black, written(0), written(1 / info.std[0]))
    return Question(
        "black",
        texts["text"],
        options,
        1,
        texts["why"].format(mean=mean, std=std, black=black, sign=sign_of_black),
    )


def written(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def number_question(name: str, text: str, numbers: set[int], right: int, why: str) -> Question:
    options = sorted(numbers)
    shown = tuple(f"{option:,}" for option in options)
    return Question(name, text, shown, options.index(right), why)
