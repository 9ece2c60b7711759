"""Occlusion: how much surer the model is with the patch than without it.

M. Zeiler & R. Fergus 2014, "Visualizing and Understanding Convolutional Networks",
https://arxiv.org/abs/1311.2901, section 4.2, which paints a grey square. Here the patch's token is
left out, so that the model meets no square (Jain et al. 2022, "Missingness Bias in Model
Debugging", https://arxiv.org/abs/2204.08945). One patch goes at a time: what several say alike
counts for little, since the others say it still.
"""

import torch
from torch import Tensor

from vit_core.interpret.attribution.result import Attribution, AttributionError
from vit_core.interpret.attribution.task import Task, outputs
from vit_core.interpret.left_out import all_but_one, output_of_kept


@torch.no_grad()
def occlusion(task: Task) -> Attribution:
    """Return p(target) − p(target without the patch), or the same of the cosine: (B, P).

    Raises:
        AttributionError: the pictures have one patch, and nothing would be left.
    """
    batch, P = len(task.images), task.config.num_patches
    if P == 1:
        raise AttributionError(
            "occlusion leaves one patch out, and this model's pictures have only one"
        )
    whole_BC = outputs(task, task.images)
    target = task.target.among(whole_BC)
    every_B = torch.arange(batch, device=task.images.device)
    without_BPC = torch.cat(
        [without_each(task, some) for some in torch.split(every_B, pictures_at_once(P))]
    )
    answers_R = target.answer(without_BPC.flatten(0, 1), every_B.repeat_interleave(P))
    patches_BP = target.answer(whole_BC, every_B)[:, None] - answers_R.view(batch, P)
    what, most = ("probability", 1) if task.config.num_classes else ("cosine", 2)
    kind = f"{what} with the patch minus {what} without it, −{most} to {most}"
    return Attribution("occlusion", patches_BP, kind, True, None, passes=P + 1)


def without_each(task: Task, some: Tensor) -> Tensor:
    """Return the model's output to some of the pictures without each patch, (R, P, C or D)."""
    kept_PS, P = all_but_one(task.config), task.config.num_patches
    before, total = int(some[0]) * P, len(task.images) * P

    def progress(done: int, _: int) -> None:
        if task.progress is not None:
            task.progress(before + done, total)

    kept_RPS = kept_PS.expand(len(some), -1, -1)
    return output_of_kept(task.model, task.images[some], kept_RPS, progress)


def pictures_at_once(patches: int) -> int:
    """Return for how many pictures the lists of what stays, P of nearly P patches, are small."""
    return max(1, 2**20 // patches**2)
