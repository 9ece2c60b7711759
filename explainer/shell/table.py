"""Tables of a few rows, in Markdown: Streamlit's own bring pandas and Arrow, 80 MB a server."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

NUMBER = re.compile(r"[−+-]?[\d,.]+(e[−+-]?\d+)?( ?%)?", re.ASCII)
BARE_BAR = re.compile(r"(?<!\\)\|")


def show_table(
    columns: Mapping[str, Sequence[object]], width: Literal["stretch", "content"] = "stretch"
) -> None:
    """Draw a table; columns of numbers stand at the right.

    Args:
        columns: heading → its cells in Markdown; a stranger's word escapes itself.

    Raises:
        ValueError: the columns have different lengths.
    """
    st.markdown(table_text(columns), width=width)


def table_text(columns: Mapping[str, Sequence[object]]) -> str:
    """Return a table in Markdown."""
    ends = ("---:" if is_numeric(cells) else "---" for cells in columns.values())
    rows = (columns, ends, *zip(*columns.values(), strict=True))
    return "\n".join(f"| {' | '.join(map(cell_text, row))} |" for row in rows)


def is_numeric(cells: Sequence[object]) -> bool:
    """Return whether each cell is a number or empty."""
    texts = [str(cell) for cell in cells if str(cell)]
    return bool(texts) and all(NUMBER.fullmatch(text) for text in texts)


def cell_text(cell: object) -> str:
    """Return what stands in a cell: on one line, and without the bar that would end it."""
    return " ".join(BARE_BAR.sub(r"\\|", f"{cell}").split())
