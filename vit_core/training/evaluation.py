"""Evaluate a model: loss, accuracy, accuracy of each class, confusion matrix, hard examples."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.data import DataInfo, Images, normalize
from vit_core.model import ViT
from vit_core.training.hard_example import HardExample
from vit_core.training.processes import ALONE, Group

PIXELS_AT_ONCE = 500 * 32 * 32  # in a batch that is evaluated
# on a processor, whose caches hold no more; 500 took 120 MB and a third of the time more
IMAGES_AT_ONCE = 100


@dataclass(frozen=True)
class Evaluation:
    """The result of a model on a split.

    Attributes:
        loss: mean cross-entropy in nats.
        confusion: (C, C) counts; index 0 is the true class, index 1 the predicted one.
    """

    loss: float
    confusion: Tensor

    @property
    def accuracy(self) -> float:
        """Share of images whose highest logit is the true class, 0 to 1."""
        return float(self.confusion.diagonal().sum() / self.confusion.sum())

    @property
    def class_accuracy(self) -> Tensor:
        """(C,) share of right predictions for each true class; NaN for a class without images."""
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
    """Run ``model`` in evaluation mode over all of ``split``, and restore its mode.

    Args:
        split: on the model's device.
        info: normalises the images.
        batch_size: None for a size that is fast and needs little memory.
        softmax_before_loss: as in ``TrainConfig``, so that the loss is comparable with that of the
            training.
        group: processes that share the work; each of them gets the whole result.
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
    """Return the number of images to evaluate at once.

    These are 100 small ones on a processor, 500 on another device, or fewer large ones.
    """
    _, height, width = split.image_shape
    most = IMAGES_AT_ONCE if split.labels.device.type == "cpu" else 500
    return max(1, min(most, PIXELS_AT_ONCE // (height * width)))


@torch.no_grad()
def wrong_images(model: ViT, split: Images, info: DataInfo) -> list[tuple[int, int]]:
    """Return (index in the split, predicted class) of each image that ``model`` gets wrong.

    Each image is evaluated alone, so that rounding does not depend on the other images of a batch.
    The model must be in evaluation mode.
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
    """Return the images whose true class has the lowest probability, the lowest first.

    Args:
        model: in evaluation mode.
        count: number of images to return, or all if there are fewer.
        batch_size: as in ``evaluate``.
    """
    parts = []
    for batch in split.in_order(batch_size or eval_batch_size(split)):
        probabilities = model(normalize(batch.images, info)).float().softmax(dim=1)
        labels = split.labels[batch.indices]
        of_label = probabilities.gather(1, labels[:, None])[:, 0]
        parts.append((batch.indices, labels, probabilities.argmax(dim=1), of_label))
    indices, labels, predicted, of_label = (torch.cat(part) for part in zip(*parts, strict=True))
    return [
        HardExample(int(indices[i]), int(labels[i]), int(predicted[i]), float(of_label[i]))
        for i in of_label.argsort(stable=True)[:count].tolist()
    ]
