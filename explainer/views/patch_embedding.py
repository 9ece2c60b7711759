"""The page on the patch embedding: from pixels to the numbers that the model works with."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from explainer import embedding, services, state
from explainer.arithmetic_view import show_arithmetic
from explainer.code_panel import Snippet
from explainer.components.filter_grid import filter_grid
from explainer.components.matrices import Matrix, matrices
from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.embedding import Alike, Sum
from explainer.export import download_csv, matrix_csv, table_csv
from explainer.figures.maps import maps
from explainer.figures.pixels import grey_image
from explainer.figures.products import Tile, alike, product
from explainer.notation import latex_number, percent
from explainer.quiz import Question
from explainer.services import Observation
from explainer.shared import remember
from explainer.state import Cell, Choice
from explainer.tokens import token_names
from vit_core import ViTConfig
from vit_core.interpret.filters import embed_by_convolution, principal_filters
from vit_core.model import PatchEmbed

TEXTS = load_texts("patch_embedding")
TOKENS = load_texts("token_explorer")
SHOWN_COMPONENTS = 12
SHOWN_ALIKE = 3  # most and least similar
SHOWN_PRODUCTS = 3
SHOWN_TERMS = 4  # so few pixels are all written out
NARROW = 49  # columns of W


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    config = seen.config
    return {
        "patches": config.num_patches,
        "values": config.patch_dim,
        "width": config.embed_dim,
        "side": config.patch_hw[0],
        "count": f"{config.embed_dim * config.patch_dim:,}",
        "patch": names_of(config)[patch_of(choice, seen)],
    }


def patch_of(choice: Choice, seen: Observation) -> int:
    return state.get_patch(choice, seen.telling_patch)


def names_of(config: ViTConfig) -> list[str]:
    """Name the patches."""
    return token_names(config, TOKENS)[config.num_prefix_tokens :]


def note(text: str) -> None:
    st.markdown(f":small[{text.strip()}]")


def minus(text: str) -> str:
    """Write a number with a proper minus sign."""
    return text.replace("-", "−")


def short(number: float) -> str:
    return minus(f"{number:.2f}")


def choose_patch(choice: Choice, clicked: Mapping[str, int]) -> None:
    state.set_patch(choice, clicked["query"])


# patches in, rows out


def show_choose(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["choose"], seen.config
    picture, words = st.columns((2, 3), gap="large", vertical_alignment="center")
    with picture:
        token_picker(
            key="embedded",
            image=seen.pixels,
            grid=config.grid_size,
            prefix_names=[],
            query=patch_of(choice, seen),
            on_choose=partial(choose_patch, choice),
            colour="patch",
            cache=choice,
        )
    with words:
        st.markdown(texts["shapes"])
        sizes = (config.num_patches, config.patch_dim, config.num_patches, config.embed_dim)
        st.latex(texts["shape_latex"] % sizes)
        st.markdown(texts["paper"].format(**facts(choice, seen)))


# one patch through the matrix


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    return {
        "patch": (1, config.patch_dim),
        "weight": (config.embed_dim, config.patch_dim),
        "embedding": (config.embed_dim, 1),
        "embeddings": (config.num_patches, config.embed_dim),
    }


def choose_cell(choice: Choice, cell: Cell) -> None:
    """Keep a cell, and with it the row of W, and the patch, that it belongs to."""
    changed: dict[str, object] = {"cell": f"{cell.matrix}.{cell.row}.{cell.column}"}
    if cell.matrix == "embeddings":
        prefix = choice.config.num_prefix_tokens
        changed |= {"unit": cell.column, "query": prefix + cell.row}
    elif cell.matrix != "patch":
        changed["unit"] = cell.row
    state.change(**changed)


def choose_filter(unit: int) -> None:
    # a cell of another row would contradict it
    state.change(unit=unit, cell="")


def chosen_cell(choice: Choice, seen: Observation, *names: str) -> Cell | None:
    """Return the link's cell, if it is in one of the matrices and still what is taken apart."""
    unit, patch = embedding.unit_of(choice), patch_of(choice, seen)
    shapes = cell_shapes(seen.config)
    cell = state.get_cell({name: shapes[name] for name in names})
    if names == ("patch",):
        return cell
    if names == ("embeddings",):
        return Cell("embeddings", patch, unit)
    return cell if cell and cell.row == unit else Cell("embedding", unit, 0)


