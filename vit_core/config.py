"""The shape of a model and the settings of its training, as two frozen dataclasses.

They check themselves when they are made: a wrong value raises a ``ValueError`` that says what is
allowed. So every configuration that exists is valid.
"""

from dataclasses import dataclass

from vit_core.checks import (
    check_bool,
    check_choice,
    check_float,
    check_int,
    check_size,
    nearest_divisors,
    nearest_multiples,
)
from vit_core.json_config import JsonConfig

Size = int | tuple[int, int]

POSITIONS = ("learned", "sincos", "sincos2d", "none")
POOLS = ("cls", "mean")
OPTIMIZERS = ("muon", "adamw", "adam")
SCHEDULES = ("linear", "cosine", "constant")
AUGMENTATIONS = ("none", "shift", "affine", "elastic", "crop")
PRECISIONS = ("fp32", "bf16")
MEMORY_LIMIT = 2 * 1024**3  # bytes
MOST_BLOCKS = 1_000  # even a tiny block is an object that needs time and memory


@dataclass(frozen=True)
class ViTConfig(JsonConfig):
    """The shape of a Vision Transformer.

    Attributes:
        image_size: pixels, one number for a square or (height, width).
        in_channels: 1 for grey, 3 for colour.
        num_classes: length of the logits; 0 for a backbone, which has no head and gives the pooled
            features.
        patch_size: pixels, one number or (height, width); divides the image.
        embed_dim: width D of a token; a multiple of ``num_heads``.
        depth: number of encoder blocks.
        num_heads: attention heads in each block, of ``embed_dim / num_heads`` dimensions each.
        mlp_ratio: width of the MLP's hidden layer, divided by ``embed_dim``.
        pos_embed: "learned" | "sincos" (1-D, as in Attention Is All You Need) | "sincos2d"
            (SimpleViT's) | "none".
        pool: "cls" reads the class token; "mean" averages the patch tokens, and then there is no
            class token.
        qkv_bias: whether query, key and value have a bias.
        norm_eps: epsilon of every LayerNorm.
        final_norm: whether a LayerNorm follows the last block.
        layer_scale: initial value of LayerScale's factors, or None for no LayerScale.
        num_registers: number of extra learned tokens after the class token.
        dropout: probability that a value becomes 0, after adding the position and after every
            linear layer of a block except the qkv projection.
    """

    image_size: Size = 28
    in_channels: int = 1
    num_classes: int = 10
    patch_size: Size = 4
    embed_dim: int = 64
    depth: int = 4
    num_heads: int = 4
    mlp_ratio: float = 4.0
    pos_embed: str = "learned"
    pool: str = "cls"
    qkv_bias: bool = True
    norm_eps: float = 1e-6
    final_norm: bool = True
    layer_scale: float | None = None
    num_registers: int = 0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("image_size", "patch_size"):
            check_size(name, getattr(self, name))
        for name in ("in_channels", "embed_dim", "num_heads"):
            check_int(name, getattr(self, name), at_least=1)
        check_int("num_classes", self.num_classes, at_least=0)
        check_int("depth", self.depth, at_least=1, at_most=MOST_BLOCKS)
        check_int("num_registers", self.num_registers, at_least=0)
        check_choice("pos_embed", self.pos_embed, POSITIONS)
        check_choice("pool", self.pool, POOLS)
        check_bool("qkv_bias", self.qkv_bias)
        check_bool("final_norm", self.final_norm)
        check_float("mlp_ratio", self.mlp_ratio, above=0.0, at_most=1024.0)
        check_float("norm_eps", self.norm_eps, at_least=1e-12, at_most=1.0)
        check_float("dropout", self.dropout, at_least=0.0, below=1.0)
        if self.layer_scale is not None:
            check_float("layer_scale", self.layer_scale, above=0.0, at_most=1024.0)
        self._check_together()

    def _check_together(self) -> None:
        for axis, image, patch in zip(
            ("height", "width"), self.image_hw, self.patch_hw, strict=True
        ):
            if image % patch:
                raise ValueError(
                    f"image_size: the {axis} of {image} pixels is not a multiple of patch_size "
                    f"{patch}; nearest patch sizes that divide it: "
                    f"{nearest_divisors(image, patch)}"
                )
        if self.embed_dim % self.num_heads:
            raise ValueError(
                f"embed_dim {self.embed_dim} is not divisible by num_heads {self.num_heads}; "
                f"nearest widths that are: {nearest_multiples(self.embed_dim, self.num_heads)}"
            )
        if self.pos_embed == "sincos2d" and self.embed_dim % 4:
            raise ValueError(
                f"pos_embed 'sincos2d' needs an embed_dim divisible by 4 (sine and cosine of row "
                f"and column), not {self.embed_dim}; "
                f"nearest: {nearest_multiples(self.embed_dim, 4)}"
            )
        if self.mlp_dim < 1:
            raise ValueError(
                f"mlp_ratio {self.mlp_ratio} leaves the MLP no hidden unit at embed_dim "
                f"{self.embed_dim}; allowed: at least {1 / self.embed_dim:.3g}"
            )
        if self.memory_bytes > MEMORY_LIMIT:
            raise ValueError(
                f"this shape needs about {self.memory_bytes / 1024**3:.1f} GiB for its weights and "
                f"one image's tensors; allowed are 2 GiB: choose a smaller embed_dim, depth, "
                f"num_heads or image_size, or a larger patch_size"
            )

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width of an image in pixels."""
        return as_pair(self.image_size)

    @property
    def patch_hw(self) -> tuple[int, int]:
        """Height and width of a patch in pixels."""
        return as_pair(self.patch_size)

    @property
    def grid_size(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.image_hw[0] // self.patch_hw[0], self.image_hw[1] // self.patch_hw[1]

    @property
    def num_patches(self) -> int:
        return self.grid_size[0] * self.grid_size[1]

    @property
    def patch_dim(self) -> int:
        """Length of a flattened patch: channels · patch height · patch width."""
        return self.in_channels * self.patch_hw[0] * self.patch_hw[1]

    @property
    def num_prefix_tokens(self) -> int:
        """Number of tokens before the first patch: [CLS], if there is one, and the registers."""
        return (self.pool == "cls") + self.num_registers

    @property
    def num_tokens(self) -> int:
        return self.num_prefix_tokens + self.num_patches

    @property
    def head_dim(self) -> int:
        return self.embed_dim // self.num_heads

    @property
    def mlp_dim(self) -> int:
        return int(self.embed_dim * self.mlp_ratio)

    @property
    def parameters_by_part(self) -> dict[str, int]:
        """Number of learned parameters in each part, in the order of the forward pass."""
        D, M = self.embed_dim, self.mlp_dim
        norm = 2 * D
        attention = 3 * D * D + self.qkv_bias * 3 * D + D * D + D
        mlp = (D + 1) * M + (M + 1) * D
        scales = 0 if self.layer_scale is None else 2 * D
        positions = self.num_patches + (self.pool == "cls")
        return {
            "patch_embed": (self.patch_dim + 1) * D,
            "cls_token": D if self.pool == "cls" else 0,
            "reg_token": self.num_registers * D,
            "pos_embed": positions * D if self.pos_embed == "learned" else 0,
            "blocks": self.depth * (2 * norm + attention + mlp + scales),
            "norm": norm if self.final_norm else 0,
            "head": (D + 1) * self.num_classes,
        }

    @property
    def num_parameters(self) -> int:
        return sum(self.parameters_by_part.values())

    @property
    def memory_bytes(self) -> int:
        """Estimate of the bytes of the float32 weights and of all traced tensors of one image."""
        N, D, H, M = self.num_tokens, self.embed_dim, self.num_heads, self.mlp_dim
        block = 11 * N * D + 2 * N * M + 2 * H * N * N
        ends = self.num_patches * (self.patch_dim + D) + 4 * N * D + self.num_classes
        return 4 * (self.num_parameters + self.depth * block + ends)


@dataclass(frozen=True)
class TrainConfig(JsonConfig):
    """How a model is trained.

    Attributes:
        epochs: passes over the training images.
        repeats: how often an epoch uses each training image, each time with another augmentation.
            More than 1 suits a handful of images, whose epochs would otherwise be a step or two.
        batch_size: number of images in a step; an epoch leaves out its incomplete last batch.
        optimizer: "muon" (Muon on the blocks' matrices, AdamW on the rest) | "adamw" | "adam".
        lr: peak learning rate of Adam or AdamW.
        muon_lr: peak learning rate of Muon.
        weight_decay: decoupled from the gradient; only for matrices.
        beta2: Adam's decay of the squared gradient.
        schedule: after the warm-up, "linear" to zero | "cosine" to zero | "constant".
        warmup: share of all steps, at the start, in which the learning rate rises from zero.
        label_smoothing: share of the target that is spread evenly over all classes.
        augment: "none" | "shift" (whole pixels) | "affine" (rotate, scale, shear and shift)
            | "elastic" (affine and a smooth random distortion) | "crop" (a random rectangle of the
            image, resized to the image's size).
        augment_strength: factor of all these changes. Strength 1 is one pixel of shift, or ± 8°,
            8 % scale, 0.08 shear and 6 % shift. A crop keeps at least 35 % of the area at strength
            1, and at least 8 % at any strength.
        flip: mirror half of the images left to right. The clean part has it too, since a mirrored
            photograph is as realistic as the original.
        patch_drop: share of the patches that are left out of each training image, at random. It
            makes a step cheaper and regularises (PatchDropout, https://arxiv.org/abs/2208.07220).
        randaugment: magnitude of RandAugment, from 0 for none to 30: two random changes of shape or
            colour for each image (https://arxiv.org/abs/1909.13719).
        mixup: alpha of MixUp, 0 for none: an image and its label are mixed with the one before them
            in the batch (https://arxiv.org/abs/1710.09412).
        cutmix: alpha of CutMix, 0 for none: a rectangle comes from the image before it
            (https://arxiv.org/abs/1905.04899). With ``mixup`` too, each step draws one of the two.
        clean_fraction: share of all steps, at the end, that have all patches, no mixing, and no
            augmentation except ``flip``.
        precision: "fp32" | "bf16" (products in bfloat16, weights and sums in float32).
        grad_accumulation: number of parts of a batch that each process computes one after another,
            so that a large batch needs less memory. One process on a CPU takes more parts by itself
            where a batch is large (``vit_core.training.parts``).
        clip_norm: largest norm of all gradients together; None for no limit.
        ema: decay for each step of the running mean of the weights, which is then evaluated and
            saved as the model; None for no mean.
        compile: whether ``torch.compile`` compiles the model first.
        softmax_before_loss: the first of six classic mistakes, here for demonstration: the loss
            gets probabilities where it expects logits.
        residual: False is a mistake: a sub-layer's output replaces its input instead of being added
            to it.
        layer_norm: False is a mistake: every LayerNorm returns its input unchanged.
        scale_scores: False is a mistake: the scores q·k are not divided by √K, where K is the
            head's width.
        shuffled_labels: True is a mistake: the labels of the training images are shuffled once at
            the start; those of validation and test stay right.
        shuffle: False is a mistake: each epoch goes through the images class by class, all of the
            first class, then all of the second, in the order of the data set.
        seed: of the order of the images, the augmentation and the dropout. A run directory's model
            draws its weights with it, too.
    """

    epochs: int = 8
    repeats: int = 1
    batch_size: int = 128
    optimizer: str = "muon"
    lr: float = 2e-3
    muon_lr: float = 0.02
    weight_decay: float = 0.02
    beta2: float = 0.98
    schedule: str = "linear"
    warmup: float = 0.1
    label_smoothing: float = 0.0
    augment: str = "affine"
    augment_strength: float = 1.0
    flip: bool = False
    patch_drop: float = 0.0
    randaugment: int = 0
    mixup: float = 0.0
    cutmix: float = 0.0
    clean_fraction: float = 0.1
    precision: str = "fp32"
    grad_accumulation: int = 1
    clip_norm: float | None = None
    ema: float | None = None
    compile: bool = False
    softmax_before_loss: bool = False
    residual: bool = True
    layer_norm: bool = True
    scale_scores: bool = True
    shuffled_labels: bool = False
    shuffle: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        check_int("epochs", self.epochs, at_least=1, at_most=10_000)
        check_int("repeats", self.repeats, at_least=1, at_most=10_000)
        check_int("batch_size", self.batch_size, at_least=1, at_most=65_536)
        check_int("seed", self.seed, at_least=0, at_most=2**31 - 1)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("augment", self.augment, AUGMENTATIONS)
        check_choice("precision", self.precision, PRECISIONS)
        check_int("randaugment", self.randaugment, at_least=0, at_most=30)
        check_int("grad_accumulation", self.grad_accumulation, at_least=1, at_most=65_536)
        for name in ("mixup", "cutmix"):
            check_float(name, getattr(self, name), at_least=0.0, at_most=100.0)
        if self.clip_norm is not None:
            check_float("clip_norm", self.clip_norm, above=0.0, at_most=1e6)
        if self.ema is not None:
            check_float("ema", self.ema, above=0.0, below=1.0)
        check_bool("compile", self.compile)
        check_bool("flip", self.flip)
        check_float("patch_drop", self.patch_drop, at_least=0.0, at_most=0.9)
        for name in ("softmax_before_loss", "residual", "layer_norm", "scale_scores"):
            check_bool(name, getattr(self, name))
        check_bool("shuffled_labels", self.shuffled_labels)
        check_bool("shuffle", self.shuffle)
        check_float("lr", self.lr, above=0.0, at_most=100.0)
        check_float("muon_lr", self.muon_lr, above=0.0, at_most=100.0)
        check_float("weight_decay", self.weight_decay, at_least=0.0, at_most=100.0)
        check_float("augment_strength", self.augment_strength, at_least=0.0, at_most=4.0)
        for name in ("beta2", "label_smoothing"):
            check_float(name, getattr(self, name), at_least=0.0, below=1.0)
        for name in ("warmup", "clean_fraction"):
            check_float(name, getattr(self, name), at_least=0.0, at_most=1.0)


def as_pair(size: Size) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)
