"""Compare an epoch of the ``seed`` preset with one of the same network written in Python loops.

    python benchmarks/loop_reference.py [--threads 2] [--rounds 3]

``LoopViT`` is the network as it is often written when one learns it: loops over images, patches and
heads, and a DataLoader over a Dataset that prepares one image at a time. With copied weights its
logits equal ours, which is checked. Its epoch is extrapolated from some batches and contains the
training steps alone; ours is run whole, by ``fit`` with the preset's own recipe and the validation
at its end. So the ratio is, if anything, too small.
"""

import dataclasses
import math
import statistics
import time

import torch
import torch.nn.functional as F
from timing import parse_arguments, print_table
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from vit_core import PRESETS, ViT, build
from vit_core.data import DataInfo, Split, mnist
from vit_core.training.events import EpochEnd
from vit_core.training.loop import fit

BATCHES = 10  # of the loop implementation, in each round


class LoopAttention(nn.Module):
    """Self-attention, one image and one head at a time."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.head_dim = dim // num_heads
        self.queries, self.keys, self.values = (
            nn.ModuleList(nn.Linear(dim, self.head_dim) for _ in range(num_heads)) for _ in range(3)
        )
        self.proj = nn.Linear(dim, dim)

    def forward(self, batch: Tensor) -> Tensor:
        results = []
        for tokens in batch:
            heads = []
            for query, key, value in zip(self.queries, self.keys, self.values, strict=True):
                q, k, v = query(tokens), key(tokens), value(tokens)
                pattern = torch.softmax(q @ k.T / math.sqrt(self.head_dim), dim=1)
                heads.append(pattern @ v)
            results.append(self.proj(torch.hstack(heads)))
        return torch.stack(results)


class LoopBlock(nn.Module):
    """A pre-norm encoder block."""

    def __init__(self, dim: int, num_heads: int, mlp_dim: int, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = LoopAttention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_dim), nn.GELU(), nn.Linear(mlp_dim, dim))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class LoopViT(nn.Module):
    """A Vision Transformer with mean pooling and 1-D sine-cosine position, in Python loops."""

    def __init__(self, twin: ViT) -> None:
        """Make the network of ``twin``'s shape and copy its weights."""
        super().__init__()
        config = twin.config
        if (config.pool, config.pos_embed, config.num_registers) != ("mean", "sincos", 0):
            raise ValueError("mean pooling, a 1-D sine-cosine position and no registers are needed")
        self.patch_size = config.patch_hw[0]
        self.embed = nn.Linear(config.patch_dim, config.embed_dim)
        self.position = self.make_position(config.num_tokens, config.embed_dim)
        self.blocks = nn.Sequential(
            *(
                LoopBlock(config.embed_dim, config.num_heads, config.mlp_dim, config.norm_eps)
                for _ in range(config.depth)
            )
        )
        self.norm = nn.LayerNorm(config.embed_dim, eps=config.norm_eps)
        self.head = nn.Linear(config.embed_dim, config.num_classes)
        self.copy_weights(twin)

    @staticmethod
    def make_position(tokens: int, dim: int) -> Tensor:
        position = torch.empty(tokens, dim)
        for row in range(tokens):
            for column in range(dim):
                angle = row / 10000 ** (column // 2 * 2 / dim)
                position[row, column] = math.cos(angle) if column % 2 else math.sin(angle)
        return position

    @torch.no_grad()
    def copy_weights(self, twin: ViT) -> None:
        self.embed.load_state_dict(twin.patch_embed.proj.state_dict())
        for mine, block in zip(self.blocks, twin.blocks, strict=True):
            for name in ("norm1", "norm2"):
                getattr(mine, name).load_state_dict(getattr(block, name).state_dict())
            mine.mlp[0].load_state_dict(block.mlp.fc1.state_dict())
            mine.mlp[2].load_state_dict(block.mlp.fc2.state_dict())
            mine.attn.proj.load_state_dict(block.attn.proj.state_dict())
            maps = [*mine.attn.queries, *mine.attn.keys, *mine.attn.values]
            for linear, weight, bias in zip(
                maps,
                block.attn.qkv.weight.chunk(len(maps)),
                block.attn.qkv.bias.chunk(len(maps)),
                strict=True,
            ):
                linear.weight.copy_(weight)
                linear.bias.copy_(bias)
        self.norm.load_state_dict(twin.norm.state_dict())
        self.head.load_state_dict(twin.head.state_dict())

    def cut(self, images: Tensor) -> Tensor:
        """Flatten the patches of each image, one patch at a time."""
        size = self.patch_size
        patches = []
        for image in images:
            _, height, width = image.shape
            patches.append(
                torch.stack(
                    [
                        image[:, row : row + size, column : column + size].flatten()
                        for row in range(0, height, size)
                        for column in range(0, width, size)
                    ]
                )
            )
        return torch.stack(patches)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.blocks(self.embed(self.cut(images)) + self.position)
        return self.head(self.norm(tokens).mean(dim=1))


class Digits(Dataset):
    """One normalised image and its label at a time."""

    def __init__(self, split: Split, info: DataInfo) -> None:
        self.split, self.mean, self.std = split, info.mean[0], info.std[0]

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.split.images[index].float() / 255
        return (image - self.mean) / self.std, int(self.split.labels[index])


def loop_seconds(model: LoopViT, data: Digits, batch_size: int) -> float:
    """Train on ``BATCHES`` batches and return the seconds that an epoch of them would take."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    batches = iter(DataLoader(data, batch_size=batch_size, shuffle=True, drop_last=True))
    start = time.perf_counter()
    for _ in range(BATCHES):
        images, labels = next(batches)
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (time.perf_counter() - start) / BATCHES * (len(data) // batch_size)


def our_seconds(model: ViT) -> float:
    """Train one whole epoch with the preset's recipe, validation included."""
    config = dataclasses.replace(PRESETS["seed"].train, epochs=1)
    start = time.perf_counter()
    for event in fit(model, mnist(), config):
        if isinstance(event, EpochEnd):
            break
    return time.perf_counter() - start


def main() -> None:
    options = parse_arguments(__doc__, rounds=3)
    data = mnist()
    digits = Digits(data.train, data.info)
    batch_size = PRESETS["seed"].train.batch_size
    ours = build(PRESETS["seed"].model)
    loops = LoopViT(ours)
    images = torch.stack([digits[index][0] for index in range(64)])
    with torch.no_grad():
        difference = (loops(images) - ours(images)).abs().max().item()
    if difference > 1e-5:
        raise SystemExit(f"the two networks differ by {difference:.2g} in their logits")

    loop_times, our_times = [], []
    for _ in range(options.rounds):
        loop_times.append(loop_seconds(loops, digits, batch_size))
        our_times.append(our_seconds(ours))
    ratios = [a / b for a, b in zip(loop_times, our_times, strict=True)]
    row = [
        f"{statistics.median(loop_times):.1f}",
        f"{statistics.median(our_times):.2f}",
        f"{statistics.median(ratios):.1f}",
        f"{difference:.1g}",
    ]
    header = [
        f"loops, s an epoch ({options.rounds} x {BATCHES} of {len(digits) // batch_size} batches)",
        "ours, s an epoch",
        "loops ÷ ours",
        "largest difference of logits",
    ]
    print_table(header, [row])


if __name__ == "__main__":
    main()
