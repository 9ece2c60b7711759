"""The Vision Transformer, whole, in one file.

"An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", Dosovitskiy et al.
2021, https://arxiv.org/abs/2010.11929. The equation numbers below are that paper's.

Shape suffixes of token tensors:
    B batch    N tokens (class token, registers, patches)    P patches    D embed_dim
    H heads    K head_dim    M MLP width    C classes
Image axes are spelled in words, since H means heads.

State-dict keys are timm's. Every named intermediate passes through ``tap`` exactly once (see
``vit_core.tap``).
"""

import hashlib
import math
import threading
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vit_core.config import ViTConfig
from vit_core.tap import Tap, no_tap, scope

# PyTorch declares that calling a module returns Any
# mypy: disable-error-code="no-any-return"

_building = threading.Lock()


def patchify(images: Tensor, patch_size: tuple[int, int]) -> Tensor:
    """Cut into patches and flatten each: (B, channels, height, width) → (B, P, channels·ph·pw).

    Patches are in reading order (row by row, index 0 at the top left); the values of one patch are
    in (channel, row, column) order, so that a linear layer over them equals a strided convolution.

    Args:
        images: any pixel range.
        patch_size: (ph, pw), height and width of a patch in pixels.

    Raises:
        ValueError: the image is not divisible into whole patches.
    """
    batch, channels, height, width = images.shape
    patch_height, patch_width = patch_size
    if height % patch_height or width % patch_width:
        raise ValueError(
            f"an image of {height} x {width} pixels cannot be cut into whole patches of "
            f"{patch_height} x {patch_width}; height and width must be multiples of the patch's"
        )
    rows, columns = height // patch_height, width // patch_width
    grid = images.reshape(batch, channels, rows, patch_height, columns, patch_width)
    # (B, channels, rows, ph, columns, pw) → (B, rows, columns, channels, ph, pw)
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(
        batch, rows * columns, channels * patch_height * patch_width
    )


def sincos_1d(positions: Tensor, dim: int) -> Tensor:
    """Return the sine-cosine positional encoding of ``positions``, (…,) → (…, dim), float32.

    PE(p, 2i) = sin(p / 10000^(2i/dim)), PE(p, 2i+1) = cos(p / 10000^(2i/dim)): sines in the even
    dimensions, cosines in the odd ones. Source: "Attention Is All You Need", section 3.5.
    """
    frequencies = 10000.0 ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angles = positions.to(torch.float64)[..., None] * frequencies
    encoding = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)
    return encoding[..., :dim].float()


def sincos_2d(rows: int, columns: int, dim: int) -> Tensor:
    """Return the 2-D sine-cosine encoding of a grid of patches, (rows·columns, dim), float32.

    The first half of the dimensions encodes a patch's column, the second half its row; within a
    half all sines come first, then all cosines. Source: SimpleViT ("Better plain ViT baselines for
    ImageNet-1k", https://arxiv.org/abs/2205.01580).
    """
    quarter = dim // 4
    frequencies = 10000.0 ** (-torch.arange(quarter, dtype=torch.float64) / max(quarter - 1, 1))
    row, column = torch.meshgrid(
        torch.arange(rows, dtype=torch.float64),
        torch.arange(columns, dtype=torch.float64),
        indexing="ij",
    )
    column_angles = column.flatten()[:, None] * frequencies
    row_angles = row.flatten()[:, None] * frequencies
    parts = (column_angles.sin(), column_angles.cos(), row_angles.sin(), row_angles.cos())
    return torch.cat(parts, dim=1).float()


