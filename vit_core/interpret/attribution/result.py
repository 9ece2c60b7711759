"""What an attribution is, and how one is refused."""

from dataclasses import dataclass

from torch import Tensor

from vit_core.errors import VitError


class AttributionError(VitError, ValueError):
    """An attribution that cannot be made of what was given; the message is one sentence."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each patch of each picture counts, by one method.

    Attributes:
        method: its name, one of ``METHODS``.
        patches: (B, P), patches in reading order from 0, of the pictures' dtype; without a graph.
        kind: what a value means, in words, with its unit.
        is_signed: whether a value below 0 speaks against the target. Where it is False a larger
            value only means more; all are at least 0, but for those of "ink", which has no zero of
            its own.
        error: (B,), by how much the values of a picture miss what they should add up to, at least
            0 and in the unit of the target; None for a method whose values need not add up.
        passes: forward passes of each picture; a backward pass costs about two more.
    """

    method: str
    patches: Tensor
    kind: str
    is_signed: bool
    error: Tensor | None
    passes: int
