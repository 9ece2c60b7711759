"""What a method has to beat: plain ink, and chance. Neither asks the model anything."""

import hashlib

import torch
from torch import Tensor

from vit_core.interpret.attribution.result import Attribution
from vit_core.interpret.attribution.task import Task
from vit_core.model import patchify


def ink(task: Task) -> Attribution:
    """Return each patch's mean brightness, over its pixels and channels: (B, P).

    In units of the normalised input, whose 0 is the training data's mean pixel. So it has no zero
    of its own, and only its order and its differences say something.
    """
    patches_BP = patchify(task.images, task.config.patch_hw).mean(dim=-1)
    kind = "mean brightness of the patch, in units of the normalised picture"
    return Attribution("ink", patches_BP, kind, False, None, passes=0)


def chance(task: Task, seed: int = 0) -> Attribution:
    """Return random values between 0 and 1: (B, P).

    They depend on the seed and on the picture's pixels, not on its place in the batch: the same
    picture gets the same values everywhere, in float32 as in float64.
    """
    rows = [drawn(picture, task.config.num_patches, seed) for picture in task.images]
    kind = "random, 0 to 1"
    return Attribution("random", torch.stack(rows).to(task.images), kind, False, None, passes=0)


def drawn(picture: Tensor, count: int, seed: int) -> Tensor:
    """Return ``count`` numbers from the stream of a seed and a picture, (count,) float64."""
    pixels = picture.float().cpu().contiguous().numpy().tobytes()
    digest = hashlib.sha256(f"{seed} ".encode() + pixels).digest()
    stream = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return torch.rand(count, generator=stream, dtype=torch.float64)
