"""A frozen dataclass of settings that becomes JSON and comes back."""

import dataclasses
import json
from typing import Any, Self

from vit_core.checks import quoted


@dataclasses.dataclass(frozen=True)
class JsonConfig:
    """Conversion of a dataclass to JSON and back; unknown field names are refused."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values by field name; a tuple becomes a list, as in JSON."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    def to_json(self) -> str:
        """Return the same as a JSON text on one line."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build the settings from plain values; a list becomes a tuple.

        Raises:
            ValueError: ``values`` is no mapping, has an unknown name, or has a value that is not
                allowed.
        """
        if not isinstance(values, dict):
            raise ValueError(
                f"{cls.__name__} takes a mapping of names to values, not {quoted(values)}"
            )
        names = [field.name for field in dataclasses.fields(cls)]
        if unknown := [quoted(name) for name in values if name not in names]:
            raise ValueError(
                f"{cls.__name__} has no {', '.join(unknown[:3])}; its fields are {', '.join(names)}"
            )
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build the settings from what ``to_json`` returned.

        Raises:
            ValueError: ``text`` is no JSON, or ``from_dict`` refuses what it holds.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not a JSON text of {cls.__name__}: {error}") from None
        return cls.from_dict(values)
