"""The sidebar: which model, which image, which shape."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import streamlit as st

from explainer.content import load_texts
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.inputs.models import load, saved_epochs
from explainer.inputs.models.saved_epochs import Shown
from explainer.inputs.pictures import link_code, test_digits
from explainer.inputs.pictures.galleries import DIGITS, photo_store, samples
from explainer.shell import controls
from explainer.shell.notes import note
from explainer.shell.picker import pick_picture
from explainer.shell.sidebar import epochs
from explainer.shell.sidebar.pretrained import offer_pretrained, offered_models, settle_pretrained
from explainer.shell.sidebar.upload_model import upload_model
from explainer.state import session
from explainer.state.choice import PRETRAINED, RUN, UNTRAINED, Choice, by_others
from explainer.state.link import DEPTHS, HEADS, MAX_SEED, PATCHES, WIDTHS, State
from vit_core import CheckpointError, ViTConfig

TEXTS = load_texts("run_models")
SOURCE_LABELS = {
    "default": "Default, trained",
    "fast": "Fast, trained",
    "best": "Best, trained",
    "seed": "Seed, trained",
    "cifar10": "CIFAR-10, trained",
    UNTRAINED: "Untrained, shaped by you",
}
POSITION_LABELS = {
    "learned": "learned",
    "sincos": "sine and cosine",
    "sincos2d": "sine and cosine, 2-D",
    "none": "none",
}
FIXED_STYLE = """<style>
.stHtml .shape { display: grid; grid-template-columns: 1fr auto; gap: 0.375rem 1rem; margin: 0;
  padding: 0; font-size: 0.875rem; }
.shape dt { margin: 0; padding: 0; font-weight: 400; }
.shape dd { margin: 0; padding: 0; font-weight: 600; text-align: right; }
</style>"""


class Fixed(NamedTuple):
    """What a model brings along that nobody can change: its shape, and which pictures it is for."""

    config: ViTConfig
    gallery: str


def choose() -> Choice:
    """Return what is chosen in the sidebar, which is drawn unless the link hides it."""
    now, shown = settle(known(session.load()))
    if now.controls == "hide":
        model = fixed_model(now, shown)
        if model is None:
            now = replace(now, source=UNTRAINED)
    else:
        now, model = draw(now, shown)
    now = narrowed(now, model)
    session.save(now)
    return of(now, model, shown)


def of(now: State, model: Fixed | None, shown: Shown | None) -> Choice:
    """Return the choice of a state; an own picture is the same beside any other."""
    config, gallery = model or (now.shaped, DIGITS)
    source = named(now, shown)
    if gallery != DIGITS:
        sample = 0 if now.photo else now.sample
        return Choice(source, config, now.seed, 0, 0, "", gallery, sample, now.photo)
    digit, index = (0, 0) if now.picture else (now.digit, now.index)
    return Choice(source, config, now.seed, digit, index, now.picture)


def named(now: State, shown: Shown | None) -> str:
    """Return the source as ``Choice`` has it."""
    if shown:
        return shown.source
    return by_others(now.pretrained) if now.source == PRETRAINED else now.source


def narrowed(now: State, model: Fixed | None) -> State:
    """Narrow the picture to those that the model's gallery has."""
    gallery = model.gallery if model else DIGITS
    if gallery == DIGITS:
        return now
    if now.photo and not photo_store.is_kept(now.photo):
        session.refused().append(load_texts("picker")["photo_gone"])
        now = replace(now, photo="")
    return replace(now, sample=min(now.sample, len(samples(gallery)) - 1))


def draw(now: State, shown: Shown | None) -> tuple[State, Fixed | None]:
    """Draw the sidebar; return the state with a model that can be used, and what is fixed of it."""
    with st.sidebar:
        pick_model(now)
        if shown:
            epochs.pick_epoch(shown)
        model = fixed_model(now, shown)
        if model is None:
            now = replace(now, source=UNTRAINED)
        now = narrowed(now, model)
        pick_picture(now, of(now, model, shown))
        if model is None:
            turn_knobs(now)
        else:
            show_knobs(model.config)
        offer_pretrained()
        upload_model()
    return now, model


def known(now: State) -> State:
    """Narrow a state, which any link may have brought, to the models and images that there are."""
    sources = load.available_sources()
    return replace(
        now,
        source=now.source if now.source in (*sources, RUN, PRETRAINED) else sources[0],
        index=min(now.index, test_digits.count_digits(now.digit) - 1),
        picture=now.picture if link_code.is_picture(now.picture) else "",
    )


