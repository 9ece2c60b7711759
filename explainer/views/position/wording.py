"""What the parts say in the same way: the page's facts, its notes and its numbers."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explainer.content import load_texts
from explainer.content.token_names import token_names
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core import ViTConfig
from vit_core.interpret.position import Wave

TEXTS = load_texts("position")
WAVES = ("sincos", "sincos2d")


def base_facts(choice: Choice, seen: Observation) -> dict[str, object]:
    config = seen.config
    kind = kind_of_pass(choice, config)
    return {
        "width": config.embed_dim,
        "own_kind": own_kind(choice, config),
        "twins": twins_text(choice, seen),
        "add_title": TEXTS["parts"]["add"][f"title_{kind}"],
        "lead_end": TEXTS[f"lead_{kind}"].format(width=config.embed_dim),
    }


def kind_of_pass(choice: Choice, config: ViTConfig) -> str:
    """Return "has" or "none" for a position of the model; "off" for one that the pass lacks."""
    if config.pos_embed == "none":
        return "none"
    return "off" if choice.edits.no_position else "has"


def own_kind(choice: Choice, config: ViTConfig) -> str:
    is_resampled = positions.learned_grid(choice) is not None
    return TEXTS["own_kinds"]["learned_resampled" if is_resampled else config.pos_embed]


def grids(choice: Choice, config: ViTConfig) -> Mapping[str, int]:
    """Return rows and columns of the model's grid, and of that for which it learned positions."""
    rows, columns = config.grid_size
    learned_rows, learned_columns = positions.learned_grid(choice) or config.grid_size
    return {
        "rows": rows,
        "columns": columns,
        "learned_rows": learned_rows,
        "learned_columns": learned_columns,
    }


def twins_text(choice: Choice, seen: Observation) -> str:
    """Say of two equal patches of this image what the position changes."""
    texts, config = TEXTS["parts"]["add"], seen.config
    twins = positions.twins(choice, seen)
    kind = kind_of_pass(choice, config)
    then = [texts[{"has": "added", "none": "nothing_added", "off": "zeros_added"}[kind]]]
    if twins is None:
        without = [texts["without"]] if kind == "none" else []
        return " ".join([texts["no_twins"], *without, *then])
    first, second = (config.num_prefix_tokens + patch for patch in twins)
    names, rows = token_names(config), seen.tensors["patch_embed"]
    after = gap(*(seen.tensors["embed"][token] for token in (first, second)))
    before = gap(*(rows[patch] for patch in twins))
    text = texts["same"].format(
        first=names[first][0].upper() + names[first][1:],
        second=names[second],
        before=texts["same_nearly"].format(before=f"{before:.2g}") if before else "",
    )
    same = {"has": "same_added", "none": "same_none", "off": "same_off"}[kind]
    return " ".join([text, texts[same].format(after=f"{after:.3g}"), *then])


def output_name(seen: Observation) -> str:
    """Return what the model gives: logits, or features where there is no head."""
    return TEXTS["outputs"]["logits" if seen.has_head else "features"]


def gap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def numbered(count: int) -> list[str]:
    template = TEXTS["parts"]["add"]["dimension"]
    return [template.format(number=place + 1) for place in range(count)]


def areas(count: int) -> list[DeltaGenerator]:
    """Return containers below each other, each for things of one sort.

    What comes and goes with a choice is drawn in one of them, so that everything else keeps its
    place, and a container within one stays as an empty one: Streamlit's browser side fails where a
    quick hand brings something for a container that the run before has just taken away.
    """
    return [st.container() for _ in range(count)]


def show_missing(part: str, kind: str, config: ViTConfig) -> None:
    """Say why there is no table of this kind."""
    if kind == "none":
        st.markdown(TEXTS["parts"][part]["nothing"])
    else:
        text = TEXTS["parts"]["table"][f"{kind}_missing"]
        st.markdown(text.format(width=config.embed_dim))


def steps_of(one: Wave) -> str:
    """Write how many steps a full swing takes."""
    steps = 2 * np.pi / one.frequency
    return f"{steps:,.0f}" if steps >= 100 else f"{steps:.1f}"


def written(number: float, digits: int = 4) -> str:
    """Write a number with a true minus; what rounds to nothing has no sign."""
    text = f"{abs(number):.{digits}f}"
    return f"−{text}" if number < 0 and float(text) else text
