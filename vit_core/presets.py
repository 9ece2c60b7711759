"""Named settings of model and training, each with the result that it should reach."""

from dataclasses import dataclass

from vit_core.config import TrainConfig, ViTConfig


@dataclass(frozen=True)
class Preset:
    """A model's shape, how it is trained, and a sentence on what it is for and what it reaches."""

    model: ViTConfig
    train: TrainConfig
    summary: str


PRESETS: dict[str, Preset] = {
    "seed": Preset(
        ViTConfig(patch_size=4, embed_dim=8, depth=2, num_heads=2, pos_embed="sincos", pool="mean"),
        TrainConfig(
            epochs=5, batch_size=64, lr=0.02, muon_lr=0.05, augment="none", weight_decay=0.0
        ),
        "The shape of the implementation that learners copy, with a good recipe.",
    ),
    "seed-faithful": Preset(
        ViTConfig(patch_size=4, embed_dim=8, depth=2, num_heads=2, pos_embed="sincos"),
        TrainConfig(
            epochs=5,
            optimizer="adam",
            lr=0.005,
            schedule="constant",
            warmup=0.0,
            weight_decay=0.0,
            beta2=0.999,
            augment="none",
            softmax_before_loss=True,
        ),
        "The same shape with that implementation's own recipe: softmax before the cross-entropy, "
        "no schedule.",
    ),
    "fast": Preset(
        ViTConfig(patch_size=7, pool="mean"),
        TrainConfig(epochs=13, lr=0.003, augment_strength=0.6, clean_fraction=0.2),
        "16 patches of 7 x 7: learns most for its time.",
    ),
    "default": Preset(
        ViTConfig(patch_size=4),
        TrainConfig(epochs=14, augment="elastic", augment_strength=0.6),
        "49 patches of 4 x 4 and a class token: attention fine enough to look at.",
    ),
    "best": Preset(
        ViTConfig(patch_size=7, embed_dim=128, depth=4, num_heads=8, pool="mean"),
        TrainConfig(epochs=27, augment="elastic", augment_strength=0.8, label_smoothing=0.05),
        "The highest accuracy under one million parameters.",
    ),
}