def show_multiply(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen), embedding.unit_of(choice)
    show_matrices("pixels-of-one", pixels_of_one, choice, seen, "patch")
    # beside each other where W is narrow
    narrow = config.patch_dim <= NARROW
    weights, apart = st.columns((2, 3), gap="large") if narrow else (st.container(),) * 2
    with weights:
        show_matrices("one", one_patch, choice, seen, "weight", "embedding")
    with apart:
        words = {"number": unit + 1, "patch": names_of(config)[patch]}
        st.markdown(f"**{texts['apart'].format(**words)}**")
        st.html(remember(("product", choice, patch, unit), partial(draw_sum, choice, seen)))
        if state.get_cell(cell_shapes(config)):
            where = texts["cell"].format(**words)
            show_arithmetic(choice, seen, "patch_embed", (patch, unit), where)
        else:
            show_worked(choice, seen)
    st.markdown(texts["all_text"])
    show_matrices("every", every_patch, choice, seen, "embeddings")
    with st.container(horizontal=True):
        download_csv(
            texts["download"],
            partial(sum_csv, embedding.sum_of(choice, seen, patch, unit), config),
            f"patch{patch + 1}-number{unit + 1}.csv",
            "sum-csv",
        )
        download_csv(
            texts["download_all"],
            partial(
                matrix_csv,
                seen.tensors["patch_embed"],
                names_of(config),
                numbered(texts["dimension"], config.embed_dim),
                "patch",
            ),
            "embeddings.csv",
            "embeddings-csv",
        )


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation], list[Matrix]],
    choice: Choice,
    seen: Observation,
    *names: str,
) -> None:
    patch, unit = patch_of(choice, seen), embedding.unit_of(choice)
    matrices(
        key=key,
        items=partial(make, choice, seen),
        cell=chosen_cell(choice, seen, *names),
        on_choose=partial(choose_cell, choice),
        links={"patch": patch, "dimension": unit},
        prefix=0,
        # the whole list is the same whichever patch is chosen
        cache=choice if key == "every" else (choice, patch),
    )


def numbered(words: str, count: int) -> list[str]:
    return [words.format(number=place + 1) for place in range(count)]


def pixel_names(config: ViTConfig) -> list[str]:
    words, (height, width) = TEXTS["parts"]["multiply"]["pixel"], config.patch_hw
    return [
        words.format(row=row + 1, column=column + 1)
        for _ in range(config.in_channels)
        for row in range(height)
        for column in range(width)
    ]


def pixels_of_one(choice: Choice, seen: Observation) -> list[Matrix]:
    patch = patch_of(choice, seen)
    name = names_of(seen.config)[patch]
    return [
        Matrix(
            "patch",
            seen.tensors["patches"][patch][None],
            TEXTS["parts"]["multiply"]["x"].format(patch=name),
            [name],
            pixel_names(seen.config),
            column_axis="pixel",
            colour="patch",
        )
    ]


