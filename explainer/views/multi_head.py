"""The page on multi-head attention: all heads, what they add, and what changes without one."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer import attention_cells, controls, heads, state
from explainer.arithmetic_view import show_derivation
from explainer.attention_row import AttentionRow, attention_row
from explainer.badge import equals_pytorch
from explainer.code_panel import Snippet
from explainer.components.matrices import Matrix, matrices
from explainer.components.token_explorer import token_explorer
from explainer.content import load_texts
from explainer.export import download_csv, matrix_csv, table_csv
from explainer.figures.by_block import by_block
from explainer.figures.looks import overview
from explainer.figures.side_by_side import side_by_side
from explainer.figures.switched import before_after, effects
from explainer.notation import percent, points, precise_percent
from explainer.quiz import Question
from explainer.services import Observation
from explainer.shared import remember
from explainer.small_print import note
from explainer.state import Cell, Choice
from explainer.theme import Mode
from explainer.tokens import prefix_names, token_names
from explainer.weights import weights
from vit_core import ViTConfig
from vit_core.interpret.heads import Head, mean_attention_distance, switch_heads_off
from vit_core.model import SelfAttention

SHOWN_KEYS = 6
MOST_WEIGHTS = 1_000_000  # a byte each, sent at once
LITTLE = 0.0001  # of a probability: a hundredth of a percentage point

TEXTS = load_texts("multi_head")
TOKENS = load_texts("token_explorer")


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    config = seen.config
    numbers = {
        "heads": config.num_heads,
        "head_dim": config.head_dim,
        "width": config.embed_dim,
        "tokens": config.num_tokens,
        "most": f"{np.log2(config.num_tokens):.2f}",
        "block": state.get_block(choice) + 1,
        "query": names_of(config)[query_of(choice, seen)],
        "answer": seen.class_names[seen.prediction],
        "share": precise_percent(float(seen.probabilities[seen.prediction])),
    }
    lead = TEXTS["lead_many" if config.num_heads > 1 else "lead_one"]
    return {**numbers, "lead_text": lead.format(**numbers)}


def query_of(choice: Choice, seen: Observation) -> int:
    return state.get_query(choice, seen.telling_patch)


def names_of(config: ViTConfig) -> list[str]:
    return token_names(config, TOKENS)


# every head looks elsewhere


def show_looks(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["looks"], seen.config
    if config.pool != "cls":
        st.markdown(texts["no_class_token"])
    with st.container(horizontal=True, gap="medium"):
        controls.pick_block(choice)
        controls.pick_head(choice)
    block, head = state.get_block(choice), state.get_head(choice)
    sent = blocks_to_send(config, block)
    token_explorer(
        key="token-explorer",
        image=seen.pixels,
        grid=config.grid_size,
        patterns=np.stack([seen.tensors[f"blocks.{i}.attn.pattern"] for i in sent]),
        prefix_names=prefix_names(config, TOKENS),
        texts=TOKENS,
        block=sent.index(block),
        head=head,
        query=query_of(choice, seen),
        on_choose=choose,
    )
    row = attention_row(seen.tensors, block=block, head=head, query=query_of(choice, seen))
    show_row(row, seen, block=block, head=head)


def blocks_to_send(config: ViTConfig, block: int) -> list[int]:
    """Send all blocks at once, so that changing the block costs no more; very large ones singly."""
    size = config.depth * config.num_heads * config.num_tokens**2
    return list(range(config.depth)) if size <= MOST_WEIGHTS else [block]


def choose(clicked: dict[str, int]) -> None:
    """Keep what was clicked in the explorer."""
    if "query" in clicked:
        state.set_query(clicked["query"])
    if "head" in clicked:
        state.set_head(clicked["head"])


def show_row(row: AttentionRow, seen: Observation, *, block: int, head: int) -> None:
    """The chosen row in exact numbers."""
    texts, config, names = TEXTS["parts"]["looks"], seen.config, names_of(seen.config)
    st.markdown(f"**{texts['row_title'].format(query=names[row.query], head=head + 1)}**")
    table, numbers = st.columns((3, 2), gap="medium")
    shown = row.strongest[:SHOWN_KEYS]
    table.table(
        {
            texts["table_token"]: [names[key] for key in shown],
            texts["table_score"]: [f"{row.scores[key]:.4f}" for key in shown],
            texts["table_weight"]: [f"{100 * row.weights[key]:.4f} %" for key in shown],
        },
        border="horizontal",
        hide_index=True,
    )
    with numbers:
        with st.container(horizontal=True):
            show_shares(row, config)
        pattern = seen.tensors[f"blocks.{block}.attn.pattern"][head]
        download_csv(
            texts["download"],
            partial(matrix_csv, pattern, names, names, "query"),
            f"attention-block{block + 1}-head{head + 1}.csv",
            "pattern-csv",
        )
        places = {"block": block + 1, "head": head + 1, "block_index": block, "head_index": head}
        note(texts["download_note"].format(size=len(names), **places))


def show_shares(row: AttentionRow, config: ViTConfig) -> None:
    """What the row gives to [CLS], to itself and to registers, and how widely it spreads."""
    texts = TEXTS["parts"]["looks"]
    is_class = config.pool == "cls" and row.query == 0
    if config.pool == "cls" and not is_class:
        st.metric(texts["to_class"], percent(float(row.weights[0])))
    st.metric(texts["to_class_own" if is_class else "to_itself"], percent(row.to_itself))
    if config.num_registers:
        first = config.num_prefix_tokens - config.num_registers
        registers = row.weights[first : config.num_prefix_tokens]
        st.metric(texts["to_registers"], percent(float(registers.sum())))
    value = texts["half_value"].format(count=row.half, tokens=config.num_tokens)
    st.metric(texts["half"], value, help=texts["half_help"])


# all blocks at a glance


def show_overview(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["overview"], seen.config
    query = query_of(choice, seen)
    chosen = state.get_block(choice), state.get_head(choice)
    label = texts["show"].format(count=config.depth * config.num_heads)
    shown = st.expander(label, key="overview", on_change="rerun")
    if not shown.open:  # up to 64 pictures, which nobody asked for
        return
    with shown:
        make = partial(draw_overview, seen, query, chosen)
        st.html(remember(("overview", choice, query, chosen), make))
        if prefix := prefix_names(config, TOKENS):
            note(texts["prefix_note"].format(prefix=", ".join(prefix)))


def draw_overview(seen: Observation, query: int, chosen: tuple[int, int]) -> str:
    texts, config, names = TEXTS["parts"]["overview"], seen.config, names_of(seen.config)
    rows = np.stack(
        [seen.tensors[f"blocks.{i}.attn.pattern"][:, query] for i in range(config.depth)]
    )
    words = {"query": names[query]}
    return overview(
        seen.pixels,
        rows[..., config.num_prefix_tokens :],
        config.grid_size,
        chosen,
        {
            "caption": texts["caption"].format(**words),
            "block": texts["block_row"],
            "head": texts["head_column"],
            "alt": texts["alt"].replace("{query}", names[query]),
        },
        [
            [
                texts["strongest"].format(token=names[row.argmax()], weight=percent(row.max()))
                for row in block
            ]
            for block in rows
        ],
    )


# side by side, then mixed


def show_concat(choice: Choice, seen: Observation) -> None:
    texts, config, names = TEXTS["parts"]["concat"], seen.config, names_of(seen.config)
    block, head, query = state.get_block(choice), state.get_head(choice), query_of(choice, seen)
    written = heads.contributions(choice, seen, block)[:, query]
    sizes = np.linalg.norm(written, axis=1)
    labels = [TEXTS["questions"]["head"].format(head=place + 1) for place in range(len(sizes))]
    st.markdown(f"**{texts['pieces_title'].format(query=names[query])}**")
    st.html(
        side_by_side(
            seen.tensors[f"blocks.{block}.attn.z"][:, query],
            sizes,
            labels,
            [texts["piece_text"].format(size=f"{size:.2f}") for size in sizes],
            head,
            texts["pieces_alt"].format(
                width=config.embed_dim,
                heads=config.num_heads,
                query=names[query],
                sizes=", ".join(
                    f"{label} {size:.2f}" for label, size in zip(labels, sizes, strict=True)
                ),
            ),
        )
    )
    note(texts["pieces_note"])
    st.markdown(f"**{texts['sum_title']}**")
    st.markdown(texts["sum_text"])
    cell = state.get_cell(sum_shapes(config)) or Cell("written", head, 0)
    marks = {"token": query, "head": head}
    # apart, since the sums of all tokens are the same whichever token is chosen
    for name, make, depends in (
        ("written", partial(written_matrix, choice, seen, block, query), (choice, block, query)),
        ("sum", partial(sum_matrix, choice, seen, block), (choice, block)),
    ):
        matrices(
            key=name,
            items=make,
            cell=cell,
            on_choose=state.set_cell,
            links=marks,
            prefix=config.num_prefix_tokens,
            cache=depends,
        )
    show_cell(choice, seen, cell)
    download_csv(
        texts["download"],
        partial(written_csv, choice, seen, block, query),
        f"heads-block{block + 1}.csv",
        "written-csv",
    )


def show_cell(choice: Choice, seen: Observation, cell: Cell) -> None:
    """Draw where the number of a cell comes from; a bias comes from nowhere."""
    texts, names = TEXTS["parts"]["concat"], names_of(seen.config)
    block, query = state.get_block(choice), query_of(choice, seen)
    working = attention_cells.Head(
        seen.config, seen.tensors, weights(choice), block, state.get_head(choice), query
    )
    found = working.origin(cell)
    if found is None:
        value = written_by(choice, seen, block, query)[cell.row, cell.column]
        st.markdown(texts["cell_bias"].format(number=cell.column + 1, value=f"{value:.4g}"))
        return
    written = cell.matrix == "written"
    title = texts["cell_written" if written else "cell_sum"].format(
        part=part_names(seen.config)[cell.row] if written else "",
        token=names[query if written else cell.row],
        number=cell.column + 1,
    )
    is_example = state.get_cell(sum_shapes(seen.config)) is None
    show_derivation(found, seen, title, is_example=is_example)


def sum_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    return {
        "written": (config.num_heads + 1, config.embed_dim),
        "attn_out": (config.num_tokens, config.embed_dim),
    }


def written_by(choice: Choice, seen: Observation, block: int, query: int) -> np.ndarray:
    """Return what each head writes into one token, and the bias below, (heads + 1, D)."""
    bias = weights(choice)[f"blocks.{block}.attn.proj.bias"]
    return np.vstack([heads.contributions(choice, seen, block)[:, query], bias])


def part_names(config: ViTConfig) -> list[str]:
    texts = TEXTS["parts"]["concat"]
    return [texts["head_row"].format(head=n + 1) for n in range(config.num_heads)] + [texts["bias"]]


def dimension_names(config: ViTConfig) -> list[str]:
    name = TEXTS["parts"]["concat"]["dimension"]
    return [name.format(number=n + 1) for n in range(config.embed_dim)]


def written_matrix(choice: Choice, seen: Observation, block: int, query: int) -> list[Matrix]:
    texts, config = TEXTS["parts"]["concat"], seen.config
    return [
        Matrix(
            "written",
            written_by(choice, seen, block, query),
            texts["written"].format(query=names_of(config)[query]),
            part_names(config),
            dimension_names(config),
            row_axis="head",
            column_axis="dimension",
        )
    ]


def sum_matrix(choice: Choice, seen: Observation, block: int) -> list[Matrix]:
    texts, config = TEXTS["parts"]["concat"], seen.config
    return [
        Matrix(
            "attn_out",
            seen.tensors[f"blocks.{block}.attn_out"],
            texts["attn_out"],
            names_of(config),
            dimension_names(config),
            row_axis="token",
            column_axis="dimension",
        )
    ]


def written_csv(choice: Choice, seen: Observation, block: int, query: int) -> str:
    config = seen.config
    written = written_by(choice, seen, block, query)
    return matrix_csv(written, part_names(config), dimension_names(config), "part")


# switch a head off


def show_off(choice: Choice, seen: Observation) -> None:
    texts, config, block = TEXTS["parts"]["off"], seen.config, state.get_block(choice)
    off = heads.heads_off(choice)
    here, elsewhere = [], []
    for one in off:
        (here if one.block == block else elsewhere).append(one)

    def keep(chosen: list[int]) -> None:
        heads.keep_off([*elsewhere, *(Head(block, head) for head in chosen)])

    controls.tell("heads-off", [one.head for one in here])
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.pills(
            texts["pick"].format(block=block + 1),
            range(config.num_heads),
            selection_mode="multi",
            key="heads-off",
            format_func=lambda head: str(head + 1),
            help=texts["pick_help"],
            on_change=partial(controls.hand_back, "heads-off", keep),
        )
        if off:
            st.button(texts["all_on"], on_click=heads.keep_off, args=([],), key="all-on")
    after = heads.switched(choice, seen, off)
    st.markdown(off_words(seen, off, after, block))
    caption = texts["caption"]
    names, before = seen.class_names, seen.probabilities
    st.html(
        before_after(
            before,
            after,
            names,
            [
                (precise_percent(old), precise_percent(new), points(new - old))
                for old, new in zip(before.tolist(), after.tolist(), strict=True)
            ],
            (texts["class"], texts["before"], texts["after"], texts["change"]),
            caption,
        )
    )
    download_csv(
        texts["download"],
        partial(
            table_csv,
            ("class", "before", "after"),
            list(zip(names, before.tolist(), after.tolist(), strict=True)),
        ),
        "heads-off.csv",
        "off-csv",
    )


def off_words(seen: Observation, off: tuple[Head, ...], after: np.ndarray, block: int) -> str:
    """Say in a sentence what is off, and what became of the answer."""
    texts, names, best = TEXTS["parts"]["off"], seen.class_names, seen.prediction
    if not off:
        return texts["none_off"].format(block=block + 1)
    now = int(after.argmax())
    return texts["off_now"].format(
        heads=", ".join(
            texts["head_name"].format(block=one.block + 1, head=one.head + 1) for one in off
        ),
        answer=names[best],
        before=precise_percent(float(seen.probabilities[best])),
        after=precise_percent(float(after[best])),
        verdict=texts["same_answer" if now == best else "new_answer"].format(
            answer=names[best], now=names[now]
        ),
    )


# each head alone


def changes_of(choice: Choice, seen: Observation) -> np.ndarray:
    """Return the change of the answer's probability with each head off, (depth, heads)."""
    best = seen.prediction
    return heads.effects(choice, seen)[..., best] - seen.probabilities[best]


