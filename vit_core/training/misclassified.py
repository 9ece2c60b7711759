"""An image that a model gets wrong, or finds hard."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hard:
    """An image that a model finds hard.

    Attributes:
        place: in its split.
        truth, said: the true class and the predicted one.
        probability: that the model gives the true class.
    """

    place: int
    truth: int
    said: int
    probability: float
