"""What shall be trained: the knobs' values, which the session keeps, and recipes that set them."""

from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from explainer.state import session
from explainer.state.link import DEPTHS, HEADS, MAX_SEED, PATCHES, WIDTHS, State
from explainer.training import RunRequest
from explainer.training.recipes import OWN, QUICK, RECIPES, recipe_of
from vit_core import PRESETS, TrainConfig, ViTConfig
from vit_core.mistakes import MISTAKES, mistakes_of

KEY = "train-setup"
SHAPE = ("patches", "width", "heads", "depth", "position")  # of the state, the same on all pages


@dataclass(frozen=True)
class Setup:
    """What the state, which all pages share, does not say; the seed is the state's."""

    pool: str
    train: TrainConfig


def load() -> Setup:
    """Return the session's setup: a quick run, of the shape that a link or a visitor has chosen."""
    if KEY not in st.session_state:
        model, train = RECIPES[QUICK]
        start, now = State(), session.load()
        if all(getattr(now, name) == getattr(start, name) for name in SHAPE):
            adopt(model, replace(train, seed=now.seed))
        else:
            save(Setup(now.shaped.pool, train))
    return st.session_state[KEY]


def save(setup: Setup) -> None:
    st.session_state[KEY] = setup


def model() -> ViTConfig:
    """Return the model that the knobs describe."""
    pool = load().pool
    return replace(session.load().shaped, pool=pool)


def train() -> TrainConfig:
    """Return the training that the knobs describe."""
    return replace(load().train, seed=session.load().seed)


def adopt(model: ViTConfig, train: TrainConfig) -> None:
    """Turn the knobs to settings that they can have (``can_adopt``)."""
    session.change(**shape_of(model), seed=train.seed)
    save(Setup(model.pool, train))


def can_adopt(model: ViTConfig, train: TrainConfig) -> bool:
    """Whether the knobs can be turned to these settings; an uploaded model may have others."""
    shape = shape_of(model)
    options = (PATCHES, WIDTHS, HEADS, DEPTHS)
    if any(shape[name] not in known for name, known in zip(SHAPE, options, strict=False)):
        return False
    described = replace(State(**shape).shaped, pool=model.pool)
    return described == model and train.seed <= MAX_SEED


def shape_of(model: ViTConfig) -> dict[str, Any]:
    values = model.grid_size[1], model.embed_dim, model.num_heads, model.depth, model.pos_embed
    return dict(zip(SHAPE, values, strict=True))


def chosen() -> str:
    """Return the recipe that the knobs follow, whatever the seed; ``OWN`` for none."""
    return recipe_of(model(), train())


def follow(name: str) -> None:
    """Turn the knobs to a recipe; ``OWN`` leaves them as they are."""
    if name != OWN:
        model, train = RECIPES[name]
        adopt(model, replace(train, seed=session.load().seed))


def change(**values: Any) -> None:
    """Turn some knobs of the training."""
    setup = load()
    save(replace(setup, train=replace(setup.train, **values)))


def request() -> RunRequest:
    """Return what the manager is asked for; a preset's name only with that preset's shape."""
    shape = model()
    preset = next((name for name, preset in PRESETS.items() if preset.model == shape), None)
    return RunRequest(shape, train(), preset)


def mistakes() -> tuple[str, ...]:
    return mistakes_of(model(), train())


def make(mistake: str) -> None:
    """Turn the knobs to what they were, with one classic mistake."""
    if mistake not in mistakes():
        adopt(*MISTAKES[mistake].apply(model(), train()))


def take_out(mistake: str) -> None:
    """Make the settings sound where one classic mistake has changed them."""
    model, train = RECIPES[QUICK]
    flawed_model, flawed_train = MISTAKES[mistake].apply(model, train)
    if flawed_model != model:
        session.change(position=model.pos_embed)
    names = [field.name for field in fields(TrainConfig)]
    change(
        **{
            name: getattr(train, name)
            for name in names
            if getattr(train, name) != getattr(flawed_train, name)
        }
    )
