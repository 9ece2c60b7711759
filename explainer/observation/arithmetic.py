"""From which numbers of the trace and which weights one number of a trace was computed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from explainer.observation.derivation import (
    Derivation,
    Factor,
    dot,
    gelu,
    layer_norm,
    mean,
    softmax,
    total,
)
from vit_core import ViTConfig
from vit_core.mistakes import Flaws

Index = tuple[int, ...]
SOUND = Flaws()


def derive(
    tensors: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray],
    config: ViTConfig,
    key: str,
    index: Index,
    flaws: Flaws = SOUND,
    off: Collection[tuple[int, int]] = (),
) -> Derivation:
    """Derive one number of a trace from the tensors and weights that it was computed from.

    Args:
        tensors: trace key → array without the batch axis.
        weights: parameters of the model that ran, by timm's names.
        key: trace key, or ``probabilities`` for the softmax of the logits.
        index: of the number in that tensor.
        flaws: of the model that ran, which decide how the number was computed.
        off: heads that were switched off in this pass, (block, head) pairs.

    Raises:
        ValueError: the tensor is the input or a parameter, so that it was not computed.
    """
    source = Source(tensors, weights, config, flaws, frozenset(off))
    if key == "probabilities":
        return source.probability(*index)
    if key in ("patch_embed", "embed", "final_norm", "pooled", "logits"):
        return getattr(source, key)(*index)
    if key.startswith("blocks."):
        _, block, name = key.split(".", 2)
        method = getattr(Block(source, int(block)), name.replace(".", "_"), None)
        if method:
            return method(*index)
    raise ValueError(f"{key} is not computed from other tensors of this trace")


@dataclass(frozen=True)
class Source:
    """The tensors of one pass and the weights that made them, read in float64."""

    tensors: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    config: ViTConfig
    flaws: Flaws = SOUND
    off: frozenset[tuple[int, int]] = frozenset()

    def read(self, key: str) -> np.ndarray:
        return self.tensors[key].astype(np.float64)

    def weight(self, name: str) -> np.ndarray:
        return self.weights[name].astype(np.float64)

    def bias(self, name: str, index: int) -> float | None:
        return float(self.weights[name][index]) if name in self.weights else None

    def patch_embed(self, patch: int, dimension: int) -> Derivation:
        return dot(
            Factor("pixels", self.read("patches")[patch], "patch"),
            Factor("filter", self.weight("patch_embed.proj.weight")[dimension]),
            float(self.tensors["patch_embed"][patch, dimension]),
            "pixel",
            bias=self.bias("patch_embed.proj.bias", dimension),
        )

    def embed(self, token: int, dimension: int) -> Derivation:
        """Derive token plus position; registers have no position."""
        config, shown = self.config, float(self.tensors["embed"][token, dimension])
        first = config.num_prefix_tokens - config.num_registers
        if first <= token < config.num_prefix_tokens:
            raise ValueError("a register is a parameter itself, without a position")
        # registers stand between the class token and the patches, but have no row in ``tokens``
        before = token if token < first else token - config.num_registers
        parts = [("token", float(self.tensors["tokens"][before, dimension]))]
        if "pos_embed" in self.tensors:
            parts.append(("position", float(self.tensors["pos_embed"][before, dimension])))
        return total(parts, shown)

    def final_norm(self, token: int, dimension: int) -> Derivation:
        return self.normed(
            f"blocks.{self.config.depth - 1}.resid_post", "norm", "final_norm", token, dimension
        )

    def normed(self, stream: str, name: str, key: str, token: int, dimension: int) -> Derivation:
        shown = float(self.tensors[key][token, dimension])
        has_norm = f"{name}.weight" in self.weights  # a model may have no final LayerNorm
        if not has_norm or not self.flaws.layer_norm:
            unchanged = total([("stream", float(self.tensors[stream][token, dimension]))], shown)
            return replace(unchanged, left_out="layer_norm") if has_norm else unchanged
        return layer_norm(
            self.read(stream)[token],
            dimension,
            float(self.weights[f"{name}.weight"][dimension]),
            float(self.weights[f"{name}.bias"][dimension]),
            self.config.norm_eps,
            shown,
        )

    def pooled(self, dimension: int) -> Derivation:
        if self.config.pool == "cls":
            return self.final_norm(0, dimension)
        rows = self.read("final_norm")[self.config.num_prefix_tokens :]
        return mean(rows[:, dimension], float(self.tensors["pooled"][dimension]))

    def logits(self, klass: int) -> Derivation:
        return dot(
            Factor("pooled", self.read("pooled"), "class-token" if self.has_class else None),
            Factor("head", self.weight("head.weight")[klass]),
            float(self.tensors["logits"][klass]),
            "dimension",
            bias=self.bias("head.bias", klass),
        )

    @property
    def has_class(self) -> bool:
        return self.config.pool == "cls"

    def probability(self, klass: int) -> Derivation:
        logits = self.read("logits")
        powers = np.exp(logits - logits.max())
        shown = float(np.float32(powers[klass] / powers.sum()))
        return softmax(Factor("logits", logits), klass, shown, "class")


@dataclass(frozen=True)
class Block:
    """The tensors of one encoder block: one method for each, with the name of its trace key."""

    source: Source
    index: int

    def key(self, name: str) -> str:
        return f"blocks.{self.index}.{name}"

    def read(self, name: str) -> np.ndarray:
        return self.source.read(self.key(name))

    def shown(self, name: str, *index: int) -> float:
        return float(self.source.tensors[self.key(name)][index])

    def norm1(self, token: int, dimension: int) -> Derivation:
        return self.normed("resid_pre", "norm1", token, dimension)

    def norm2(self, token: int, dimension: int) -> Derivation:
        return self.normed("resid_mid", "norm2", token, dimension)

    def normed(self, stream: str, name: str, token: int, dimension: int) -> Derivation:
        return self.source.normed(
            self.key(stream), self.key(name), self.key(name), token, dimension
        )

    def attn_q(self, head: int, token: int, number: int) -> Derivation:
        return self.projected("q", 0, head, token, number)

    def attn_k(self, head: int, token: int, number: int) -> Derivation:
        return self.projected("k", 1, head, token, number)

    def attn_v(self, head: int, token: int, number: int) -> Derivation:
        return self.projected("v", 2, head, token, number)

    def projected(self, name: str, part: int, head: int, token: int, number: int) -> Derivation:
        config = self.source.config
        output = part * config.embed_dim + head * config.head_dim + number
        return dot(
            Factor("normed", self.read("norm1")[token]),
            Factor(f"weight_{name}", self.source.weight(self.key("attn.qkv.weight"))[output]),
            self.shown(f"attn.{name}", head, token, number),
            "dimension",
            bias=self.source.bias(self.key("attn.qkv.bias"), output),
        )

    def attn_scores(self, head: int, query: int, key: int) -> Derivation:
        scaled = self.source.flaws.scale_scores
        score = dot(
            Factor("query", self.read("attn.q")[head, query], "query"),
            Factor("key", self.read("attn.k")[head, key], "key"),
            self.shown("attn.scores", head, query, key),
            "number",
            root=self.source.config.head_dim if scaled else None,
        )
        return score if scaled else replace(score, left_out="scale_scores")

    def attn_pattern(self, head: int, query: int, key: int) -> Derivation:
        return softmax(
            Factor("scores", self.read("attn.scores")[head, query]),
            key,
            self.shown("attn.pattern", head, query, key),
            "token",
        )

    def attn_z(self, head: int, query: int, number: int) -> Derivation:
        if (self.index, head) in self.source.off:
            silent = total([("off", 0.0)], self.shown("attn.z", head, query, number))
            return replace(silent, left_out="head")
        return dot(
            Factor("shares", self.read("attn.pattern")[head, query]),
            Factor("values", self.read("attn.v")[head, :, number], "value"),
            self.shown("attn.z", head, query, number),
            "token",
            kind="mix",
        )

    def attn_out(self, token: int, dimension: int) -> Derivation:
        mixed = self.read("attn.z")[:, token].reshape(-1)
        return self.written("attn_out", "attn.proj", "ls1", mixed, "heads", token, dimension)

    def resid_mid(self, token: int, dimension: int) -> Derivation:
        return self.added("resid_mid", "resid_pre", "attn_out", token, dimension)

    def resid_post(self, token: int, dimension: int) -> Derivation:
        return self.added("resid_post", "resid_mid", "mlp_out", token, dimension)

    def added(self, name: str, stream: str, part: str, token: int, dimension: int) -> Derivation:
        index = (token, dimension)
        if not self.source.flaws.residual:
            part_alone = total([(part, self.shown(part, *index))], self.shown(name, *index))
            return replace(part_alone, left_out="residual")
        parts = [("stream", self.shown(stream, *index)), (part, self.shown(part, *index))]
        return total(parts, self.shown(name, *index))

    def mlp_pre(self, token: int, unit: int) -> Derivation:
        return dot(
            Factor("normed", self.read("norm2")[token]),
            Factor("weight_unit", self.source.weight(self.key("mlp.fc1.weight"))[unit]),
            self.shown("mlp.pre", token, unit),
            "dimension",
            bias=self.source.bias(self.key("mlp.fc1.bias"), unit),
        )

    def mlp_post(self, token: int, unit: int) -> Derivation:
        return gelu(self.shown("mlp.pre", token, unit), self.shown("mlp.post", token, unit))

    def mlp_out(self, token: int, dimension: int) -> Derivation:
        active = self.read("mlp.post")[token]
        return self.written("mlp_out", "mlp.fc2", "ls2", active, "units", token, dimension)

    def written(
        self,
        name: str,
        layer: str,
        scale: str,
        row: np.ndarray,
        over: str,
        token: int,
        dimension: int,
    ) -> Derivation:
        """Derive what a sub-layer adds: its last linear layer, and LayerScale if there is one."""
        gamma = self.source.bias(self.key(f"{scale}.gamma"), dimension)
        return dot(
            Factor(over, row),
            Factor("weight_out", self.source.weight(self.key(f"{layer}.weight"))[dimension]),
            self.shown(name, token, dimension),
            "unit" if over == "units" else "number",
            bias=self.source.bias(self.key(f"{layer}.bias"), dimension),
            factor=gamma,
        )
