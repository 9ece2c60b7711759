"""The arithmetic of one cell on the page: its terms, their sum, and the line to its number."""

from functools import partial

import streamlit as st

from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.content.strangers_words import StrangersWord, joined
from explainer.figures import drawn
from explainer.figures.matrix import Matrix
from explainer.observation.arithmetic import derive
from explainer.observation.derivation import Derivation
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell.downloads import download_csv
from explainer.shell.notes import note
from explainer.shell.terms_of_cell import show_terms, term_names, terms_csv
from explainer.shell.worked_line import worked_line
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place

ROUNDING = 1e-5  # of the sum of the terms' sizes: more than float32 leaves


def cell_name(item: Matrix, cell: Cell) -> StrangersWord:
    """Name a cell of a matrix; the only row or column of a vector is left out.

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
        key, index: the trace key and the index of the number, as ``arithmetic.derive`` takes them.
        where: what the cell is called, such as "logit of 7".
    """
    try:
        derivation = derive(
            *(seen.tensors, weights(choice), seen.config, key, index),
            flaws(choice),
            choice.edits.heads_off,
        )
    except ValueError:
        note(load_texts("arithmetic")["input"])
        return
    show_derivation(derivation, seen, place, where)


def show_derivation(
    derivation: Derivation,
    seen: Observation,
    place: Place,
    where: str,
    *,
    key: str = "arithmetic",
) -> None:
    """Show terms, sum and the line that ends in the number.

    Args:
        where: what the number is called.
        key: of the frame, where a page has several; the place puts its prefix before it.
    """
    texts, key = load_texts("arithmetic"), place.key(key)
    names = term_names(derivation, seen)
    with st.container(border=True, key=key):
        title = texts["title"].format(number=written(derivation.shown), where=where)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**")
            if len(derivation.terms) > 1:
                file = partial(terms_csv, derivation, names)
                download_csv(texts["download"], file, "terms.csv", f"{key}-csv")
            st.button(
                texts["close"],
                key=f"{key}-close",
                type="tertiary",
                on_click=repaints(lambda: session.change(cell="")),
            )
        notes = []
        if len(derivation.terms) > 1:
            notes += show_terms(derivation, names, where, drawn.base_name(key))
        if not (derivation.left_out and len(derivation.terms) == 1):  # it would only say x = x
            st.latex(worked_line(derivation))
        note("\n\n".join([*notes, *notes_on(derivation)]))


def notes_on(derivation: Derivation) -> list[str]:
    """Return what is to be said about how a number was computed, a paragraph each."""
    texts, notes = load_texts("arithmetic"), []
    if derivation.left_out:
        notes.append(texts["left_out"][derivation.left_out])
    if derivation.kind == "softmax":
        notes.append(texts["softmax_note"].format(most=written(derivation.numbers["most"])))
    difference = abs(derivation.result - derivation.shown)
    fits = difference <= ROUNDING * derivation.scale
    notes.append(
        texts["check" if fits else "check_off"].format(
            shown=f"{derivation.shown:.7g}".replace("-", "−"), difference=f"{difference:.1e}"
        )
    )
    return notes
