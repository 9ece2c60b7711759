"""What a model does at one moment of its training, small enough to be written often.

A snapshot is taken between two steps from the model that is evaluated and saved. Whoever watches
the run reads it.
"""

import contextlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import safetensors
import safetensors.numpy
import torch

from vit_core.data import ImageData, normalize
from vit_core.data.sample_pictures import made_smaller
from vit_core.model import ViT
from vit_core.storage.atomic import replace
from vit_core.storage.strict_json import number_in, parse_json
from vit_core.trace import trace
from vit_core.training.evaluation import Evaluation, evaluate

VALIDATION, TEST = "validation", "test"
# in the validation set: each digit once, then six that models get wrong early in training
STRIP_INDICES = (6, 0, 32, 8, 4, 10, 12, 3, 2, 9, 168, 194, 294, 1220, 1586, 2728)
# earlier versions used test digits, which only the final evaluation should see
TEST_STRIP_INDICES = (3, 2, 1, 30, 4, 8, 11, 0, 61, 7, 33, 77, 92, 266, 445, 684)
SAMPLE = 500  # number of validation images in the confusion matrix: the first ones
FILE = "live.safetensors"
MOST_BYTES = 256 * 1024**2  # of the file
MOST_STEPS = 10**12


@dataclass(frozen=True)
class Snapshot:
    """A model between two steps.

    Attributes:
        step: number of optimizer steps taken; 0 is the untrained model.
        epoch: of the step, counted from 1; 0 before the first step.
        seconds: of training so far.
        logits: (16, classes) of the images ``STRIP_INDICES``, float32.
        confusion: (classes, classes) counts over the first ``SAMPLE`` validation images; index 0 is
            the true class, index 1 the predicted one.
        filters: (D, patch_dim) weight of the patch embedding, float32.
        pattern: (depth, H, N, N) attention pattern of the first image in the strip, rows are
            queries; float16, so that many patches need little space.
        part: of the data that the strip is from: ``VALIDATION``, or in files of an earlier version
            ``TEST``, with the indices ``TEST_STRIP_INDICES``.
        images: (16, channels, height, width) uint8, those of the strip, made smaller if they are
            large; None in files of an earlier version.
        labels: (16,) uint8, their true classes; None as ``images``.
    """

    step: int
    epoch: int
    seconds: float
    logits: np.ndarray
    confusion: np.ndarray
    filters: np.ndarray
    pattern: np.ndarray
    part: str = VALIDATION
    images: np.ndarray | None = None
    labels: np.ndarray | None = None

    def save(self, folder: Path) -> None:
        """Write it into a run directory; a reader sees either the old file or the new one."""
        tensors = {name: getattr(self, name) for name in TENSORS}
        tensors |= {name: got for name in PICTURES if (got := getattr(self, name)) is not None}
        numbers = {name: repr(getattr(self, name)) for name in ("step", "epoch", "seconds")}
        numbers["part"] = self.part
        # not flushed to the disk, since nobody needs it after a crash
        temporary = folder / f".{FILE}"
        temporary.write_bytes(safetensors.numpy.save(tensors, numbers))
        replace(temporary, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return a run directory's snapshot; None if there is none or it is damaged."""
        path = folder / FILE
        with contextlib.suppress(
            OSError, ValueError, TypeError, KeyError, safetensors.SafetensorError
        ):
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                return None
            with safetensors.safe_open(path, framework="np") as file:
                numbers = file.metadata() or {}
                names = set(file.keys()).intersection(PICTURES)
                tensors = {key: file.get_tensor(key) for key in (*TENSORS, *names)}
            step, epoch, seconds = (
                number_in(parse_json(numbers[name]), 0, MOST_STEPS)
                for name in ("step", "epoch", "seconds")
            )
            if type(step) is int and type(epoch) is int and seconds is not None:
                part = VALIDATION if numbers.get("part") == VALIDATION else TEST
                return cls(step=step, epoch=epoch, seconds=float(seconds), part=part, **tensors)
        return None


TENSORS = ("logits", "confusion", "filters", "pattern")
PICTURES = ("images", "labels")


def take_snapshot(
    model: ViT,
    data: ImageData,
    *,
    step: int,
    epoch: int,
    seconds: float,
    softmax_before_loss: bool = False,
) -> tuple[Snapshot, Evaluation]:
    """Take a snapshot of ``model``, whose mode is restored.

    Args:
        data: on the model's device.
        step, epoch, seconds: as in ``Snapshot``.
        softmax_before_loss: as in ``TrainConfig``.

    Returns:
        The snapshot, and the evaluation of the validation images in its confusion matrix.
    """
    evaluation = evaluate(
        model, data.val.first(SAMPLE), data.info, softmax_before_loss=softmax_before_loss
    )
    places = strip_places(len(data.val))
    images = data.val.at(places)
    strip = normalize(images, data.info)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            logits = model(strip)
        first = trace(model, strip[:1])
    finally:
        model.train(was_training)
    patterns = [first[f"blocks.{block}.attn.pattern"][0] for block in range(model.config.depth)]
    snapshot = Snapshot(
        step=step,
        epoch=epoch,
        seconds=seconds,
        logits=logits.float().cpu().numpy(),
        confusion=evaluation.confusion.numpy(),
        filters=model.patch_embed.proj.weight.detach().float().cpu().numpy().copy(),
        pattern=torch.stack(patterns).to("cpu", torch.float16).numpy(),
        images=made_smaller(images.cpu()).numpy(),
        labels=data.val.labels[places].to("cpu", torch.uint8).numpy(),
    )
    return snapshot, evaluation


def strip_places(count: int) -> list[int]:
    """Return which of ``count`` validation images the strip shows: each, where they are few."""
    if count < len(STRIP_INDICES):
        return [number % count for number in range(len(STRIP_INDICES))]
    return [index % count for index in STRIP_INDICES]
