"""The page on position: what is added, where it comes from, and what a model loses without it."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explainer import code_panel, controls, positions, state
from explainer.code_panel import Snippet
from explainer.components.matrices import Matrix, matrices
from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.export import download_csv, matrix_csv, table_csv
from explainer.figures import pixels
from explainer.figures.grids import gridded
from explainer.figures.maps import every_map, maps
from explainer.figures.switched import before_after
from explainer.figures.waves import waves_chart
from explainer.notation import latex_number, precise_percent
from explainer.quiz import Question
from explainer.services import Observation
from explainer.shared import remember
from explainer.state import Cell, Choice
from explainer.theme import Mode
from explainer.tokens import prefix_names, token_names
from vit_core import ViTConfig
from vit_core.config import POSITIONS
from vit_core.interpret.position import Wave, position_similarity, shuffle_patches, wave
from vit_core.model import ViT, sincos_1d, sincos_2d

TEXTS = load_texts("position")
TOKENS = load_texts("token_explorer")
WAVES = ("sincos", "sincos2d")
MADE_BY = {  # the code that makes a table of each kind
    "learned": Snippet("table", ViT.__init__, ("self.pos_embed = nn.Parameter",)),
    "sincos": Snippet("table", sincos_1d, ("frequencies =", "angles =", "encoding =")),
    "sincos2d": Snippet(
        "table", sincos_2d, ("frequencies =", "column_angles =", "row_angles =", "parts =")
    ),
}
DRAWN = 4  # dimensions beside the chosen one
ZOOM = 8  # of a pixel in the pictures of the experiment


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    config, parts = seen.config, TEXTS["parts"]
    kind = positions.kind_of(choice)
    shown = f"{kind}_text"
    if kind == "learned" and config.pos_embed == "learned" and not choice.trained:
        shown = "learned_noise"
    return {
        "width": config.embed_dim,
        "patches": config.num_patches,
        "own_kind": TEXTS["own_kinds"][config.pos_embed],
        "twins": twins_text(choice, seen),
        "shown_kind_text": parts["similarity"][shown],
    }


def twins_text(choice: Choice, seen: Observation) -> str:
    """Say of two equal patches of this image what the position changes."""
    texts, config = TEXTS["parts"]["add"], seen.config
    twins = positions.twins(choice, seen)
    own = config.pos_embed != "none"
    if twins is None:
        then = [texts["added"]] if own else [texts["without"], texts["nothing_added"]]
        return " ".join([texts["no_twins"], *then])
    first, second = (config.num_prefix_tokens + patch for patch in twins)
    names, rows = names_of(config), seen.tensors["patch_embed"]
    after = gap(*(seen.tensors["embed"][token] for token in (first, second)))
    said = texts["same"].format(
        first=names[first],
        second=names[second],
        pixels=config.patch_dim,
        before=f"{gap(*(rows[patch] for patch in twins)):.2g}",
    )
    then = texts["same_added"].format(after=f"{after:.3g}") if own else texts["same_none"]
    return " ".join([said, then, texts["added" if own else "nothing_added"]])


def gap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def names_of(config: ViTConfig) -> list[str]:
    return token_names(config, TOKENS)


def place_names(config: ViTConfig) -> list[str]:
    """Name the tokens that have a position: [CLS], if there is one, and the patches."""
    names = names_of(config)
    return names[: config.pool == "cls"] + names[config.num_prefix_tokens :]


def query_of(choice: Choice, seen: Observation) -> int:
    """Return the chosen token; a telling patch until one is chosen, since [CLS] has no place."""
    if state.load().query is None:
        return seen.config.num_prefix_tokens + seen.telling_patch
    return state.get_query(choice, seen.telling_patch)


def place_of(choice: Choice, seen: Observation) -> int:
    """Return the row of the chosen token in the table; a register has none, so a patch's then."""
    config, query = seen.config, query_of(choice, seen)
    has_class = int(config.pool == "cls")
    if query < has_class:
        return query
    registers = config.num_registers
    patch = query - has_class - registers if query >= has_class + registers else seen.telling_patch
    return has_class + patch


