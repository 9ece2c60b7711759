"""The page on the class token: one more row, why, and what models do that have none."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from explainer import services, state
from explainer.arithmetic import mean
from explainer.arithmetic_view import cell_name, show_arithmetic, show_derivation, show_hint
from explainer.code_panel import Snippet
from explainer.components.matrices import Matrix, matrices
from explainer.content import load_texts
from explainer.export import download_csv, matrix_csv
from explainer.figures.looks import look, looks
from explainer.notation import percent
from explainer.quiz import Question
from explainer.services import Observation
from explainer.shared import remember
from explainer.sidebar import SOURCE_LABELS
from explainer.small_print import note
from explainer.state import UNTRAINED, Cell, Choice
from explainer.tokens import token_names
from vit_core import CheckpointError, ViTConfig
from vit_core.model import ViT

TEXTS = load_texts("class_token")
TOKENS = load_texts("token_explorer")
OTHERS = 2  # images beside this one
BOTH = ("join", "what", "journey", "listens")  # parts that are told in two ways


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    config, parts = seen.config, TEXTS["parts"]
    kind = "class" if has_class(config) else "mean"
    numbers: dict[str, object] = {
        "patches": config.num_patches,
        "tokens": config.num_tokens,
        "more": config.num_tokens + 1,
        "width": config.embed_dim,
        "heads": config.num_heads,
        "share": percent(1 / config.num_patches),
    }
    told = {f"{part}_title": parts[part][f"title_{kind}"] for part in BOTH}
    for part in BOTH:
        text = parts[part][f"text_{kind}"]
        if part == "what" and has_class(config) and not choice.trained:
            text = parts[part]["text_class_untrained"]
        told[f"{part}_text"] = text.format(**numbers)
    lead = TEXTS[f"lead_{kind}"].format(**numbers)
    return numbers | told | {"lead_text": lead}


def has_class(config: ViTConfig) -> bool:
    return config.pool == "cls"


def names_of(config: ViTConfig) -> list[str]:
    return token_names(config, TOKENS)


def dimensions(config: ViTConfig) -> list[str]:
    words = TEXTS["parts"]["what"]["dimension"]
    return [words.format(number=place + 1) for place in range(config.embed_dim)]


def signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    width = config.embed_dim
    return {
        "patches": (config.num_patches, width),
        "tokens": (config.num_tokens - config.num_registers, width),
        "journey": (config.depth + 1, width),
        **(
            {"start": (1 + OTHERS, width)}
            if has_class(config)
            else {"final": (config.num_patches, width), "pooled": (1, width)}
        ),
    }


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation], list[Matrix]],
    start: Cell,
    choice: Choice,
    seen: Observation,
    *names: str,
) -> None:
    """Show matrices whose chosen cell is the link's, or ``start`` while it is in none of them."""
    shapes = {name: shape for name, shape in cell_shapes(seen.config).items() if name in names}
    token = state.get_query(choice, seen.telling_patch)
    matrices(
        key=f"class-{key}",
        items=partial(make, choice, seen),
        cell=state.get_cell(shapes) or start,
        on_choose=state.set_cell,
        links={"token": token},
        prefix=seen.config.num_prefix_tokens - seen.config.num_registers,
        cache=choice,
    )
    cell = state.get_cell(shapes)
    if cell is None:
        show_hint()
        return
    item = next(item for item in make(choice, seen) if item.name == cell.matrix)
    where = cell_name(item, cell)
    explain(choice, seen, cell, where)


def explain(choice: Choice, seen: Observation, cell: Cell, where: str) -> None:
    """Show where the number of a chosen cell comes from."""
    config, (name, row, column) = seen.config, cell
    if name == "tokens":
        name, row = "patches", row - has_class(config)
    if name == "journey" and not has_class(config):
        key = "embed" if row == 0 else f"blocks.{row - 1}.resid_post"
        values = seen.tensors[key][config.num_prefix_tokens :, column].astype(np.float64)
        show_derivation(mean(values, float(journey(seen)[row, column])), seen, where)
        return
    place = {
        # the class token itself is learned, which has no derivation
        "patches": ("patch_embed", (row, column)) if row >= 0 else ("tokens", (0, column)),
        "start": ("tokens", (0, column)),
        "journey": ("embed" if row == 0 else f"blocks.{row - 1}.resid_post", (0, column)),
        "final": ("final_norm", (row + config.num_prefix_tokens, column)),
        "pooled": ("pooled", (column,)),
    }[name]
    show_arithmetic(choice, seen, *place, where)


