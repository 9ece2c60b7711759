"""A model with changes in its pass: every run of it has them, also one that records or edits."""

from collections.abc import Mapping

from torch import Tensor

from vit_core.mistakes import FlawedViT, Flaws
from vit_core.model import ViT
from vit_core.tap import Tap, no_tap
from vit_core.trace import Edit, apply_edit


class ChangedViT(ViT):
    """A Vision Transformer that shares all parameters with another, and edits what that computes.

    Args:
        model: stays as it is.
        edits: trace key → function of that tensor, as ``trace`` takes them.
    """

    edits: Mapping[str, Edit]
    unchanged: ViT

    def __init__(self, model: ViT, edits: Mapping[str, Edit]) -> None:
        # no constructor of a module, which would draw new parameters
        self.__dict__.update(model.__dict__, edits=dict(edits), unchanged=model)

    def forward_features(self, images: Tensor, tap: Tap = no_tap) -> Tensor:
        def changed(name: str, tensor: Tensor) -> Tensor:
            edit = self.edits.get(name)
            return tap(name, tensor if edit is None else apply_edit(name, edit, tensor))

        return self.unchanged.forward_features(images, changed)


def with_flaws(model: ViT, flaws: Flaws) -> FlawedViT:
    """Return a model that shares all parameters with another, and leaves steps of its pass out."""
    flawed = FlawedViT.__new__(FlawedViT)
    flawed.__dict__.update(model.__dict__, flaws=flaws)
    return flawed


def is_changed(model: ViT) -> bool:
    """Whether a model's pass is not just that of its parts, run one after the other."""
    return isinstance(model, ChangedViT | FlawedViT)
