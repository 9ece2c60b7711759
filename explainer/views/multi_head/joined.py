"""The heads side by side, and the projection that mixes them."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.content.token_names import token_names
from explainer.figures.matrix import Matrix
from explainer.figures.side_by_side import side_by_side
from explainer.observation import attention_cells, heads
from explainer.observation.limits import common_limits, key_of
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell import cell_matrices
from explainer.shell.badge import equals_pytorch
from explainer.shell.cell_arithmetic import show_derivation, show_hint
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.multi_head.wording import TEXTS, facts
from vit_core import ViTConfig


def show_joined(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["joined"], seen.config
    end = "" if config.layer_scale is None else "_layer_scale"
    limits = common_limits("pieces", choice, seen, place, piece_limits)
    show_html(
        remember(
            ("pieces", choice, *at(seen, place), key_of(limits)),
            partial(pieces, choice, seen, place, limits),
        ),
        "pieces",
    )
    note(texts["pieces_note"].format(written=texts[f"length_formula{end}"]))
    note_scale(place)
    cell = place.cell_in(sum_shapes(config))
    with fold(place, "sums", texts["sums_title"], is_open=cell is not None) as is_open:
        if is_open:
            st.markdown(texts["sums"] + (texts["sums_layer_scale"] if end else ""))
            show_sums(choice, seen, place, cell)
    with fold(place, "deeper-joined", texts["deeper_title"]) as is_open:
        if is_open:
            st.markdown(texts["deeper"].format(**facts(choice, seen, place)))
            equals_pytorch("attention", choice, seen, place.block)
    with more(place, "joined"):
        block, query = place.block, place.token(seen.telling_patch)
        download_csv(
            texts["download"],
            partial(written_csv, choice, seen, block, query),
            f"heads-block{block + 1}.csv",
            place.key("written-csv"),
        )


def at(seen: Observation, place: Place) -> tuple[int, int, int]:
    return place.block, place.head, place.token(seen.telling_patch)


def piece_limits(choice: Choice, seen: Observation, place: Place) -> tuple[float, float]:
    """Return the largest number of the heads' mixes, and the length of what a head writes."""
    block, _, query = at(seen, place)
    mixes = seen.tensors[f"blocks.{block}.attn.z"][:, query]
    written = heads.contributions(choice, seen, block)[:, query]
    return float(np.abs(mixes).max()), float(np.linalg.norm(written, axis=1).max())


def pieces(
    choice: Choice, seen: Observation, place: Place, limits: np.ndarray | None = None
) -> str:
    """Draw the mix of each head as a strip, and the length of what it writes as a bar."""
    texts, config, names = TEXTS["parts"]["joined"], seen.config, token_names(seen.config)
    block, head, query = at(seen, place)
    written = heads.contributions(choice, seen, block)[:, query]
    sizes = np.linalg.norm(written, axis=1)
    labels = [TEXTS["questions"]["head"].format(head=index + 1) for index in range(len(sizes))]
    pairs = zip(labels, sizes, strict=True)
    return side_by_side(
        seen.tensors[f"blocks.{block}.attn.z"][:, query],
        sizes,
        labels,
        [texts["piece_text"].format(size=f"{size:.2f}") for size in sizes],
        head,
        texts["pieces_alt"].format(
            width=config.embed_dim,
            heads=config.num_heads,
            query=names[query],
            sizes=", ".join(f"{label} {size:.2f}" for label, size in pairs),
        ),
        None if limits is None else (float(limits[0]), float(limits[1])),
    )


def show_sums(choice: Choice, seen: Observation, place: Place, cell: Cell | None) -> None:
    block, head, query = at(seen, place)
    # apart, since the sums of all tokens are the same whichever token is chosen
    for name, make, depends in (
        ("written", partial(written_matrix, choice, seen, block, query), (choice, block, query)),
        ("sum", partial(sum_matrix, choice, seen, block), (choice, block)),
    ):
        cell_matrices.show(
            place,
            name,
            items=make,
            cell=cell,
            links={"token": query, "head": head},
            prefix=seen.config.num_prefix_tokens,
            cache=depends,
        )
    if cell is None:
        show_hint()
    else:
        show_cell(choice, seen, place, cell)


def show_cell(choice: Choice, seen: Observation, place: Place, cell: Cell) -> None:
    """Draw where the number of a cell comes from; a bias comes from nowhere."""
    texts, names = TEXTS["parts"]["joined"], token_names(seen.config)
    block, query = place.block, place.token(seen.telling_patch)
    working = attention_cells.Head(
        seen.config, seen.tensors, weights(choice), block, place.head, query
    )
    derivation = working.origin(cell)
    if derivation is None:
        value = written_by(choice, seen, block, query)[cell.row, cell.column]
        st.markdown(texts["cell_bias"].format(number=cell.column + 1, value=f"{value:.4g}"))
        return
    written = cell.matrix == "written"
    title = texts["cell_written" if written else "cell_sum"].format(
        part=part_names(seen.config)[cell.row] if written else "",
        token=names[query if written else cell.row],
        number=cell.column + 1,
    )
    show_derivation(derivation, seen, place, title)


def sum_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    return {
        "written": (config.num_heads + 1, config.embed_dim),
        "attn_out": (config.num_tokens, config.embed_dim),
    }


def written_by(choice: Choice, seen: Observation, block: int, query: int) -> np.ndarray:
    """Return what each head writes into one token, and the bias below, (heads + 1, D)."""
    held = weights(choice)
    bias = held[f"blocks.{block}.attn.proj.bias"]
    scale = held.get(f"blocks.{block}.ls1.gamma", np.float32(1))
    return np.vstack([heads.contributions(choice, seen, block)[:, query], bias * scale])


def part_names(config: ViTConfig) -> list[str]:
    texts = TEXTS["parts"]["joined"]
    bias = texts["bias" if config.layer_scale is None else "bias_scaled"]
    return [texts["head_row"].format(head=n + 1) for n in range(config.num_heads)] + [bias]


def dimension_names(config: ViTConfig) -> list[str]:
    name = TEXTS["parts"]["joined"]["dimension"]
    return [name.format(number=n + 1) for n in range(config.embed_dim)]


def written_matrix(choice: Choice, seen: Observation, block: int, query: int) -> list[Matrix]:
    texts, config = TEXTS["parts"]["joined"], seen.config
    return [
        Matrix(
            "written",
            written_by(choice, seen, block, query),
            texts["written"].format(query=token_names(config)[query]),
            part_names(config),
            dimension_names(config),
            row_axis="head",
            column_axis="dimension",
        )
    ]


def sum_matrix(choice: Choice, seen: Observation, block: int) -> list[Matrix]:
    texts, config = TEXTS["parts"]["joined"], seen.config
    return [
        Matrix(
            "attn_out",
            seen.tensors[f"blocks.{block}.attn_out"],
            texts["attn_out"],
            token_names(config),
            dimension_names(config),
            row_axis="token",
            column_axis="dimension",
        )
    ]


def written_csv(choice: Choice, seen: Observation, block: int, query: int) -> str:
    config = seen.config
    written = written_by(choice, seen, block, query)
    return matrix_csv(written, part_names(config), dimension_names(config), "part")
