"""The gradient's way back through the model, from the logits to the pixels."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.components.sight import repaints
from explainer.content.numbers import percent, written
from explainer.figures import drawn, theme
from explainer.figures.learning import Series, gradient_sizes
from explainer.figures.log_axis import ends, exponents
from explainer.figures.theme import Mode
from explainer.observation.flaws import flaws
from explainer.observation.learning import backwards
from explainer.observation.learning.backwards import WayBack, key_of, sizes
from explainer.observation.learning.lesson import LARGEST, gradient_bytes, target_of
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.shell import controls
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note_scale
from explainer.shell.shown import CHART, mode, show_chart
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import IN_BLOCK, STATIONS
from explainer.state.place import Place
from explainer.views.learning.station import OF_HEADS, show_station
from explainer.views.learning.wording import TEXTS, station_name

# places along the way back, from the logits at 0; those of a block begin where it ends
END = {"logits": 0.0, "pooled": 0.5, "final_norm": 1.0}
IN_ATTENTION = ("attn_out", "attn.z", "attn.pattern", "attn.scores", "attn.v", "attn.k", "attn.q")
IN_MLP = ("mlp_out", "mlp.post", "mlp.pre", "norm2")
WIDE = 2.0  # of a block along the way
FIRST = 1.5  # where the last block begins
MEGABYTE = 1024**2


def show_backwards(choice: Choice, seen: Observation, place: Place) -> None:
    texts, target = TEXTS["parts"]["backwards"], target_of(seen, place)
    st.markdown(f"**{texts['chart']}**")
    show_sizes(choice, seen, place)
    note_scale(place)
    choose_station(place)
    show_station(choice, seen, place)
    show_beside(choice, seen, place)
    show_deep(choice, seen, place)
    with more(place, "backwards"):
        download_csv(
            texts["download"],
            lambda: table_csv(("tensor", "size"), [*sizes(choice, target).items()]),
            "gradients.csv",
            place.key("backwards-csv"),
        )


def show_sizes(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw the chart of all sizes, whose dots can be clicked."""
    texts, found = TEXTS["parts"]["backwards"], sizes(choice, target_of(seen, place))
    limits = common_limits("gradient sizes", choice, seen, place, exponents_of)
    span = None if limits is None else (-float(limits[0]), float(limits[1]))
    make = partial(chart, choice, seen, place, span)
    key = place.key("gradient-sizes")

    def choose() -> None:
        points = st.session_state[key].selection.points
        choose_key(points[0].get("customdata") if points else None)

    drawn.note(
        "gradient-sizes", texts["chart"], lambda: make("light"), numbers=lambda: make(mode())
    )
    st.plotly_chart(
        make(mode()),
        theme=None,
        key=key,
        config=CHART,
        on_select=repaints(choose),
        selection_mode="points",
        alt=texts["chart_alt"].format(
            logits=written(found["logits"]),
            last=written(found[f"blocks.{seen.config.depth - 1}.resid_post"]),
            first=written(found["blocks.0.resid_pre"]),
        ),
    )


def choose_key(clicked: Any) -> None:
    """Keep the tensor of a dot, as a browser hands it back: name, size and key."""
    key = clicked[-1] if isinstance(clicked, list | tuple) and clicked else clicked
    if not isinstance(key, str):
        return
    block, station = 0, key
    if found := re.fullmatch(r"blocks\.([0-9]{1,4})\.(.*)", key):
        block, station = int(found[1]), found[2]
    if station not in STATIONS or bool(found) != (station in IN_BLOCK):
        return
    if station in IN_BLOCK:
        session.change(station=station, block=block)
    else:
        session.change(station=station)


def chart(
    choice: Choice, seen: Observation, place: Place, span: tuple[float, float] | None, mode: Mode
) -> go.Figure:
    texts = TEXTS["parts"]["backwards"]
    return gradient_sizes(
        all_series(choice, seen, place),
        axes=(texts["way_axis"], texts["size_axis"]),
        ticks=ticks(seen.config.depth),
        hover=texts["hover"],
        mode=mode,
        chosen=key_of(place.station, place.block),
        span=span,
    )


