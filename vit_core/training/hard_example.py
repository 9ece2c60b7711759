"""An image that a model finds hard, and how a run's file holds it.

It imports nothing heavy, so that reading what runs have written does not import the evaluation.
"""

from dataclasses import dataclass
from typing import Self

from vit_core.storage.strict_json import number_in

INTEGERS = ("place", "truth", "said")  # names in hardest.json


@dataclass(frozen=True)
class HardExample:
    """One image of a split, with what a model makes of it.

    Attributes:
        index: of the image in its split.
        label: the true class.
        predicted: the class with the highest logit, which may be the true one.
        probability: that the model gives the true class, 0 to 1.
    """

    index: int
    label: int
    predicted: int
    probability: float

    def to_dict(self) -> dict[str, float]:
        """Return plain values under the names that ``hardest.json`` has for them."""
        return {
            "place": self.index,
            "truth": self.label,
            "said": self.predicted,
            "probability": self.probability,
        }

    @classmethod
    def from_dict(cls, values: object) -> Self | None:
        """Read what ``to_dict`` wrote; None for anything else, since anybody may edit the file."""
        if not isinstance(values, dict) or values.keys() != {*INTEGERS, "probability"}:
            return None
        index, label, predicted = (values[name] for name in INTEGERS)
        probability = number_in(values["probability"], 0.0, 1.0)
        if probability is None or not all(
            type(n) is int and n >= 0 for n in (index, label, predicted)
        ):
            return None
        return cls(index, label, predicted, probability)
