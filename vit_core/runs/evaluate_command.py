"""The command line of evaluation: ``python -m vit_core.evaluate CHECKPOINT``.

It prints the loss, the accuracy, the accuracy of each class and the confusion matrix for the test
images of MNIST, or of another data set with ``--dataset``. An image folder only needs
``test/<class>/*``. A checkpoint of a run that keeps its images is tested on these. With
``--wrong FILE`` it also writes which test images the model gets wrong.
"""

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from vit_core.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from vit_core.data import DataInfo, Images, mnist_info, mnist_test
from vit_core.data.folder_test_part import first, read_test_part
from vit_core.data.kept import IMAGES, file_of, read_images
from vit_core.data.open import Reading, folder_of, open_data, usual_workers
from vit_core.data.sets import DATASETS
from vit_core.data.skipped import Skipped
from vit_core.data.streaming import ReaderLostError
from vit_core.storage.plain_text import let_output_write_anything, plain, program
from vit_core.training.evaluation import Evaluation, evaluate, wrong_images

FEW_CLASSES = 30  # of a confusion matrix that fits on a terminal


def report(evaluation: Evaluation, class_names: tuple[str, ...]) -> str:
    """Return an evaluation as plain text.

    It has the accuracy, a line for each class, and the confusion matrix if there are few classes.
    """
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
    """Test images and what belongs to them.

    Attributes:
        info: normalises the images and names the classes.
        images: labelled with the model's class numbers.
        skipped: what is not used.
        notes: sentences for the user.
    """

    info: DataInfo
    images: Images
    skipped: Skipped | None = None
    notes: tuple[str, ...] = ()


def test_images(dataset: str, checkpoint: Checkpoint) -> Tested:
    """Return the test images of a data set, labelled with the model's class numbers.

    Raises:
        ValueError: the data set cannot be opened, or does not fit the model.
    """
    images: Images
    config, known = checkpoint.config, checkpoint.data
    expected = (config.in_channels, *config.image_hw)
    if dataset == "mnist":
        info, images, skipped = mnist_info(), mnist_test(), None
    elif kept := (None if dataset in DATASETS else file_of(dataset)):
        data = read_images(kept)
        info, images, skipped = data.info, data.test, None
    elif dataset in DATASETS or known is None or config.in_channels not in (1, 3):
        data = open_data(dataset, config, Reading(workers=usual_workers()))
        info, images, skipped = data.info, data.test, data.skipped
    else:  # the model knows the classes of a folder by their names; no training part is needed
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


def usual_dataset(checkpoint: Path) -> str:
    """Return the data set on which a checkpoint is tested unless the user names another."""
    kept = checkpoint.with_name(IMAGES)
    return str(kept) if kept.is_file() else "mnist"


def main(arguments: list[str] | None = None) -> int:
    """Evaluate a checkpoint and return the exit code: 0 done, 2 for a mistake that is named."""
    let_output_write_anything()
    parser = argparse.ArgumentParser(
        prog=program("vit-evaluate", "vit_core.evaluate"),
        description="Test a checkpoint on the test images of a data set.",
    )
    parser.add_argument("checkpoint", type=Path, help="a .safetensors file of this project")
    parser.add_argument(
        "--dataset",
        help=f"{', '.join(DATASETS)}, an image folder, or the {IMAGES} of a run (the one beside "
        f"the checkpoint, else mnist)",
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
        tested = test_images(options.dataset or usual_dataset(options.checkpoint), checkpoint)
        evaluation = evaluate(checkpoint.model, tested.images, tested.info)
    except (ValueError, OSError, ReaderLostError) as error:
        print(f"error: {plain(error)}", file=sys.stderr)
        return 2
    print(report(evaluation, tested.info.class_names))
    if tested.skipped:
        print(tested.skipped, file=sys.stderr)
    for note in tested.notes:
        print(note, file=sys.stderr)
    if options.wrong:
        try:
            pairs = wrong_images(checkpoint.model.eval(), tested.images, tested.info)
            options.wrong.write_text(json.dumps(pairs) + "\n", encoding="utf-8")
        except (ValueError, OSError, ReaderLostError) as error:
            print(f"error: {plain(error)}", file=sys.stderr)
            return 2
    return 0
