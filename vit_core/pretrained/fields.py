"""Read an untrusted JSON configuration field by field, and check each value."""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeGuard

from vit_core.checks import quoted
from vit_core.pretrained.errors import PretrainedError

LARGEST_SIDE = 4_096  # pixels of an image
LISTED = 3  # names in a message before "and … more"


class Fields:
    """The fields of one JSON object. A field that is null counts as missing.

    Read every field that matters, name those that change nothing here (``without_effect``), then
    call ``refuse_others``: it refuses all that is left.
    """

    def __init__(self, values: object, where: str) -> None:
        """Start with no field read.

        Args:
            values: a parsed JSON object.
            where: the file or object that holds the fields, for messages.

        Raises:
            PretrainedError: ``values`` is not a mapping.
        """
        if not isinstance(values, Mapping):
            raise PretrainedError(f"{where} holds no names and values, but {quoted(values)}")
        self.where = where
        self._values = {name: value for name, value in values.items() if value is not None}
        self._used: set[str] = set()
        self.notes: list[str] = []  # sentences for people about the fields that were read

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def values(self) -> dict[str, Any]:
        """All fields that are not null, by name."""
        return dict(self._values)

    def get(self, name: str) -> Any:
        """Return a value unchecked, None if it is missing."""
        self._used.add(name)
        return self._values.get(name)

    def refused(self, name: str, allowed: str) -> PretrainedError:
        """Return an error that names a field, its value and the allowed values."""
        return PretrainedError(
            f"this model cannot be shown: {self.where} has {name} "
            f"{quoted(self._values.get(name))}; allowed is {allowed}"
        )

    def integer(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number, None if it is missing; 2.0 counts as whole.

        Raises:
            PretrainedError: it is not a whole number from ``least`` to ``most``.
        """
        value = self.get(name)
        if value is None:
            return None
        if (number := as_integer(value, least, most)) is None:
            raise self.refused(name, f"a whole number from {least} to {most}")
        return number

    def number(self, name: str, above: float = -math.inf, most: float = math.inf) -> float | None:
        """Return a finite number, None if it is missing.

        Raises:
            PretrainedError: it is not a number above ``above`` and at most ``most``.
        """
        value = self.get(name)
        if value is None:
            return None
        if not is_number(value) or not above < value <= most:
            bounds = [f"above {above:g}"] if math.isfinite(above) else []
            bounds += [f"at most {most:g}"] if math.isfinite(most) else []
            raise self.refused(name, f"a finite number {' and '.join(bounds)}".strip())
        return float(value)

    def flag(self, name: str) -> bool | None:
        """Return true or false, None if it is missing.

        Raises:
            PretrainedError: it is neither.
        """
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.refused(name, "true or false")
        return value

    def text(self, name: str, allowed: Collection[str] | None = None) -> str | None:
        """Return a text, None if it is missing.

        Raises:
            PretrainedError: it is not a text, or not one of ``allowed``.
        """
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or (allowed is not None and value not in allowed):
            raise self.refused(name, " or ".join(map(repr, allowed)) if allowed else "a text")
        return value

    def pair(self, name: str, most: int = LARGEST_SIDE) -> tuple[int, int] | None:
        """Return (height, width) in pixels, None if it is missing.

        The value is one number for both, a list of two, or a mapping with "height" and "width".

        Raises:
            PretrainedError: it is none of these, or a side is not from 1 to ``most``.
        """
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, Mapping) and set(value) == {"height", "width"}:
            value = [value["height"], value["width"]]
        sides = list(value) if isinstance(value, list | tuple) else [value, value]
        numbers = [n for side in sides if (n := as_integer(side, 1, most)) is not None]
        if len(sides) != 2 or len(numbers) != 2:
            raise self.refused(name, f"one or two whole numbers from 1 to {most}")
        return numbers[0], numbers[1]

    def numbers(self, name: str, count: int, above: float, most: float) -> tuple[float, ...] | None:
        """Return one number for each of ``count`` channels; a single number counts for all.

        The configuration of a grey model often still has the three numbers of the colour model that
        it was made from. Their average is taken, with a note if they differ.

        Raises:
            PretrainedError: the count is wrong, or a number is not in (``above``, ``most``].
        """
        value = self.get(name)
        if value is None:
            return None
        given = list(value) if isinstance(value, list | tuple) else [value] * count
        if count == 1 and len(given) == 3 and all(map(is_number, given)):
            if len(set(given)) > 1:
                self.notes.append(f"Its {name} is of three channels; their average was taken.")
            given = [sum(given) / 3]
        if len(given) != count or not all(is_number(n) and above < n <= most for n in given):
            what = "a number" if count == 1 else f"{count} numbers"
            raise self.refused(name, f"{what} above {above:g} and at most {most:g}")
        return tuple(map(float, given))

    def part(self, name: str) -> "Fields":
        """Return the fields of an object inside this one; no fields if it is missing."""
        value = self.get(name)
        return Fields({} if value is None else value, f"{name} of {self.where}")

    def without_effect(self, names: Iterable[str]) -> None:
        """Mark fields that change nothing in what this project computes."""
        self._used.update(names)

    def only(self, name: str, *allowed: object, because: str) -> None:
        """Refuse a field unless it is missing or has one of the allowed values.

        Raises:
            PretrainedError: it has another value; the message ends with ``because``.
        """
        value = self.get(name)
        if value is not None and not any(value is one or value == one for one in allowed):
            raise PretrainedError(f"{self.where} has {name} {quoted(value)}: {because}")

    def refuse_others(self) -> None:
        """Refuse all fields that were neither read nor marked.

        Raises:
            PretrainedError: there are some; the message names them.
        """
        others = [name for name in self._values if name not in self._used and not is_private(name)]
        if others:
            raise PretrainedError(
                f"{self.where} has {listed(map(quoted, others))}, which is not known here and "
                f"might change what the model computes; take out what does not"
            )


def is_private(name: object) -> bool:
    """Whether a field is a library's private note, such as ``_name_or_path``."""
    return isinstance(name, str) and name.startswith("_")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number that a float can hold. True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -1e300 < value < 1e300


def as_integer(value: object, least: int, most: int) -> int | None:
    """Return a value as an int from ``least`` to ``most``, None if it is not such a number."""
    if not is_number(value) or value != int(value) or not least <= value <= most:
        return None
    return int(value)


def listed(names: Iterable[str]) -> str:
    """Join the first names for a message, and say how many more there are."""
    names = list(names)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
