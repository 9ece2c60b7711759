"""A matrix as a picture: its numbers, and what its rows and columns are called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explainer.figures import theme

SCALES = ("diverging", "sequential")


@dataclass(frozen=True)
class Matrix:
    """One matrix; a vector is a matrix of one row or of one column.

    Attributes:
        name: for links and ``Cell``: small letters and underscores.
        values: (rows, columns), finite; the browser gets them as float32.
        title: above it.
        row_names, column_names: what each row and each column is called in the readout; one may be
            empty in a vector.
        row_axis, column_axis: what runs along rows and columns, see ``components.matrices``.
        scale: "diverging" for signed numbers, symmetric around 0; "sequential" for amounts from 0.
        colour: meaning of the matrix, as ``theme.MARKS`` names it.
        limit: the size from which a cell has the full colour, the largest of all if None. What is
            larger is clipped, and a note says so.
        cell: width and height of a cell in pixels; "auto" finds a size that suits the numbers and
            the width of the page.
        note: below it.
        sign: what stands between it and the matrix before it; only in a strip.
        centre: what each number is compared with to find its colour, of shape (rows, 1) or
            (1, columns); 0 if None. The readout has the numbers themselves.
    """

    name: str
    values: np.ndarray
    title: str
    row_names: Sequence[str]
    column_names: Sequence[str]
    row_axis: str = ""
    column_axis: str = ""
    scale: Literal["diverging", "sequential"] = "diverging"
    colour: str | None = None
    limit: float | None = None
    cell: float | Literal["auto"] = "auto"
    note: str = ""
    sign: str = ""
    centre: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z_]+", self.name):
            raise ValueError(
                f"a matrix's name consists of small letters and underscores, not {self.name!r}"
            )
        shape = np.shape(self.values)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"{self.name} must be of shape (rows, columns), not {shape}")
        if shape != (len(self.row_names), len(self.column_names)):
            raise ValueError(
                f"{self.name} of shape {shape} needs a name for each row and column, not "
                f"{len(self.row_names)} and {len(self.column_names)}"
            )
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.name} holds values that are not finite numbers")
        if self.scale not in SCALES:
            raise ValueError(f"{self.name}: scale must be one of {', '.join(SCALES)}")
        if self.scale == "sequential" and np.min(self.values) < 0:
            raise ValueError(f"{self.name} has negative values: its scale must be diverging")
        if self.colour is not None and self.colour not in theme.MARKS:
            raise ValueError(f"{self.name}: colour must be one of {', '.join(theme.MARKS)}")
        if self.limit is not None and not 0 < self.limit < np.inf:
            raise ValueError(f"{self.name}: limit must be a number above 0, not {self.limit}")
        if self.centre is not None and self.centre.shape not in ((shape[0], 1), (1, shape[1])):
            raise ValueError(
                f"{self.name} of shape {shape} needs a centre for each row or for each column, not "
                f"{self.centre.shape}"
            )
        if self.cell != "auto" and not 1 <= float(self.cell) <= 200:
            raise ValueError(f"{self.name}: cell must be 'auto' or 1 to 200 pixels")
