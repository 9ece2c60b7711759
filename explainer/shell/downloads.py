"""The numbers behind a picture as a CSV file."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import streamlit as st

from explainer.content.strangers_words import in_csv
from explainer.shell.notes import note

# the buttons that are drawn later; None where they are drawn at once
_put_off: ContextVar[list[Callable[[], None]] | None] = ContextVar("put_off", default=None)


def matrix_csv(
    values: np.ndarray,
    row_names: Sequence[str],
    column_names: Sequence[str],
    corner: str = "",
) -> str:
    """Return a matrix as CSV, exact to float32: names above and at the left, a line for each row.

    Args:
        values: (rows, columns).
        corner: what the rows are, above their names.

    Raises:
        ValueError: there is not one name for each row and column.
    """
    if values.shape != (len(row_names), len(column_names)):
        raise ValueError(
            f"{len(row_names)} row and {len(column_names)} column names do not fit values of "
            f"shape {values.shape}"
        )
    return table_csv(
        (corner, *column_names),
        ((name, *row) for name, row in zip(row_names, values, strict=True)),
    )


def table_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows of texts and numbers as CSV below a header; numbers are exact to float32.

    A text that a spreadsheet would take for a formula gets a ``'`` before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([csv_cell(entry) for entry in header])
    for row in rows:
        writer.writerow([csv_cell(entry) for entry in row])
    return text.getvalue()


def csv_cell(entry: object) -> object:
    if isinstance(entry, float | np.floating):
        return f"{entry:.9g}"
    return in_csv(entry) if isinstance(entry, str) else entry


def download_csv(
    label: str, make_text: Callable[[], str], file_name: str, key: str, about: str = ""
) -> None:
    """Show a button for a CSV file; the file is only made when somebody clicks.

    Args:
        about: Markdown that stands below the button.
    """

    def draw() -> None:
        st.download_button(
            label,
            data=make_text,
            file_name=file_name,
            mime="text/csv",
            key=key,
            on_click="ignore",
            type="tertiary",
        )
        if about:
            note(about)

    later = _put_off.get()
    if later is None:
        draw()
    else:
        later.append(draw)


@contextmanager
def put_off() -> Iterator[list[Callable[[], None]]]:
    """Draw no button inside of the ``with``, and yield what will draw them."""
    draws: list[Callable[[], None]] = []
    token = _put_off.set(draws)
    try:
        yield draws
    finally:
        _put_off.reset(token)
