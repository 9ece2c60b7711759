"""How good a model is: loss, accuracy, accuracy of each class, confusion matrix.

``python -m vit_core.evaluate CHECKPOINT`` prints them for the test set; with ``--wrong FILE`` it
also writes which test images the model gets wrong.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.checkpoint import CheckpointError, load_checkpoint
from vit_core.data import DataInfo, Split, mnist_info, mnist_test, normalize
from vit_core.model import ViT


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
    split: Split,
    info: DataInfo,
    batch_size: int = 500,
    softmax_before_loss: bool = False,
) -> Evaluation:
    """Run ``model`` in evaluation mode over all of ``split``; its mode is restored.

    Args:
        softmax_before_loss: as in ``TrainConfig``, so that the loss compares with the training's.
    """
    classes = model.config.num_classes
    confusion = torch.zeros(classes * classes, dtype=torch.long, device=split.labels.device)
    total = torch.zeros((), device=split.labels.device)
    was_training = model.training
    model.eval()
    try:
        for start in range(0, len(split), batch_size):
            labels = split.labels[start : start + batch_size]
            logits = model(normalize(split.images[start : start + batch_size], info))
            scored = logits.softmax(dim=1) if softmax_before_loss else logits
            total += F.cross_entropy(scored, labels, reduction="sum")
            pairs = labels * classes + logits.argmax(dim=1)
            confusion += torch.bincount(pairs, minlength=classes * classes)
    finally:
        model.train(was_training)
    return Evaluation(
        loss=(total / len(split)).item(), confusion=confusion.view(classes, classes).cpu()
    )


@torch.no_grad()
def wrong_images(model: ViT, split: Split, info: DataInfo) -> list[tuple[int, int]]:
    """Return (index in the split, predicted class) of each image that ``model`` gets wrong.

    One image at a time, so that rounding does not depend on its neighbours. The model must be in
    evaluation mode.
    """
    predicted = (
        int(model(normalize(split.images[at : at + 1], info)).argmax()) for at in range(len(split))
    )
    truths = split.labels.tolist()
    return [
        (at, said)
        for at, (said, truth) in enumerate(zip(predicted, truths, strict=True))
        if said != truth
    ]


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


@torch.no_grad()
def hardest_images(
    model: ViT, split: Split, info: DataInfo, count: int, batch_size: int = 500
) -> list[Hard]:
    """Return the images with the smallest probability of the true class, the smallest first.

    The model must be in evaluation mode.
    """
    parts = [
        model(normalize(split.images[start : start + batch_size], info)).float().softmax(dim=1)
        for start in range(0, len(split), batch_size)
    ]
    probabilities = torch.cat(parts)
    of_truth = probabilities.gather(1, split.labels[:, None])[:, 0]
    said = probabilities.argmax(dim=1)
    return [
        Hard(at, int(split.labels[at]), int(said[at]), float(of_truth[at]))
        for at in of_truth.argsort(stable=True)[:count].tolist()
    ]


def report(evaluation: Evaluation, class_names: tuple[str, ...]) -> str:
    """Write an evaluation as plain text: accuracy, a line a class, the confusion matrix."""
    count = int(evaluation.confusion.sum())
    right = int(evaluation.confusion.diagonal().sum())
    lines = [
        f"accuracy {evaluation.accuracy:.2%} ({right} of {count}), loss {evaluation.loss:.4f} nats",
        "",
        "accuracy of each class",
    ]
    lines += [
        f"  {name}: {accuracy:.2%}"
        for name, accuracy in zip(class_names, evaluation.class_accuracy.tolist(), strict=True)
    ]
    width = max(6, *(len(name) + 1 for name in class_names))
    lines += ["", "confusion matrix (rows: true class, columns: prediction)"]
    lines.append(" " * width + "".join(name.rjust(width) for name in class_names))
    for name, row in zip(class_names, evaluation.confusion.tolist(), strict=True):
        lines.append(name.rjust(width) + "".join(str(n).rjust(width) for n in row))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m vit_core.evaluate", description="Test a checkpoint on the MNIST test set."
    )
    parser.add_argument("checkpoint", type=Path, help="a .safetensors file of this project")
    parser.add_argument(
        "--wrong",
        type=Path,
        metavar="FILE",
        help="also write a JSON list of [index, predicted class] of the test images it gets wrong",
    )
    options = parser.parse_args(arguments)
    try:
        checkpoint = load_checkpoint(options.checkpoint)
        info, split = checkpoint.data or mnist_info(), mnist_test()
        if split.images.shape[1:] != (checkpoint.config.in_channels, *checkpoint.config.image_hw):
            raise CheckpointError(
                f"{options.checkpoint} takes images of another shape than MNIST's 1 x 28 x 28"
            )
        if checkpoint.config.num_classes != len(info.class_names):
            raise CheckpointError(
                f"{options.checkpoint} has {checkpoint.config.num_classes} classes; MNIST has 10"
            )
    except (CheckpointError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(report(evaluate(checkpoint.model, split, info), info.class_names))
    if options.wrong:
        pairs = wrong_images(checkpoint.model.eval(), split, info)
        try:
            options.wrong.write_text(json.dumps(pairs) + "\n", encoding="utf-8")
        except OSError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
