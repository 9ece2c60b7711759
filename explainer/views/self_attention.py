"""The page on self-attention: one head, from a token's row to the row it collects, in numbers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from explainer import controls, state, theme
from explainer.arithmetic_view import show_derivation
from explainer.attention_cells import Head
from explainer.attention_row import AttentionRow, attention_row, entropy_bits
from explainer.badge import equals_pytorch
from explainer.code_panel import Snippet
from explainer.components.matrices import Matrix, matrices
from explainer.components.packing import CLIPPED_SHARE
from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.export import download_csv, matrix_csv
from explainer.figures.looks import look, looks
from explainer.flawed import flaws
from explainer.notation import percent, precise_percent
from explainer.quiz import Question
from explainer.services import Observation
from explainer.small_print import note
from explainer.state import Cell, Choice
from explainer.tokens import prefix_names, token_names
from explainer.weights import weights
from vit_core import ViTConfig
from vit_core.model import SelfAttention

TEXTS = load_texts("self_attention")
TOKENS = load_texts("token_explorer")


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    config = seen.config
    return {
        "width": config.embed_dim,
        "heads": config.num_heads,
        "head_dim": config.head_dim,
        "root": f"{config.head_dim**0.5:.4g}",
        "tokens": config.num_tokens,
        "most": f"{np.log2(config.num_tokens):.2f}",
        "block": state.get_block(choice) + 1,
        "head": state.get_head(choice) + 1,
        "query": names_of(config)[query_of(choice, seen)],
    }


def query_of(choice: Choice, seen: Observation) -> int:
    return state.get_query(choice, seen.telling_patch)


def names_of(config: ViTConfig) -> list[str]:
    return token_names(config, TOKENS)


def row_of(choice: Choice, seen: Observation) -> AttentionRow:
    return attention_row(
        seen.tensors,
        block=state.get_block(choice),
        head=state.get_head(choice),
        query=query_of(choice, seen),
    )


# one token asks


def show_choose(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["choose"], seen.config
    if config.pool != "cls":
        st.markdown(texts["no_class_token"])
    picture, words = st.columns((2, 3), gap="large")
    with picture:
        show_image("asking", choice, seen)
    with words:
        with st.container(horizontal=True, gap="medium"):
            controls.pick_block(choice)
            controls.pick_head(choice)
        st.markdown(texts["legend"])
        st.html(legend(texts))
        st.markdown(texts["why"])


def show_image(
    key: str, choice: Choice, seen: Observation, shares: np.ndarray | None = None
) -> None:
    """Draw the image to point at and click, with weights over it if there are any."""
    query = query_of(choice, seen)
    row = None if shares is None else (state.get_block(choice), state.get_head(choice), query)
    token_picker(
        key=key,
        image=seen.pixels,
        grid=seen.config.grid_size,
        prefix_names=prefix_names(seen.config, TOKENS),
        query=query,
        on_choose=lambda clicked: state.set_query(clicked["query"]),
        values=shares,
        cache=(choice, row),
    )


def legend(texts: Mapping[str, str]) -> str:
    """The three colours and what they mean."""
    entries = "".join(
        f'<li style="padding:0.125rem 0"><span style="display:inline-block;width:0.875em;'
        f"height:0.875em;margin-right:0.625em;border-radius:3px;vertical-align:-0.0625em;"
        f'background:{shade.css}"></span>{words}</li>'
        for shade, words in (
            (theme.QUERY, texts["legend_query"]),
            (theme.KEY, texts["legend_key"]),
            (theme.VALUE, texts["legend_value"]),
        )
    )
    return f'<ul style="margin:0;padding:0;list-style:none">{entries}</ul>'


# the four steps

STEPS = {  # the matrices of each step
    "qkv": ("norm", "q", "k", "v"),
    "scores": ("compare",),
    "softmax": ("weights", "scores", "pattern"),
    "mix": ("shares", "values", "weighted", "z"),
}


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    tokens, head_dim = config.num_tokens, config.head_dim
    each = dict.fromkeys(("q", "k", "v", "values", "weighted", "z"), (tokens, head_dim))
    return {
        "norm": (tokens, config.embed_dim),
        "compare": (2, tokens),
        "weights": (1, tokens),
        "scores": (tokens, tokens),
        "pattern": (tokens, tokens),
        "shares": (tokens, 1),
        **each,
    }


def cell_of(step: str, start: Cell, config: ViTConfig) -> Cell:
    """Return the chosen cell, or ``start`` while it is in no matrix of this step."""
    shapes = cell_shapes(config)
    return state.get_cell({name: shapes[name] for name in STEPS[step]}) or start


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation], list[Matrix]],
    cell: Cell,
    choice: Choice,
    seen: Observation,
    *,
    same_for_all: bool = False,
) -> None:
    """Draw the matrices of ``make``.

    Args:
        same_for_all: they are the same whichever token asks, and need not be sent again.
    """
    query = query_of(choice, seen)
    head = choice, state.get_block(choice), state.get_head(choice)
    matrices(
        key=key,
        items=partial(make, choice, seen),
        cell=cell,
        on_choose=state.set_cell,
        links={"query": query, "token": query},
        prefix=seen.config.num_prefix_tokens,
        cache=head if same_for_all else (*head, query),
    )


def show_cell(step: str, cell: Cell, choice: Choice, seen: Observation) -> None:
    """Draw where the number of a step's cell comes from."""
    query, tokens = query_of(choice, seen), names_of(seen.config)
    words = {
        "query": tokens[query],
        "row": tokens[cell.row] if cell.row < len(tokens) else "",
        "column": tokens[cell.column] if cell.column < len(tokens) else "",
        "number": cell.column + 1,
    }
    name = f"compare_{cell.row}" if cell.matrix == "compare" else cell.matrix
    block, head = state.get_block(choice), state.get_head(choice)
    working = Head(seen.config, seen.tensors, weights(choice), block, head, query, flaws(choice))
    show_derivation(
        working.origin(cell),
        seen,
        TEXTS["cells"][name].format(**words),
        key=f"arithmetic-{step}",
        is_example=state.get_cell(cell_shapes(seen.config)) != cell,
    )


