"""A visitor's corrections of how a picture is read: rotation, cut, kind and amount of ink."""

from dataclasses import dataclass, replace

import numpy as np

WHOLE = (0, 100)  # percent


@dataclass(frozen=True)
class Adjustment:
    """Corrections, in the order in which they are applied.

    Attributes:
        quarters: quarter turns to the right, 0 to 3.
        across: start and end of the kept part, in percent of the width.
        down: the same in percent of the height.
        ink: "dark" or "light"; empty to find it out.
        more: steps to more ink, -5 to 5.
    """

    quarters: int = 0
    across: tuple[int, int] = WHOLE
    down: tuple[int, int] = WHOLE
    ink: str = ""
    more: int = 0


AS_FOUND = Adjustment()


def adjusted(values: np.ndarray, adjustment: Adjustment) -> np.ndarray:
    """Return a picture (height, width, …) turned and cut; at least one pixel remains."""
    values = np.rot90(values, -adjustment.quarters)
    for axis, (start, end) in enumerate((adjustment.down, adjustment.across)):
        length = values.shape[axis]
        first = min(length - 1, round(start / 100 * length))
        last = max(first + 1, round(end / 100 * length))
        values = values.take(range(first, last), axis=axis)
    return np.ascontiguousarray(values)


def turned(adjustment: Adjustment, quarters: int) -> Adjustment:
    """Return an adjustment with more turns to the right and the same part of the picture.

    Args:
        quarters: negative to the left.
    """
    across, down = adjustment.across, adjustment.down
    for _ in range(quarters % 4):
        across, down = (100 - down[1], 100 - down[0]), across
    return replace(
        adjustment, quarters=(adjustment.quarters + quarters) % 4, across=across, down=down
    )