def exponents_of(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return how far the axis of sizes goes down, with its sign turned, and up."""
    low, high = ends([exponents(sizes(choice, target_of(seen, place)).values())])
    return [-low, high]


def all_series(choice: Choice, seen: Observation, place: Place) -> list[Series]:
    """Return the stream, the inside of attention and that of the MLP, from the last tensor on."""
    texts, found = TEXTS["parts"]["backwards"], sizes(choice, target_of(seen, place))
    blocks = range(seen.config.depth - 1, -1, -1)
    on_stream: list[tuple[float, str, int]] = [(at, name, 0) for name, at in END.items()]
    attention: list[tuple[float, str, int]] = []
    mlp: list[tuple[float, str, int]] = []
    for index, block in enumerate(blocks):
        start = FIRST + WIDE * index
        on_stream += [(start, "resid_post", block), (start + WIDE / 2, "resid_mid", block)]
        mlp += spread(IN_MLP, start, block)
        attention += spread((*IN_ATTENTION, "norm1"), start + WIDE / 2, block)
    end = FIRST + WIDE * seen.config.depth
    on_stream += [(end, "embed", 0), (end + 0.5, "patch_embed", 0), (end + 1, "patches", 0)]
    stream_name = texts["stream" if flaws(choice).residual else "stream_replaced"]
    return [
        series_of(stream_name, on_stream, found, theme.ACCENT, True),
        series_of(texts["attention"], attention, found, theme.QUERY, False),
        series_of(texts["mlp"], mlp, found, theme.PATCH, False),
    ]


def spread(stations: Sequence[str], start: float, block: int) -> list[tuple[float, str, int]]:
    """Return stations evenly between two places of the stream."""
    step = WIDE / 2 / (len(stations) + 1)
    return [(start + step * (index + 1), name, block) for index, name in enumerate(stations)]


def series_of(
    name: str,
    stations: Sequence[tuple[float, str, int]],
    found: Mapping[str, float],
    shade: theme.Shade,
    has_line: bool,
) -> Series:
    keys = [key_of(station, block) for _, station, block in stations]
    return Series(
        name,
        [at for at, _, _ in stations],
        [found[key] for key in keys],
        [station_name(station, block) for _, station, block in stations],
        shade,
        keys,
        has_line,
    )


def ticks(depth: int) -> list[tuple[float, str]]:
    """Return where the logits, the blocks and the pixels stand along the way back."""
    texts = TEXTS["parts"]["backwards"]
    blocks = [(FIRST + WIDE * (index + 0.5), str(depth - index)) for index in range(depth)]
    return [(0.0, texts["out"]), *blocks, (FIRST + WIDE * depth + 1, texts["in"])]


def choose_station(place: Place) -> None:
    """Offer every tensor by its name, for those who do not click the chart."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls.choose(
            TEXTS["parts"]["backwards"]["tensor"],
            STATIONS[::-1],
            place.station,
            lambda station: session.change(station=station),
            key=place.key("tensor-choice"),
            format_func=TEXTS["stations"].__getitem__,
            width=300,
        )
        if place.station in IN_BLOCK and place.config.depth > 1:
            controls.pick_block(place)
        if place.station in OF_HEADS and place.config.num_heads > 1:
            controls.pick_head(place)


