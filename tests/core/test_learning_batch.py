"""Gradients of many pictures are those of each alone; learning one by heart is real training."""

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vit_core import TrainConfig, ViT, ViTConfig
from vit_core.interpret.changed import ChangedViT, with_flaws
from vit_core.interpret.heads import Head, switch_heads_off
from vit_core.learning import batch
from vit_core.learning.batch import Together, by_heart, together
from vit_core.learning.schedule import schedule_of
from vit_core.learning.step import weight_gradients
from vit_core.mistakes import Flaws
from vit_core.training.optimizers import build_optimizers, lr_factor

SMALL = ViTConfig(
    image_size=8, in_channels=1, num_classes=3, patch_size=4, embed_dim=8, depth=2, num_heads=2
)
SHAPES = {
    "class token": SMALL,
    "registers, LayerScale": replace(SMALL, layer_scale=0.1, num_registers=2),
    "mean, no bias": replace(SMALL, pool="mean", pos_embed="sincos", qkv_bias=False),
    "without LayerNorm": SMALL,
    "a head off": SMALL,
}
LABELS = torch.tensor([0, 1, 1, 2, 1])


@pytest.fixture(params=SHAPES)
def case(
    request: pytest.FixtureRequest,
    random_model: Callable[..., ViT],
    random_images: Callable[..., Tensor],
) -> tuple[ViT, Tensor]:
    config = SHAPES[request.param]
    model = random_model(config)
    if "without" in request.param:
        model = tamed(with_flaws(model, Flaws(layer_norm=False, scale_scores=False)))
    if "off" in request.param:
        model = ChangedViT(model, switch_heads_off(config, [Head(1, 0)]))
    return model, random_images(config, batch=len(LABELS))


def tamed(model: ViT) -> ViT:
    """Make all weights smaller, which no LayerNorm does then."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 0.3
    return model


def test_gradients_together_are_those_of_each_alone(
    case: tuple[ViT, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, images = case
    alone = torch.stack(
        [
            torch.cat(
                [g.flatten() for g in weight_gradients(model, image[None], label[None]).values()]
            )
            for image, label in zip(images, LABELS, strict=True)
        ]
    )
    for most, at_once in ((10**9, 9), (400 * len(LABELS), 2), (1, 1)):
        monkeypatch.setattr(batch, "MOST_NUMBERS", most)
        found = together(model, images, LABELS, at_once)
        torch.testing.assert_close(found.products, alone @ alone.T)
    torch.testing.assert_close(found.lengths, alone.norm(dim=1))
    mean = alone.mean(dim=0)
    assert found.mean_length == pytest.approx(float(mean.norm()))
    torch.testing.assert_close(
        found.cosines_with_mean, F.cosine_similarity(alone, mean.expand_as(alone))
    )
    every = weight_gradients(model, images, LABELS)
    torch.testing.assert_close(mean, torch.cat([one.flatten() for one in every.values()]))
    assert all(one.grad is None for one in model.parameters())


def test_the_mean_cosine_of_two_classes_leaves_out_a_picture_beside_itself() -> None:
    rows = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 0.0]]).double()
    found = Together(rows @ rows.T, torch.tensor([0, 0, 1, 2]))
    root = 0.5**0.5
    expected = torch.tensor([[0, root, -0.5], [root, torch.nan, -root], [-0.5, -root, torch.nan]])
    torch.testing.assert_close(found.by_class(3), expected.double(), equal_nan=True)


def test_a_gradient_of_zero_has_no_direction() -> None:
    rows = torch.tensor([[0.0, 0.0], [0.0, 2.0]]).double()
    found = Together(rows @ rows.T, torch.tensor([0, 1]))
    assert found.cosines.tolist() == [[0, 0], [0, 1]]
    assert found.cosines_with_mean.tolist() == [0, 1]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "muon"])
def test_learning_by_heart_is_training_on_one_picture(
    case: tuple[ViT, Tensor], optimizer: str
) -> None:
    model, images = case
    recipe = TrainConfig(optimizer=optimizer, weight_decay=0.1)
    picture, label = images[:1], LABELS[:1]
    others = images[1:], LABELS[1:]
    states = list(
        by_heart(model, picture, label, others, lambda own: build_optimizers(own, recipe), 3)
    )
    assert len(states) == 4
    own = copy.deepcopy(model)
    optimizers = build_optimizers(own, recipe)
    for state in states:
        logits = own(picture)
        loss = F.cross_entropy(logits, label)
        assert state.picture_loss == pytest.approx(float(loss.detach()), rel=1e-3)
        torch.testing.assert_close(
            state.probabilities.double(), logits.softmax(dim=1)[0].detach(), rtol=1e-3, atol=1e-4
        )
        with torch.no_grad():
            answers = own(others[0])
        assert state.loss == pytest.approx(float(F.cross_entropy(answers, others[1])), rel=1e-3)
        right = (answers.argmax(dim=1) == others[1]).double().mean()
        assert state.accuracy == pytest.approx(float(right))
        own.zero_grad()
        loss.backward()
        for one in optimizers:
            one.step()
    assert states[-1].picture_loss < states[0].picture_loss


@pytest.mark.parametrize("kind", ["linear", "cosine", "constant"])
def test_a_schedule_is_what_training_sets(kind: str) -> None:
    config = TrainConfig(epochs=3, schedule=kind, warmup=0.1, clean_fraction=0.25)
    found = schedule_of(config, 7)
    assert found.total_steps == 21 and found.steps_per_epoch == 7
    assert found.factors.tolist() == [lr_factor(step, 21, config) for step in range(21)]
    assert found.warmup_steps == 2 and found.factors[1] == found.factors.max() == 1
    assert found.clean_from == 16, "the first step that Training.is_clean says yes to"
    with pytest.raises(ValueError, match="at least one step"):
        schedule_of(config, 0)
