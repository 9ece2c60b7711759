"""Named settings of a model and its training, each with the accuracy that it should reach."""

from dataclasses import dataclass

from vit_core.config import TrainConfig, ViTConfig


@dataclass(frozen=True)
class Preset:
    """Settings of a model and its training.

    Attributes:
        summary: a sentence for users: what the preset is for, and what it reaches in which time.
    """

    model: ViTConfig
    train: TrainConfig
    summary: str


# small photographs: 64 patches of 4 x 4 pixels
COLOUR = ViTConfig(image_size=32, in_channels=3, patch_size=4, embed_dim=192, depth=6, num_heads=3)
PRESETS: dict[str, Preset] = {
    "seed": Preset(
        ViTConfig(patch_size=4, embed_dim=8, depth=2, num_heads=2, pos_embed="sincos", pool="mean"),
        TrainConfig(
            epochs=5, batch_size=64, lr=0.01, muon_lr=0.03, augment="none", weight_decay=0.0
        ),
        "The shape that learners copy (83.99 % in 21 minutes there), trained well: "
        "94 % in under a minute on 2 CPU cores.",
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
        "That shape with its own recipe: softmax before the cross-entropy, no schedule; 77 %.",
    ),
    "fast": Preset(
        ViTConfig(patch_size=7, pool="mean"),
        TrainConfig(epochs=12),
        "16 patches of 7 x 7, learns most for its time: 99.3 % in three minutes on 2 CPU cores.",
    ),
    "default": Preset(
        ViTConfig(patch_size=4),
        TrainConfig(epochs=14, augment="elastic", augment_strength=0.6),
        "49 patches of 4 x 4 and a class token, attention fine enough to look at: 99.3 % in "
        "39 minutes on one CPU core of a busy machine.",
    ),
    "best": Preset(
        ViTConfig(patch_size=7, embed_dim=128, depth=4, num_heads=8, pool="mean"),
        TrainConfig(epochs=27, augment="elastic", augment_strength=0.8, label_smoothing=0.05),
        "The highest accuracy under one million parameters: 99.5 % in half an hour on one "
        "CPU core.",
    ),
    "photographs": Preset(
        COLOUR,
        TrainConfig(
            epochs=32,
            lr=2e-3,
            muon_lr=0.02,
            weight_decay=0.05,
            augment="shift",
            augment_strength=3.0,
            flip=True,
            patch_drop=0.5,
            clean_fraction=0.15,
            label_smoothing=0.1,
            precision="bf16",
        ),
        "Small colour photographs in a folder of one's own, on a CPU and without torchvision: 81 % "
        "of CIFAR-10's test images after 2 hours on one core of a busy machine.",
    ),
    "cifar10": Preset(
        COLOUR,
        TrainConfig(
            epochs=68,
            batch_size=256,
            lr=2.8e-3,
            muon_lr=0.028,
            weight_decay=0.05,
            augment="shift",
            augment_strength=4.0,
            flip=True,
            patch_drop=0.25,
            mixup=0.2,
            cutmix=1.0,
            clean_fraction=0.1,
            label_smoothing=0.1,
            precision="bf16",
        ),
        "The same shape, trained for longer and with CutMix and MixUp, which need torchvision: "
        "84.5 % of CIFAR-10's test images after 8 minutes on a GPU.",
    ),
}