class PatchEmbed(nn.Module):
    """Project every flattened patch to ``embed_dim``: x_p E (equation 1, without position)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.patch_size = config.patch_hw
        self.proj = nn.Linear(config.patch_dim, config.embed_dim)

    def forward(self, images: Tensor, tap: Tap = no_tap) -> Tensor:
        patches = tap("patches", patchify(images, self.patch_size))
        return tap("patch_embed", self.proj(patches))


class SelfAttention(nn.Module):
    """Multi-head self-attention, MSA(z) = [SA_1(z); …; SA_H(z)] U_msa (appendix A, eq. 5 to 8)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.qkv = nn.Linear(config.embed_dim, 3 * config.embed_dim, bias=config.qkv_bias)
        self.proj = nn.Linear(config.embed_dim, config.embed_dim)

    def forward(self, x_BND: Tensor, tap: Tap = no_tap) -> Tensor:
        B, N, D = x_BND.shape
        # [q, k, v] = z U_qkv (equation 5): H blocks of K numbers for the queries, H for the keys, …
        qkv = self.qkv(x_BND).view(B, N, 3 * self.num_heads, D // self.num_heads)
        q_BHNK, k_BHNK, v_BHNK = (part.transpose(1, 2) for part in qkv.chunk(3, dim=2))
        if tap is no_tap:
            z_BHNK = F.scaled_dot_product_attention(q_BHNK, k_BHNK, v_BHNK)
        else:
            z_BHNK = self.spelled_out(q_BHNK, k_BHNK, v_BHNK, tap)
        return self.proj(z_BHNK.transpose(1, 2).reshape(B, N, D))

    @staticmethod
    def spelled_out(q_BHNK: Tensor, k_BHNK: Tensor, v_BHNK: Tensor, tap: Tap) -> Tensor:
        """Attend in the steps of equations 6 and 7: A = softmax(q kᵀ / √K), SA(z) = A v."""
        q_BHNK, k_BHNK, v_BHNK = tap("q", q_BHNK), tap("k", k_BHNK), tap("v", v_BHNK)
        # the queries are divided, since the scores are the largest tensor of a wide grid
        scaled_BHNK = q_BHNK / math.sqrt(q_BHNK.shape[-1])
        scores_BHNN = tap("scores", scaled_BHNK @ k_BHNK.transpose(-2, -1))
        pattern_BHNN = tap("pattern", scores_BHNN.softmax(dim=-1))  # each query's row sums to 1
        return tap("z", pattern_BHNN @ v_BHNK)


class Mlp(nn.Module):
    """Two linear layers with GELU between them, applied to each token alone (section 3.1)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.embed_dim, config.mlp_dim)
        self.fc2 = nn.Linear(config.mlp_dim, config.embed_dim)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x_BND: Tensor, tap: Tap = no_tap) -> Tensor:
        pre_BNM = tap("pre", self.fc1(x_BND))
        post_BNM = tap("post", F.gelu(pre_BNM))
        return self.fc2(self.drop(post_BNM))


class LayerScale(nn.Module):
    """Multiply each dimension by a learned factor.

    Source: "Going deeper with Image Transformers", https://arxiv.org/abs/2103.17239, section 2.
    """

    def __init__(self, dim: int, initial: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), float(initial)))

    def forward(self, x_BND: Tensor) -> Tensor:
        return x_BND * self.gamma


class EncoderBlock(nn.Module):
    """One pre-norm encoder block (equations 2 and 3), each sub-layer with a LayerNorm of its own.

    z' = MSA(LN(z)) + z,    z'' = MLP(LN(z')) + z'
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.embed_dim, eps=config.norm_eps)
        self.attn = SelfAttention(config)
        self.norm2 = nn.LayerNorm(config.embed_dim, eps=config.norm_eps)
        self.mlp = Mlp(config)
        self.drop = nn.Dropout(config.dropout)
        self.ls1, self.ls2 = (
            nn.Identity()
            if config.layer_scale is None
            else LayerScale(config.embed_dim, config.layer_scale)
            for _ in range(2)
        )

    def forward(self, x_BND: Tensor, tap: Tap = no_tap) -> Tensor:
        x_BND = tap("resid_pre", x_BND)
        normed_BND = tap("norm1", self.norm1(x_BND))
        attn_BND = self.attn(normed_BND, scope(tap, "attn"))
        x_BND = tap("resid_mid", x_BND + tap("attn_out", self.ls1(self.drop(attn_BND))))
        normed_BND = tap("norm2", self.norm2(x_BND))
        mlp_BND = self.mlp(normed_BND, scope(tap, "mlp"))
        return tap("resid_post", x_BND + tap("mlp_out", self.ls2(self.drop(mlp_BND))))


