"""Gradients of single pictures beside that of a batch, and what learning one by heart does."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, grad, vmap
from torch.optim import Optimizer

from vit_core.learning.step import exact_loss, walk
from vit_core.model import ViT

MOST_NUMBERS = 16 * 1024**2  # of all pictures' gradients at once: 64 MB
AT_ONCE = 250  # pictures of an evaluation


@dataclass(frozen=True)
class Together:
    """How the gradients of pictures lie to one another.

    Attributes:
        products: (n, n) dot product of the gradients of each two pictures, over all parameters.
        labels: (n,) classes of the pictures.
    """

    products: Tensor
    labels: Tensor

    @property
    def lengths(self) -> Tensor:
        """(n,) of the gradients."""
        return self.products.diagonal().clamp(min=0).sqrt()

    @property
    def cosines(self) -> Tensor:
        """(n, n) between the gradients; 0 where one of them is zero."""
        lengths = self.lengths
        over = torch.where(lengths > 0, 1 / lengths, 0)
        return (self.products * over[:, None] * over).clamp(-1, 1)

    @property
    def mean_length(self) -> float:
        """Length of the mean of all gradients."""
        return float(self.products.mean().clamp(min=0).sqrt())

    @property
    def cosines_with_mean(self) -> Tensor:
        """(n,) between each gradient and the mean of all; 0 where one of both is zero."""
        lengths = self.lengths * self.mean_length
        means = self.products.mean(dim=1)
        return torch.where(lengths > 0, means / lengths, 0).clamp(-1, 1)

    def by_class(self, classes: int) -> Tensor:
        """Return the mean cosine between two pictures of each two classes, (classes, classes).

        A picture is not compared with itself. NaN where there are no such two pictures.
        """
        member = F.one_hot(self.labels, classes).to(self.products.dtype)
        apart = 1 - torch.eye(len(self.labels), dtype=member.dtype)
        sums = member.T @ (self.cosines * apart) @ member
        return sums / (member.T @ apart @ member)


@dataclass(frozen=True)
class After:
    """How a model stands after some steps on one picture.

    Attributes:
        probabilities: (C,) of the picture.
        picture_loss: its cross-entropy in nats.
        loss, accuracy: of other pictures, mean cross-entropy and share of right answers.
    """

    probabilities: Tensor
    picture_loss: float
    loss: float
    accuracy: float


def together(model: ViT, images: Tensor, labels: Tensor, at_once: int = AT_ONCE) -> Together:
    """Compare the gradients of the cross-entropy of each picture alone.

    All gradients of all pictures would take too much memory. So only some parameters are looked at
    in each of several passes, and their shares of the dot products are added up.

    Args:
        images: (n, channels, height, width), normalised.
        labels: (n,).
        at_once: how many pictures go through the model together.
    """
    # called with other parameters, which nobody else may see
    own = copy.deepcopy(model).requires_grad_(False)
    parameters = {name: one.detach() for name, one in own.named_parameters()}
    products = torch.zeros(len(labels), len(labels), dtype=torch.float64)
    for names in groups(parameters, MOST_NUMBERS // len(labels)):
        some = {name: parameters[name] for name in names}
        flat = torch.cat(
            [
                of_each(own, some, images[start : start + at_once], labels[start : start + at_once])
                for start in range(0, len(labels), at_once)
            ]
        )
        products += (flat @ flat.T).double()
    return Together(products, labels)


def groups(parameters: dict[str, Tensor], most: int) -> Iterator[list[str]]:
    """Yield names of parameters that have at most so many numbers together, or a single one."""
    names: list[str] = []
    count = 0
    for name, parameter in parameters.items():
        if names and count + parameter.numel() > most:
            yield names
            names, count = [], 0
        names.append(name)
        count += parameter.numel()
    if names:
        yield names


def of_each(own: ViT, parameters: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """Return each picture's gradient by some parameters as one long row, (n, numbers).

    Args:
        own: a model that nobody else runs meanwhile.
    """

    def spelled_out(name: str, tensor: Tensor) -> Tensor:
        return tensor  # fused attention cannot be vectorised over pictures

    def loss(some: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits = functional_call(own, some, (image[None], spelled_out))
        return F.cross_entropy(logits, label[None])

    gradients = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, images, labels)
    return torch.cat([one.flatten(1) for one in gradients.values()], dim=1)


def by_heart(
    model: ViT,
    picture: Tensor,
    label: Tensor,
    others: tuple[Tensor, Tensor],
    make: Callable[[ViT], list[Optimizer]],
    steps: int,
) -> Iterator[After]:
    """Train a copy on one picture; yield how it stands before each step and at the end.

    Args:
        picture: (1, channels, height, width), normalised.
        label: (1,).
        others: pictures, normalised, and their labels.
        make: returns the optimizers of the copy.
    """
    images, labels = others
    for own in walk(model, picture, label, make, steps):
        with torch.no_grad():
            logits = own(picture).double()
            answers = torch.cat([own(part) for part in torch.split(images, AT_ONCE)]).double()
        yield After(
            logits.softmax(dim=1)[0].float(),
            float(exact_loss(logits, label)),
            float(exact_loss(answers, labels)),
            float((answers.argmax(dim=1) == labels).double().mean()),
        )
