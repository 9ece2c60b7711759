"""What an attribution explains: a class's logit, or how much features resemble others."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Target:
    """The number that is explained, for each picture.

    Attributes:
        classes_B: index of a class for each picture; None for a method that asks for none, and for
            a model without a head.
        reference_BD: features that a model without a head is compared with; None for those of the
            picture itself.
    """

    classes_B: Tensor | None = None
    reference_BD: Tensor | None = None

    @property
    def words(self) -> str:
        """What ``score`` gives, with its unit."""
        return "the cosine" if self.classes_B is None else "the class's logit (nats)"

    def score(self, output_RC: Tensor, picture_R: Tensor, hold_length: bool = False) -> Tensor:
        """Return what is explained of each row of a model's output: (R,).

        The logit of the class. Without a head the cosine of the features and the reference, from
        −1 to 1. Where the reference is the picture's own features, ``output_RC`` is taken for the
        output of whole pictures. Then the cosine is 1, at its peak, where every gradient is 0: so
        the features' length is held constant there, and the gradient says what made the features
        point to where they point.

        Args:
            output_RC: logits or features.
            picture_R: which picture of the batch a row belongs to.
            hold_length: hold the features' length constant whatever the reference is.
        """
        if self.classes_B is not None:
            return output_RC.gather(1, self.classes_B[picture_R, None])[:, 0]
        if self.reference_BD is None:
            reference_RD, hold_length = output_RC.detach(), True
        else:
            reference_RD = self.reference_BD[picture_R]
        if not hold_length:
            cosine_R: Tensor = F.cosine_similarity(output_RC, reference_RD)
            return cosine_R
        lengths_R: Tensor = output_RC.detach().norm(dim=1) * reference_RD.norm(dim=1)
        smallest = torch.finfo(lengths_R.dtype).tiny
        return (output_RC * reference_RD).sum(dim=1) / lengths_R.clamp_min(smallest)

    def answer(self, output_RC: Tensor, picture_R: Tensor) -> Tensor:
        """Return the class's probability, 0 to 1, or the cosine of the features: (R,)."""
        if self.classes_B is None:
            return self.score(output_RC, picture_R)
        return output_RC.softmax(dim=1).gather(1, self.classes_B[picture_R, None])[:, 0]

    def among(self, whole_BC: Tensor) -> "Target":
        """Return this target with the reference spelled out for passes of other pictures.

        Args:
            whole_BC: the model's output to the whole pictures.
        """
        if self.classes_B is not None or self.reference_BD is not None:
            return self
        return Target(reference_BD=whole_BC.detach())
