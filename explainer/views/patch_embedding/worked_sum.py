"""The sum behind one number of an embedding, in pictures, figures and as a file."""

import numpy as np
import streamlit as st

from explainer.content.equality import EQUALS, NEARLY, holds, latex_sign, number_of
from explainer.content.numbers import fixed, latex_number
from explainer.content.token_names import patch_names
from explainer.figures.products import MOST_NUMBERS, Tile, product
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.downloads import table_csv
from explainer.shell.worked_line import bracketed
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.measures import Sum
from explainer.views.patch_embedding.wording import minus, patch_of, pixel_names
from vit_core import ViTConfig

SHOWN_PRODUCTS = 3
SHOWN_TERMS = 4  # so few pixels are all written out
FORMULA_WIDTH = 320  # pixels, as on a telephone


def tile_limits(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return the largest number of each picture of the sum."""
    return [float(np.abs(picture).max()) for picture in pictures_of(choice, seen, place).values()]


def pictures_of(choice: Choice, seen: Observation, place: Place) -> dict[str, np.ndarray]:
    """Return the patch, the filter and their products, as they are drawn."""
    config = seen.config
    apart = measures.sum_of(
        choice, seen, patch_of(choice, seen, place), measures.unit_of(choice, place)
    )

    def picture(values: np.ndarray, name: str) -> np.ndarray:
        planes = values.reshape(-1, *config.patch_hw).transpose(1, 2, 0)
        is_colour = config.in_channels == 3 and name != "product"
        return planes if is_colour else planes.sum(axis=2)

    rows = {"patch": apart.values, "filter": apart.filter, "product": apart.products}
    return {name: picture(values, name) for name, values in rows.items()}


def draw_sum(
    choice: Choice, seen: Observation, place: Place, limits: np.ndarray | None = None
) -> str:
    """The patch, the filter and their products as pictures.

    Patches and filters of three channels are drawn as colours; of the products, those of a pixel
    are added up, as the sum does.
    """
    texts, config = texts_of("patch_embedding", seen)["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen, place), measures.unit_of(choice, place)
    apart = measures.sum_of(choice, seen, patch, unit)
    numbers = {
        "patch": patch_names(config)[patch],
        "number": unit + 1,
        "count": config.patch_dim,
        "total": minus(f"{apart.products.sum():.4f}"),
    }

    pictures = pictures_of(choice, seen, place)

    def tile(name: str, values: np.ndarray) -> Tile:
        title = texts[f"{name}_tile"].format(**numbers)
        return Tile(
            pictures[name],
            title,
            texts[f"{name}_line"].format(**numbers),
            texts["tile_alt"].format(
                title=title, least=fixed(values.min(), 2), largest=fixed(values.max(), 2)
            ),
        )

    return product(
        (
            tile("patch", apart.values),
            tile("filter", apart.filter),
            tile("product", apart.products),
        ),
        ("×", sign_of(apart)),
        None if limits is None else limits.tolist(),
    )


def sign_of(apart: Sum) -> str:
    """Return what stands before the products: ≈ where the numbers in the cells show rounding."""
    if len(apart.products) > MOST_NUMBERS:  # they have none
        return EQUALS
    shown = zip(np.round(apart.values, 2), np.round(apart.filter, 2), apart.products, strict=True)
    return EQUALS if all(holds(x * w, f"{shown_sum:.2f}") for x, w, shown_sum in shown) else NEARLY


def show_worked(choice: Choice, seen: Observation, place: Place) -> None:
    """The sum in numbers, ending in the model's."""
    texts, config = texts_of("patch_embedding", seen)["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen, place), measures.unit_of(choice, place)
    apart = measures.sum_of(choice, seen, patch, unit)
    count = config.patch_dim
    shown = count if count <= SHOWN_TERMS else SHOWN_PRODUCTS
    order = np.argsort(-np.abs(apart.products), kind="stable")[:shown]
    terms = [
        rf"{in_brackets(apart.values[index])} \cdot {in_brackets(apart.filter[index])}"
        for index in (sorted(order) if shown == count else order)
    ]
    if shown < count:
        terms[-1] += r" + \dots"
    terms.append(in_brackets(apart.bias))
    # two in a line, so that a telephone has room for them
    lines = [" + ".join(terms[at : at + 2]) for at in range(0, len(terms), 2)]
    total, bias, result = (
        f"{number:.4f}" for number in (apart.products.sum(), apart.bias, apart.total)
    )
    # with dots, the line before is not all that was added
    added = shown_sum(apart, order) if shown == count else number_of(total)
    st.latex(
        texts["worked"]
        % (
            unit + 1,
            count,
            unit + 1,
            unit + 1,
            r" \\ &\quad + ".join(lines),
            latex_sign(added, total),
            total,
            bracketed(bias),
            latex_sign(number_of(total) + number_of(bias), result),
            result,
        ),
        width=FORMULA_WIDTH,
    )


def worked_note(choice: Choice, seen: Observation, place: Place) -> str:
    """Say what is left out of the sum, and how its pictures are to be read."""
    texts, config = texts_of("patch_embedding", seen)["parts"]["multiply"], seen.config
    patch, unit = patch_of(choice, seen, place), measures.unit_of(choice, place)
    count = config.patch_dim
    shown = count if count <= SHOWN_TERMS else SHOWN_PRODUCTS
    exact = minus(f"{seen.tensors['patch_embed'][patch, unit]:.8g}")
    text_name = texts["worked_note_all" if shown == count else "worked_note"]
    return str(text_name.format(rest=count - shown, exact=exact))


def in_brackets(number: float) -> str:
    return bracketed(latex_number(number))


def shown_sum(apart: Sum, places: np.ndarray) -> float:
    """Return the sum of the products as their shown factors give it."""
    factors = (apart.values[places], apart.filter[places])
    pairs = zip(*factors, strict=True)
    return sum(number_of(latex_number(x)) * number_of(latex_number(w)) for x, w in pairs)


def sum_csv(apart: Sum, config: ViTConfig) -> str:
    rows = zip(pixel_names(config), apart.values, apart.filter, apart.products, strict=True)
    return table_csv(
        ("pixel", "x", "weight", "product"),
        [*rows, ("bias", "", "", apart.bias), ("total", "", "", apart.total)],
    )
