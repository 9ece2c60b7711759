"""Which few patches decide: the fewest to hide for another answer, the fewest to keep for the same.

The answer is the class with the largest logit. Nothing here assumes that hiding more changes more:
a model may give its first answer again when still more is hidden, and the patches that suffice are
not those outside a set that changes the answer.

Sources: the fewest pixels that must go ("smallest destroying region") and the fewest that must stay
("smallest sufficient region"), "Real Time Image Saliency for Black Box Classifiers",
https://arxiv.org/abs/1705.07857, section 2; the fewest features that suffice, "What made you do
this? Understanding black-box decisions with sufficient input subsets",
https://arxiv.org/abs/1810.03805. Here both are counted in patches.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb
from typing import NamedTuple

import torch
from torch import Tensor

from vit_core.interpret.heads import AT_ONCE, block_bytes
from vit_core.model import ViT

EXACT_UP_TO = 16  # patches of which all sets are tried, 65,536 at most
MOST_PASSES = 5_000  # of a greedy search, and of the search for smaller sets in a larger grid

Patches = tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """The fewest patches that a search has found.

    Attributes:
        found: whether any set of patches did what was asked.
        patches: which ones, in reading order from 0: sorted if ``is_exact``, otherwise the one that
            greedy took first comes first. Empty if nothing was found, or no patch is needed.
        prediction: the class that the model answers with these patches hidden (or kept); its
            answer to the whole picture if nothing was found.
        probability: of that class, 0…1.
        is_exact: no smaller set does it, since all were tried. If nothing was found: no set does,
            all were tried.
        excluded: all sets of 1 to so many patches were tried, and none does it. Where patches are
            dropped, a set that leaves none counts as tried: there is no such pass.
        passes: how many pictures the model was asked about.
    """

    found: bool
    patches: Patches
    prediction: int
    probability: float
    is_exact: bool
    excluded: int
    passes: int


class Answer(NamedTuple):
    """What a model answers to one set of patches.

    Attributes:
        reached: whether it is what was asked for.
        margin: by how much the logit asked for is above all others (below the highest of the
            others, if it is to change); the larger, the nearer.
        prediction: the class.
        probability: of that class.
    """

    reached: bool
    margin: float
    prediction: int
    probability: float


def fewest_to_change(
    model: ViT,
    images: Tensor,
    value: Tensor | None,
    target: int | None = None,
    drop: bool = False,
    exact_up_to: int = EXACT_UP_TO,
    most_passes: int = MOST_PASSES,
) -> Found:
    """Search for the fewest patches to hide so that the model's answer changes.

    First greedily: hide the patch that brings the answer nearest to changing, then the next. Then
    patches that turn out to be needless are shown again. At last smaller sets are tried, all of one
    size after all of the size before, as far as the limits allow.

    Args:
        model: used as it is, in its training or evaluation mode.
        images: one image, (1, channels, height, width), normalised as for the model.
        value: what covers a patch, (channels,), normalised too; not needed to drop.
        target: the class that shall be answered; None for any other than now.
        drop: leave the patches' tokens out of the encoder in place of covering them. Then one
            patch always stays.
        exact_up_to: up to so many patches, all smaller sets are tried.
        most_passes: of the greedy search, which then goes on by its last ranking; and in a larger
            grid, of the search for smaller sets.

    Raises:
        ValueError: the model has no head or no such class, or the arguments do not fit it.
    """
    if target is not None and not 0 <= target < model.config.num_classes:
        raise ValueError(
            f"there is no class {target}; they are from 0 to {model.config.num_classes - 1}"
        )
    search = Search(model, images, value, drop)
    label, wanted = (search.own, False) if target is None else (target, True)
    return search.fewest(Aim(label, wanted, keep=False), exact_up_to, most_passes)


def fewest_to_keep(
    model: ViT,
    images: Tensor,
    value: Tensor | None,
    drop: bool = False,
    exact_up_to: int = EXACT_UP_TO,
    most_passes: int = MOST_PASSES,
) -> Found:
    """Search for the fewest patches that suffice: with all others hidden, the answer stays.

    The search is that of ``fewest_to_change``, from an image of which everything is hidden. No
    patch at all is enough if the model answers the same to such an image.

    Args:
        model, images, value, drop, exact_up_to, most_passes: as ``fewest_to_change`` takes them.

    Raises:
        ValueError: as ``fewest_to_change`` does.
    """
    search = Search(model, images, value, drop)
    return search.fewest(Aim(search.own, wanted=True, keep=True), exact_up_to, most_passes)


class Aim(NamedTuple):
    """What is asked for: an answer that is ``label`` (or is not), by patches to hide or to keep."""

    label: int
    wanted: bool
    keep: bool


class Search:
    """A search among sets of patches of one image."""

    def __init__(self, model: ViT, images: Tensor, value: Tensor | None, drop: bool) -> None:
        config = model.config
        if not config.num_classes:
            raise ValueError("a model without a head gives no answer")
        if len(images) != 1:
            raise ValueError(f"one image is expected, not {len(images)}")
        if not drop and (value is None or value.shape != (config.in_channels,)):
            raise ValueError(f"what covers a patch has {config.in_channels} values, one a channel")
        self.model, self.images, self.config = model, images, config
        self.value = None if drop or value is None else value.to(images)
        self.passes = 1
        with torch.no_grad():
            logits_C: Tensor = model(images)[0]
        self.own = int(logits_C.argmax())
        self.own_probability = float(logits_C.softmax(dim=0)[self.own])

    def fewest(self, aim: Aim, exact_up_to: int, most_passes: int) -> Found:
        """Search for the smallest set of patches that does it."""
        self.aim = aim
        patches = self.config.num_patches
        nothing = None if self.is_impossible(()) else self.answer(())
        if nothing and nothing.reached:
            return self.result((), nothing, excluded=0, is_exact=True)
        best = self.greedy(most_passes)
        every_set = patches <= exact_up_to
        largest = patches if best is None else len(best[0]) - 1
        budget, excluded = most_passes, 0
        for size in range(1, largest + 1):
            if size > 1:  # greedy's first step tried every single patch
                budget -= comb(patches, size)
                if budget < 0 and not every_set:
                    break
                if smaller := self.best_of(combinations(range(patches), size)):
                    best, largest = smaller, size - 1
                    break
            excluded = size
        if best is None:
            return self.result(None, None, excluded, is_exact=excluded == patches)
        return self.result(*best, excluded, is_exact=excluded >= largest)

    def result(
        self, patches: Patches | None, answer: Answer | None, excluded: int, is_exact: bool
    ) -> Found:
        if patches is None or answer is None:
            return Found(False, (), self.own, self.own_probability, is_exact, excluded, self.passes)
        if is_exact:
            patches = tuple(sorted(patches))
        return Found(
            True, patches, answer.prediction, answer.probability, is_exact, excluded, self.passes
        )

    def greedy(self, most_passes: int) -> tuple[Patches, Answer] | None:
        """Return the set that was found greedily, if any."""
        taken: Patches = ()
        left = list(range(self.config.num_patches))
        began, ranked = self.passes, False
        while left:
            step = left
            if ranked and self.passes - began + len(left) > most_passes:
                step = left[:1]  # go on by the last ranking
            sets = [(*taken, patch) for patch in step]
            if self.is_impossible(sets[0]):
                break
            answers = dict(zip(step, self.answers(sets), strict=True))
            # of equals, the first in reading order or in the last ranking
            best = max(step, key=lambda patch: answers[patch][:2])
            if answers[best].reached:
                return self.pruned((*taken, best), answers[best])
            if len(step) > 1:
                left.sort(key=lambda patch: answers[patch].margin, reverse=True)
                ranked = True
            taken = (*taken, best)
            left.remove(best)
        return None

    def pruned(self, patches: Patches, answer: Answer) -> tuple[Patches, Answer]:
        """Take single patches out as long as the others still do it."""
        while len(patches) > 1:
            sets = [tuple(kept for kept in patches if kept != patch) for patch in patches]
            if self.is_impossible(sets[0]):
                break
            fewer = self.best_of(sets)
            if fewer is None:
                break
            patches, answer = fewer
        return patches, answer

    def best_of(self, sets: Iterable[Patches]) -> tuple[Patches, Answer] | None:
        """Return the set that does it by the widest margin, the first of equals; None if none."""
        best: tuple[Patches, Answer] | None = None
        for patches, answer in self.answered(sets):
            if answer.reached and (best is None or answer.margin > best[1].margin):
                best = patches, answer
        return best

    def answer(self, patches: Patches) -> Answer:
        return self.answers([patches])[0]

    def answers(self, sets: Sequence[Patches]) -> list[Answer]:
        return [answer for _, answer in self.answered(sets)]

    def answered(self, sets: Iterable[Patches]) -> Iterator[tuple[Patches, Answer]]:
        """Ask the model about sets of one size, as many at once as fit into ``AT_ONCE``."""
        waiting = iter(sets)
        at_once = max(1, AT_ONCE // block_bytes(self.config))
        while some := list(islice(waiting, at_once)):
            if self.is_impossible(some[0]):
                return
            self.passes += len(some)
            logits_SC = logits_without(
                self.model, self.images, some, self.value, is_kept=self.aim.keep
            )
            yield from zip(some, self.judged(logits_SC), strict=True)

    def is_impossible(self, patches: Patches) -> bool:
        """Whether no token of a patch would be left."""
        left = len(patches) if self.aim.keep else self.config.num_patches - len(patches)
        return self.value is None and not left

    def judged(self, logits_SC: Tensor) -> Iterator[Answer]:
        """Return how near each answer is to what is asked for."""
        label, wanted, _ = self.aim
        others_SC = logits_SC.clone()
        others_SC[:, label] = -torch.inf
        margin_S = logits_SC[:, label] - others_SC.amax(dim=1)
        prediction_S = logits_SC.argmax(dim=1)
        probability_S = logits_SC.softmax(dim=1).amax(dim=1)
        for margin, prediction, probability in zip(
            margin_S.tolist(), prediction_S.tolist(), probability_S.tolist(), strict=True
        ):
            reached = (prediction == label) is wanted
            yield Answer(reached, margin if wanted else -margin, prediction, probability)


@torch.no_grad()
def logits_without(
    model: ViT,
    images: Tensor,
    sets: Sequence[Patches],
    value: Tensor | None,
    is_kept: bool = False,
) -> Tensor:
    """Return the logits (S, num_classes) for one image with each of S sets of patches hidden.

    Equal to ``cover_patches``, or to ``leave_out_patches`` in the pass, for one set after the
    other; but all of them run as one batch.

    Args:
        images: (1, channels, height, width), normalised as for the model.
        sets: of equally many patches, if tokens are left out.
        value: what covers a patch, (channels,); None to leave the tokens out.
        is_kept: hide all patches but those of a set.
    """
    config = model.config
    hidden_SP = torch.zeros((len(sets), config.num_patches), dtype=torch.bool)
    for row, patches in zip(hidden_SP, sets, strict=True):
        row[list(patches)] = True
    hidden_SP = hidden_SP.logical_xor(torch.tensor(is_kept)).to(images.device)
    if value is not None:
        (rows, columns), (ph, pw) = config.grid_size, config.patch_hw
        grid = images.reshape(1, config.in_channels, rows, ph, columns, pw)
        covered = torch.where(
            hidden_SP.view(-1, 1, rows, 1, columns, 1), value.view(1, -1, 1, 1, 1, 1), grid
        )
        logits_SC: Tensor = model(covered.reshape(len(sets), *images.shape[1:]))
        return logits_SC
    prefix = torch.zeros((len(sets), config.num_prefix_tokens), dtype=torch.bool)
    stays_SN = ~torch.cat((prefix.to(images.device), hidden_SP), dim=1)

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name == "embed":
            copies_SND = tensor.expand(len(sets), -1, -1)
            return copies_SND[stays_SN].view(len(sets), -1, config.embed_dim)
        return tensor

    logits_SC = model(images, tap)
    return logits_SC
