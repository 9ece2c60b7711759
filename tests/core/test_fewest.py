"""The fewest patches that change an answer or keep it, against trying every set one by one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import pytest
import torch
from torch import Tensor

from vit_core import TrainConfig, ViT, ViTConfig
from vit_core.interpret import fewest
from vit_core.interpret.cover import cover_patches, leave_out_patches
from vit_core.interpret.fewest import (
    Found,
    Patches,
    fewest_to_change,
    fewest_to_keep,
    logits_without,
)
from vit_core.interpret.heads import block_bytes
from vit_core.mistakes import MISTAKES, build_with
from vit_core.model import EncoderBlock

SMALL = ViTConfig(image_size=6, patch_size=2, embed_dim=8, depth=2, num_heads=2, num_classes=4)
COLOUR = replace(SMALL, image_size=(4, 6), in_channels=3)
MODELS = {
    "class token": (SMALL, ()),
    "mean pooling": (replace(SMALL, pool="mean"), ()),
    "registers, LayerScale, colour": (replace(COLOUR, num_registers=2, layer_scale=0.3), ()),
    "registers, no class token": (replace(COLOUR, num_registers=1, pool="mean"), ()),
    "one head, one block, two classes": (
        replace(COLOUR, num_heads=1, depth=1, num_classes=2, pos_embed="none"),
        (),
    ),
    "no residual": (SMALL, ("no_residual",)),
    "no LayerNorm, no scaling": (COLOUR, ("no_layer_norm", "no_scaling")),
}
HOW = ("zero", "value", "drop")


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> ViT:
    config, mistakes = MODELS[request.param]
    training = TrainConfig()
    for mistake in mistakes:
        config, training = MISTAKES[mistake].apply(config, training)
    return made_random(build_with(config, training, seed=1))


def made_random(model: ViT) -> ViT:
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            draws = torch.randn(parameter.shape, generator=generator)
            parameter += (1.5 if parameter.ndim == 2 else 0.3) * draws
    return model.double().eval()


def pictures(config: ViTConfig, count: int = 3) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    shape = (count, config.in_channels, *config.image_hw)
    return list(torch.randn(shape, generator=generator).double().split(1))


def covers(config: ViTConfig, how: str) -> Tensor | None:
    if how == "drop":
        return None
    zeros = torch.zeros(config.in_channels).double()
    return zeros if how == "zero" else zeros + torch.arange(config.in_channels) - 0.7


def logits_one_by_one(model: ViT, images: Tensor, hidden: Patches, value: Tensor | None) -> Tensor:
    config = model.config

    def tap(name: str, tensor: Tensor) -> Tensor:
        if name == "embed" and value is None:
            return leave_out_patches(tensor, config, hidden)
        return tensor

    if value is not None:
        images = cover_patches(images, config.patch_hw, hidden, value)
    with torch.no_grad():
        return model(images, tap)[0]


class BruteForce:
    """The answers to all sets of hidden patches of one picture."""

    def __init__(self, model: ViT, images: Tensor, value: Tensor | None) -> None:
        patches = range(model.config.num_patches)
        self.logits = {
            hidden: logits_one_by_one(model, images, hidden, value)
            for size in range(len(patches) + (value is not None))
            for hidden in combinations(patches, size)
        }
        self.answers = {hidden: int(logits.argmax()) for hidden, logits in self.logits.items()}
        self.patches = set(patches)

    def that_do_it(self, label: int, wanted: bool, keep: bool) -> Iterator[Patches]:
        for hidden, answer in self.answers.items():
            if (answer == label) is wanted:
                yield tuple(sorted(self.patches - set(hidden))) if keep else hidden

    def check(self, found: Found, label: int, wanted: bool, keep: bool) -> None:
        sets = list(self.that_do_it(label, wanted, keep))
        assert found.found == bool(sets)
        assert found.is_exact
        if not sets:
            assert found.patches == ()
            assert found.excluded == len(self.patches)
            hidden = ()
        else:
            smallest = min(map(len, sets))
            assert found.patches in sets
            assert len(found.patches) == smallest
            assert found.excluded == max(0, smallest - 1)
            hidden = found.patches
            if keep:
                hidden = tuple(sorted(self.patches - set(found.patches)))
        assert found.prediction == self.answers[hidden]
        probability = self.logits[hidden].softmax(dim=0)[found.prediction]
        assert found.probability == pytest.approx(float(probability))


@pytest.mark.parametrize("how", HOW)
def test_the_fewest_are_those_of_trying_every_set(model: ViT, how: str) -> None:
    value = covers(model.config, how)
    drop = how == "drop"
    for images in pictures(model.config):
        every = BruteForce(model, images, value)
        own = every.answers[()]
        every.check(fewest_to_change(model, images, value, drop=drop), own, False, keep=False)
        every.check(fewest_to_keep(model, images, value, drop=drop), own, True, keep=True)
        for target in range(model.config.num_classes):
            found = fewest_to_change(model, images, value, target, drop=drop)
            every.check(found, target, True, keep=False)


@pytest.mark.parametrize("how", HOW)
def test_without_trying_all_sets_what_is_said_of_smaller_ones_is_so(model: ViT, how: str) -> None:
    """Greedy alone, with room for singles only, and with room for pairs."""
    value = covers(model.config, how)
    count = model.config.num_patches
    for images in pictures(model.config, 2):
        every = BruteForce(model, images, value)
        own = every.answers[()]
        other = 0 if own else 1
        for passes in (1, count * (count - 1) // 2):
            limits = {"drop": how == "drop", "exact_up_to": 0, "most_passes": passes}
            for label, wanted, keep, found in (
                (own, False, False, fewest_to_change(model, images, value, **limits)),
                (other, True, False, fewest_to_change(model, images, value, other, **limits)),
                (own, True, True, fewest_to_keep(model, images, value, **limits)),
            ):
                sets = list(every.that_do_it(label, wanted, keep))
                smallest = min(map(len, sets), default=count + 1)
                assert found.excluded < max(1, smallest)
                assert found.passes <= 2 + 2 * passes + 2 * count + count**2
                if found.found:
                    assert tuple(sorted(found.patches)) in sets
                    assert not found.is_exact or len(found.patches) == smallest
                    if passes > count:  # there is room for all pairs
                        assert found.excluded >= min(2, len(found.patches) - 1)


@pytest.mark.parametrize("how", HOW)
def test_no_patch_of_a_greedy_set_is_needless(model: ViT, how: str) -> None:
    value, drop = covers(model.config, how), how == "drop"
    for images in pictures(model.config):
        own = int(model(images).argmax())
        found = fewest_to_change(model, images, value, drop=drop, exact_up_to=0, most_passes=1)
        for patch in found.patches:
            fewer = tuple(other for other in found.patches if other != patch)
            assert int(logits_one_by_one(model, images, fewer, value).argmax()) == own


def test_many_sets_at_once_are_answered_as_one_after_the_other(model: ViT) -> None:
    images = pictures(model.config, 1)[0]
    sets = [(0, 1), (1, 2), (3, 5), (4, 0)]
    everything = set(range(model.config.num_patches))
    for how in HOW:
        value = covers(model.config, how)
        for is_kept in (False, True):
            found = logits_without(model, images, sets, value, is_kept)
            for patches, logits in zip(sets, found, strict=True):
                hidden = tuple(everything - set(patches)) if is_kept else patches
                expected = logits_one_by_one(model, images, hidden, value)
                torch.testing.assert_close(logits, expected)


# models whose answers were chosen, so that no answer is left to chance


class Answering(ViT):
    """A model that looks up its answer by which of four patches are covered with zeros."""

    def __init__(self, answers: dict[Patches, int], patches: int = 4) -> None:
        super().__init__(
            ViTConfig(
                image_size=(1, patches),
                patch_size=1,
                embed_dim=1,
                num_heads=1,
                depth=1,
                num_classes=3,
            )
        )
        self.answers = answers

    def forward(self, images: Tensor, tap: object = None) -> Tensor:
        logits = torch.zeros(len(images), 3)
        for row, picture in zip(logits, images[:, 0, 0], strict=True):
            covered = tuple(int(patch) for patch in (picture == 0).nonzero()[:, 0])
            row[self.answers.get(covered, 0)] = 1 + 0.1 * len(covered)
        return logits


ONES, ZERO = torch.ones(1, 1, 1, 4), torch.zeros(1)


def test_hiding_more_may_bring_the_answer_back() -> None:
    """Only one pair changes the answer; greedy passes it by, and hiding everything does nothing."""
    model = Answering({(1, 3): 2})
    assert fewest_to_change(model, ONES, ZERO, exact_up_to=0, most_passes=1) == Found(
        False, (), 0, pytest.approx(float(torch.tensor([1.0, 0, 0]).softmax(0)[0])), False, 1, 9
    )
    found = fewest_to_change(model, ONES, ZERO)
    assert (found.found, found.patches, found.prediction) == (True, (1, 3), 2)
    assert (found.is_exact, found.excluded) == (True, 1)


def test_what_suffices_is_not_what_a_change_leaves() -> None:
    """Patch 0 hidden changes the answer; and yet patch 3 alone is enough to keep it."""
    model = Answering({(0,): 1, (0, 1, 2, 3): 2})
    assert fewest_to_change(model, ONES, ZERO).patches == (0,)
    kept = fewest_to_keep(model, ONES, ZERO)
    assert (len(kept.patches), kept.prediction, kept.excluded) == (1, 0, 0)


def test_nothing_need_be_kept_where_an_empty_picture_gets_the_same_answer() -> None:
    kept = fewest_to_keep(Answering({(1,): 2}), ONES, ZERO)
    assert (kept.found, kept.patches, kept.prediction, kept.is_exact) == (True, (), 0, True)


def test_nothing_need_be_hidden_for_the_class_that_is_answered_anyway() -> None:
    found = fewest_to_change(Answering({}), ONES, ZERO, target=0)
    assert (found.found, found.patches, found.is_exact, found.passes) == (True, (), True, 2)


def test_that_no_set_does_it_is_only_said_when_all_were_tried() -> None:
    found = fewest_to_change(Answering({}), ONES, ZERO)
    assert (found.found, found.is_exact, found.excluded) == (False, True, 4)
    found = fewest_to_change(Answering({}), ONES, ZERO, exact_up_to=3, most_passes=6)
    assert (found.found, found.is_exact, found.excluded) == (False, False, 2)


def test_of_equal_patches_the_first_is_taken() -> None:
    model = Answering({(2,): 1, (3,): 1})
    assert fewest_to_change(model, ONES, ZERO).patches == (2,)


def test_greedy_prunes_what_it_took_first() -> None:
    """Covering 0 looks best, but only 1, 2 and 3 are needed."""

    class Misleading(Answering):
        def forward(self, images: Tensor, tap: object = None) -> Tensor:
            hidden = images[:, 0, 0] == 0
            change = hidden.float() @ torch.tensor([0.5, 0.3, 0.3, 0.3])
            change += torch.where(hidden[:, 1:].all(dim=1), 2.0, 0.0)
            return torch.stack((torch.full_like(change, 2.0), change, change - 9), dim=1)

    model = Misleading({})
    greedy = fewest_to_change(model, ONES, ZERO, exact_up_to=0, most_passes=1)
    assert set(greedy.patches) == {1, 2, 3}
    assert fewest_to_change(model, ONES, ZERO).patches == (1, 2, 3)


# limits


@pytest.mark.parametrize("at_once", [1, 5])
def test_what_is_found_does_not_depend_on_how_many_run_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made_random(ViT(SMALL))
    images, value = pictures(SMALL)[0], covers(SMALL, "zero")
    expected = fewest_to_change(model, images, value), fewest_to_keep(model, images, value)
    monkeypatch.setattr(fewest, "AT_ONCE", at_once * block_bytes(SMALL))
    forward, most = EncoderBlock.forward, 0

    def counted(block: EncoderBlock, tokens: Tensor, *tap: object) -> Tensor:
        nonlocal most
        most = max(most, len(tokens))
        return forward(block, tokens, *tap)

    monkeypatch.setattr(EncoderBlock, "forward", counted)
    found = fewest_to_change(model, images, value), fewest_to_keep(model, images, value)
    assert most == at_once
    for one, other in zip(found, expected, strict=True):
        assert replace(one, probability=0) == replace(other, probability=0)
        assert one.probability == pytest.approx(other.probability)


def test_one_patch_and_one_class() -> None:
    config = replace(SMALL, patch_size=6, num_classes=1)
    model, images = made_random(ViT(config)), pictures(config)[0]
    for drop in (False, True):
        found = fewest_to_change(model, images, covers(config, "zero"), drop=drop)
        assert (found.found, found.is_exact, found.probability) == (False, True, 1.0)
    assert fewest_to_keep(model, images, covers(config, "zero")).patches == ()
    assert fewest_to_keep(model, images, None, drop=True).patches == (0,)


def test_what_does_not_fit_is_refused() -> None:
    model, images, value = made_random(ViT(SMALL)), pictures(SMALL)[0], covers(SMALL, "zero")
    with pytest.raises(ValueError, match="no class 4; they are from 0 to 3"):
        fewest_to_change(model, images, value, target=4)
    with pytest.raises(ValueError, match="one image is expected, not 2"):
        fewest_to_keep(model, torch.cat((images, images)), value)
    with pytest.raises(ValueError, match="has 1 values"):
        fewest_to_change(model, images, torch.zeros(3))
    with pytest.raises(ValueError, match="has 1 values"):
        fewest_to_change(model, images, None)
    with pytest.raises(ValueError, match="without a head"):
        fewest_to_keep(ViT(replace(SMALL, num_classes=0)), images, value)
