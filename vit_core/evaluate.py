"""How good a model is: loss, accuracy, accuracy of each class, confusion matrix.

``python -m vit_core.evaluate CHECKPOINT`` prints them for the test set of MNIST, or of another data
set with ``--dataset``, such as a folder with nothing but ``test/<class>/*``. With ``--wrong FILE``
it also writes which test images the model gets wrong.
"""

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from vit_core.data import DataInfo, Images, mnist_info, mnist_test, normalize
from vit_core.distributed import ALONE, Group
from vit_core.folder_test_part import first, read_test_part
from vit_core.model import ViT
from vit_core.open_data import DATASETS, Reading, folder_of, open_data, usual_workers
from vit_core.plain_text import let_output_write_anything, plain
from vit_core.skipped import Skipped
from vit_core.streaming import ReaderLost

FEW_CLASSES = 30  # that a confusion matrix on a terminal may have
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
    batch_size = batch_size or batch_for(split)
    classes = model.config.num_classes
    confusion = torch.zeros(classes * classes, dtype=torch.long, device=split.labels.device)
    total = torch.zeros((), device=split.labels.device)
    was_training = model.training
    model.eval()
    try:
        for batch in split.in_order(batch_size, group.rank, group.size):
            labels = split.labels[batch.places]
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


def batch_for(split: Images) -> int:
    """Return how many images to evaluate at once: 500 small ones, fewer large ones."""
    _, height, width = split.image_shape
    return max(1, min(500, PIXELS_AT_ONCE // (height * width)))


@torch.no_grad()
def wrong_images(model: ViT, split: Images, info: DataInfo) -> list[tuple[int, int]]:
    """Return (index in the split, predicted class) of each image that ``model`` gets wrong.

    One image at a time, so that rounding does not depend on its neighbours. The model must be in
    evaluation mode.
    """
    predicted = (
        (int(batch.places), int(model(normalize(batch.images, info)).argmax()))
        for batch in split.in_order(1)
    )
    return [(at, said) for at, said in predicted if said != int(split.labels[at])]


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
    model: ViT, split: Images, info: DataInfo, count: int, batch_size: int | None = None
) -> list[Hard]:
    """Return the images with the smallest probability of the true class, the smallest first.

    The model must be in evaluation mode.
    """
    parts = []
    for batch in split.in_order(batch_size or batch_for(split)):
        probabilities = model(normalize(batch.images, info)).float().softmax(dim=1)
        truths = split.labels[batch.places]
        of_truth = probabilities.gather(1, truths[:, None])[:, 0]
        parts.append((batch.places, truths, probabilities.argmax(dim=1), of_truth))
    places, truths, said, of_truth = (torch.cat(part) for part in zip(*parts, strict=True))
    return [
        Hard(int(places[at]), int(truths[at]), int(said[at]), float(of_truth[at]))
        for at in of_truth.argsort(stable=True)[:count].tolist()
    ]


def report(evaluation: Evaluation, class_names: tuple[str, ...]) -> str:
    """Write an evaluation as plain text: accuracy, a line a class, the confusion matrix of few."""
    class_names = tuple(map(plain, class_names))
    count = int(evaluation.confusion.sum())
    right = int(evaluation.confusion.diagonal().sum())
    lines = [
        f"accuracy {evaluation.accuracy:.2%} ({right} of {count}), loss {evaluation.loss:.4f} nats",
        "",
        "accuracy of each class",
    ]
    lines += [
        f"  {name}: " + ("no images" if math.isnan(accuracy) else f"{accuracy:.2%}")
        for name, accuracy in zip(class_names, evaluation.class_accuracy.tolist(), strict=True)
    ]
    if len(class_names) > FEW_CLASSES:
        return "\n".join(lines)
    width = max(6, *(len(name) + 1 for name in class_names))
    lines += ["", "confusion matrix (rows: true class, columns: prediction)"]
    lines.append(" " * width + "".join(name.rjust(width) for name in class_names))
    for name, row in zip(class_names, evaluation.confusion.tolist(), strict=True):
        lines.append(name.rjust(width) + "".join(str(n).rjust(width) for n in row))
    return "\n".join(lines)


@dataclass(frozen=True)
class Tested:
    """Test images, what normalises and names them, and what is to be said about them."""

    info: DataInfo
    images: Images
    skipped: Skipped | None = None
    notes: tuple[str, ...] = ()


def test_images(dataset: str, checkpoint: Checkpoint) -> Tested:
    """Return the test images of a data set, with the labels that the model has for their classes.

    Raises:
        ValueError: the data set cannot be had, or does not fit the model.
    """
    config, known = checkpoint.config, checkpoint.data
    expected = (config.in_channels, *config.image_hw)
    if dataset == "mnist":
        info, images, skipped = mnist_info(), mnist_test(), None
    elif dataset in DATASETS or known is None or config.in_channels not in (1, 3):
        data = open_data(dataset, config, Reading(workers=usual_workers()))
        info, images, skipped = data.info, data.test, data.skipped
    else:  # the classes of a folder are known by their names, whatever else it has
        path = folder_of(dataset)
        part = read_test_part(path, expected, known.class_names, workers=usual_workers())
        return Tested(known, part.images, part.skipped, part.notes)
    if images.image_shape != expected:
        raise CheckpointError(
            f"the model takes images of {' x '.join(map(str, expected))}; "
            f"those of {info.name} are {' x '.join(map(str, images.image_shape))}"
        )
    known = known or info
    if known.class_names != info.class_names:
        raise CheckpointError(
            f"the model knows the {len(known.class_names)} classes {first(known.class_names)}; "
            f"{info.name} has {len(info.class_names)}, {first(info.class_names)}"
        )
    if config.num_classes != len(info.class_names):
        raise CheckpointError(
            f"the model has {config.num_classes} classes; {info.name} has {len(info.class_names)}"
        )
    return Tested(known, images, skipped)


def main(arguments: list[str] | None = None) -> int:
    let_output_write_anything()
    parser = argparse.ArgumentParser(
        prog="python -m vit_core.evaluate",
        description="Test a checkpoint on the test images of a data set.",
    )
    parser.add_argument("checkpoint", type=Path, help="a .safetensors file of this project")
    parser.add_argument(
        "--dataset", default="mnist", help=f"{', '.join(DATASETS)}, or an image folder (mnist)"
    )
    parser.add_argument(
        "--wrong",
        type=Path,
        metavar="FILE",
        help="also write a JSON list of [index, predicted class] of the test images it gets wrong",
    )
    options = parser.parse_args(arguments)
    try:
        checkpoint = load_checkpoint(options.checkpoint)
        tested = test_images(options.dataset, checkpoint)
        found = evaluate(checkpoint.model, tested.images, tested.info)
    except (ValueError, OSError, ReaderLost) as error:
        print(f"error: {plain(error)}", file=sys.stderr)
        return 2
    print(report(found, tested.info.class_names))
    if tested.skipped:
        print(tested.skipped, file=sys.stderr)
    for note in tested.notes:
        print(note, file=sys.stderr)
    if options.wrong:
        try:
            pairs = wrong_images(checkpoint.model.eval(), tested.images, tested.info)
            options.wrong.write_text(json.dumps(pairs) + "\n", encoding="utf-8")
        except (ValueError, OSError, ReaderLost) as error:
            print(f"error: {plain(error)}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