class ViT(nn.Module):
    """Vision Transformer: images (B, channels, height, width) → logits (B, num_classes).

    The head gives logits (unnormalised log-probabilities, in nats); softmax belongs to the reader
    or to the loss. A backbone (``num_classes`` 0) has no head and gives the pooled features (B, D).
    A new model's weights come from PyTorch's global generator; ``build`` takes a seed instead.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        # drawn first, so that it does not depend on which parts the model has
        self._seed = drawn_seed()
        self.config = config
        self.patch_embed = PatchEmbed(config)
        # tokens that carry a position: [CLS], if there is one, then the patches
        num_positions = config.num_patches + (config.pool == "cls")
        self.cls_token = self.reg_token = None
        if config.pool == "cls":
            self.cls_token = nn.Parameter(torch.zeros(1, 1, config.embed_dim))
        if config.num_registers:
            self.reg_token = nn.Parameter(torch.zeros(1, config.num_registers, config.embed_dim))
        if config.pos_embed == "learned":
            self.pos_embed = nn.Parameter(torch.zeros(1, num_positions, config.embed_dim))
        else:
            self.register_buffer(
                "pos_embed", fixed_position(config, num_positions), persistent=False
            )
        self.pos_drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(config.depth))
        self.norm = (
            nn.LayerNorm(config.embed_dim, eps=config.norm_eps)
            if config.final_norm
            else nn.Identity()
        )
        self.head = (
            nn.Linear(config.embed_dim, config.num_classes) if config.num_classes else nn.Identity()
        )
        self.init_weights()

    @torch.no_grad()
    def init_weights(self) -> None:
        """Draw new weights: truncated normal, with variance 1 / inputs for matrices.

        Each parameter has a random stream of its own, from the model's seed and the parameter's
        name. So a model without position embeddings, say, has the same weights everywhere else.

        The two layers that write into the residual stream are divided by √(2·depth), so that its
        variance does not grow with depth (GPT-2's rule). Tokens, learned positions and the head
        start at a standard deviation of 0.02: a new model is undecided, not silent.
        """
        for name, parameter in self.named_parameters():
            if parameter.is_meta:  # it has only a shape
                continue
            if name.endswith("bias"):
                parameter.zero_()
            elif name.endswith(("cls_token", "reg_token", "pos_embed", "head.weight")):
                stream = stream_of(self._seed, name, parameter.device)
                nn.init.trunc_normal_(parameter, std=0.02, generator=stream)
            elif parameter.ndim == 2:
                std = parameter.shape[1] ** -0.5
                if name.endswith(("attn.proj.weight", "mlp.fc2.weight")):
                    std /= math.sqrt(2 * self.config.depth)
                stream = stream_of(self._seed, name, parameter.device)
                nn.init.trunc_normal_(parameter, std=std, a=-3 * std, b=3 * std, generator=stream)

    def forward(self, images: Tensor, tap: Tap = no_tap) -> Tensor:
        return self.forward_head(self.forward_features(images, tap), tap)

    def forward_features(self, images: Tensor, tap: Tap = no_tap) -> Tensor:
        """Return the tokens after the encoder and its final LayerNorm: images → (B, N, D).

        Raises:
            ValueError: the images' shape is not (B, channels, height, width) of the configuration,
                or their values are whole numbers.
        """
        expected = (self.config.in_channels, *self.config.image_hw)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise ValueError(
                f"images of shape {tuple(images.shape)} do not fit this model; "
                f"it takes (batch, channels, height, width) = (B, {', '.join(map(str, expected))})"
            )
        if not images.is_floating_point():
            raise ValueError(
                f"images of {images.dtype} do not fit this model; it takes normalised "
                f"floating-point images (vit_core.data.normalize makes them from uint8 pixels)"
            )
        x_BND = self.embed(self.patch_embed(images, tap), tap)
        for index, block in enumerate(self.blocks):
            x_BND = block(x_BND, scope(tap, f"blocks.{index}"))
        return tap("final_norm", self.norm(x_BND))

    def embed(self, patches_BPD: Tensor, tap: Tap = no_tap) -> Tensor:
        """Join the class token and add the position: z_0 = [x_class; x_p E] + E_pos (equation 1).

        Registers ("Vision Transformers Need Registers", section 2.2) follow the class token and
        have no position.
        """
        B = patches_BPD.shape[0]
        x_BND = patches_BPD
        if self.cls_token is not None:
            x_BND = torch.cat((self.cls_token.expand(B, -1, -1), x_BND), dim=1)
        x_BND = tap("tokens", x_BND)
        if self.pos_embed is not None:
            x_BND = x_BND + tap("pos_embed", self.pos_embed)
        if self.reg_token is not None:
            before = self.config.num_prefix_tokens - self.config.num_registers
            registers_BRD = self.reg_token.expand(B, -1, -1)
            x_BND = torch.cat((x_BND[:, :before], registers_BRD, x_BND[:, before:]), dim=1)
        return tap("embed", self.pos_drop(x_BND))

    def forward_head(self, x_BND: Tensor, tap: Tap = no_tap) -> Tensor:
        """Pool the tokens and classify them: (B, N, D) → logits (B, num_classes) (equation 4).

        Without a head the pooled features (B, D) are returned as they are.
        """
        if self.config.pool == "cls":
            pooled_BD = x_BND[:, 0]
        else:
            pooled_BD = x_BND[:, self.config.num_prefix_tokens :].mean(dim=1)
        pooled_BD = tap("pooled", pooled_BD)
        return tap("logits", self.head(pooled_BD)) if self.config.num_classes else pooled_BD


def drawn_seed() -> int:
    """Draw a model's seed from the global generator; on the meta device draw nothing."""
    if torch.empty(()).is_meta:
        return 0
    return int(torch.randint(2**63 - 1, (), device="cpu"))


def stream_of(seed: int, name: str, device: torch.device) -> torch.Generator:
    """Return a random generator that depends only on a seed and a parameter's name."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def fixed_position(config: ViTConfig, num_positions: int) -> Tensor | None:
    """Return the positional encoding that is not learned, (1, num_positions, D); None for "none".

    "sincos" counts the class token as position 0; "sincos2d" gives it zeros, since it is not in the
    grid.
    """
    if config.pos_embed == "none":
        return None
    if config.pos_embed == "sincos":
        return sincos_1d(torch.arange(num_positions), config.embed_dim)[None]
    grid = sincos_2d(*config.grid_size, config.embed_dim)
    return F.pad(grid, (0, 0, num_positions - len(grid), 0))[None]


def build(config: ViTConfig, seed: int = 0, kind: Callable[[ViTConfig], ViT] = ViT) -> ViT:
    """Return a new model whose weights depend only on ``config`` and ``seed``.

    The caller's random state stays as it was. Threads that build at the same time take turns,
    because PyTorch's layers draw from one global generator.

    Args:
        kind: makes the model; a subclass with the same parameters gets the same weights.
    """
    with _building, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU as well
        return kind(config)