def show_effects(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["effects"], seen.config
    changes = changes_of(choice, seen)
    largest = np.unravel_index(int(np.abs(changes).argmax()), changes.shape)
    blocks = [texts["block_row"].format(block=n + 1) for n in range(config.depth)]
    columns = [texts["head_column"].format(head=n + 1) for n in range(config.num_heads)]
    st.html(
        effects(
            changes,
            [[points(change, changes[largest]) for change in row] for row in changes.tolist()],
            (blocks, columns),
            (state.get_block(choice), state.get_head(choice)),
            frozenset(heads.heads_off(choice)),
            texts["caption"].format(
                answer=seen.class_names[seen.prediction],
                block=largest[0] + 1,
                head=largest[1] + 1,
                change=points(float(changes[largest])),
            ),
        )
    )
    st.markdown(texts["sure" if abs(changes[largest]) < 0.01 else "moving"])
    download_csv(
        texts["download"].format(count=changes.size),
        partial(effects_csv, choice, seen),
        "heads-one-by-one.csv",
        "effects-csv",
    )


def effects_csv(choice: Choice, seen: Observation) -> str:
    """Return the probabilities of all classes with each head off, a line for each head."""
    found = heads.effects(choice, seen)
    rows = [
        (block + 1, head + 1, *found[block, head].tolist())
        for block in range(found.shape[0])
        for head in range(found.shape[1])
    ]
    every = ("none", "none", *seen.probabilities.tolist())
    return table_csv(("block", "head", *seen.class_names), [every, *rows])


# how widely and how far


def show_spread(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["spread"], seen.config
    block, head = state.get_block(choice), state.get_head(choice)
    evenly = np.log2(config.num_tokens), heads.even_distance(config.grid_size)
    for name, values, even, column in zip(
        ("entropy", "distance"),
        heads.spread(choice, seen),
        evenly,
        st.columns(2, gap="medium"),
        strict=True,
    ):
        column.markdown(f"**{texts[name]}**")
        column.plotly_chart(
            spread_chart(
                name,
                tuple(map(tuple, values.tolist())),
                (block, head),
                float(even),
                st.context.theme.type or "light",
            ),
            theme=None,
            key=f"chart-{name}",
            config={"displayModeBar": "hover", "displaylogo": False},
            alt=texts[f"{name}_alt"].format(
                values=", ".join(f"{value:.2f}" for value in np.nanmean(values, axis=1)),
                block=block + 1,
                head=head + 1,
                chosen=f"{values[block, head]:.2f}",
            ),
        )
    prefix = prefix_names(config, TOKENS)
    note(
        texts["note"].format(
            patch=config.patch_hw[0],
            prefix=texts["prefix"].format(names=", ".join(prefix)) if prefix else "",
        )
    )
    download_csv(
        texts["download"], partial(spread_csv, choice, seen), "heads-spread.csv", "spread-csv"
    )


@lru_cache(maxsize=256)  # making a figure costs more than all the rest of the page
def spread_chart(
    name: str,
    values: tuple[tuple[float, ...], ...],
    chosen: tuple[int, int],
    even: float,
    mode: Mode,
) -> go.Figure:
    texts = TEXTS["parts"]["spread"]
    return by_block(
        np.array(values),
        chosen,
        axis=texts[f"{name}_axis"],
        block_axis=texts["block_axis"],
        hover=texts[f"{name}_hover"],
        reference=(even, texts[f"{name}_reference"].format(value=f"{even:.2f}")),
        mode=mode,
    )


def spread_csv(choice: Choice, seen: Observation) -> str:
    entropy, distance = heads.spread(choice, seen)
    return table_csv(
        ("block", "head", "entropy in bits", "mean attention distance in patches"),
        [
            (block + 1, head + 1, float(entropy[block, head]), float(distance[block, head]))
            for block in range(entropy.shape[0])
            for head in range(entropy.shape[1])
        ],
    )


# in the paper's words


def show_formula(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["formula"]
    st.latex(texts["formula"])
    equals_pytorch("attention", choice, seen, state.get_block(choice))
    st.markdown(texts["honest"])


PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {
    "looks": show_looks,
    "overview": show_overview,
    "concat": show_concat,
    "off": show_off,
    "effects": show_effects,
    "spread": show_spread,
    "formula": show_formula,
}
CODE = (
    Snippet("off", switch_heads_off, ("off.setdefault", "return")),
    Snippet("spread", mean_attention_distance, ("weights =", "return")),
    Snippet("formula", SelfAttention.forward, ("qkv =", "q_BHNK", "return")),
)


# questions


def questions(choice: Choice, seen: Observation) -> list[Question]:
    config = seen.config
    asked = [ask_off(choice, seen), ask_width(config), ask_even(choice, seen)]
    if config.num_heads > 1:
        asked += [ask_farthest(choice, seen), ask_writes(choice, seen)]
    return asked


def ask_off(choice: Choice, seen: Observation) -> Question:
    words = TEXTS["questions"]["off"]
    block, head = state.get_block(choice), state.get_head(choice)
    best, before = seen.prediction, float(seen.probabilities[seen.prediction])
    change = float(changes_of(choice, seen)[block, head])
    return Question(
        "off",
        words["text"].format(
            block=block + 1,
            head=head + 1,
            answer=seen.class_names[best],
            share=precise_percent(before),
        ),
        (words["rises"], words["falls"], words["stays"]),
        2 if abs(change) < LITTLE else int(change < 0),
        words["why"].format(
            before=precise_percent(before),
            after=precise_percent(before + change),
            change=points(change),
        ),
    )


def ask_width(config: ViTConfig) -> Question:
    words = TEXTS["questions"]["width"]
    sizes = {"heads": config.num_heads, "head_dim": config.head_dim, "width": config.embed_dim}
    options = dict.fromkeys(
        (config.head_dim, config.embed_dim, config.num_tokens, 3 * config.embed_dim)
    )
    return Question(
        "width",
        words["text" if config.num_heads > 1 else "text_one"].format(**sizes),
        tuple(map(str, options)),
        list(options).index(config.embed_dim),
        words["why"].format(**sizes),
    )


def ask_even(choice: Choice, seen: Observation) -> Question:
    words = TEXTS["questions"]["even"]
    block, head = state.get_block(choice), state.get_head(choice)
    even = heads.even_distance(seen.config.grid_size)
    value = float(heads.spread(choice, seen)[1][block, head])
    # a head that gives patches nothing at all has no distance
    apart = 0.0 if np.isnan(value) else value - even
    return Question(
        "even",
        words["text"].format(even=f"{even:.2f}", block=block + 1, head=head + 1),
        (words["nearer"], words["farther"], words["same"]),
        2 if abs(apart) < 0.005 else int(apart > 0),
        words["why"].format(value=f"{value:.2f}"),
    )


def ask_farthest(choice: Choice, seen: Observation) -> Question:
    block = state.get_block(choice)
    return ask_head("farthest", heads.spread(choice, seen)[1][block], block=block + 1)


def ask_writes(choice: Choice, seen: Observation) -> Question:
    block, query = state.get_block(choice), query_of(choice, seen)
    sizes = np.linalg.norm(heads.contributions(choice, seen, block)[:, query], axis=1)
    return ask_head("writes", sizes, block=block + 1, query=names_of(seen.config)[query])


def ask_head(name: str, values: np.ndarray, **words: object) -> Question:
    """Ask for the head with the largest value."""
    texts = TEXTS["questions"]
    labels = [texts["head"].format(head=head + 1) for head in range(len(values))]
    listed = ", ".join(f"{label} {value:.2f}" for label, value in zip(labels, values, strict=True))
    return Question(
        name,
        texts[name]["text"].format(**words),
        tuple(labels),
        int(np.nan_to_num(values).argmax()),
        texts[name]["why"].format(values=listed),
    )
