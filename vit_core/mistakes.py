"""Classic mistakes, made on purpose: what each changes in a run's settings, and flawed models.

The model file itself has no flaw. A flawed model is a ``ViT`` whose forward pass goes through a tap
of its own, which undoes one part of the computation before anything else uses it. So a trace shows
what really ran.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from torch import Tensor

from vit_core.config import TrainConfig, ViTConfig
from vit_core.model import ViT, build
from vit_core.tap import Tap, no_tap

Settings = tuple[ViTConfig, TrainConfig]

TIMES_TOO_HIGH = 30
HIGHEST_LR = 100.0  # that TrainConfig allows
# from here on a learning rate counts as too high: 30 times the usual one of Adam and of Muon
HIGH_LR, HIGH_MUON_LR = TIMES_TOO_HIGH * 1e-3, TIMES_TOO_HIGH * 0.01

NORMED = {"norm1": "resid_pre", "norm2": "resid_mid", "final_norm": "resid_post"}
ADDED = {"resid_mid": "attn_out", "resid_post": "mlp_out"}


@dataclass(frozen=True)
class Mistake:
    """One classic mistake.

    Attributes:
        apply: settings without the mistake → the same settings with it.
        made: whether settings have the mistake.
    """

    apply: Callable[[ViTConfig, TrainConfig], Settings]
    made: Callable[[ViTConfig, TrainConfig], bool]


@dataclass(frozen=True)
class Flaws:
    """Which parts of a model's forward pass run; False is a flaw. See ``TrainConfig``."""

    residual: bool = True
    layer_norm: bool = True
    scale_scores: bool = True

    @classmethod
    def from_config(cls, config: TrainConfig | None) -> "Flaws":
        """Return the flaws of a run's settings; without settings there are none."""
        if config is None:
            return cls()
        return cls(**{field.name: getattr(config, field.name) for field in fields(cls)})

    def __bool__(self) -> bool:
        """Whether there is any flaw."""
        return self != Flaws()


class FlawedViT(ViT):
    """A Vision Transformer of which some part does not run.

    It has all parameters of a ``ViT``. Those of a LayerNorm that does not run stay as they are,
    since no gradient reaches them.
    """

    def __init__(self, config: ViTConfig, flaws: Flaws) -> None:
        super().__init__(config)
        self.flaws = flaws

    def forward_features(self, images: Tensor, tap: Tap = no_tap) -> Tensor:
        return super().forward_features(images, flawed_tap(self.flaws, tap, self.config.head_dim))


def flawed_tap(flaws: Flaws, tap: Tap, head_dim: int) -> Tap:
    """Return a tap for one forward pass that undoes the flawed parts and then calls ``tap``."""
    last: dict[str, Tensor] = {}  # latest tensor by the last part of its name, after ``tap``

    def flawed(name: str, tensor: Tensor) -> Tensor:
        kind = name.rpartition(".")[2]
        if not flaws.layer_norm and kind in NORMED:
            tensor = last[NORMED[kind]]
        elif not flaws.residual and kind in ADDED:
            tensor = last[ADDED[kind]]
        elif not flaws.scale_scores and kind == "scores":
            tensor = tensor * math.sqrt(head_dim)
        last[kind] = tensor = tap(name, tensor)
        return tensor

    return flawed


def build_with(model: ViTConfig, training: TrainConfig | None, seed: int = 0) -> ViT:
    """Return a new model as ``vit_core.model.build`` does, with the flaws of a run's settings.

    Args:
        model: the shape.
        training: the run's settings; None for no flaw.
        seed: of the weights.
    """
    flaws = Flaws.from_config(training)
    return build(model, seed, partial(FlawedViT, flaws=flaws)) if flaws else build(model, seed)


def flaws_of(model: ViT) -> Flaws:
    """Return which parts of a model's forward pass run."""
    flaws: Flaws = model.__dict__.get("flaws", Flaws())
    return flaws


def mistakes_of(model: ViTConfig, training: TrainConfig | None) -> tuple[str, ...]:
    """Return the names of the mistakes that settings have, in the order of ``MISTAKES``."""
    config = training or TrainConfig()
    return tuple(name for name, mistake in MISTAKES.items() if mistake.made(model, config))


def training_mistake(field: str, value: bool) -> Mistake:
    """Return the mistake of giving one switch of ``TrainConfig`` the wrong value."""
    change: dict[str, Any] = {field: value}
    return Mistake(
        lambda model, training: (model, replace(training, **change)),
        lambda _, training: getattr(training, field) is value,
    )


def with_high_lr(model: ViTConfig, training: TrainConfig) -> Settings:
    """Return the settings with both learning rates 30 times as high, as far as allowed."""
    lr = min(HIGHEST_LR, TIMES_TOO_HIGH * training.lr)
    muon_lr = min(HIGHEST_LR, TIMES_TOO_HIGH * training.muon_lr)
    return model, replace(training, lr=lr, muon_lr=muon_lr)


def has_high_lr(_: ViTConfig, training: TrainConfig) -> bool:
    """Whether a learning rate that the optimizer uses is too high."""
    muon = training.optimizer == "muon"
    return training.lr >= HIGH_LR or (muon and training.muon_lr >= HIGH_MUON_LR)


MISTAKES: dict[str, Mistake] = {
    "softmax_before_loss": training_mistake("softmax_before_loss", True),
    "no_position": Mistake(
        lambda model, training: (replace(model, pos_embed="none"), training),
        lambda model, _: model.pos_embed == "none",
    ),
    "no_residual": training_mistake("residual", False),
    "no_layer_norm": training_mistake("layer_norm", False),
    "no_scaling": training_mistake("scale_scores", False),
    "high_lr": Mistake(with_high_lr, has_high_lr),
    "shuffled_labels": training_mistake("shuffled_labels", True),
    "classes_in_order": training_mistake("shuffle", False),
}
