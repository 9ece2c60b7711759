"""How good a model is: loss, accuracy, accuracy of each class, confusion matrix."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.data import DataInfo, Images, normalize
from vit_core.model import ViT
from vit_core.training.hard_example import HardExample
from vit_core.training.processes import ALONE, Group

PIXELS_AT_ONCE = 500 * 32 * 32  # in a batch of images to evaluate


@dataclass(frozen=True)
class Evaluation:
    """What a model does on a split.

    Attributes:
        loss: mean cross-entropy in nats.
        confusion: (C, C) counts; index 0 is the true class, index 1 the predicted one.
    """

    loss: float
    confusion: Tensor

    @property
    def accuracy(self) -> float:
        """Share of images whose highest logit is the true class."""
        return (self.confusion.diagonal().sum() / self.confusion.sum()).item()

    @property
    def class_accuracy(self) -> Tensor:
        """(C,) share of each true class that was predicted so; NaN for a class without images."""
        return self.confusion.diagonal() / self.confusion.sum(dim=1)


@torch.no_grad()
def evaluate(
    model: ViT,
    split: Images,
    info: DataInfo,
    batch_size: int | None = None,
    softmax_before_loss: bool = False,
    group: Group = ALONE,
) -> Evaluation:
    """Run ``model`` in evaluation mode over all of ``split``; its mode is restored.

    Args:
        batch_size: None for as many images as are fast without needing much memory.
        softmax_before_loss: as in ``TrainConfig``, so that the loss compares with the training's.
        group: processes that share the work, of which each gets the whole result.
    """
    batch_size = batch_size or eval_batch_size(split)
    classes = model.config.num_classes
    confusion = torch.zeros(classes * classes, dtype=torch.long, device=split.labels.device)
    total = torch.zeros((), device=split.labels.device)
    was_training = model.training
    model.eval()
    try:
        for batch in split.in_order(batch_size, group.rank, group.size):
            labels = split.labels[batch.indices]
            logits = model(normalize(batch.images, info))
            scored = logits.softmax(dim=1) if softmax_before_loss else logits
            total += F.cross_entropy(scored, labels, reduction="sum")
            pairs = labels * classes + logits.argmax(dim=1)
            confusion += torch.bincount(pairs, minlength=classes * classes)
    finally:
        model.train(was_training)
    total, confusion = group.sum(total), group.sum(confusion)
    return Evaluation(
        loss=(total / confusion.sum()).item(), confusion=confusion.view(classes, classes).cpu()
    )


def eval_batch_size(split: Images) -> int:
    """Return how many images to evaluate at once: 500 small ones, fewer large ones."""
    _, height, width = split.image_shape
    return max(1, min(500, PIXELS_AT_ONCE // (height * width)))


@torch.no_grad()
def wrong_images(model: ViT, split: Images, info: DataInfo) -> list[tuple[int, int]]:
    """Return (index in the split, predicted class) of each image that ``model`` gets wrong.

    One image at a time, so that rounding does not depend on its neighbours. The model must be in
    evaluation mode.
    """
    pairs = (
        (int(batch.indices), int(model(normalize(batch.images, info)).argmax()))
        for batch in split.in_order(1)
    )
    return [(index, guess) for index, guess in pairs if guess != int(split.labels[index])]


@torch.no_grad()
def hardest_images(
    model: ViT, split: Images, info: DataInfo, count: int, batch_size: int | None = None
) -> list[HardExample]:
    """Return the images with the smallest probability of the true class, the smallest first.

    The model must be in evaluation mode.
    """
    parts = []
    for batch in split.in_order(batch_size or eval_batch_size(split)):
        probabilities = model(normalize(batch.images, info)).float().softmax(dim=1)
        truths = split.labels[batch.indices]
        of_truth = probabilities.gather(1, truths[:, None])[:, 0]
        parts.append((batch.indices, truths, probabilities.argmax(dim=1), of_truth))
    indices, labels, predicted, of_truth = (torch.cat(part) for part in zip(*parts, strict=True))
    return [
        HardExample(int(indices[i]), int(labels[i]), int(predicted[i]), float(of_truth[i]))
        for i in of_truth.argsort(stable=True)[:count].tolist()
    ]