# one more row


def show_join(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["join"]
    show_matrices("join", joined, Cell("tokens", 0, 0), choice, seen, "patches", "tokens")
    download_csv(
        texts["download"],
        lambda: matrix_csv(
            seen.tensors["tokens"], joined_names(seen.config), dimensions(seen.config), "token"
        ),
        "tokens.csv",
        "class-tokens-csv",
    )


def joined_names(config: ViTConfig) -> list[str]:
    """Name the tokens as they are before registers join."""
    names = names_of(config)
    return names[: config.pool == "cls"] + names[config.num_prefix_tokens :]


def joined(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config = TEXTS["parts"]["join"], seen.config
    names, columns = joined_names(config), dimensions(config)
    limit = float(np.abs(seen.tensors["tokens"]).max()) or None
    return [
        Matrix(
            "patches",
            seen.tensors["patch_embed"],
            texts["before"],
            names[has_class(config) :],
            columns,
            row_axis="patch",
            column_axis="dimension",
            colour="patch",
            limit=limit,
        ),
        Matrix(
            "tokens",
            seen.tensors["tokens"],
            texts["after"],
            names,
            columns,
            row_axis="token",
            column_axis="dimension",
            colour="class-token" if has_class(config) else "patch",
            limit=limit,
        ),
    ]


# what it is


def show_what(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["what"]
    if has_class(seen.config):
        show_matrices("start", started, Cell("start", 0, 0), choice, seen, "start")
        difference = f"{start_difference(choice, seen):g}"
        st.markdown(texts["same"].format(difference=difference))
    else:
        show_matrices("mean", averaged, Cell("pooled", 0, 0), choice, seen, "final", "pooled")


def others(choice: Choice) -> list[Choice]:
    """Return the same model on test digits of other classes."""
    return [
        replace(choice, digit=(choice.digit + step) % 10, index=0, picture="")
        for step in range(3, 3 + OTHERS)
    ]


def start_rows(choice: Choice, seen: Observation) -> np.ndarray:
    """Return row 0 of the tokens for this image and for others, each from a pass of its own."""
    return remember(
        ("class token rows", choice),
        lambda: np.stack(
            [one.tensors["tokens"][0] for one in (seen, *map(services.observe, others(choice)))]
        ),
    )


def start_difference(choice: Choice, seen: Observation) -> float:
    rows = start_rows(choice, seen)
    return float((rows.max(axis=0) - rows.min(axis=0)).max())


def started(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["what"]
    names = [texts["this"], *(texts["other"].format(digit=one.digit) for one in others(choice))]
    return [
        Matrix(
            "start",
            start_rows(choice, seen),
            texts["rows"],
            names,
            dimensions(seen.config),
            row_axis="image",
            column_axis="dimension",
            colour="class-token",
        )
    ]


def averaged(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config = TEXTS["parts"]["what"], seen.config
    prefix, columns = config.num_prefix_tokens, dimensions(config)
    return [
        Matrix(
            "final",
            seen.tensors["final_norm"][prefix:],
            texts["final"],
            names_of(config)[prefix:],
            columns,
            row_axis="patch",
            column_axis="dimension",
            colour="patch",
        ),
        Matrix(
            "pooled",
            seen.tensors["pooled"][None],
            texts["mean"],
            [texts["mean_row"]],
            columns,
            column_axis="dimension",
        ),
    ]


# why


def show_why(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["why"]
    rows = remember("class token models", compared)
    if not rows:
        return
    columns = zip(*rows, strict=True)
    headings = (texts[name] for name in ("table_model", "table_reads", "table_accuracy"))
    st.table(
        {heading: list(column) for heading, column in zip(headings, columns, strict=True)},
        border="horizontal",
        hide_index=True,
    )
    note(texts["note"])


def compared() -> list[tuple[str, str, str]]:
    """Return name, what it reads and accuracy of each trained model that was measured."""
    texts, rows = TEXTS["parts"]["why"], []
    for source in services.available_sources():
        if source == UNTRAINED:
            continue
        try:
            held = services.load_source(source)
        except (CheckpointError, OSError):
            continue  # the sidebar says so when it is chosen
        accuracy = held.checkpoint.metrics.get("test_accuracy")
        if isinstance(accuracy, float):
            reads = texts["reads_class" if has_class(held.model.config) else "reads_mean"]
            rows.append((SOURCE_LABELS[source], reads, f"{100 * accuracy:.2f} %"))
    return rows


# from block to block


def journey(seen: Observation) -> np.ndarray:
    """Return the row that is read before the first block and after each, (depth + 1, D)."""
    config = seen.config
    keys = ("embed", *(f"blocks.{block}.resid_post" for block in range(config.depth)))
    if has_class(config):
        return np.stack([seen.tensors[key][0] for key in keys])
    return np.stack([seen.tensors[key][config.num_prefix_tokens :].mean(axis=0) for key in keys])


def cosines(rows: np.ndarray) -> np.ndarray:
    """Return the cosine of each row with the one before, (rows - 1,); 1 where one is zero."""
    rows = rows.astype(np.float64)
    sizes = np.linalg.norm(rows, axis=1)
    products, both = (rows[1:] * rows[:-1]).sum(axis=1), sizes[1:] * sizes[:-1]
    return np.divide(products, both, out=np.ones_like(products), where=both > 0)


def stage_names(config: ViTConfig) -> list[str]:
    texts = TEXTS["parts"]["journey"]
    after = [texts["after"].format(number=block + 1) for block in range(config.depth)]
    return [texts["start"], *after]


def show_journey(choice: Choice, seen: Observation) -> None:
    texts, stages = TEXTS["parts"]["journey"], stage_names(seen.config)
    rows = journey(seen)
    turns = cosines(rows)
    show_matrices("journey", travelled, Cell("journey", 0, 0), choice, seen, "journey")
    most = int(turns.argmin())
    st.markdown(texts["most"].format(block=most + 1, cosine=signed(float(turns[most]))))
    st.table(
        {
            texts["table_stage"]: stages,
            texts["table_length"]: [f"{size:.2f}" for size in np.linalg.norm(rows, axis=1)],
            texts["table_cosine"]: ["", *(signed(float(turn)) for turn in turns)],
        },
        border="horizontal",
        hide_index=True,
    )
    download_csv(
        texts["download"],
        lambda: matrix_csv(rows, stages, dimensions(seen.config), "stage"),
        "rows.csv",
        "class-journey-csv",
    )


def travelled(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["journey"]
    name = texts["class_name" if has_class(seen.config) else "mean_name"]
    return [
        Matrix(
            "journey",
            journey(seen),
            texts["rows"].format(name=name),
            stage_names(seen.config),
            dimensions(seen.config),
            row_axis="stage",
            column_axis="dimension",
            colour="class-token" if has_class(seen.config) else None,
        )
    ]


# whom it listens to


def show_listens(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["listens"]
    if has_class(seen.config):
        st.html(looks(remember(("class listens", choice), lambda: listened(seen))))
        note(texts["note_class"])
    else:
        agreed = agreement(seen)
        st.html(looks(remember(("class agrees", choice), lambda: agreeing(seen))))
        note(
            texts["note_mean"].format(
                least=signed(float(agreed.min())), most=signed(float(agreed.max()))
            )
        )


def attention_of_class(seen: Observation, block: int) -> np.ndarray:
    """Return the class token's attention, all heads averaged, (N,)."""
    return seen.tensors[f"blocks.{block}.attn.pattern"][:, 0].mean(axis=0)


def listened(seen: Observation) -> list[tuple[str, str, list[str]]]:
    texts, config, names = TEXTS["parts"]["listens"], seen.config, names_of(seen.config)
    prefix, pictures = config.num_prefix_tokens, []
    for block in range(config.depth):
        weights = attention_of_class(seen, block)
        best = prefix + int(weights[prefix:].argmax())
        words = {
            "number": block + 1,
            "token": names[best],
            "share": percent(float(weights[best])),
        }
        over = look(
            seen.pixels,
            weights[prefix:].reshape(config.grid_size),
            texts["alt_class"].format(**words),
        )
        lines = [
            texts["itself"].format(share=percent(float(weights[0]))),
            texts["strongest"].format(**words),
        ]
        pictures.append((over, texts["block"].format(**words), lines))
    return pictures


def agreement(seen: Observation) -> np.ndarray:
    """Return the cosine of each patch's final row with the average, (P,)."""
    rows = seen.tensors["final_norm"][seen.config.num_prefix_tokens :].astype(np.float64)
    mean = seen.tensors["pooled"].astype(np.float64)
    both = np.linalg.norm(rows, axis=1) * np.linalg.norm(mean)
    return np.divide(rows @ mean, both, out=np.zeros(len(rows)), where=both > 0)


def agreeing(seen: Observation) -> list[tuple[str, str, list[str]]]:
    texts, config = TEXTS["parts"]["listens"], seen.config
    agreed = agreement(seen)
    best = int(agreed.argmax())
    token = names_of(config)[config.num_prefix_tokens + best]
    least, most = signed(float(agreed.min())), signed(float(agreed.max()))
    alt = texts["alt_mean"].format(token=token, value=most)
    drawn = (agreed - agreed.min()).reshape(config.grid_size)
    over = look(seen.pixels, drawn, alt, max(float(drawn.max()), 1e-6))
    return [(over, texts["agree"], [texts["agree_line"].format(least=least, most=most)])]


PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {
    "join": show_join,
    "what": show_what,
    "why": show_why,
    "journey": show_journey,
    "listens": show_listens,
}
CODE = (
    Snippet("join", ViT.embed, ("if self.cls_token", "x_BND = torch.cat((self.cls_token")),
    Snippet("why", ViT.forward_head, ("if self.config.pool", "pooled_BD =")),
)


# questions


def questions(choice: Choice, seen: Observation) -> list[Question]:
    second = ask_image(choice, seen) if has_class(seen.config) else ask_share(seen)
    third = ask_itself(seen) if has_class(seen.config) else ask_longest(seen)
    asked = [ask_shape(choice, seen), second, third]
    return asked if seen.config.depth == 1 else [*asked, ask_turns(seen)]


def ask_shape(choice: Choice, seen: Observation) -> Question:
    texts, config = TEXTS["questions"]["shape"], seen.config
    patches, width = config.num_patches, config.embed_dim
    shapes = [(patches, width), (patches + 1, width), (patches, width + 1), (2 * patches, width)]
    right = (config.num_tokens, width)
    if right not in shapes:
        shapes[-1] = right
    why = texts["why_class" if has_class(config) else "why_mean"]
    words = facts(choice, seen)
    return Question(
        "shape",
        texts["text"].format(**words),
        tuple(f"({rows}, {columns})" for rows, columns in shapes),
        shapes.index(right),
        why.format(**words),
    )


def ask_image(choice: Choice, seen: Observation) -> Question:
    texts = TEXTS["questions"]["image"]
    difference = start_difference(choice, seen)
    return Question(
        "image",
        texts["text"],
        (texts["changes"], texts["zero"], texts["stays"]),
        2 if difference == 0 else 0,
        texts["why"].format(difference=f"{difference:g}"),
    )


def ask_share(seen: Observation) -> Question:
    texts, patches = TEXTS["questions"]["share"], seen.config.num_patches
    right = f"{1 / patches:.3g}"
    options = (f"{1 / seen.config.embed_dim:.3g}", right, "1", str(patches))
    return Question(
        "share",
        texts["text"],
        options,
        options.index(right),
        texts["why"].format(patches=patches, share=right),
    )


def ask_itself(seen: Observation) -> Question:
    """Ask for the class token's attention to itself, among shares that are far from each other."""
    texts, config = TEXTS["questions"]["itself"], seen.config
    share = float(attention_of_class(seen, config.depth - 1)[0])
    shares = [share, *(one for one in (0.02, 0.25, 0.6, 0.95) if abs(one - share) > 0.12)][:4]
    options = sorted(shares)
    return Question(
        "itself",
        texts["text"],
        tuple(percent(one) for one in options),
        options.index(share),
        texts["why"].format(
            share=percent(share), rest=percent(1 - share), patches=config.num_tokens - 1
        ),
    )


def ask_longest(seen: Observation) -> Question:
    texts = TEXTS["questions"]["longest"]
    sizes = np.linalg.norm(journey(seen), axis=1)
    start, end = float(sizes[0]), float(sizes[-1])
    options = sorted({round(number, 2) for number in (end, end / 10, end * 10, end / 3)})
    return Question(
        "longest",
        texts["text"].format(row=TEXTS["questions"]["turns"]["mean_row"], start=f"{start:.2f}"),
        tuple(f"{number:.2f}" for number in options),
        options.index(round(end, 2)),
        texts["why"].format(start=f"{start:.2f}", end=f"{end:.2f}"),
    )


def ask_turns(seen: Observation) -> Question:
    texts, turns = TEXTS["questions"]["turns"], cosines(journey(seen))
    block = TEXTS["parts"]["listens"]["block"]
    row = texts["class_row" if has_class(seen.config) else "mean_row"]
    return Question(
        "turns",
        texts["text"].format(row=row),
        tuple(block.format(number=place + 1) for place in range(len(turns))),
        int(turns.argmin()),
        texts["why"].format(cosines=", ".join(signed(float(turn)) for turn in turns)),
    )
