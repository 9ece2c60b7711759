"""The choice of the second half: its model, its picture, and what is changed in its pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.content.token_names import patch_names
from explainer.inputs.pictures import test_digits
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.observation.naming import sample_name
from explainer.shell import controls
from explainer.shell.sidebar.model import models_offered, option_of, with_model
from explainer.state import session
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.edits import LEFT_OUT, TURN_STEP, Edits, write_edits
from explainer.state.link import CLASSES, DEPTHS, HEADS, OF_SECOND, PATCHES, WIDTHS, State
from explainer.state.second import changed_second, compared_with, same_token, second
from vit_core.interpret.heads import Head

TEXTS = load_texts("compare")["chooser"]
STEP_TEXTS = load_texts("compare")["steps"]
KNOBS = load_texts("sidebar")
MOST_MOVED = 14  # pixels


def choose_second(choice: Choice, other: Choice, token: int) -> None:
    """Draw the choice of the second half.

    Args:
        choice, other: of the halves; the same while nothing is compared yet.
        token: that is followed in the first half.
    """
    now = in_second(session.load())
    labels = models_offered(now)
    controls.choose(
        TEXTS["model"],
        list(labels),
        option_of(now),
        keep_model,
        key="b-source",
        format_func=labels.__getitem__,
    )
    if now.source == UNTRAINED:
        turn_knobs(now)
    pick_picture(now, other)
    change_pass(other, same_token(token, choice.config, other.config))


def in_second(now: State) -> State:
    """Return the state of the second half; of the first, while nothing is compared."""
    return second(now) or replace(now, b="", edits="")


def keep(**values: Any) -> None:
    """Keep other values of the second half."""
    st.session_state.pop(session.PLAYING_KEY, None)
    now = session.load()
    other = in_second(now)
    changed = {
        name: values[name]
        for name in OF_SECOND
        if name in values and values[name] != getattr(other, name)
    }
    if now.b:
        session.save(changed_second(now, **changed))
    else:
        session.save(compared_with(now, replace(other, **changed)))


def keep_one(name: str, value: Any) -> None:
    keep(**{name: value})


def keep_model(option: str) -> None:
    keep(**vars(with_model(in_second(session.load()), option)))


def turn_knobs(now: State) -> None:
    """Draw the knobs of an untrained second model."""
    for name, options in (
        ("patches", PATCHES),
        ("width", WIDTHS),
        ("heads", HEADS),
        ("depth", DEPTHS),
    ):
        value = getattr(now, name)
        controls.slide(KNOBS[name], options, value, partial(keep_one, name), key=f"b-{name}")
    select(KNOBS["position"], KNOBS["positions"], now.position, "position")


def select(label: str, options: Mapping[str, str], chosen: str, name: str) -> None:
    """Offer a list of which one is chosen, and keep it under a name of the state."""
    controls.choose(
        label,
        list(options),
        chosen,
        partial(keep_one, name),
        key=f"b-{name}",
        format_func=options.__getitem__,
    )


def keep_sample(other: Choice, sample: int) -> None:
    """Show a picture of the gallery instead of a photograph, or of a drawing."""
    keep(sample=sample, **({"picture": ""} if other.takes_drawings else {"photo": ""}))


def pick_picture(now: State, other: Choice) -> None:
    """Draw the choice of the second half's picture, of those that are shipped."""
    if other.gallery != DIGITS:
        names = [sample_name(one) for one in samples(other.gallery)]
        controls.choose(
            TEXTS["sample"],
            range(len(names)),
            min(now.sample, len(names) - 1),
            partial(keep_sample, other),
            key="b-sample",
            format_func=names.__getitem__,
        )
        return
    left, right = st.columns(2)
    with left:
        controls.enter(
            TEXTS["digit"],
            now.digit,
            lambda digit: keep(digit=digit, index=0, picture=""),
            key="b-digit",
            most=CLASSES - 1,
        )
    with right:
        controls.enter(
            TEXTS["index"],
            now.index,
            lambda index: keep(index=index, picture=""),
            key="b-index",
            most=test_digits.count_digits(now.digit) - 1,
        )


def change_pass(other: Choice, token: int | None) -> None:
    """Draw the switches for what is changed in the second half's picture and pass.

    Args:
        token: that is followed in the second half; None for none.
    """
    edits, config = other.edits, other.config
    heads = [Head(block, head) for block in range(config.depth) for head in range(config.num_heads)]
    key = "b-heads"
    controls.sync_widget(key, list(edits.heads_off))
    st.multiselect(
        TEXTS["heads"],
        heads,
        default=edits.heads_off,
        key=key,
        format_func=lambda one: TEXTS["head"].format(block=one.block + 1, head=one.head + 1),
        on_change=repaints(partial(controls.on_change, key, partial(keep_heads, edits), heads)),
    )
    patch = None if token is None else token - config.num_prefix_tokens
    if patch is not None and patch >= 0:
        others = tuple(pair for pair in edits.cover if pair[0] != patch)
        controls.switch(
            TEXTS["cover"].format(patch=patch_names(config)[patch]),
            others != edits.cover,
            lambda on: keep_edits(edits, cover=(*others, (patch, "mean")) if on else others),
            key="b-cover",
        )
    if config.pos_embed != "none":
        controls.switch(
            TEXTS["no_position"],
            edits.no_position,
            lambda on: keep_edits(edits, no_position=on),
            key="b-no-position",
        )
    steps = {"": TEXTS["none"]} | {name: STEP_TEXTS[name] for name in LEFT_OUT.values()}
    controls.choose(
        TEXTS["mistake"],
        list(steps),
        edits.mistake,
        lambda name: keep_edits(edits, mistake=name),
        key="b-mistake",
        format_func=steps.__getitem__,
    )
    change_picture(edits, min(MOST_MOVED, *(size - 1 for size in config.image_hw)))


def change_picture(edits: Edits, most: int) -> None:
    """Draw the sliders that move and turn the second half's picture."""
    right, down = edits.move
    pixels = range(-most, most + 1)
    controls.slide(
        TEXTS["right"],
        sorted({*pixels, right}),
        right,
        lambda by: keep_edits(edits, move=(by, down)),
        key="b-right",
    )
    controls.slide(
        TEXTS["down"],
        sorted({*pixels, down}),
        down,
        lambda by: keep_edits(edits, move=(right, by)),
        key="b-down",
    )
    controls.slide(
        TEXTS["turn"],
        range(-180 + TURN_STEP, 180 + TURN_STEP, TURN_STEP),
        edits.turn,
        lambda degrees: keep_edits(edits, turn=degrees),
        key="b-turn",
    )


def keep_heads(edits: Edits, off: Sequence[Head]) -> None:
    keep_edits(edits, heads_off=tuple(off))


def keep_edits(edits: Edits, **values: Any) -> None:
    keep(edits=write_edits(replace(edits, **values)))
