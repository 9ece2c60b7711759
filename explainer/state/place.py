"""The place in a model that is looked at."""

from typing import NamedTuple


class Cell(NamedTuple):
    """One cell of a matrix that a page shows; row and column count from 0."""

    matrix: str
    row: int
    column: int