def one_patch(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config, patch = TEXTS["parts"]["multiply"], seen.config, patch_of(choice, seen)
    pixels, dimensions = pixel_names(config), numbered(texts["dimension"], config.embed_dim)
    return [
        Matrix(
            "weight",
            embedding.weight_of(choice),
            texts["w"],
            dimensions,
            pixels,
            row_axis="dimension",
            column_axis="pixel",
        ),
        Matrix(
            "embedding",
            seen.tensors["patch_embed"][patch][:, None],
            texts["e"],
            dimensions,
            [""],
            row_axis="dimension",
        ),
    ]


def every_patch(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config = TEXTS["parts"]["multiply"], seen.config
    return [
        Matrix(
            "embeddings",
            seen.tensors["patch_embed"],
            texts["all"],
            names_of(config),
            numbered(texts["dimension"], config.embed_dim),
            row_axis="patch",
            column_axis="dimension",
        )
    ]


def draw_sum(choice: Choice, seen: Observation) -> str:
    """The patch, the filter and their products as pictures."""
    texts, config = TEXTS["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen), embedding.unit_of(choice)
    apart = embedding.sum_of(choice, seen, patch, unit)
    words = {
        "patch": names_of(config)[patch],
        "number": unit + 1,
        "count": config.patch_dim,
        "total": minus(f"{apart.products.sum():.4f}"),
    }

    def tile(name: str, values: np.ndarray) -> Tile:
        title = texts[f"{name}_tile"].format(**words)
        return Tile(
            values.reshape(-1, config.patch_hw[1]),
            title,
            texts[f"{name}_line"].format(**words),
            texts["tile_alt"].format(
                title=title, least=short(values.min()), largest=short(values.max())
            ),
        )

    return product(
        (
            tile("patch", apart.values),
            tile("filter", apart.filter),
            tile("product", apart.products),
        ),
        ("×", "="),
    )


def show_worked(choice: Choice, seen: Observation) -> None:
    """The sum in numbers, ending in the model's."""
    texts, config = TEXTS["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen), embedding.unit_of(choice)
    apart = embedding.sum_of(choice, seen, patch, unit)
    count = config.patch_dim
    shown = count if count <= SHOWN_TERMS else SHOWN_PRODUCTS
    order = np.argsort(-np.abs(apart.products), kind="stable")[:shown]
    terms = [
        rf"{in_brackets(apart.values[place])} \cdot {in_brackets(apart.filter[place])}"
        for place in (sorted(order) if shown == count else order)
    ]
    if shown < count:
        terms.append(r"\dots")
    terms.append(in_brackets(apart.bias))
    # two in a line, so that a telephone has room for them
    lines = [" + ".join(terms[at : at + 2]) for at in range(0, len(terms), 2)]
    st.latex(
        texts["worked"]
        % (
            unit + 1,
            count,
            r" \\ &\quad + ".join(lines),
            f"{apart.products.sum():.4f}",
            f"({apart.bias:.4f})" if apart.bias < 0 else f"{apart.bias:.4f}",
            f"{apart.total:.4f}",
        )
    )
    exact = minus(f"{seen.tensors['patch_embed'][patch, unit]:.8g}")
    words = texts["worked_note_all" if shown == count else "worked_note"]
    note(words.format(rest=count - shown, exact=exact))


def in_brackets(number: float) -> str:
    text = latex_number(number)
    return f"({text})" if number < 0 else text


def sum_csv(apart: Sum, config: ViTConfig) -> str:
    rows = zip(pixel_names(config), apart.values, apart.filter, apart.products, strict=True)
    return table_csv(
        ("pixel", "x", "weight", "product"),
        [*rows, ("bias", "", "", apart.bias), ("total", "", "", apart.total)],
    )


# filters


def show_filters(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["filters"], seen.config
    patch, unit = patch_of(choice, seen), embedding.unit_of(choice)
    found = embedding.agreement(choice)
    st.markdown(texts[kind_of(choice)].format(agreement=short(found.value), width=config.embed_dim))
    grid, response = st.columns((3, 2), gap="large")
    column = seen.tensors["patch_embed"][:, unit]
    with grid:
        filter_grid(
            key="filters",
            filters=embedding.filters_of(choice),
            responses=seen.tensors["patch_embed"][patch],
            chosen=unit,
            on_choose=choose_filter,
            cache=(choice, patch),
        )
        note(texts["scale"])
        download_csv(
            texts["download"],
            partial(
                matrix_csv,
                embedding.weight_of(choice),
                numbered(TEXTS["parts"]["multiply"]["dimension"], config.embed_dim),
                pixel_names(config),
                "filter",
            ),
            "filters.csv",
            "filters-csv",
        )
    with response:
        st.markdown(f"**{texts['response'].format(number=unit + 1)}**")
        show_over_image("response", column, choice, seen, (choice, unit))
        names = names_of(config)
        words = {
            "number": unit + 1,
            "bias": short(embedding.bias_of(choice)[unit]),
            "high": names[int(column.argmax())],
            "high_value": short(column.max()),
            "low": names[int(column.argmin())],
            "low_value": short(column.min()),
        }
        is_flat = float(np.ptp(column)) < embedding.SAME
        note(texts["response_flat" if is_flat else "response_note"].format(**words))


def kind_of(choice: Choice) -> str:
    """Return which words fit the filters, as they were measured."""
    if not choice.trained:
        return "untrained"
    return "smooth" if embedding.agreement(choice).is_smooth else "rough"


def show_over_image(
    key: str,
    values: np.ndarray,
    choice: Choice,
    seen: Observation,
    cache: tuple,
    limit: float | None = None,
) -> None:
    """Signed values of the patches over the image, on which patches can be chosen."""
    token_picker(
        key=key,
        image=seen.pixels,
        grid=seen.config.grid_size,
        prefix_names=[],
        query=patch_of(choice, seen),
        on_choose=partial(choose_patch, choice),
        values=values,
        scale="diverging",
        limit=limit,
        colour="patch",
        width=280,
        cache=cache,
    )


# principal components


def show_principal(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["principal"]
    found = embedding.principal(choice)
    shares = found.shares.numpy()
    if not shares.any():
        st.markdown(texts["none"])
        return
    shown = min(SHOWN_COMPONENTS, len(shares))
    half = int(np.searchsorted(np.cumsum(shares), 0.5)) + 1
    words = {"half": half, "count": len(shares), "shown": shown}
    st.markdown(texts[kind_of(choice)].format(**words))
    st.html(remember(("components", *embedding.model_of(choice)), partial(draw_components, choice)))
    note(texts["note"].format(**words))
    flat = found.filters.flatten(1).numpy()
    download_csv(
        texts["download"],
        partial(
            matrix_csv,
            np.column_stack([shares, flat]),
            numbered(texts["component"], len(shares)),
            ["share", *pixel_names(seen.config)],
            "component",
        ),
        "principal-components.csv",
        "principal-csv",
    )


def draw_components(choice: Choice) -> str:
    texts, found = TEXTS["parts"]["principal"], embedding.principal(choice)
    height, width = choice.config.patch_hw
    pictures = []
    for place, share in enumerate(found.shares[:SHOWN_COMPONENTS].tolist()):
        words = {"number": place + 1, "share": percent(share), "height": height, "width": width}
        pictures.append(
            (
                found.filters[place, 0].numpy(),
                texts["component"].format(**words),
                texts["share"].format(**words),
                texts["component_alt"].format(**words),
            )
        )
    return maps(pictures, chosen=-1)


# patches that look alike


def show_similar(choice: Choice, seen: Observation) -> None:
    texts, patch = TEXTS["parts"]["similar"], patch_of(choice, seen)
    found = embedding.alike_of(choice, seen, patch)
    for column, name, values in zip(
        st.columns(2, gap="large"),
        ("pixels", "embeddings"),
        (found.pixels, found.embeddings),
        strict=True,
    ):
        with column:
            st.markdown(f"**{texts[name]}**")
            show_over_image(name, values, choice, seen, (choice, patch, name), limit=1.0)
    st.markdown(f"**{texts['list_title']}**")
    st.html(remember(("alike", "list", choice, patch), partial(draw_alike, seen, patch, found)))
    st.markdown(same_words(seen, found))
    vector = seen.tensors["patches"][patch]
    if np.ptp(vector) == 0:
        name = names_of(seen.config)[patch]
        st.markdown(texts["blank"].format(patch=name[0].upper() + name[1:], value=short(vector[0])))
    show_correlation(found)
    st.markdown(texts["why"])
    download_csv(
        texts["download"], partial(alike_csv, seen, found), "similarities.csv", "alike-csv"
    )


def same_words(seen: Observation, found: Alike) -> str:
    texts = TEXTS["parts"]["similar"]
    if found.same == seen.config.num_patches - 1:
        return texts["same_all"]
    name = {0: "same_none", 1: "same_one"}.get(found.same, "same_many")
    return texts[name].format(count=found.same)


def show_correlation(found: Alike) -> None:
    """Say how closely one similarity follows the other, where both differ at all."""
    texts = TEXTS["parts"]["similar"]
    if min(np.ptp(found.pixels), np.ptp(found.embeddings)) < embedding.SAME:
        return
    correlation = float(np.corrcoef(found.pixels, found.embeddings)[0, 1])
    words = "closely" if correlation > 0.9 else "loosely" if correlation > 0.5 else "not"
    st.markdown(
        texts["follows"].format(correlation=short(correlation), words=texts[f"follows_{words}"])
    )


def black_of(choice: Choice) -> float:
    """Return what the model receives for a black pixel."""
    info = services.load_source(choice.source, choice.config, choice.seed).info
    return (0 - info.mean[0]) / info.std[0]


def draw_alike(seen: Observation, patch: int, found: Alike) -> str:
    """The chosen patch, and those with the most and the least similar embeddings."""
    texts, names = TEXTS["parts"]["similar"], names_of(seen.config)
    near = [int(place) for place in found.order[:SHOWN_ALIKE]]
    far = [int(place) for place in found.order[SHOWN_ALIKE:][-SHOWN_ALIKE:]]
    entries = [(patch, texts["chosen"])]
    entries += [(place, texts["nearest"]) for place in near]
    entries += [(place, texts["farthest"]) for place in far]
    return alike(
        [
            (
                grey_image(pixels_of(seen, place)),
                texts["alt"].format(patch=names[place]),
                names[place],
                (
                    said,
                    texts["pixel_line"].format(value=short(found.pixels[place])),
                    texts["embedding_line"].format(value=short(found.embeddings[place])),
                ),
            )
            for place, said in entries
        ]
    )


def pixels_of(seen: Observation, patch: int) -> np.ndarray:
    """Cut a patch out of the image."""
    height, width = seen.config.patch_hw
    row, column = divmod(patch, seen.config.grid_size[1])
    rows = seen.pixels[row * height : (row + 1) * height]
    return rows[:, column * width : (column + 1) * width]


def alike_csv(seen: Observation, found: Alike) -> str:
    return table_csv(
        ("patch", "cosine of pixels", "cosine of embeddings"),
        list(
            zip(
                names_of(seen.config),
                found.pixels.tolist(),
                found.embeddings.tolist(),
                strict=True,
            )
        ),
    )


# as a convolution


def show_convolution(choice: Choice, seen: Observation) -> None:
    texts, config, words = TEXTS["parts"]["convolution"], seen.config, facts(choice, seen)
    difference = embedding.convolution_difference(choice, seen)
    numbers = {"side": config.patch_hw[0], "numbers": f"{seen.tensors['patch_embed'].size:,}"}
    if difference:
        st.markdown(texts["measured"].format(difference=f"{difference:.1e}", **numbers))
        st.markdown(texts["rounding"])
    else:
        st.markdown(texts["measured_zero"].format(**numbers))
    room = "room_more" if config.embed_dim >= config.patch_dim else "room_less"
    st.markdown(texts["why"].format(room=texts[room].format(**words), **words))


PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {
    "choose": show_choose,
    "multiply": show_multiply,
    "filters": show_filters,
    "principal": show_principal,
    "similar": show_similar,
    "convolution": show_convolution,
}
CODE = (
    Snippet("multiply", PatchEmbed, ("self.proj =", "return tap(")),
    Snippet("principal", principal_filters, ("spread, directions_RV =", "(variances / total)")),
    Snippet("convolution", embed_by_convolution, ("kernel =", "maps =")),
)


# questions


def questions(choice: Choice, seen: Observation) -> list[Question]:
    return [
        ask_shape(choice, seen),
        ask_response(choice, seen),
        ask_similar(choice, seen),
        ask_blank(choice),
        ask_place(seen),
    ]


def ask_shape(choice: Choice, seen: Observation) -> Question:
    words, config = TEXTS["questions"]["shape"], seen.config
    right = config.embed_dim * config.patch_dim
    options = sorted(
        {
            right,
            config.embed_dim + config.patch_dim,
            config.num_patches * config.patch_dim,
            config.num_patches * right,
        }
    )
    return Question(
        "shape",
        words["text"].format(**facts(choice, seen)),
        tuple(f"{option:,}" for option in options),
        options.index(right),
        words["why"].format(right=f"{right:,}", **facts(choice, seen)),
    )


def ask_response(choice: Choice, seen: Observation) -> Question:
    """Ask where the chosen filter makes the largest number, among four patches."""
    words, unit = TEXTS["questions"]["response"], embedding.unit_of(choice)
    column = seen.tensors["patch_embed"][:, unit]
    options, best = clearly_largest(column, np.argsort(-column, kind="stable"))
    return Question(
        "response",
        words["text"].format(number=unit + 1),
        tuple(names_of(seen.config)[place] for place in options),
        options.index(best),
        words["why"].format(values=listed(column, options, seen)),
    )


def ask_similar(choice: Choice, seen: Observation) -> Question:
    """Ask which of three patches with other pixels is most like the chosen one."""
    words, patch = TEXTS["questions"]["similar"], patch_of(choice, seen)
    found = embedding.alike_of(choice, seen, patch)
    # where all patches are the same there is only the chosen one, and nothing is asked
    order = found.order if len(found.order) else np.array([patch])
    options, best = clearly_largest(found.embeddings, order)
    name = names_of(seen.config)[patch]
    return Question(
        "similar",
        words["text"].format(patch=name),
        tuple(names_of(seen.config)[place] for place in options),
        options.index(best),
        words["why"].format(patch=name, values=listed(found.embeddings, options, seen)),
    )


def clearly_largest(values: np.ndarray, order: np.ndarray) -> tuple[list[int], int]:
    """Return places in reading order, and the one of them whose value is clearly the largest.

    Args:
        order: the places that may be asked for, from the largest value to the least.
    """
    best = int(order[0])
    others = (int(order[len(order) * part // 8]) for part in (1, 4, 7))
    clear = {place for place in others if values[place] < values[best] - 0.005}
    return sorted({best} | clear), best


def listed(values: np.ndarray, places: Sequence[int], seen: Observation) -> str:
    names = names_of(seen.config)
    return ", ".join(f"{names[place]} {short(values[place])}" for place in places)


def ask_blank(choice: Choice) -> Question:
    words, unit, black = TEXTS["questions"]["blank"], embedding.unit_of(choice), black_of(choice)
    total = float(embedding.weight_of(choice)[unit].sum(dtype=np.float64))
    bias = float(embedding.bias_of(choice)[unit])
    numbers = {
        "number": unit + 1,
        "black": short(black),
        "total": minus(f"{total:.3f}"),
        "bias": minus(f"({bias:.3f})" if bias < 0 else f"{bias:.3f}"),
        "value": minus(f"{black * total + bias:.3f}"),
    }
    return Question(
        "blank",
        words["text"].format(**numbers),
        (words["zeros"], words["bias"], words["sums"].format(**numbers)),
        2,
        words["why"].format(**numbers),
    )


def ask_place(seen: Observation) -> Question:
    words = TEXTS["questions"]["place"]
    counts = np.unique(seen.tensors["patches"], axis=0, return_counts=True)[1]
    shared = int(counts[counts > 1].sum())
    here = words["why_here"].format(count=shared) if shared else ""
    return Question(
        "place",
        words["text"],
        (words["same"], words["near"], words["other"]),
        0,
        words["why"].format(here=here).strip(),
    )
