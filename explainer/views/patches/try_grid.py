"""Another grid on the image that is looked at."""

from functools import partial

import streamlit as st

from explainer.caching import remember
from explainer.figures import theme
from explainer.figures.grids import gridded
from explainer.figures.pixels import image_address, pieces, rendering
from explainer.observation.observe import Observation
from explainer.observation.patches_of import patches_of
from explainer.observation.text_variants import texts_of
from explainer.shell import controls
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.costs import pixels_text, show_costs, show_download
from explainer.views.patches.grids import cost_of, sides_of
from explainer.views.patches.wording import TEXTS

WIDTH = 280  # of the image under another grid, or a little more
STYLE = f"""
.cut {{ display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }}
.cut > div {{ flex: 1 1 8rem; max-width: {WIDTH}px; }}
.cut img {{ display: block; width: 100%; border-radius: 0; }}
.cut dl {{ display: flex; flex: 1 1 12rem; flex-wrap: wrap; gap: 0.5rem 1.5rem; margin: 0;
  padding: 0; }}
.cut dl > div {{ flex: 1 1 7rem; margin: 0; padding: 0; }}
.cut dt {{ font-size: 0.875rem; font-weight: 400; color: {theme.MUTED.css}; }}
.cut dd {{ margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }}
"""
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
    show_html(remember(("cut", choice, side), partial(draw_cut, seen, side)), "cut")
    with fold(place, "cost", TEXTS["cost"]["label"]) as is_open:
        if is_open:
            show_costs(choice, seen, place)
    with fold(place, "pixels", TEXTS["pixels"]["label"]) as is_open:
        if is_open:
            st.markdown(pixels_text(config))
    with more(place, "cut"):
        show_download(config, place)


def draw_cut(seen: Observation, side: int) -> str:
    """The image under another grid, its patches pulled apart, and how many there are."""
    texts, config = texts_of("patches", seen)["parts"]["cut"], seen.config
    cost = cost_of(config, side)
    large = gridded(seen.pixels, (side, side), max(2, WIDTH // seen.pixels.shape[1]))
    grid = (
        f'<img src="{image_address(large)}" alt="{texts["gridded_alt"].format(side=side)}" '
        f'style="image-rendering:{rendering(seen.pixels)}">'
    )
    alt = texts["pieces_alt"].format(count=side**2, patch=cost.patch)
    numbers = (
        (texts["patches"], side**2),
        (texts["values"], cost.values),
        (texts["tokens_class" if config.pool == "cls" else "tokens"], cost.tokens),
        (texts["pairs"], cost.pairs),
    )
    said = "".join(f"<div><dt>{name}</dt><dd>{number:,}</dd></div>" for name, number in numbers)
    pieces_drawn = draw_pieces(seen, side, alt)
    return (
        f'<style>{STYLE}</style><div class="cut"><div>{grid}</div>'
        f"<div>{pieces_drawn}</div><dl>{said}</dl></div>"
    )


def draw_pieces(seen: Observation, side: int, alt: str) -> str:
    """The image cut by ``patchify`` itself, laid out with gaps."""
    patch = seen.config.image_hw[0] // side, seen.config.image_hw[1] // side
    address = pieces(patches_of(seen, patch), (side, side), patch)
    return (
        f'<img src="{address}" alt="{alt}" style="display:block;width:100%;'
        f'image-rendering:{rendering(seen.pixels)};border-radius:0">'
    )
