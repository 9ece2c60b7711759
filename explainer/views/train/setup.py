"""What shall be trained: the knobs' values, which the session keeps, and recipes that set them."""

from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from explainer.inputs.data_sets import is_offered
from explainer.state import session
from explainer.state.link import DEPTHS, HEADS, MAX_SEED, PATCHES, WIDTHS, State
from explainer.training import RunRequest
from explainer.training.recipes import OWN, QUICK, RECIPES_OF, recipe_of
from vit_core import PRESETS, TrainConfig, ViTConfig
from vit_core.data.sets import DATASETS
from vit_core.mistakes import MISTAKES, mistakes_of

KEY = "train-setup"
SHAPE = ("patches", "width", "heads", "depth", "position")  # of the state, the same on all pages
# patches per side that divide the photographs of CIFAR-10, in place of those that divide digits
PHOTOGRAPH_SIDE, PHOTOGRAPH_PATCHES = 32, {2: 2, 4: 4, 7: 8, 14: 16}


@dataclass(frozen=True)
class Setup:
    """What the state, which all pages share, does not say; the seed is the state's."""

    pool: str
    train: TrainConfig
    dataset: str = "mnist"


def dataset() -> str:
    """Return the data set that the knobs are about, which the link names."""
    name = session.load().data
    return name if name in DATASETS and is_offered(name) else "mnist"


def recipes() -> dict[str, Any]:
    """Return the recipes for the data set."""
    return RECIPES_OF[dataset()]


def load() -> Setup:
    """Return the session's setup: a quick run, of the shape that a link or a visitor has chosen."""
    known: Setup | None = st.session_state.get(KEY)
    if known is None or known.dataset != dataset():
        model, train = recipes()[QUICK]
        start, now = State(), session.load()
        if known is not None or all(getattr(now, name) == getattr(start, name) for name in SHAPE):
            adopt(model, replace(train, seed=now.seed))
        else:
            save(Setup(now.shaped.pool, train, dataset()))
    return st.session_state[KEY]


def save(setup: Setup) -> None:
    st.session_state[KEY] = setup


def model() -> ViTConfig:
    """Return the model that the knobs describe."""
    pool = load().pool
    return replace(shaped(session.load(), dataset()), pool=pool)


def shaped(state: State, dataset: str) -> ViTConfig:
    """Return the model that a state describes, for the pictures of a data set."""
    if dataset != "cifar10":
        return state.shaped
    return replace(
        state.shaped,
        image_size=PHOTOGRAPH_SIDE,
        in_channels=3,
        patch_size=PHOTOGRAPH_SIDE // PHOTOGRAPH_PATCHES[state.patches],
    )


def patches_of(patches: int) -> int:
    """Return the patches per side of the data set's pictures, for those of a state."""
    return PHOTOGRAPH_PATCHES[patches] if dataset() == "cifar10" else patches


def train() -> TrainConfig:
    """Return the training that the knobs describe."""
    return replace(load().train, seed=session.load().seed)


def adopt(model: ViTConfig, train: TrainConfig, data: str = "") -> None:
    """Turn the knobs to settings that they can have (``can_adopt``), and to a data set."""
    if data:
        session.change(data=data)
    session.change(**shape_of(model, dataset()), seed=train.seed)
    save(Setup(model.pool, train, dataset()))


def can_adopt(model: ViTConfig, train: TrainConfig, data: str = "mnist") -> bool:
    """Whether the knobs can be turned to these settings; an uploaded model may have others."""
    if data not in DATASETS or not is_offered(data):
        return False
    shape = shape_of(model, data)
    options = (PATCHES, WIDTHS, HEADS, DEPTHS)
    if any(shape[name] not in known for name, known in zip(SHAPE, options, strict=False)):
        return False
    described = replace(shaped(State(**shape), data), pool=model.pool)
    return described == model and train.seed <= MAX_SEED


def shape_of(model: ViTConfig, data: str) -> dict[str, Any]:
    """Return a model's shape as the state has it."""
    patches = model.grid_size[1]
    if data == "cifar10":
        patches = {theirs: ours for ours, theirs in PHOTOGRAPH_PATCHES.items()}.get(patches, 0)
    values = patches, model.embed_dim, model.num_heads, model.depth, model.pos_embed
    return dict(zip(SHAPE, values, strict=True))


def chosen() -> str:
    """Return the recipe that the knobs follow, whatever the seed; ``OWN`` for none."""
    return recipe_of(model(), train(), dataset())


def follow(name: str) -> None:
    """Turn the knobs to a recipe; ``OWN`` leaves them as they are."""
    if name != OWN:
        model, train = recipes()[name]
        adopt(model, replace(train, seed=session.load().seed))


def change(**values: Any) -> None:
    """Turn some knobs of the training."""
    setup = load()
    save(replace(setup, train=replace(setup.train, **values)))


def request() -> RunRequest:
    """Return what the manager is asked for; a preset's name only with that preset's shape."""
    shape = model()
    preset = next((name for name, preset in PRESETS.items() if preset.model == shape), None)
    return RunRequest(shape, train(), preset, dataset())


def mistakes() -> tuple[str, ...]:
    return mistakes_of(model(), train())


def make(mistake: str) -> None:
    """Turn the knobs to what they were, with one classic mistake."""
    if mistake not in mistakes():
        adopt(*MISTAKES[mistake].apply(model(), train()))


def take_out(mistake: str) -> None:
    """Make the settings sound where one classic mistake has changed them."""
    model, train = recipes()[QUICK]
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