def of_head(choice: Choice, seen: Observation, name: str) -> np.ndarray:
    """Return the chosen head's q, k, v, scores, pattern or z."""
    return seen.tensors[f"blocks.{state.get_block(choice)}.attn.{name}"][state.get_head(choice)]


def numbered(name: str, count: int) -> list[str]:
    words = TEXTS["parts"]["qkv"][name]
    return [words.format(number=place + 1) for place in range(count)]


def show_qkv(choice: Choice, seen: Observation) -> None:
    cell = cell_of("qkv", Cell("q", query_of(choice, seen), 0), seen.config)
    show_matrices("step-qkv", qkv_matrices, cell, choice, seen, same_for_all=True)
    show_cell("qkv", cell, choice, seen)


def qkv_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config, names = TEXTS["parts"]["qkv"], seen.config, names_of(seen.config)
    numbers = numbered("number", config.head_dim)
    normed = seen.tensors[f"blocks.{state.get_block(choice)}.norm1"]
    meanings = {"q": ("query", "query"), "k": ("key", "key"), "v": ("value", "key")}
    return [
        Matrix(
            "norm",
            normed,
            texts["norm1"],
            names,
            numbered("dimension", config.embed_dim),
            row_axis="token",
            column_axis="dimension",
        ),
        *(
            Matrix(
                name,
                of_head(choice, seen, name),
                texts[name],
                names,
                numbers,
                row_axis=axis,
                column_axis="number",
                colour=meaning,
            )
            for name, (meaning, axis) in meanings.items()
        ),
    ]


def show_scores(choice: Choice, seen: Observation) -> None:
    start = Cell("compare", 1, int(row_of(choice, seen).strongest[0]))
    cell = cell_of("scores", start, seen.config)
    show_matrices("step-scores", compared, cell, choice, seen)
    show_cell("scores", cell, choice, seen)


def compared(choice: Choice, seen: Observation) -> list[Matrix]:
    """The dot products of the query's row, and below each what is left after the division."""
    texts, names, row = TEXTS["parts"]["scores"], names_of(seen.config), row_of(choice, seen)
    products = of_head(choice, seen, "q")[row.query] @ of_head(choice, seen, "k").T
    return [
        Matrix(
            "compare",
            np.stack([products, row.scores]),
            texts["compare"].format(query=names[row.query]),
            [texts["product"], texts["score"]],
            names,
            column_axis="key",
        )
    ]


def show_softmax(choice: Choice, seen: Observation) -> None:
    texts, names, row = TEXTS["parts"]["softmax"], names_of(seen.config), row_of(choice, seen)
    start = Cell("weights", 0, int(row.strongest[0]))
    cell = cell_of("softmax", start, seen.config)
    show_matrices("step-softmax", softmax_row, cell, choice, seen)
    show_cell("softmax", cell, choice, seen)
    st.markdown(texts["all"])
    picture, whole = st.columns((1, 3), gap="large")
    with picture:
        st.markdown(f"**{texts['picture'].format(query=names[row.query])}**")
        show_image("looking", choice, seen, row.weights)
    with whole:
        show_matrices("step-pattern", whole_pattern, cell, choice, seen, same_for_all=True)


