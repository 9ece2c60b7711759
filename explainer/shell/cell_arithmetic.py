"""A cell's arithmetic on the page: its terms, their sum, and the line that ends in its number."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explainer.components.colours import MARKS
from explainer.components.matrices import Matrix
from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.content.strangers_words import StrangersWord, joined, plain_format
from explainer.content.token_names import token_names, value_names
from explainer.figures.terms import Column, terms_table
from explainer.observation.arithmetic import derive
from explainer.observation.derivation import Derivation
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.notes import note
from explainer.shell.worked_line import worked_line
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place

SHOWN = 12  # terms in the table, where there are more
SHOWN_IN_EXAMPLE = 6
ROUNDING = 1e-5  # of the sum of the terms' sizes: more than float32 leaves


def cell_name(item: Matrix, cell: Cell) -> StrangersWord:
    """Name a cell of a matrix; a vector's only row or column goes without saying.

    Strangers' class names may be in it.
    """
    names = [item.title]
    if len(item.row_names) > 1:
        names.append(item.row_names[cell.row])
    if len(item.column_names) > 1:
        names.append(item.column_names[cell.column])
    return joined(", ".join(names))


def show_hint() -> None:
    """Say that cells can be clicked, where none is chosen."""
    note(load_texts("arithmetic")["hint"])


def show_arithmetic(
    choice: Choice,
    seen: Observation,
    place: Place,
    key: str,
    index: tuple[int, ...],
    where: str,
) -> None:
    """Show how one number of the trace came about.

    Args:
        key, index: as ``arithmetic.derive`` takes them.
        where: what the cell is called, such as "logit of 7".
    """
    try:
        found = derive(seen.tensors, weights(choice), seen.config, key, index, flaws(choice))
    except ValueError:
        note(load_texts("arithmetic")["input"])
        return
    show_derivation(found, seen, place, where)


def show_derivation(
    found: Derivation,
    seen: Observation,
    place: Place,
    where: str,
    *,
    key: str = "arithmetic",
    is_example: bool = False,
) -> None:
    """Show terms, sum and the line that ends in the number.

    Args:
        where: what the number is called.
        key: of the frame, where a page has several; the place puts its prefix before it.
        is_example: nobody chose it, so it cannot be closed.
    """
    texts, key = load_texts("arithmetic"), place.key(key)
    with st.container(border=True, key=key):
        title = texts["title"].format(number=written(found.shown), where=where)
        heading, close = st.columns((6, 1), vertical_alignment="center")
        heading.markdown(f"**{title}**")
        if not is_example:
            close.button(
                texts["close"],
                key=f"{key}-close",
                type="tertiary",
                on_click=lambda: session.change(cell=""),
            )
        if len(found.terms) > 1:
            most = SHOWN_IN_EXAMPLE if is_example else SHOWN
            show_terms(found, term_names(found, seen), where, key, most)
        if not (found.left_out and len(found.terms) == 1):  # it would only say x = x
            st.latex(worked_line(found))
        if found.left_out:
            note(texts["left_out"][found.left_out])
        if found.kind == "softmax":
            note(texts["softmax_note"].format(most=written(found.numbers["most"])))
        difference = abs(found.result - found.shown)
        fits = difference <= ROUNDING * found.scale
        note(
            texts["check" if fits else "check_off"].format(
                shown=f"{found.shown:.7g}".replace("-", "−"), difference=f"{difference:.1e}"
            )
        )


def term_names(found: Derivation, seen: Observation) -> list[str]:
    """Name each term as the page names what it runs over."""
    texts, config = load_texts("arithmetic"), seen.config
    if found.over == "part":
        return [texts["factors"][factor.name] for factor in found.factors]
    if found.over in ("token", "patch"):
        names = token_names(config)
        return names if found.over == "token" else names[config.num_prefix_tokens :]
    if found.over == "class":
        return list(seen.class_names)
    if found.over == "pixel" and config.in_channels > 1:
        return value_names(config)
    words = texts["over"][found.over]
    return [words.format(number=place + 1) for place in range(len(found.terms))]


def show_terms(
    found: Derivation, names: Sequence[str], where: str, key: str, most: int = SHOWN
) -> None:
    texts, count = load_texts("arithmetic"), len(found.terms)
    places = shown_places(found, most)
    remainder = float(found.terms.sum() - found.terms[places].sum())
    st.html(
        terms_table(
            [names[place] for place in places],
            [
                Column(column.heading, [column.texts[place] for place in places], column.colour)
                for column in columns(found)
            ],
            found.terms[places],
            (texts["sum_row"].format(count=count), written(float(found.terms.sum()))),
            corner=texts["term"],
            caption=plain_format(texts["region"], where=where),
            marked=places.index(found.chosen) if found.chosen in places else None,
        )
    )
    if len(places) < count:
        note(
            texts["largest"].format(
                shown=len(places),
                count=count,
                rest=count - len(places),
                remainder=written(remainder),
            )
        )
    download_csv(texts["download"], lambda: terms_csv(found, names), "terms.csv", f"{key}-csv")


def shown_places(found: Derivation, most: int = SHOWN) -> list[int]:
    """Return the terms to show, in order: all, or the ``most`` largest with the chosen one."""
    if len(found.terms) <= most + most // 3:
        return list(range(len(found.terms)))
    largest = np.argsort(-np.abs(found.terms), kind="stable")[:most].tolist()
    if found.chosen is not None and found.chosen not in largest:
        largest[-1] = found.chosen
    return sorted(largest)


def columns(found: Derivation) -> list[Column]:
    """Return the factors' numbers, and those of the terms where they are others."""
    texts = load_texts("arithmetic")
    if found.kind == "sum":
        return [Column("", [written(term) for term in found.terms])]
    shown = [
        Column(
            texts["factors"][factor.name],
            [written(value) for value in factor.values],
            MARKS[factor.colour].css if factor.colour else None,
        )
        for factor in found.factors
    ]
    if found.kind == "softmax":  # the largest is subtracted before e is raised to a power
        name = texts["factors"][found.factors[0].name]
        scores = found.factors[0].values - found.numbers["most"]
        shifted = [written(score) for score in scores]
        shown.append(Column(texts["shifted"].format(name=name), shifted))
    heading = {
        "dot": texts["product"],
        "mix": texts["product"],
        "softmax": texts["power"],
        "layer_norm": texts["square"],
    }.get(found.kind)
    if heading:
        shown.append(Column(heading, [written(term) for term in found.terms]))
    return shown


def terms_csv(found: Derivation, names: Sequence[str]) -> str:
    texts = load_texts("arithmetic")
    headings = [texts["factors"][factor.name] for factor in found.factors]
    if found.kind == "sum":
        return table_csv((texts["term"], "value"), zip(names, found.terms, strict=True))
    values = [factor.values for factor in found.factors]
    return table_csv(
        (texts["term"], *headings, "term"), zip(names, *values, found.terms, strict=True)
    )
