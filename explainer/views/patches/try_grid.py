"""Another grid on the image that is looked at."""

from functools import partial

import streamlit as st

from explainer.caching import remember
from explainer.figures.grids import gridded
from explainer.figures.pixels import pieces, rendering
from explainer.observation.observe import Observation
from explainer.observation.patches_of import patches_of
from explainer.observation.text_variants import texts_of
from explainer.shell import controls
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.grids import cost_of, sides_of

WIDTH = 280  # of the image under another grid, or a little more
RESHAPED = "patches-reshaped"  # a knob was turned on the page, which the sidebar has yet to see


def side_of(choice: Choice, place: Place) -> int:
    """Return the patches per side to look at: the model's own, unless another is tried."""
    tried = place.cut
    is_tried = tried in sides_of(choice.config) and not choice.is_shaped
    return tried if tried and is_tried else choice.config.grid_size[0]


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
    own_side = config.grid_size[0]
    if choice.is_shaped:
        st.markdown(texts["untrained"])
    else:
        values = {"own": own_side, "own_patch": config.patch_hw[0]}
        kind = "trained" if choice.trained else "drawn"
        st.markdown(texts[f"{'own' if side == own_side else 'other'}_{kind}"].format(**values))
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
    address = pieces(patches_of(seen, patch), (side, side), patch)
    return (
        f'<img src="{address}" alt="{alt}" style="display:block;width:100%;'
        f'image-rendering:{rendering(seen.pixels)};border-radius:0">'
    )
