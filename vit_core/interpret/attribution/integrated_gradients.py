"""Integrated gradients: the gradient along the way from a picture without anything to this one.

M. Sundararajan, A. Taly & Q. Yan 2017, "Axiomatic Attribution for Deep Networks",
https://arxiv.org/abs/1703.01365, section 3. The way is a straight line, and its pictures are like
none that the model has learned from. The map depends on where it starts, since a pixel that is the
same there gets nothing. By default it starts at the training data's mean pixel, the 0 of the
normalised input, so that black counts as well as white; a digit's map from black has the strokes
alone, and so scores better by deletion.
"""

import numpy as np
import torch
from torch import Tensor

from vit_core.interpret.attribution.reading import gradients
from vit_core.interpret.attribution.result import Attribution
from vit_core.interpret.attribution.task import Task, outputs
from vit_core.model import patchify

STEPS = 50


def integrated_gradients(
    task: Task, steps: int = STEPS, baseline: Tensor | None = None
) -> Attribution:
    """Return (x − x′) · ∫ ∇f(x′ + a (x − x′)) da, summed over each patch's pixels: (B, P).

    The integral over a from 0 to 1 is taken by Gauss and Legendre's rule. The values of a picture
    add up to f(x) − f(x′) but for the error of that rule, which is the error returned.

    Args:
        steps: points on the way.
        baseline: x′, the value of all its pixels in each channel, (channels,), normalised as the
            pictures are; by default 0, the mean pixel.
    """
    images = task.images
    channels = images.new_zeros(images.shape[1]) if baseline is None else baseline.to(images)
    start = channels[:, None, None].expand(images.shape[1:])
    nodes_S, shares_S = rule(steps, images)
    whole_BC, start_1C = outputs(task, images), outputs(task, start[None])
    target = task.target.among(whole_BC)
    slopes = torch.zeros_like(images)  # the integral, as far as it is summed up
    for some in task.chunks(len(images) * steps, backward=True):
        picture_R, step_R = some // steps, some % steps
        way = images[picture_R] - start
        points = (start + way * across(nodes_S[step_R])).requires_grad_()
        slope = gradients(target.score(task.model(points), picture_R), [points])[0]
        slopes.index_add_(0, picture_R, slope * across(shares_S[step_R]))
    patches_BP = patchify((images - start) * slopes, task.config.patch_hw).sum(dim=2)
    every_B = torch.arange(len(images), device=images.device)
    risen_B = target.score(whole_BC, every_B) - target.score(
        start_1C.expand(len(images), -1), every_B
    )
    error_B = (patches_BP.sum(dim=1) - risen_B).abs()
    where = "mean pixels" if baseline is None else "one colour"
    kind = f"what the patch adds to {target.words} on the way from a picture of {where}"
    return Attribution("integrated_gradients", patches_BP, kind, True, error_B, passes=steps + 2)


def rule(steps: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points of Gauss and Legendre's rule between 0 and 1, and their weights, (steps,).

    The weights add up to 1.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return torch.from_numpy((nodes + 1) / 2).to(like), torch.from_numpy(weights / 2).to(like)


def across(factor_R: Tensor) -> Tensor:
    """Return a factor for each picture, so that it multiplies all its pixels: (R, 1, 1, 1)."""
    return factor_R[:, None, None, None]
