"""Classic mistakes, made on purpose: what each changes in a run, and the models that are flawed.

The model file stays sound. A flawed model is a ``ViT`` whose forward pass goes through a tap of its
own, which undoes one part of the computation before anybody sees it: what is traced is what ran.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial

from torch import Tensor

from vit_core.config import TrainConfig, ViTConfig
from vit_core.model import ViT, build
from vit_core.tap import Tap, no_tap

Settings = tuple[ViTConfig, TrainConfig]

TIMES_TOO_HIGH = 30
HIGHEST_LR = 100.0  # that TrainConfig takes
# from here on a rate counts as too high: that many times what is usual for Adam and for Muon
HIGH_LR, HIGH_MUON_LR = TIMES_TOO_HIGH * 1e-3, TIMES_TOO_HIGH * 0.01

NORMED = {"norm1": "resid_pre", "norm2": "resid_mid", "final_norm": "resid_post"}
ADDED = {"resid_mid": "attn_out", "resid_post": "mlp_out"}


@dataclass(frozen=True)
class Mistake:
    """One classic mistake.

    Attributes:
        apply: sound settings → the same with this mistake.
        made: whether settings have it.
    """

    apply: Callable[[ViTConfig, TrainConfig], Settings]
    made: Callable[[ViTConfig, TrainConfig], bool]


@dataclass(frozen=True)
class Flaws:
    """Which parts of a model's forward pass run, by the names of ``TrainConfig``."""

    residual: bool = True
    layer_norm: bool = True
    scale_scores: bool = True

    @classmethod
    def from_config(cls, config: TrainConfig | None) -> "Flaws":
        """Return those of a run; without settings everything runs."""
        if config is None:
            return cls()
        return cls(**{field.name: getattr(config, field.name) for field in fields(cls)})

    def __bool__(self) -> bool:
        return self != Flaws()


class FlawedViT(ViT):
    """A Vision Transformer of which some part does not run. Its parameters are the sound model's.

    Those of a LayerNorm that does not run stay as they are: no gradient reaches them.
    """

    def __init__(self, config: ViTConfig, flaws: Flaws) -> None:
        super().__init__(config)
        self.flaws = flaws

    def forward_features(self, images: Tensor, tap: Tap = no_tap) -> Tensor:
        return super().forward_features(images, flawed_tap(self.flaws, tap, self.config.head_dim))


def flawed_tap(flaws: Flaws, tap: Tap, head_dim: int) -> Tap:
    """Return a tap for one forward pass that leaves parts out and hands the rest on to ``tap``."""
    last: dict[str, Tensor] = {}  # by the last part of its name, as ``tap`` returned it

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
    """Return a new model as ``vit_core.model.build``, flawed where the run's settings say so."""
    flaws = Flaws.from_config(training)
    return build(model, seed, partial(FlawedViT, flaws=flaws)) if flaws else build(model, seed)


def flaws_of(model: ViT) -> Flaws:
    return model.flaws if isinstance(model, FlawedViT) else Flaws()


def mistakes_of(model: ViTConfig, training: TrainConfig | None) -> tuple[str, ...]:
    """Return the names of the mistakes that settings have, in the order of ``MISTAKES``."""
    config = training or TrainConfig()
    return tuple(name for name, mistake in MISTAKES.items() if mistake.made(model, config))


def training_mistake(field: str, value: bool) -> Mistake:
    """Return the mistake of giving one switch of ``TrainConfig`` the wrong value."""
    return Mistake(
        lambda model, training: (model, replace(training, **{field: value})),
        lambda _, training: getattr(training, field) is value,
    )


def too_high(model: ViTConfig, training: TrainConfig) -> Settings:
    rates = {
        name: min(HIGHEST_LR, TIMES_TOO_HIGH * getattr(training, name))
        for name in ("lr", "muon_lr")
    }
    return model, replace(training, **rates)


def is_too_high(_: ViTConfig, training: TrainConfig) -> bool:
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
    "high_lr": Mistake(too_high, is_too_high),
    "shuffled_labels": training_mistake("shuffled_labels", True),
}
