"""The page on the encoder block: the residual stream, what flows into it, LayerNorm and the MLP."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from explainer import controls, state
from explainer.arithmetic_view import cell_name, show_arithmetic, show_hint
from explainer.badge import equals_pytorch
from explainer.code_panel import Snippet
from explainer.components.matrices import Matrix, matrices
from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.export import download_csv, matrix_csv, table_csv
from explainer.figures.block_flow import block_flow
from explainer.figures.layer_norm import before_and_after, gelu_curve
from explainer.figures.looks import look, looks
from explainer.flawed import flaws
from explainer.notation import percent
from explainer.quiz import Question
from explainer.services import Observation
from explainer.small_print import note
from explainer.state import Cell, Choice
from explainer.tokens import prefix_names, token_names
from explainer.weights import weights
from vit_core import ViTConfig
from vit_core.model import EncoderBlock, Mlp

TEXTS = load_texts("encoder_block")
TOKENS = load_texts("token_explorer")
STREAM = ("resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post")
COPIES = ("norm1", "norm2")
HIDDEN = ("mlp.pre", "mlp.post")
CHART = {"displayModeBar": "hover", "displaylogo": False}


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    config = seen.config
    many = TEXTS["depth_one" if config.depth == 1 else "depth_many"]
    return {
        "width": config.embed_dim,
        "units": config.mlp_dim,
        "tokens": config.num_tokens,
        "depth_words": many.format(depth=config.depth),
        "block": state.get_block(choice) + 1,
        "query": names_of(config)[query_of(choice, seen)],
    }


def query_of(choice: Choice, seen: Observation) -> int:
    return state.get_query(choice, seen.telling_patch)


def names_of(config: ViTConfig) -> list[str]:
    return token_names(config, TOKENS)


def row(choice: Choice, seen: Observation, name: str) -> np.ndarray:
    """Return the chosen token's row of one tensor of the chosen block."""
    return seen.tensors[f"blocks.{state.get_block(choice)}.{name}"][query_of(choice, seen)]


def length(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector.astype(np.float64)))