def settle(now: State) -> tuple[State, Shown | None]:
    """Find the run's or others' model, if one is asked for; else a shipped one is used."""
    if now.source == PRETRAINED:
        if problem := settle_pretrained(now):
            now = replace(now, source=load.available_sources()[0], pretrained="")
            other = TEXTS["other_model"].format(model=SOURCE_LABELS[now.source])
            session.refused().append(f"{problem} {other}")
        return now, None
    if now.source != RUN:
        return now, None
    shown, problem = saved_epochs.look_up(now)
    if shown is None:
        now = saved_epochs.forget(now)
        problem = f"{problem} {TEXTS['other_model'].format(model=SOURCE_LABELS[now.source])}"
    elif problem:
        now = replace(now, epoch=shown.epoch)
    if problem:
        session.refused().append(problem)
    return now, shown


def hold(name: str, now: State) -> dict:
    """Return what ties a widget to one value of the state, which alone decides what it shows.

    The widget is only told a value that it does not have: one that is told its value at every run
    jumps back while somebody moves it quickly.
    """
    controls.tell(name, getattr(now, name))
    return {"key": name, "on_change": partial(take, name)}


def take(name: str) -> None:
    session.save(known(replace(session.load(), **{name: st.session_state[name]})))


def pick_model(now: State) -> None:
    labels = {source: SOURCE_LABELS[source] for source in load.available_sources()}
    labels |= {by_others(name): title for name, title in offered_models(now).items()}
    labels |= {of_run(run): label for run, label in saved_epochs.offered(now).items()}
    shown = of_run(now.run) if now.source == RUN else named(now, None)
    controls.tell("source", shown)
    st.selectbox(
        "Model",
        list(labels),
        key="source",
        format_func=labels.__getitem__,
        help=TEXTS["model_help"],
        on_change=take_model,
    )


def of_run(run: str) -> str:
    """Return what stands for a run among the sources that can be chosen."""
    return f"{RUN}:{run}"


def take_model() -> None:
    now, (kind, _, name) = session.load(), st.session_state["source"].partition(":")
    st.session_state.pop(session.PLAYING_KEY, None)
    if kind == RUN:
        epoch = now.epoch if name == now.run else None
        session.save(replace(now, source=RUN, run=name, epoch=epoch))
    elif kind == PRETRAINED:
        session.save(replace(now, source=PRETRAINED, pretrained=name))
    else:
        session.save(known(replace(now, source=kind)))


def fixed_model(now: State, shown: Shown | None) -> Fixed | None:
    """Return what is fixed of a model; None for the knobs' or a file that is broken."""
    if now.source == UNTRAINED:
        return None
    try:
        source = load.load_source(named(now, shown))
        return Fixed(source.model.config, source.gallery)
    except (CheckpointError, OSError) as error:
        why = strangers_word(error, LONGEST_SENTENCE)
        st.error(f"The trained model cannot be used, so an untrained one is shown: {why}")
        return None


def turn_knobs(now: State) -> ViTConfig:
    """Draw the knobs of the untrained model and return its shape."""
    st.subheader("Shape")
    st.select_slider("Patches per side", PATCHES, now.patches, **hold("patches", now))
    st.select_slider("Embedding width", WIDTHS, now.width, **hold("width", now))
    st.select_slider("Attention heads", HEADS, now.heads, **hold("heads", now))
    st.select_slider("Encoder blocks", DEPTHS, now.depth, **hold("depth", now))
    left, right = st.columns([3, 2])
    left.selectbox(
        "Position",
        list(POSITION_LABELS),
        format_func=POSITION_LABELS.__getitem__,
        **hold("position", now),
    )
    right.number_input(
        "Seed",
        min_value=0,
        max_value=MAX_SEED,
        step=1,
        help="The random weights depend on the shape and on this number alone.",
        **hold("seed", now),
    )
    return now.shaped


def show_knobs(config: ViTConfig) -> None:
    """Say how the trained model is shaped, which nobody can change."""
    st.subheader("Shape")
    note(TEXTS["fixed"])
    rows = "".join(
        f"<dt>{label}</dt><dd>{value}</dd>"
        for label, value in (
            ("Patches per side", config.grid_size[1]),
            ("Embedding width", config.embed_dim),
            ("Attention heads", config.num_heads),
            ("Encoder blocks", config.depth),
            ("Position", POSITION_LABELS[config.pos_embed]),
        )
    )
    st.html(f'{FIXED_STYLE}<dl class="shape">{rows}</dl>')