def numbered(count: int) -> list[str]:
    words = TEXTS["parts"]["add"]["dimension"]
    return [words.format(number=place + 1) for place in range(count)]


def note(text: str) -> None:
    st.markdown(f":small[{' '.join(text.split())}]")


def areas(count: int) -> list[DeltaGenerator]:
    """Return containers below each other, each for things of one sort.

    What comes and goes with a choice is drawn in one of them, so that everything else keeps its
    place, and a container within one stays as an empty one: Streamlit's browser side fails where a
    quick hand brings something for a container that the run before has just taken away.
    """
    return [st.container() for _ in range(count)]


# the same patch, in another place


def show_add(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["add"], seen.config
    own = config.pos_embed != "none"
    query = query_of(choice, seen)
    shapes = dict.fromkeys(("tokens", "pos_embed"), (len(place_names(config)), config.embed_dim))
    shapes["embed"] = (config.num_tokens, config.embed_dim)
    shapes = shapes if own else {"embed": shapes["embed"]}
    cell = state.get_cell(shapes) or Cell("embed", query, 0)
    matrices(
        key="add",
        items=partial(added_matrices, seen),
        cell=cell,
        on_choose=state.set_cell,
        links={"token": query, "query": query},
        prefix=config.num_prefix_tokens,
        cache=choice,
    )
    if own:
        show_sum(seen, cell)
    if config.num_registers:
        note(texts["registers"])
    end = "" if config.pool == "cls" else "_mean"
    words = texts[f"paper{end}"] if own else texts["paper_none"]
    st.markdown(words.format(patches=config.num_patches, width=config.embed_dim))
    st.latex(texts[f"formula{'' if own else '_none'}{end}"])
    if own:
        download_csv(
            texts["download"],
            lambda: matrix_csv(
                seen.tensors["pos_embed"],
                place_names(config),
                numbered(config.embed_dim),
                "token",
            ),
            "position.csv",
            "own-position-csv",
        )


def added_matrices(seen: Observation) -> list[Matrix]:
    texts, config = TEXTS["parts"]["add"], seen.config
    dimensions = numbered(config.embed_dim)
    # with registers, the rows before and after they join are not the same ones
    row_axis = "" if config.num_registers else "token"
    shared = {
        "column_names": dimensions,
        "column_axis": "dimension",
        "row_axis": row_axis,
        # three side by side, as far as a cell can be pointed at
        "cell": "auto"
        if config.embed_dim <= 32 or config.pos_embed == "none"
        else max(3, 280 // config.embed_dim),
    }
    if config.pos_embed == "none":
        title = texts["embed_none"]
        return [Matrix("embed", seen.tensors["embed"], title, names_of(config), **shared)]
    names = place_names(config)
    found = [seen.tensors[name] for name in ("tokens", "pos_embed", "embed")]
    # one scale for the summands and their sum
    limit = max(float(np.abs(values).max()) for values in found) or None
    return [
        Matrix("tokens", found[0], texts["tokens"], names, limit=limit, **shared),
        Matrix(
            "pos_embed",
            found[1],
            texts["pos_embed"],
            names,
            limit=limit,
            note=texts["scale_note"],
            **shared,
        ),
        Matrix("embed", found[2], texts["embed"], names_of(config), limit=limit, **shared),
    ]


def show_sum(seen: Observation, cell: Cell) -> None:
    """The chosen cell as token + position."""
    texts, config = TEXTS["parts"]["add"], seen.config
    row = cell.row
    if cell.matrix == "embed":
        row = row_before(config, row)
        if row is None:
            return
    values = [seen.tensors[name][row, cell.column] for name in ("tokens", "pos_embed")]
    token = place_names(config)[row]
    st.markdown(texts["sum_of"].format(token=token, number=cell.column + 1))
    total = seen.tensors["embed"][row_after(config, row), cell.column]
    st.latex(texts["sum"] % (f"{values[0]:.6f}", signed(values[1]), f"{total:.6f}"))


def row_before(config: ViTConfig, token: int) -> int | None:
    """Return the row of a token before the registers join; None for a register."""
    has_class = int(config.pool == "cls")
    if token < has_class:
        return token
    return token - config.num_registers if token >= config.num_prefix_tokens else None


def row_after(config: ViTConfig, row: int) -> int:
    return row if row < int(config.pool == "cls") else row + config.num_registers


def signed(value: float) -> str:
    """Write a number with as many digits as float32 has; in brackets below 0."""
    return f"{value:.6f}" if value >= 0 else f"({value:.6f})"


# where the numbers come from


def keep_kind(choice: Choice, kind: str) -> None:
    state.change(kind=None if kind == choice.config.pos_embed else kind)


def show_table(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["table"], seen.config
    kind, own = positions.kind_of(choice), config.pos_embed
    controls.pick(
        texts["pick"],
        POSITIONS,
        kind,
        partial(keep_kind, choice),
        key="position-kind",
        format_func=lambda one: (
            texts["own_mark"].format(kind=TEXTS["kinds"][one])
            if one == own
            else TEXTS["kinds"][one]
        ),
    )
    names = place_names(config)
    sizes = {"count": f"{len(names) * config.embed_dim:,}", "width": config.embed_dim}
    words, picture, example, download, code = areas(5)
    words.markdown(texts[kind].format(**sizes))
    found = positions.table(choice, seen, kind)
    if found is None:
        picture.container()
        code.container()
        if kind != "none":
            words.markdown(texts[f"{kind}_missing"].format(**sizes))
        return
    if kind != own:
        words.markdown(texts["foreign_learned" if kind == "learned" else "foreign"])
    elif kind == "learned" and not choice.trained:
        words.markdown(texts["learned_untrained"])
    place = place_of(choice, seen)
    cell = state.get_cell({"table": found.shape}) or Cell("table", place, 0)
    dimensions = numbered(config.embed_dim)
    with picture:
        matrices(
            key="table",
            items=lambda: [
                Matrix(
                    "table",
                    found,
                    texts["positions"].format(kind=TEXTS["kinds"][kind]),
                    names,
                    dimensions,
                    row_axis="" if config.num_registers else "token",
                    column_axis="dimension",
                )
            ],
            cell=cell,
            on_choose=state.set_cell,
            links={"token": place} if not config.num_registers else {},
            prefix=config.num_prefix_tokens,
            cache=(choice, kind),
        )
    with example:
        show_cell(choice, seen, kind, found, cell)
    with download:
        download_csv(
            texts["download"],
            lambda: matrix_csv(found, names, dimensions, "place"),
            f"position-{kind}.csv",
            "table-csv",
        )
    with code:
        code_panel.show([MADE_BY[kind]])


def show_cell(choice: Choice, seen: Observation, kind: str, found: np.ndarray, cell: Cell) -> None:
    """Where the chosen cell's number comes from."""
    texts, config = TEXTS["parts"]["table"], seen.config
    place = place_names(config)[cell.row]
    value = float(found[cell.row, cell.column])
    if kind in WAVES:
        st.markdown(texts[f"{kind}_words"].format(quarter=config.embed_dim // 4))
        st.latex(texts[f"{kind}_formula"])
    if kind == "learned":
        noise = config.pos_embed == "learned" and not choice.trained
        words = texts["cell_noise" if noise else "cell_learned"]
        st.markdown(
            words.format(
                place=place,
                number=cell.column + 1,
                value=written(value, 6),
                count=f"{found.size:,}",
            )
        )
        return
    st.markdown(texts["cell_of"].format(place=place, number=cell.column + 1, index=cell.column))
    if kind == "sincos2d" and cell.row < int(config.pool == "cls"):
        st.markdown(texts["cell_zero"].format(place=place))
    else:
        st.latex(texts[f"{kind}_cell"] % worked(config, kind, cell, value))


def worked(config: ViTConfig, kind: str, cell: Cell, value: float) -> tuple[object, ...]:
    """Return what the worked formula of one cell needs: the wave at the cell's place."""
    one = wave(kind, config.embed_dim, cell.column)
    if kind == "sincos":
        place, power, base = cell.row, cell.column // 2 * 2, config.embed_dim
    else:
        row, column = divmod(cell.row - int(config.pool == "cls"), config.grid_size[1])
        quarter = config.embed_dim // 4
        place = row if one.along == "row" else column
        power, base = cell.column % quarter, max(quarter - 1, 1)
    frequency = f"{one.frequency:.6g}"
    if "e" in frequency:
        frequency = latex_number(one.frequency)
    return (
        f"\\{one.function}", place, power, base, f"\\{one.function}", place, frequency,
        f"{value:.6f}",
    )  # fmt: skip


# one dimension at a time


def dimensions_of(kind: str, found: np.ndarray) -> list[int]:
    """Return some telling dimensions: waves from fast to slow, or those that differ most."""
    width = found.shape[1]
    if kind == "sincos":
        pairs = (width + 1) // 2
        return sorted({2 * round(at) for at in np.linspace(0, pairs - 1, min(DRAWN, pairs))})
    if kind == "sincos2d":
        quarter = width // 4
        return sorted({round(at) for at in np.linspace(0, quarter - 1, min(DRAWN, quarter))})
    order = np.argsort(-found.std(axis=0), kind="stable")
    return sorted(order[:DRAWN].tolist())


def unit_of(kind: str, found: np.ndarray) -> int:
    """Return the chosen dimension; until one is chosen, a wave that swings about once or twice."""
    unit = state.load().unit
    if unit is not None:
        return min(unit, found.shape[1] - 1)
    telling = dimensions_of(kind, found)
    return telling[min(1, len(telling) - 1)]


def show_curves(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["curves"], seen.config
    kind = positions.kind_of(choice)
    found = positions.table(choice, seen, kind)
    if found is None:
        show_missing("curves", kind, config)
        return
    unit = unit_of(kind, found)
    controls.slide(
        texts["slide"],
        range(config.embed_dim),
        unit,
        partial(keep_unit, unit),
        # a widget for each kind: each starts elsewhere, and none takes over the value of another
        key=f"position-unit-{kind}",
        format_func=lambda one: str(one + 1),
        help=texts["slide_help"],
    )
    telling = dimensions_of(kind, found)
    if kind == "sincos2d" and unit >= config.embed_dim // 2:  # waves over the rows
        telling = [one + config.embed_dim // 2 for one in telling]
    shown = sorted({*telling, unit})
    if kind in WAVES:
        show_waves(config, kind, shown, unit)
    st.html(
        remember(
            ("position maps", choice if kind == config.pos_embed else config, kind, unit),
            lambda: draw_maps(config, kind, found, shown, unit),
        )
    )
    note(texts["maps_note" if kind in WAVES else "learned_note"])
    names = [texts["name"].format(number=one + 1) for one in shown]
    download_csv(
        texts["download"],
        lambda: matrix_csv(found[:, shown], place_names(config), names, "place"),
        f"position-{kind}-dimensions.csv",
        "curves-csv",
    )


def keep_unit(shown: int, chosen: int) -> None:
    # a slider that comes back hands over what it starts with, which nobody chose
    if chosen != shown:
        state.change(unit=chosen)


def show_missing(part: str, kind: str, config: ViTConfig) -> None:
    """Say why there is no table of this kind."""
    if kind == "none":
        st.markdown(TEXTS["parts"][part]["nothing"])
    else:
        words = TEXTS["parts"]["table"][f"{kind}_missing"]
        st.markdown(words.format(width=config.embed_dim))


def places_along(config: ViTConfig, along: str) -> int:
    """Return how many places a wave has."""
    rows, columns = config.grid_size
    return {"position": positions.position_count(config), "row": rows, "column": columns}[along]


def steps_of(one: Wave) -> str:
    """Write how many steps a full swing takes."""
    steps = 2 * np.pi / one.frequency
    return f"{steps:,.0f}" if steps >= 100 else f"{steps:.1f}"


def show_waves(config: ViTConfig, kind: str, shown: list[int], unit: int) -> None:
    texts = TEXTS["parts"]["curves"]
    own = wave(kind, config.embed_dim, unit)
    count = places_along(config, own.along)
    names = [texts["name"].format(number=one + 1) for one in shown]
    words = {
        "along": texts[f"along_{own.along}"],
        "steps": steps_of(own),
        "places": count,
        "chosen": texts["name"].format(number=unit + 1),
    }
    st.plotly_chart(
        chart(
            kind,
            config.embed_dim,
            tuple(shown),
            shown.index(unit),
            count,
            "dark" if st.context.theme.type == "dark" else "light",
        ),
        theme=None,
        key="position-waves",
        config={"displayModeBar": "hover", "displaylogo": False},
        alt=texts["chart_alt"].format(names=", ".join(names), **words),
    )
    note(texts["waves_note"].format(**words))


@lru_cache(maxsize=128)  # making a figure costs more than all the rest of the page
def chart(
    kind: str, width: int, shown: tuple[int, ...], chosen: int, places: int, mode: Mode
) -> go.Figure:
    texts = TEXTS["parts"]["curves"]
    found = [wave(kind, width, one) for one in shown]
    return waves_chart(
        [partial(height, one) for one in found],
        [texts["name"].format(number=one + 1) for one in shown],
        chosen,
        places,
        axis=texts[f"axis_{found[chosen].along}"],
        hover=texts["hover"],
        mode=mode,
    )


def height(one: Wave, places: np.ndarray) -> np.ndarray:
    return (np.cos if one.function == "cos" else np.sin)(one.frequency * places)


def draw_maps(config: ViTConfig, kind: str, found: np.ndarray, shown: list[int], unit: int) -> str:
    texts = TEXTS["parts"]["curves"]
    on_patches = found[-config.num_patches :]
    pictures = []
    for one in shown:
        values, name = on_patches[:, one], texts["name"].format(number=one + 1)
        if kind in WAVES:
            here = wave(kind, config.embed_dim, one)
            along = texts[f"along_{here.along}"]
            line = texts["wave"].format(steps=steps_of(here), along=along)
        else:
            line = texts["wave_learned"].format(spread=f"{values.std():.3f}")
        least, most = f"{values.min():.3f}", f"{values.max():.3f}"
        alt = texts["map_alt"].format(name=name, least=least, most=most)
        pictures.append((values.reshape(config.grid_size), name, line, alt))
    return maps(pictures, shown.index(unit))


# which places are alike


def show_similarity(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["similarity"], seen.config
    kind = positions.kind_of(choice)
    cosines = positions.similarity(choice, seen, kind)
    pictures, words = areas(2)
    chosen, every = pictures.columns(2, gap="large")
    with chosen:
        title, picker, nearest = areas(3)
    if cosines is None:
        picker.container()
        with words:
            show_missing("similarity", kind, config)
        return
    place, names = place_of(choice, seen), place_names(config)
    first = int(config.pool == "cls")
    token = row_after(config, place)
    tokens = np.concatenate([cosines[place, :first], np.zeros(config.num_registers, np.float32)])
    title.markdown(f"**{texts['picture'].format(query=names[place])}**")
    with picker:
        token_picker(
            key="alike",
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=prefix_names(config, TOKENS),
            query=token,
            on_choose=lambda clicked: state.set_query(clicked["query"]),
            values=np.concatenate([tokens, cosines[place, first:]]),
            scale="diverging",
            limit=1.0,
            width=320,
            cache=(choice, kind, place),
        )
    nearest.markdown(nearest_words(cosines, place, first, names))
    with every:
        st.markdown(f"**{texts['all']}**")
        st.html(
            remember(
                ("every map", choice if kind == config.pos_embed else config, kind, place),
                lambda: draw_every(config, cosines, place),
            )
        )
    rows, columns = config.grid_size
    with words:
        note(texts["note"].format(count=config.num_patches, rows=rows, columns=columns))
        if first:
            note(texts["note_class"])
        download_csv(
            texts["download"],
            lambda: matrix_csv(cosines, names, names, "place"),
            f"position-{kind}-cosines.csv",
            "cosines-csv",
        )


def draw_every(config: ViTConfig, cosines: np.ndarray, place: int) -> str:
    first = int(config.pool == "cls")
    patches = cosines[first:, first:]
    grid = patches.reshape(config.grid_size * 2)
    beside = [grid[r, c, r, c + 1] for r, c in np.ndindex(grid.shape[0], grid.shape[1] - 1)]
    alt = TEXTS["parts"]["similarity"]["all_alt"].format(
        count=len(patches),
        near=f"{np.mean(beside) if beside else 1:.2f}",
        mean=f"{patches.mean():.2f}",
    )
    return every_map(patches, config.grid_size, place - first if place >= first else None, alt)


def nearest_words(cosines: np.ndarray, place: int, first: int, names: list[str]) -> str:
    """Say which patches' positions are most and least like that of ``place``."""
    texts = TEXTS["parts"]["similarity"]
    others = [other for other in range(first, len(names)) if other != place]
    if not others:
        return texts["single"]
    if not cosines[place].any():
        return texts["zero_line"].format(query=names[place])
    nearest = max(others, key=lambda other: cosines[place, other])
    farthest = min(others, key=lambda other: cosines[place, other])
    return texts["chosen_line"].format(
        nearest=names[nearest],
        value=f"{cosines[place, nearest]:.3f}",
        farthest=names[farthest],
        least=written(float(cosines[place, farthest]), 3),
    )


# the experiment


def show_shuffle(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["shuffle"], seen.config
    if config.num_patches < 2:
        st.markdown(texts["only"])
        return
    seed = state.load().shuffle
    with st.container(horizontal=True, vertical_alignment="center"):
        # one button all the way, so that the keyboard's focus stays on it
        st.button(
            texts["again" if seed else "shuffle"],
            key="shuffle-patches",
            type="primary",
            on_click=lambda: state.change(shuffle=seed % state.MOST + 1),
        )
        st.button(
            texts["back"],
            key="order-patches",
            disabled=not seed,
            on_click=lambda: state.change(shuffle=0),
        )
    found = positions.shuffled(choice, seen, seed)
    st.html(remember(("shuffle pictures", choice, seed), lambda: draw_both(seen, found, seed)))
    answer = seen.prediction
    tables, words = areas(2)
    if not seed:
        share = precise_percent(float(seen.probabilities[answer]))
        words.markdown(texts["invite"].format(answer=seen.class_names[answer], share=share))
        return
    with tables:
        show_tables(seen, found)
    with words:
        note(texts["bars"])
        if found.without is not None:
            st.markdown(texts["maimed"] if choice.trained else untrained_words(seen, found))
        st.markdown(why_words(config))
        download_csv(
            texts["download"],
            partial(shuffle_csv, seen, found),
            f"shuffle-{seed}.csv",
            "shuffle-csv",
        )


def why_words(config: ViTConfig) -> str:
    texts = TEXTS["parts"]["shuffle"]
    return texts["why"].format(
        pooling=texts[f"pooling_{config.pool}"], pooling_why=texts["pooling_why"]
    )


def draw_both(seen: Observation, found: positions.Shuffled, seed: int) -> str:
    """Both pictures beside each other, cut by the lines of the grid."""
    texts, (rows, columns) = TEXTS["parts"]["shuffle"], seen.config.grid_size
    pictures = [(seen.pixels, texts["picture_order"], texts["alt_order"])]
    if seed:
        title = texts["picture_shuffled"].format(seed=seed)
        pictures.append((found.pixels, title, texts["alt_shuffled"]))
    figures = []
    for values, title, alt in pictures:
        large = gridded(values, (rows, columns), ZOOM)[..., 0]
        figures.append(
            f'<figure style="flex:0 1 14rem;min-width:8rem;margin:0">'
            f'<img style="display:block;width:100%;border-radius:3px" '
            f'src="{pixels.grey_image(large)}" alt="{alt.format(rows=rows, columns=columns)}">'
            f'<figcaption style="margin-top:0.375rem">{title}</figcaption></figure>'
        )
    return f'<div style="display:flex;gap:1.5rem">{"".join(figures)}</div>'


def show_tables(seen: Observation, found: positions.Shuffled) -> None:
    """The logits in order and shuffled, with position and without."""
    texts = TEXTS["parts"]["shuffle"]
    if found.without is None:
        show_logits(texts["never_title"], found.with_position, seen)
        st.markdown(equal_words(found.with_position))
        return
    left, right = st.columns(2, gap="large")
    with left:
        show_logits(texts["with_title"], found.with_position, seen)
        st.markdown(change_words(found.with_position, seen))
    with right:
        show_logits(texts["without_title"], found.without, seen)
        st.markdown(equal_words(found.without))


def untrained_words(seen: Observation, found: positions.Shuffled) -> str:
    """Say how much the position of an untrained model weighs beside its patches."""
    texts = TEXTS["parts"]["shuffle"]
    size = np.linalg.norm(seen.tensors["pos_embed"]) / np.linalg.norm(seen.tensors["tokens"])
    much = texts["little" if positions.change(found.with_position) < 0.1 else "clearly"]
    return texts["untrained"].format(size=f"{size:.2g} ×", much=much)


def show_logits(title: str, logits: np.ndarray, seen: Observation) -> None:
    texts = TEXTS["parts"]["shuffle"]
    st.markdown(f"**{title}**")
    before, after = softmax(logits)
    st.html(
        before_after(
            before,
            after,
            seen.class_names,
            [
                (written(old), written(new), written(new - old))
                for old, new in logits.T.astype(np.float64).tolist()
            ],
            (texts["class"], texts["in_order"], texts["shuffled"], texts["change"]),
            texts["caption"].format(title=title),
        )
    )


def written(number: float, digits: int = 4) -> str:
    """Write a number with a true minus; what rounds to nothing has no sign."""
    text = f"{abs(number):.{digits}f}"
    return f"−{text}" if number < 0 and float(text) else text


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def change_words(logits: np.ndarray, seen: Observation) -> str:
    """Say how far the shuffle moved the logits and the answer."""
    texts, shares = TEXTS["parts"]["shuffle"], softmax(logits)
    if positions.stays(logits):
        return texts["unmoved"].format(change=latex_number(positions.change(logits)))
    old, new = shares.argmax(axis=1)
    words = texts["answer_stays" if old == new else "answer_moves"].format(
        old=seen.class_names[old],
        new=seen.class_names[new],
        old_share=precise_percent(float(shares[0, old])),
        new_share=precise_percent(float(shares[1, new])),
    )
    return f"{texts['moves'].format(change=f'{positions.change(logits):.4g}')} {words}"


def equal_words(logits: np.ndarray) -> str:
    texts, largest = TEXTS["parts"]["shuffle"], positions.change(logits)
    said = texts["equal"].format(change=latex_number(largest))
    return f"{said} {texts['rounding' if largest else 'exactly']}"


def shuffle_csv(seen: Observation, found: positions.Shuffled) -> str:
    header = ["class", "in order", "shuffled"]
    columns = [*found.with_position]
    if found.without is not None:
        header += ["in order, position off", "shuffled, position off"]
        columns += [*found.without]
    rows = zip(seen.class_names, *(column.tolist() for column in columns), strict=True)
    return table_csv(header, list(rows))


PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {
    "add": show_add,
    "table": show_table,
    "curves": show_curves,
    "similarity": show_similarity,
    "shuffle": show_shuffle,
}
CODE = (
    Snippet("add", ViT.embed, ("x_BND = x_BND + tap",)),
    Snippet("similarity", position_similarity, ("unit_ND =", "return")),
    Snippet("shuffle", shuffle_patches, ("patches_BPV =", "grid =")),
)


# questions


def questions(choice: Choice, seen: Observation) -> list[Question]:
    found = positions.shuffled(choice, seen, state.load().shuffle or 1)
    asked = [ask_shuffle(found), ask_learned(seen.config), ask_orders(seen.config)]
    if found.without is not None:
        asked.insert(1, ask_off(found))
    kind = positions.kind_of(choice)
    if kind in WAVES and positions.table(choice, seen, kind) is not None:
        asked.append(ask_fastest(seen.config, kind))
    if nearest := ask_nearest(choice, seen, kind):
        asked.append(nearest)
    return asked


def ask_shuffle(found: positions.Shuffled) -> Question:
    words = TEXTS["questions"]["shuffle"]
    equal = positions.stays(found.with_position)
    change = positions.change(found.with_position)
    return Question(
        "shuffle",
        words["text"].format(seed=state.load().shuffle or 1),
        (words["equal"], words["change"]),
        0 if equal else 1,
        words["why_equal" if equal else "why_change"].format(change=f"{change:.2g}"),
    )


def ask_off(found: positions.Shuffled) -> Question:
    words = TEXTS["questions"]["off"]
    return Question(
        "off",
        words["text"],
        (words["equal"], words["change"]),
        0 if positions.stays(found.bare) else 1,
        words["why"].format(change=f"{positions.change(found.bare):.2g}"),
    )


def ask_learned(config: ViTConfig) -> Question:
    words = TEXTS["questions"]["learned"]
    rows, width = positions.position_count(config), config.embed_dim
    right = config.parameters_by_part["pos_embed"]
    options = list(dict.fromkeys((0, rows, width, rows * width)))
    reason = "none" if config.pos_embed == "none" else "learned" if right else "fixed"
    why = words[f"why_{reason}"].format(
        rows=rows, width=width, count=f"{right:,}", kind=TEXTS["own_kinds"][config.pos_embed]
    )
    return Question(
        "learned",
        words["text"],
        tuple(f"{option:,}" for option in options),
        options.index(right),
        why,
    )


def ask_orders(config: ViTConfig) -> Question:
    words = TEXTS["questions"]["orders"]
    patches = config.num_patches
    options = (words["one"], words["patches"].format(patches=patches), words["all"])
    return Question("orders", words["text"].format(patches=patches), options, 0, words["why"])


def ask_fastest(config: ViTConfig, kind: str) -> Question:
    """Ask for the fastest of four dimensions of one axis, listed from slow to fast."""
    words = TEXTS["questions"]["fastest"]
    names = TEXTS["kinds"]
    width = config.embed_dim if kind == "sincos" else config.embed_dim // 4
    step = 2 if kind == "sincos" else 1
    every = list(range(0, width, step))
    shown = [every[round(at)] for at in np.linspace(len(every) - 1, 0, min(4, len(every)))]
    waves = [wave(kind, config.embed_dim, one) for one in shown]
    labels = [words["dimension"].format(number=one + 1) for one in shown]
    values = ", ".join(f"{label} {steps_of(one)}" for label, one in zip(labels, waves, strict=True))
    fastest = max(range(len(waves)), key=lambda at: waves[at].frequency)
    return Question(
        "fastest",
        words["text"].format(kind=names[kind]),
        tuple(labels),
        fastest,
        words["why"].format(values=values),
    )


def ask_nearest(choice: Choice, seen: Observation, kind: str) -> Question | None:
    """Ask for the most similar of four places; None where no place is clearly the most similar."""
    cosines = positions.similarity(choice, seen, kind)
    place, first = place_of(choice, seen), int(seen.config.pool == "cls")
    if cosines is None:
        return None
    row, names, words = cosines[place], place_names(seen.config), TEXTS["questions"]["nearest"]
    others = [other for other in range(first, len(names)) if other != place]
    others.sort(key=lambda other: -row[other])
    if not others:
        return None
    picked = {others[round(at)] for at in np.linspace(0, len(others) - 1, min(4, len(others)))}
    best = others[0]
    # one that is as similar would be as right
    options = sorted(one for one in picked if one == best or row[one] < row[best] - 1e-4)
    values = ", ".join(f"{names[one]} {written(float(row[one]), 3)}" for one in options)
    if len(options) < 2:
        return None
    return Question(
        "nearest",
        words["text"].format(kind=TEXTS["kinds"][kind], query=names[place]),
        tuple(names[one] for one in options),
        options.index(best),
        words["why"].format(values=values),
    )
