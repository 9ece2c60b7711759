"""The sidebar: which model, which image, which shape."""

from dataclasses import replace
from functools import partial

import streamlit as st

from explainer import controls, epochs, pictures, run_models, services, state
from explainer.content import load_texts
from explainer.own_model import upload_model
from explainer.picker import pick_picture
from explainer.run_models import Shown
from explainer.small_print import note
from explainer.state import RUN, UNTRAINED, Choice, State
from vit_core import CheckpointError, ViTConfig

TEXTS = load_texts("run_models")
SOURCE_LABELS = {
    "default": "Default, trained",
    "fast": "Fast, trained",
    "best": "Best, trained",
    "seed": "Seed, trained",
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


def choose() -> Choice:
    """Return what is chosen in the sidebar, which is drawn unless the link hides it."""
    now, shown = settle(known(state.load()))
    if now.controls == "hide":
        config = fixed_config(now, shown)
        if config is None:
            now = replace(now, source=UNTRAINED)
            config = now.shaped
    else:
        now, config = draw(now, shown)
    state.save(now)
    return of(now, config, shown)


def of(now: State, config: ViTConfig, shown: Shown | None) -> Choice:
    """Return the choice of a state; an own picture is the same beside any test digit."""
    source = shown.source if shown else now.source
    digit, index = (0, 0) if now.picture else (now.digit, now.index)
    return Choice(source, config, now.seed, digit, index, now.picture)


def draw(now: State, shown: Shown | None) -> tuple[State, ViTConfig]:
    """Draw the sidebar; return the state with a model that can be used, and its shape."""
    with st.sidebar:
        pick_model(now)
        if shown:
            epochs.pick_epoch(shown)
        config = fixed_config(now, shown)
        if config is None:
            now = replace(now, source=UNTRAINED)
        pick_picture(now, of(now, config or now.shaped, shown))
        if config is None:
            config = turn_knobs(now)
        else:
            show_knobs(config)
        upload_model()
    return now, config


def known(now: State) -> State:
    """Narrow a state, which any link may have brought, to the models and images that there are."""
    sources = services.available_sources()
    return replace(
        now,
        source=now.source if now.source in (*sources, RUN) else sources[0],
        index=min(now.index, services.count_digits(now.digit) - 1),
        picture=now.picture if pictures.is_picture(now.picture) else "",
    )


def settle(now: State) -> tuple[State, Shown | None]:
    """Find the run's model, if one is asked for; where there is none, a shipped one is used."""
    if now.source != RUN:
        return now, None
    shown, problem = run_models.look_up(now)
    if shown is None:
        now = run_models.forget(now)
        problem = f"{problem} {TEXTS['other_model'].format(model=SOURCE_LABELS[now.source])}"
    elif problem:
        now = replace(now, epoch=shown.epoch)
    if problem:
        state.refused().append(problem)
    return now, shown


def hold(name: str, now: State) -> dict:
    """Return what ties a widget to one value of the state, which alone decides what it shows.

    The widget is only told a value that it does not have: one that is told its value at every run
    jumps back while somebody moves it quickly.
    """
    controls.tell(name, getattr(now, name))
    return {"key": name, "on_change": partial(take, name)}


def take(name: str) -> None:
    state.save(known(replace(state.load(), **{name: st.session_state[name]})))


def pick_model(now: State) -> None:
    labels = {source: SOURCE_LABELS[source] for source in services.available_sources()}
    labels |= {of_run(run): label for run, label in run_models.offered(now).items()}
    controls.tell("source", of_run(now.run) if now.source == RUN else now.source)
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
    now, (kind, _, run) = state.load(), st.session_state["source"].partition(":")
    st.session_state.pop(state.PLAYING_KEY, None)
    if kind != RUN:
        state.save(known(replace(now, source=kind)))
    else:
        state.save(replace(now, source=RUN, run=run, epoch=now.epoch if run == now.run else None))


def fixed_config(now: State, shown: Shown | None) -> ViTConfig | None:
    """Return the shape of a model that has one; None for the knobs' or a file that is broken."""
    if now.source == UNTRAINED:
        return None
    try:
        return services.load_source(shown.source if shown else now.source).model.config
    except (CheckpointError, OSError) as error:
        st.error(f"The trained model cannot be used, so an untrained one is shown: {error}")
        return None


def turn_knobs(now: State) -> ViTConfig:
    """Draw the knobs of the untrained model and return its shape."""
    st.subheader("Shape")
    st.select_slider("Patches per side", state.PATCHES, now.patches, **hold("patches", now))
    st.select_slider("Embedding width", state.WIDTHS, now.width, **hold("width", now))
    st.select_slider("Attention heads", state.HEADS, now.heads, **hold("heads", now))
    st.select_slider("Encoder blocks", state.DEPTHS, now.depth, **hold("depth", now))
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
        max_value=state.MAX_SEED,
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
