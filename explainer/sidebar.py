"""The sidebar: which model, which image, which shape."""

from dataclasses import replace
from functools import partial

import streamlit as st

from explainer import pictures, services, state
from explainer.picker import pick_picture
from explainer.state import UNTRAINED, Choice, State
from vit_core import CheckpointError, ViTConfig

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
# what cannot be turned still has to be read
FIXED_STYLE = """<style>
.st-key-fixed :is(label, p, input, [data-testid] div) {
  color: inherit !important;
  -webkit-text-fill-color: currentColor;
}
</style>"""


def choose() -> Choice:
    """Return what is chosen in the sidebar, which is drawn unless the link hides it."""
    now = known(state.load())
    if now.controls == "hide":
        config = trained_config(now.source)
        if config is None:
            now = replace(now, source=UNTRAINED)
            config = now.shaped
    else:
        now, config = draw(now)
    state.save(now)
    return of(now, config)


def of(now: State, config: ViTConfig) -> Choice:
    """Return the choice of a state; an own picture is the same beside any test digit."""
    digit, index = (0, 0) if now.picture else (now.digit, now.index)
    return Choice(now.source, config, now.seed, digit, index, now.picture)


def draw(now: State) -> tuple[State, ViTConfig]:
    """Draw the sidebar; return the state with a model that can be used, and its shape."""
    with st.sidebar:
        pick_model()
        config = trained_config(now.source)
        if config is None:
            now = replace(now, source=UNTRAINED)
        pick_picture(now, of(now, config or now.shaped))
        if config is None:
            config = turn_knobs(now)
        else:
            show_knobs(now, config)
    return now, config


def known(now: State) -> State:
    """Narrow a state, which any link may have brought, to the models and images that there are."""
    sources = services.available_sources()
    return replace(
        now,
        source=now.source if now.source in sources else sources[0],
        index=min(now.index, services.count_digits(now.digit) - 1),
        picture=now.picture if pictures.is_picture(now.picture) else "",
    )


def hold(name: str, now: State) -> dict:
    """Return what ties a widget to one value of the state, which alone decides what it shows.

    The widget is only told a value that it does not have: one that is told its value at every run
    jumps back while somebody moves it quickly.
    """
    if st.session_state.get(name) != getattr(now, name):
        st.session_state[name] = getattr(now, name)
    return {"key": name, "on_change": partial(take, name)}


def take(name: str) -> None:
    state.save(known(replace(state.load(), **{name: st.session_state[name]})))


def pick_model() -> None:
    st.selectbox(
        "Model",
        services.available_sources(),
        format_func=SOURCE_LABELS.__getitem__,
        help="A trained model has seen 55,000 digits. An untrained one has random weights, "
        "and its shape is yours.",
        **hold("source", known(state.load())),
    )


def trained_config(source: str) -> ViTConfig | None:
    """Return the shape of a trained model; None for the untrained one or a file that is broken."""
    if source == UNTRAINED:
        return None
    try:
        return services.load_source(source).model.config
    except (CheckpointError, OSError) as error:
        st.error(f"The trained model cannot be used, so an untrained one is shown: {error}")
        return None


def turn_knobs(now: State) -> ViTConfig:
    """Draw the knobs of the untrained model and return its shape."""
    st.subheader("Shape")
    st.select_slider("Patches per side", state.PATCHES, **hold("patches", now))
    st.select_slider("Embedding width", state.WIDTHS, **hold("width", now))
    st.select_slider("Attention heads", state.HEADS, **hold("heads", now))
    st.select_slider("Encoder blocks", state.DEPTHS, **hold("depth", now))
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


def show_knobs(now: State, config: ViTConfig) -> None:
    """Draw the knobs as the trained model has them, which nobody can turn."""
    st.html(FIXED_STYLE)
    st.subheader("Shape")
    st.markdown(":small[Fixed by its training. Choose the untrained model to turn the knobs.]")
    fixed = st.container(key="fixed")
    for label, options, value in (
        ("Patches per side", state.PATCHES, config.grid_size[1]),
        ("Embedding width", state.WIDTHS, config.embed_dim),
        ("Attention heads", state.HEADS, config.num_heads),
        ("Encoder blocks", state.DEPTHS, config.depth),
    ):
        fixed.select_slider(
            label,
            sorted({*options, value}),
            value=value,
            disabled=True,
            key=f"{now.source} {label}",
        )
    fixed.selectbox(
        "Position", [POSITION_LABELS[config.pos_embed]], disabled=True, key=f"{now.source} Position"
    )