def show_beside(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw the stream of this model with and without its residual sums."""
    texts, target = TEXTS["parts"]["backwards"], target_of(seen, place)
    own, other = backwards.as_it_is(choice, target), backwards.with_other_sums(choice, target)
    has_sums = flaws(choice).residual
    with_sums, without = (own, other) if has_sums else (other, own)
    left, right = st.columns((3, 2), gap="large", vertical_alignment="center")
    with left:
        st.markdown(f"**{texts['beside']}**")
        show_chart(
            partial(ways_chart, [with_sums, without], ("with", "without"), "stream"),
            place,
            "with-and-without",
            texts["beside"],
            alt=texts["beside_alt"].format(
                with_sums=written(arriving(with_sums)), without=written(arriving(without))
            ),
        )
    words = texts["same_weights" if has_sums else "same_weights_without"]
    right.markdown(words.format(own=written(arriving(own)), other=written(arriving(other))))


def show_deep(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw the gradients of twelve new blocks, with and without residual sums and LayerNorm."""
    texts, config = TEXTS["parts"]["backwards"], seen.config
    st.subheader(texts["deep_title"], anchor=False)
    if not backwards.can_go_deep(config):
        size = gradient_bytes(config) * backwards.DEEP / config.depth
        st.markdown(
            texts["deep_too_large"].format(
                size=f"{size / MEGABYTE:,.0f}", most=f"{LARGEST / MEGABYTE:,.0f}"
            )
        )
        return
    st.markdown(texts["deep_text"].format(seed=backwards.SEED))
    ways = backwards.deep(choice, target_of(seen, place))
    columns = st.columns(2, gap="large")
    for column, which in zip(columns, ("stream", "scores"), strict=True):
        title = texts[f"deep_{which}"]
        column.markdown(f"**{title}**")
        show_chart(
            partial(ways_chart, [*ways.values()], ("with", "without", "neither"), which),
            place,
            f"deep-{which}",
            title,
            alt=texts["deep_alt"].format(
                title=title,
                **{name: written(shares(way, which)[-1]) for name, way in ways.items()},
            ),
            into=column,
        )
    st.markdown(deep_words(ways, config.num_tokens))


def deep_words(ways: Mapping[str, WayBack], tokens: int) -> str:
    texts = TEXTS["parts"]["backwards"]
    sound, without = ways["sound"], ways["no_residual"]
    said = texts["deep_words" if tokens > 1 else "deep_words_one"]
    return str(
        said.format(
            **{name: written(arriving(way)) for name, way in ways.items()},
            spread_with=percent(sound.spread),
            spread_without=percent(without.spread),
            scores_with=written(shares(sound, "scores")[0]),
            scores_without=written(shares(without, "scores")[0]),
        )
    )


def arriving(way: WayBack) -> float:
    """Return what arrives before block 1, of the size at the logits."""
    return shares(way, "stream")[-1]


def shares(way: WayBack, which: str) -> list[float]:
    """Return the sizes along the stream, or at the scores, divided by that at the logits."""
    found = way.stream if which == "stream" else way.scores
    return [size / way.logits if way.logits else 0.0 for size in found]


def ways_chart(ways: Sequence[WayBack], names: Sequence[str], which: str, mode: Mode) -> go.Figure:
    """Return a line for each model, over its blocks from the last to the first."""
    texts = TEXTS["parts"]["backwards"]
    looks = {
        "with": (theme.ACCENT, "solid"),
        "without": (theme.BAD, "dash"),
        "neither": (theme.MUTED, "dot"),
    }
    depth = len(ways[0].scores)
    offset = 0.5 if which == "stream" else 0.0
    series = []
    for name, way in zip(names, ways, strict=True):
        values = shares(way, which)
        shade, dash = looks[name]
        places = [index - offset for index in range(len(values))]
        series.append(
            Series(
                texts[name],
                places,
                values,
                place_names(which, depth),
                shade,
                dash=dash,
            )
        )
    step = 1 if depth <= 12 else int(np.ceil(depth / 12))
    return gradient_sizes(
        series,
        axes=(texts["way_axis"], texts["share_axis"]),
        ticks=[(float(index), str(depth - index)) for index in range(0, depth, step)],
        hover=texts["hover"],
        mode=mode,
        height=300,
        is_narrow=len(ways) > 2,
    )


def place_names(which: str, depth: int) -> list[str]:
    """Name the places of a line from the last block to the first."""
    blocks = range(depth - 1, -1, -1)
    if which == "scores":
        return [station_name("attn.scores", block) for block in blocks]
    last = station_name("resid_post", depth - 1)
    return [last, *(station_name("resid_pre", block) for block in blocks)]