def softmax_row(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, names, row = TEXTS["parts"]["softmax"], names_of(seen.config), row_of(choice, seen)
    query = names[row.query]
    return [
        Matrix(
            "weights",
            row.weights[None],
            texts["row"].format(query=query),
            [query],
            names,
            column_axis="key",
            scale="sequential",
        )
    ]


def whole_pattern(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, names = TEXTS["parts"]["softmax"], names_of(seen.config)
    pattern = of_head(choice, seen, "pattern")
    square = partial(
        Matrix, row_names=names, column_names=names, row_axis="query", column_axis="key"
    )
    return [
        square("scores", of_head(choice, seen, "scores"), texts["scores"]),
        square(
            "pattern",
            pattern,
            texts["pattern"],
            scale="sequential",
            # a few large weights would leave all others dark
            limit=float(np.quantile(pattern, 1 - CLIPPED_SHARE)) or None,
        ),
    ]


def over_image(seen: Observation, shares: np.ndarray, alt: str) -> str:
    """Return the weights on the patches over the image."""
    on_patches = shares[seen.config.num_prefix_tokens :].reshape(seen.config.grid_size)
    return look(seen.pixels, on_patches, alt)


def show_mix(choice: Choice, seen: Observation) -> None:
    cell = cell_of("mix", Cell("z", query_of(choice, seen), 0), seen.config)
    show_matrices("step-mix", mix_matrices, cell, choice, seen)
    show_cell("mix", cell, choice, seen)


def mix_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config, names = TEXTS["parts"]["mix"], seen.config, names_of(seen.config)
    row, numbers = row_of(choice, seen), numbered("number", config.head_dim)
    values = of_head(choice, seen, "v")
    # one scale, so that a weight's effect shows
    limit = float(np.abs(values).max()) or None
    return [
        Matrix(
            "shares",
            row.weights[:, None],
            texts["shares"],
            names,
            [texts["weight"]],
            row_axis="key",
            scale="sequential",
        ),
        Matrix(
            "values",
            values,
            texts["values"],
            names,
            numbers,
            row_axis="key",
            column_axis="number",
            colour="value",
            limit=limit,
        ),
        Matrix(
            "weighted",
            row.weights[:, None] * values,
            texts["weighted"],
            names,
            numbers,
            row_axis="key",
            column_axis="number",
            colour="value",
            limit=limit,
        ),
        Matrix(
            "z",
            of_head(choice, seen, "z"),
            texts["z"],
            names,
            numbers,
            row_axis="query",
            column_axis="number",
            limit=limit,
        ),
    ]


# why divide


def show_temperature(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["temperature"], seen.config
    chosen = state.load().temperature
    controls.slide(
        texts["slide"],
        state.TEMPERATURES,
        chosen,
        lambda temperature: state.change(temperature=temperature),
        key="temperature",
    )
    names, prefix = names_of(config), config.num_prefix_tokens
    pictures = []
    for title, shares, is_models in tempered(choice, seen):
        bits = entropy_bits(shares)
        numbers = {"weight": percent(float(shares.max())), "bits": f"{bits:.2f}"}
        lines = [
            texts["ran" if is_models else "recomputed"],
            texts["largest"].format(**numbers),
            texts["spread"].format(count=f"{2**bits:.1f}", **numbers),
            *(
                texts["prefix"].format(token=names[token], weight=percent(float(shares[token])))
                for token in range(prefix)
            ),
        ]
        alt = texts["alt"].format(title=title, **numbers)
        pictures.append((over_image(seen, shares, alt), title, lines))
    st.html(looks(pictures))
    if config.head_dim == 1:
        st.markdown(texts["one"])
    facts_now = facts(choice, seen)
    note(texts["note"].format(**facts_now))
    download_csv(
        texts["download"], partial(tempered_csv, choice, seen), "temperature.csv", "temperature-csv"
    )


def tempered(choice: Choice, seen: Observation) -> list[tuple[str, np.ndarray, bool]]:
    """Return title, weights and whether the model ran it: T = 1, the chosen T, and no division.

    Where the model makes no division, the last is the one with it.
    """
    texts, row = TEXTS["parts"]["temperature"], row_of(choice, seen)
    chosen = state.load().temperature
    rows = [(texts["model"], row.weights, True)]
    if float(chosen) != 1:
        title = texts["chosen"].format(temperature=chosen)
        rows.append((title, row.at_temperature(float(chosen)), False))
    if flaws(choice).scale_scores:
        return [*rows, (texts["undivided"], row.undivided, False)]
    return [*rows, (texts["divided"], row.at_temperature(row.head_dim**0.5), False)]


def tempered_csv(choice: Choice, seen: Observation) -> str:
    titles, rows, _ = zip(*tempered(choice, seen), strict=True)
    return matrix_csv(np.stack(rows), titles, names_of(seen.config), "temperature")


# all of it in one line


def show_formula(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    st.markdown(texts["paper"])
    st.latex(texts["paper_formula"])
    st.markdown(texts["badge"].format(**facts(choice, seen)))
    equals_pytorch("attention", choice, seen, state.get_block(choice))


PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {
    "choose": show_choose,
    "qkv": show_qkv,
    "scores": show_scores,
    "softmax": show_softmax,
    "mix": show_mix,
    "temperature": show_temperature,
    "formula": show_formula,
}
CODE = (
    Snippet("qkv", SelfAttention.forward, ("qkv =", "q_BHNK, k_BHNK, v_BHNK =")),
    Snippet("scores", SelfAttention.spelled_out, ("scores_BHNN =",)),
    Snippet("softmax", SelfAttention.spelled_out, ("pattern_BHNN =",)),
    Snippet("mix", SelfAttention.spelled_out, ("return",)),
)


# questions


def questions(choice: Choice, seen: Observation) -> list[Question]:
    row, config, names = row_of(choice, seen), seen.config, names_of(seen.config)
    words = facts(choice, seen)
    return [
        ask_strongest(row, names, words),
        ask_sum(row, words),
        ask_double(row, words),
        ask_count(config),
        ask_mutual(row, of_head(choice, seen, "pattern"), names),
    ]


def ask_strongest(row: AttentionRow, names: Sequence[str], words: Mapping[str, object]) -> Question:
    """Ask for the strongest of four tokens: it, the one asking, and two from further down."""
    texts, order = TEXTS["questions"]["strongest"], row.strongest
    best = int(order[0])
    others = [row.query, int(order[len(order) // 8 + 1]), int(order[len(order) // 2])]
    # one that gets the same would be as right
    clear = [token for token in others if row.weights[token] < 0.999 * row.weights[best]]
    options = sorted({best, *clear})
    listed = ", ".join(f"{names[token]} {percent(float(row.weights[token]))}" for token in options)
    return Question(
        "strongest",
        texts["text"].format(**words),
        tuple(names[token] for token in options),
        options.index(best),
        texts["why"].format(values=listed),
    )


def ask_sum(row: AttentionRow, words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["sum"]
    return Question(
        "sum",
        texts["text"].format(**words),
        (
            texts["tokens"].format(**words),
            texts["one"],
            texts["largest"].format(score=f"{row.scores.max():.2f}"),
            texts["depends"],
        ),
        1,
        texts["why"].format(total=f"{row.weights.sum(dtype=np.float64):.6f}"),
    )


def ask_double(row: AttentionRow, words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["double"]
    before, after = float(row.at_temperature(1).max()), float(row.at_temperature(2).max())
    stays = before - after < 1e-6
    return Question(
        "double",
        texts["text"].format(weight=percent(before), **words),
        (texts["rises"], texts["falls"], texts["stays"]),
        2 if stays else 1,
        texts["why_stays" if stays else "why"].format(weight=percent(before), after=percent(after)),
    )


def ask_count(config: ViTConfig) -> Question:
    texts, tokens = TEXTS["questions"]["count"], config.num_tokens
    right = f"{tokens**2:,}"
    options = tuple(
        dict.fromkeys((f"{tokens:,}", f"{tokens * config.head_dim:,}", right, f"{tokens * 2:,}"))
    )
    return Question(
        "count",
        texts["text"],
        options,
        options.index(right),
        texts["why"].format(tokens=tokens, pairs=right),
    )


def ask_mutual(row: AttentionRow, pattern: np.ndarray, names: Sequence[str]) -> Question:
    """Ask whether the strongest key other than the query itself looks back as much."""
    texts = TEXTS["questions"]["mutual"]
    key = next(int(token) for token in row.strongest if token != row.query)
    there, back = float(row.weights[key]), float(pattern[key, row.query])
    same = abs(back - there) < 1e-4
    return Question(
        "mutual",
        texts["text"].format(query=names[row.query], key=names[key], weight=precise_percent(there)),
        (texts["more"], texts["less"], texts["same"]),
        2 if same else int(back < there),
        texts["why"].format(back=precise_percent(back)),
    )
