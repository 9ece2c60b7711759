"""A configuration that anybody may have written, read field by field, each by its type."""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeGuard

from vit_core.checks import quoted
from vit_core.pretrained.errors import PretrainedError

LARGEST_SIDE = 4_096  # pixels of an image
LISTED = 3  # names in a message


class Fields:
    """The fields of one JSON object; a field that is null counts as left out.

    Every field is used, listed as one that changes nothing here, or refused by its name: ask for
    each, then call ``refuse_others``.
    """

    def __init__(self, values: object, where: str) -> None:
        """Take what JSON gave.

        Args:
            where: what holds the fields, for messages.

        Raises:
            PretrainedError: the values are no mapping of names.
        """
        if not isinstance(values, Mapping):
            raise PretrainedError(f"{where} holds no names and values, but {quoted(values)}")
        self.where = where
        self._values = {name: value for name, value in values.items() if value is not None}
        self._used: set[str] = set()
        self.notes: list[str] = []  # what there is to say of the fields that were read

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def values(self) -> dict[str, Any]:
        """All fields that are not null."""
        return dict(self._values)

    def get(self, name: str) -> Any:
        """Return a value as it is, None where it is left out."""
        self._used.add(name)
        return self._values.get(name)

    def refused(self, name: str, allowed: str) -> PretrainedError:
        """Return the error that names a field, its value and what is allowed."""
        return PretrainedError(
            f"this model cannot be shown: {self.where} has {name} "
            f"{quoted(self._values.get(name))}; allowed is {allowed}"
        )

    def whole(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number; 2.0 counts as one."""
        value = self.get(name)
        if value is None:
            return None
        if (number := as_whole(value, least, most)) is None:
            raise self.refused(name, f"a whole number from {least} to {most}")
        return number

    def number(self, name: str, above: float = -math.inf, most: float = math.inf) -> float | None:
        """Return a finite number."""
        value = self.get(name)
        if value is None:
            return None
        if not is_number(value) or not above < value <= most:
            bounds = [f"above {above:g}"] if math.isfinite(above) else []
            bounds += [f"at most {most:g}"] if math.isfinite(most) else []
            raise self.refused(name, f"a finite number {' and '.join(bounds)}".strip())
        return float(value)

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.refused(name, "true or false")
        return value

    def text(self, name: str, allowed: Collection[str] | None = None) -> str | None:
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or (allowed is not None and value not in allowed):
            raise self.refused(name, " or ".join(map(repr, allowed)) if allowed else "a text")
        return value

    def pair(self, name: str, most: int = LARGEST_SIDE) -> tuple[int, int] | None:
        """Return height and width of one number, a list of two or a mapping of both names."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, Mapping) and set(value) == {"height", "width"}:
            value = [value["height"], value["width"]]
        sides = list(value) if isinstance(value, list | tuple) else [value, value]
        numbers = [n for side in sides if (n := as_whole(side, 1, most)) is not None]
        if len(sides) != 2 or len(numbers) != 2:
            raise self.refused(name, f"one or two whole numbers from 1 to {most}")
        return numbers[0], numbers[1]

    def numbers(self, name: str, count: int, above: float, most: float) -> tuple[float, ...] | None:
        """Return one number for each of ``count`` channels; a single one counts for all.

        A model of grey mostly keeps the three of the colour model that it began with: their average
        is taken, with a note where they differ.
        """
        value = self.get(name)
        if value is None:
            return None
        found = list(value) if isinstance(value, list | tuple) else [value] * count
        if count == 1 and len(found) == 3 and all(map(is_number, found)):
            if len(set(found)) > 1:
                self.notes.append(f"Its {name} is of three channels; their average was taken.")
            found = [sum(found) / 3]
        if len(found) != count or not all(is_number(n) and above < n <= most for n in found):
            what = "a number" if count == 1 else f"{count} numbers"
            raise self.refused(name, f"{what} above {above:g} and at most {most:g}")
        return tuple(map(float, found))

    def part(self, name: str) -> "Fields":
        """Return the fields of an object in this one; none where it is left out."""
        value = self.get(name)
        return Fields({} if value is None else value, f"{name} of {self.where}")

    def without_effect(self, names: Iterable[str]) -> None:
        """Mark fields that change nothing of what this project computes with the weights."""
        self._used.update(names)

    def only(self, name: str, *allowed: object, because: str) -> None:
        """Refuse a field that has another value than those that this project's model computes."""
        value = self.get(name)
        if value is not None and not any(value is one or value == one for one in allowed):
            raise PretrainedError(f"{self.where} has {name} {quoted(value)}: {because}")

    def refuse_others(self) -> None:
        """Refuse the fields that nobody has asked for.

        Raises:
            PretrainedError: it names them.
        """
        others = [name for name in self._values if name not in self._used and not is_private(name)]
        if others:
            raise PretrainedError(
                f"{self.where} has {listed(map(quoted, others))}, which is not known here and "
                f"might change what the model computes; take out what does not"
            )


def is_private(name: object) -> bool:
    """Whether a field is a note that a library made for itself, as ``_name_or_path`` is."""
    return isinstance(name, str) and name.startswith("_")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number that a float can hold, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -1e300 < value < 1e300


def as_whole(value: object, least: int, most: int) -> int | None:
    """Return a value as a whole number in these bounds, None where it is none."""
    if not is_number(value) or value != int(value) or not least <= value <= most:
        return None
    return int(value)


def listed(names: Iterable[str]) -> str:
    """Name a few, and how many more there are; empty for none."""
    names = list(names)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
