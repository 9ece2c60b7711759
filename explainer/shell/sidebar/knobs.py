"""The shape of the model: knobs for an untrained one, a table for a trained one."""

from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from explainer.content import load_texts
from explainer.shell import controls
from explainer.shell.notes import note
from explainer.shell.sidebar.model import narrow_to_known
from explainer.state import session
from explainer.state.link import DEPTHS, HEADS, MAX_SEED, PATCHES, WIDTHS, State
from vit_core import ViTConfig

TEXTS = load_texts("sidebar")
STYLE = """<style>
.stHtml .shape { display: grid; grid-template-columns: 1fr auto; gap: 0.375rem 1rem; margin: 0;
  padding: 0; font-size: 0.875rem; }
.shape dt { margin: 0; padding: 0; font-weight: 400; }
.shape dd { margin: 0; padding: 0; font-weight: 600; text-align: right; }
</style>"""


def turn_knobs(now: State) -> None:
    """Draw the knobs of the untrained model."""
    st.subheader(TEXTS["shape"])
    for name, options in (
        ("patches", PATCHES),
        ("width", WIDTHS),
        ("heads", HEADS),
        ("depth", DEPTHS),
    ):
        controls.slide(
            TEXTS[name], options, getattr(now, name), partial(keep_value, name), key=name
        )
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        controls.choose(
            TEXTS["position"],
            list(TEXTS["positions"]),
            now.position,
            partial(keep_value, "position"),
            key="position",
            format_func=TEXTS["positions"].__getitem__,
        )
    with right:
        controls.enter(
            TEXTS["seed"],
            now.seed,
            partial(keep_value, "seed"),
            key="seed",
            most=MAX_SEED,
            help=TEXTS["seed_help"],
        )


def show_shape(config: ViTConfig) -> None:
    """Show the shape of a trained model, which nobody can change."""
    st.subheader(TEXTS["shape"])
    note(load_texts("run_models")["fixed"])
    rows = "".join(
        f"<dt>{TEXTS[name]}</dt><dd>{value}</dd>"
        for name, value in (
            ("patches", config.grid_size[1]),
            ("width", config.embed_dim),
            ("heads", config.num_heads),
            ("depth", config.depth),
            ("position", TEXTS["positions"][config.pos_embed]),
        )
    )
    st.html(f'{STYLE}<dl class="shape">{rows}</dl>')


def keep_value(name: str, value: Any) -> None:
    session.save(narrow_to_known(replace(session.load(), **{name: value})))