def cosine(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return the cosine of two rows; None where one of them is zero."""
    size = length(one) * length(other)
    return float(one.astype(np.float64) @ other.astype(np.float64)) / size if size else None


def numbered(words: str, count: int) -> list[str]:
    return [words.format(number=place + 1) for place in range(count)]


def mode() -> str:
    return st.context.theme.type or "light"


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    return {
        "stream": (len(STREAM), config.embed_dim),
        "normed": (len(COPIES), config.embed_dim),
        "learned": (2, config.embed_dim),
        "hidden": (2, config.mlp_dim),
        "lengths": (3, config.depth),
    }


def chosen_cell(start: Cell, config: ViTConfig, *names: str) -> Cell:
    """Return the link's cell, or ``start`` while it is in none of the named matrices."""
    shapes = cell_shapes(config)
    return state.get_cell({name: shapes[name] for name in names}) or start


def place_of(choice: Choice, seen: Observation) -> tuple:
    """Return what the pictures of a token depend on."""
    return choice, state.get_block(choice), query_of(choice, seen)


def explain(choice: Choice, seen: Observation, items: list[Matrix]) -> None:
    """Show where the chosen cell's number comes from, if it is in one of these matrices."""
    cell = state.get_cell({item.name: np.shape(item.values) for item in items})
    if cell is None:
        show_hint()
        return
    item = next(item for item in items if item.name == cell.matrix)
    rows = {"stream": STREAM, "normed": COPIES, "hidden": HIDDEN, "learned": ("norm1",) * 2}
    name = rows[cell.matrix][cell.row]
    key = f"blocks.{state.get_block(choice)}.{name}"
    if name == "resid_pre":  # the same rows, as what comes before made them
        block = state.get_block(choice) - 1
        key = f"blocks.{block}.resid_post" if block >= 0 else "embed"
    if cell.matrix == "learned":
        key = f"{key}.weight"
    where = cell_name(item, cell)
    show_arithmetic(choice, seen, key, (query_of(choice, seen), cell.column), where)


# the stream


def show_flow(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["flow"], seen.config
    controls.pick_block(choice)
    picker, picture = st.columns((1, 3), gap="large", vertical_alignment="center")
    with picker:
        token_picker(
            key="block-tokens",
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=prefix_names(config, TOKENS),
            query=query_of(choice, seen),
            on_choose=lambda clicked: state.set_query(clicked["query"]),
            width=200,
            cache=choice,
        )
    with picture:
        show_diagram(choice, seen)
    matrices(
        key="block-stream",
        items=partial(stream_matrices, choice, seen),
        cell=chosen_cell(Cell("stream", 2, 0), config, "stream", "normed"),
        on_choose=state.set_cell,
        cache=place_of(choice, seen),
    )
    explain(choice, seen, stream_matrices(choice, seen))
    note(texts["note" if flaws(choice).residual else "note_replaced"])
    st.markdown(texts["why"])
    download_csv(
        texts["download"], partial(stream_csv, choice, seen), "stream.csv", "block-stream-csv"
    )


def show_diagram(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["flow"]
    names = ("before", "attention", "middle", "mlp", "after")
    lengths = {
        name: f"{length(row(choice, seen, key)):.2f}"
        for name, key in zip(names, STREAM, strict=True)
    }
    made = flaws(choice)
    alt = texts["diagram" if made.residual else "diagram_replaced"]
    if not made.layer_norm:
        alt = f"{alt} {texts['diagram_without_norm']}"
    st.html(
        block_flow(
            lengths,
            texts,
            alt.format(**facts(choice, seen), **lengths),
            residual=made.residual,
            layer_norm=made.layer_norm,
        )
    )


def stream_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, dimensions = TEXTS["parts"]["flow"], numbered_dimensions(seen.config)
    return [
        Matrix(
            "stream",
            np.stack([row(choice, seen, name) for name in STREAM]),
            texts["stream"].format(**facts(choice, seen)),
            [texts[name] for name in STREAM],
            dimensions,
            row_axis="station",
            column_axis="dimension",
        ),
        Matrix(
            "normed",
            np.stack([row(choice, seen, name) for name in COPIES]),
            texts["normed"],
            [texts[name] for name in COPIES],
            dimensions,
            row_axis="copy",
            column_axis="dimension",
        ),
    ]


def numbered_dimensions(config: ViTConfig) -> list[str]:
    return numbered(TEXTS["parts"]["flow"]["dimension"], config.embed_dim)


def stream_csv(choice: Choice, seen: Observation) -> str:
    names = (*STREAM, *COPIES)
    table = np.stack([row(choice, seen, name) for name in names])
    return matrix_csv(table, names, numbered_dimensions(seen.config), "station")


# length and direction


def show_sizes(choice: Choice, seen: Observation) -> None:
    texts, words = TEXTS["parts"]["sizes"], facts(choice, seen)
    before, attention, middle, mlp, after = (row(choice, seen, name) for name in STREAM)
    change = after.astype(np.float64) - before
    names = ("part", "length", "share", "with_stream", "with_change")
    rows = (
        (texts["attention"], *compared(attention, before, change)),
        (texts["mlp"], *compared(mlp, middle, change)),
    )
    columns = zip(*rows, strict=True)
    st.table(
        {texts[name]: list(column) for name, column in zip(names, columns, strict=True)},
        border="horizontal",
        hide_index=True,
    )
    turned = cosine(before, after)
    if turned is None:
        st.markdown(texts["zero"].format(**words))
    else:
        larger = texts["attention" if length(attention) > length(mlp) else "mlp"]
        st.markdown(
            texts["verdict_turns"].format(
                larger=larger,
                before=f"{length(before):.2f}",
                after=f"{length(after):.2f}",
                cosine=f"{turned:.2f}",
                **words,
            )
        )
    note(texts["note"])


def compared(added: np.ndarray, stream: np.ndarray, change: np.ndarray) -> tuple[str, ...]:
    """Return an added row's length, alone and against the stream, and its two cosines."""
    before = length(stream)
    return (
        f"{length(added):.3f}",
        f"{100 * length(added) / before:.0f} %" if before else "–",
        *(written(cosine(added, other)) for other in (stream, change)),
    )


def written(share: float | None) -> str:
    return "–" if share is None else f"{share:+.2f}".replace("-", "−")


# LayerNorm


def show_norm(choice: Choice, seen: Observation) -> None:
    texts, config, words = TEXTS["parts"]["norm"], seen.config, facts(choice, seen)
    st.latex(texts["formula"])
    before, after = row(choice, seen, "resid_pre"), row(choice, seen, "norm1")
    numbers = {
        f"{name}_{when}": f"{value:.3f}".replace("-", "−")
        for when, values in (("before", before), ("after", after))
        for name, value in (("mean", values.mean()), ("deviation", values.std()))
    }
    for column, when in zip(st.columns(2), ("before", "after"), strict=True):
        with column:
            st.markdown(f"**{texts[when].format(**words)}**")
            note(
                texts["statistics"].format(
                    mean=numbers[f"mean_{when}"], deviation=numbers[f"deviation_{when}"]
                )
            )
    st.plotly_chart(
        before_and_after(
            before, after, axis=texts["value"], count_axis=texts["count"], mode=mode()
        ),
        theme=None,
        key="block-norm",
        config=CHART,
        alt=texts["alt"].format(**numbers, **words),
    )
    matrices(
        key="block-learned",
        items=partial(learned_matrices, choice, seen),
        cell=chosen_cell(Cell("learned", 0, 0), config, "learned"),
        on_choose=state.set_cell,
        cache=(choice, state.get_block(choice)),
    )
    explain(choice, seen, learned_matrices(choice, seen))
    note(texts["note"].format(epsilon=f"{config.norm_eps:g}"))


def learned_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, held = TEXTS["parts"]["norm"], weights(choice)
    name = f"blocks.{state.get_block(choice)}.norm1"
    return [
        Matrix(
            "learned",
            np.stack([held[f"{name}.weight"], held[f"{name}.bias"]]),
            texts["learned" if choice.trained else "learned_untrained"],
            [texts["gamma"], texts["beta"]],
            numbered_dimensions(seen.config),
            row_axis="parameter",
            column_axis="dimension",
        )
    ]


# the MLP


def unit_of(choice: Choice, seen: Observation) -> int:
    """Return the chosen hidden unit, the one that is strongest for the token until one is."""
    unit = state.load().unit
    if unit is None:
        unit = int(row(choice, seen, "mlp.post").argmax())
    return min(unit, seen.config.mlp_dim - 1)


def choose_unit(cell: Cell) -> None:
    state.change(unit=cell.column, cell=f"{cell.matrix}.{cell.row}.{cell.column}")


def active_units(choice: Choice, seen: Observation) -> int:
    return int((row(choice, seen, "mlp.pre") > 0).sum())


def show_mlp(choice: Choice, seen: Observation) -> None:
    texts, config, words = TEXTS["parts"]["mlp"], seen.config, facts(choice, seen)
    unit = unit_of(choice, seen)
    st.latex(texts["formula"])
    matrices(
        key="block-hidden",
        items=partial(hidden_matrices, choice, seen),
        cell=chosen_cell(Cell("hidden", 1, unit), config, "hidden"),
        on_choose=choose_unit,
        cache=place_of(choice, seen),
    )
    explain(choice, seen, hidden_matrices(choice, seen))
    st.markdown(texts["active"].format(active=active_units(choice, seen), **words))
    left, right = st.columns((1, 3), gap="large")
    with left:
        show_unit(choice, seen, unit)
    with right:
        show_curve(choice, seen, unit)
    download_csv(
        texts["download"],
        lambda: matrix_csv(
            seen.tensors[f"blocks.{state.get_block(choice)}.mlp.post"],
            names_of(config),
            numbered(texts["unit"], config.mlp_dim),
            "token",
        ),
        "hidden-units.csv",
        "block-hidden-csv",
    )


def hidden_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["mlp"]
    return [
        Matrix(
            "hidden",
            np.stack([row(choice, seen, "mlp.pre"), row(choice, seen, "mlp.post")]),
            texts["hidden"].format(**facts(choice, seen)),
            [texts["pre"], texts["post"]],
            numbered(texts["unit"], seen.config.mlp_dim),
            row_axis="side",
            column_axis="unit",
        )
    ]


def show_unit(choice: Choice, seen: Observation, unit: int) -> None:
    """One hidden unit's activation over the image."""
    texts, config = TEXTS["parts"]["mlp"], seen.config
    values = seen.tensors[f"blocks.{state.get_block(choice)}.mlp.post"][:, unit]
    on_patches = values[config.num_prefix_tokens :]
    strongest = config.num_prefix_tokens + int(on_patches.argmax())
    largest = f"{on_patches.max():.2f}".replace("-", "−")
    names = names_of(config)
    alt = texts["unit_alt"].format(unit=unit + 1, strongest=names[strongest], value=largest)
    amounts = np.maximum(on_patches, 0).reshape(config.grid_size)
    own = f"{row(choice, seen, 'mlp.post')[unit]:.2f}".replace("-", "−")
    lines = [
        texts["unit_value"].format(query=names[query_of(choice, seen)], value=own),
        texts["unit_largest"].format(value=largest),
        texts["unit_note"],
    ]
    picture = look(seen.pixels, amounts, alt, max(float(amounts.max()), 1e-6))
    st.html(looks([(picture, texts["unit_title"].format(unit=unit + 1), lines)]))


def show_curve(choice: Choice, seen: Observation, unit: int) -> None:
    texts, words = TEXTS["parts"]["mlp"], facts(choice, seen)
    st.markdown(f"**{texts['curve']}**")
    st.plotly_chart(
        gelu_curve(
            row(choice, seen, "mlp.pre"),
            row(choice, seen, "mlp.post"),
            unit,
            axis=texts["curve_x"],
            height_axis=texts["curve_y"],
            hover=texts["curve_hover"],
            mode=mode(),
        ),
        theme=None,
        key="block-gelu",
        config=CHART,
        alt=texts["curve_alt"].format(active=active_units(choice, seen), **words),
    )


# all blocks


def lengths(seen: Observation, token: int) -> np.ndarray:
    """Return the lengths of stream, attention's and the MLP's row in each block, (3, depth)."""
    return np.array(
        [
            [length(seen.tensors[f"blocks.{block}.{name}"][token]) for block in range(depth)]
            for name in ("resid_pre", "attn_out", "mlp_out")
            for depth in (seen.config.depth,)
        ],
        dtype=np.float32,
    )


def show_overview(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["overview"], seen.config
    matrices(
        key="block-lengths",
        items=partial(length_matrices, choice, seen),
        cell=chosen_cell(Cell("lengths", 0, state.get_block(choice)), config, "lengths"),
        on_choose=choose_block,
        cache=(choice, query_of(choice, seen)),
    )
    download_csv(texts["download"], partial(lengths_csv, seen), "lengths.csv", "block-lengths-csv")


def choose_block(cell: Cell) -> None:
    state.change(block=cell.column, cell=f"{cell.matrix}.{cell.row}.{cell.column}")


def length_rows() -> list[str]:
    return [TEXTS["parts"]["overview"][name] for name in ("stream", "attention", "mlp")]


def length_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["overview"]
    return [
        Matrix(
            "lengths",
            lengths(seen, query_of(choice, seen)),
            texts["table"].format(**facts(choice, seen)),
            length_rows(),
            numbered(texts["block"], seen.config.depth),
            row_axis="part",
            column_axis="block",
            scale="sequential",
        )
    ]


def lengths_csv(seen: Observation) -> str:
    blocks = numbered(TEXTS["parts"]["overview"]["block"], seen.config.depth)
    rows = [
        (name, part, *values)
        for token, name in enumerate(names_of(seen.config))
        for part, values in zip(length_rows(), lengths(seen, token), strict=True)
    ]
    return table_csv(("token", "length of", *blocks), rows)


# the equations


def show_formula(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    st.markdown(texts["paper"])
    equals_pytorch("block", choice, seen, state.get_block(choice))


PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {
    "flow": show_flow,
    "sizes": show_sizes,
    "norm": show_norm,
    "mlp": show_mlp,
    "overview": show_overview,
    "formula": show_formula,
}
CODE = (
    Snippet("flow", EncoderBlock.forward, ("x_BND = tap", "return tap")),
    Snippet("norm", EncoderBlock.forward, ("normed_BND =",)),
    Snippet("mlp", Mlp.forward, ("pre_BNM =", "post_BNM =", "return")),
)


# questions


def questions(choice: Choice, seen: Observation) -> list[Question]:
    words = facts(choice, seen)
    asked = [
        ask_larger(choice, seen, words),
        ask_nothing(choice, seen, words),
        ask_active(choice, seen, words),
        ask_alone(words),
    ]
    return asked if seen.config.depth == 1 else [*asked, ask_most(choice, seen, words)]


def ask_larger(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["larger"]
    attention, mlp = (length(row(choice, seen, name)) for name in ("attn_out", "mlp_out"))
    same = abs(attention - mlp) <= 0.01 * max(attention, mlp)
    return Question(
        "larger",
        texts["text"].format(**words),
        (texts["attention"], texts["mlp"], texts["same"]),
        2 if same else int(mlp > attention),
        texts["why"].format(attention=f"{attention:.3f}", mlp=f"{mlp:.3f}"),
    )


def ask_nothing(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["nothing"]
    first = f"{row(choice, seen, 'resid_pre')[0]:.3f}".replace("-", "−")
    kept = flaws(choice).residual
    return Question(
        "nothing",
        texts["text"].format(**words),
        (texts["zeros"], texts["normed"], texts["unchanged"]),
        2 if kept else 0,
        texts["why"].format(first=first) if kept else texts["why_replaced"],
    )


def ask_active(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    """Ask for the count among numbers that are spread over what is possible."""
    texts, units = TEXTS["questions"]["active"], seen.config.mlp_dim
    active = active_units(choice, seen)
    numbers = sorted({active, *((active + step * units // 4) % (units + 1) for step in (1, 2, 3))})
    return Question(
        "active",
        texts["text"].format(**words),
        tuple(str(number) for number in numbers),
        numbers.index(active),
        texts["why"].format(active=active, share=percent(active / units), **words),
    )


def ask_most(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    texts, found = TEXTS["questions"]["most"], lengths(seen, query_of(choice, seen))[2]
    return Question(
        "most",
        texts["text"].format(**words),
        tuple(numbered(texts["block"], len(found))),
        int(found.argmax()),
        texts["why"].format(lengths=", ".join(f"{one:.2f}" for one in found)),
    )


def ask_alone(words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["alone"]
    options = tuple(texts[name] for name in ("norm", "mlp", "attention", "sum"))
    return Question("alone", texts["text"], options, 2, texts["why"].format(**words))
