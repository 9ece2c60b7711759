"""Where one number of the trace comes from: its terms, their sum, and what is done to it.

Everything is computed again in float64 from the float32 tensors and weights of the pass, so that a
result differs from the tensor's number by rounding alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from vit_core import ViTConfig
from vit_core.mistakes import Flaws

Kind = Literal["dot", "mix", "softmax", "layer_norm", "gelu", "sum", "mean"]
Place = tuple[int, ...]
SOUND = Flaws()


@dataclass(frozen=True)
class Factor:
    """One of the rows whose numbers are multiplied or added.

    Attributes:
        name: of the words for it in the texts.
        values: (n,) float64.
        colour: meaning of the row, as ``components.colours.MARKS`` names it.
    """

    name: str
    values: np.ndarray
    colour: str | None = None


@dataclass(frozen=True)
class Derivation:
    """How one number came about.

    Attributes:
        kind: what was done, which decides how it is written.
        factors: the rows that go in, each with a number for each term.
        terms: (n,) what is added up: products of the factors, powers of e, or the factor itself.
        over: what the terms run over: "pixel", "dimension", "number", "token", "unit", "patch",
            "part" or "class".
        result: computed in float64.
        shown: the tensor's own number.
        numbers: by name, what else the last line needs: bias, root, mean, …
        chosen: the place of the term that the number belongs to, where there is one.
        left_out: what a sound model would have done here and this one did not, as the field of
            ``TrainConfig`` is called; empty if nothing is left out.
    """

    kind: Kind
    factors: tuple[Factor, ...]
    terms: np.ndarray
    over: str
    result: float
    shown: float
    numbers: Mapping[str, float] = field(default_factory=dict)
    chosen: int | None = None
    left_out: str = ""

    @property
    def scale(self) -> float:
        """Size of what was added up, at least 1, against which rounding is measured.

        A LayerNorm subtracts the mean: where a row's numbers are nearly equal, little is left of
        numbers that were large, and their rounding with it.
        """
        if self.kind == "layer_norm":
            n = self.numbers
            before = (abs(n["x"]) + abs(n["mean"])) / math.sqrt(n["variance"] + n["epsilon"])
            return max(1.0, before * abs(n["gamma"]) + abs(n["beta"]))
        return max(1.0, float(np.abs(self.terms).sum()))


def dot(
    left: Factor,
    right: Factor,
    shown: float,
    over: str,
    *,
    bias: float | None = None,
    root: int | None = None,
    factor: float | None = None,
    kind: Kind = "dot",
) -> Derivation:
    """Derive (Σ left · right + bias) / √root · factor."""
    terms = left.values * right.values
    result = float(terms.sum()) + (bias or 0.0)
    numbers = {"sum": float(terms.sum())}
    if bias is not None:
        numbers["bias"] = bias
    if root is not None:
        result /= math.sqrt(root)
        numbers["root"] = root
    if factor is not None:
        result *= factor
        numbers["factor"] = factor
    return Derivation(kind, (left, right), terms, over, result, shown, numbers)


def softmax(scores: Factor, place: int, shown: float, over: str) -> Derivation:
    """Derive e^score / Σ e^score of one place; the largest score is subtracted first, as computed.

    Subtracting the same number from all scores changes no share, and keeps e^score in range.
    """
    most = float(scores.values.max())
    terms = np.exp(scores.values - most)
    result = float(terms[place] / terms.sum())
    numbers = {
        "score": float(scores.values[place]),
        "most": most,
        "power": float(terms[place]),
        "sum": float(terms.sum()),
    }
    return Derivation("softmax", (scores,), terms, over, result, shown, numbers, place)


def layer_norm(
    row: np.ndarray, place: int, gamma: float, beta: float, epsilon: float, shown: float
) -> Derivation:
    """Derive (x - μ) / √(σ² + ε) · γ + β of one dimension."""
    mean, variance = float(row.mean()), float(row.var())
    result = (float(row[place]) - mean) / math.sqrt(variance + epsilon) * gamma + beta
    numbers = {
        "x": float(row[place]),
        "mean": mean,
        "variance": variance,
        "epsilon": epsilon,
        "gamma": gamma,
        "beta": beta,
    }
    squares = (row - mean) ** 2
    return Derivation(
        "layer_norm", (Factor("row", row),), squares, "dimension", result, shown, numbers, place
    )


def gelu(x: float, shown: float) -> Derivation:
    """Derive x · Φ(x), with Φ the distribution function of the standard normal (exact GELU)."""
    share = 0.5 * (1 + math.erf(x / math.sqrt(2)))
    values = np.array([x])
    numbers = {"x": x, "share": share}
    return Derivation(
        "gelu", (Factor("pre", values),), values * share, "unit", x * share, shown, numbers
    )


def total(parts: Sequence[tuple[str, float]], shown: float) -> Derivation:
    """Derive a sum of a few named numbers."""
    values = np.array([value for _, value in parts])
    factors = tuple(Factor(name, np.array([value])) for name, value in parts)
    return Derivation("sum", factors, values, "part", float(values.sum()), shown)


def mean(values: np.ndarray, shown: float) -> Derivation:
    """Derive the mean of one dimension over all patches."""
    result = float(values.mean())
    numbers = {"sum": float(values.sum()), "count": len(values)}
    return Derivation("mean", (Factor("patches", values),), values, "patch", result, shown, numbers)


def derive(
    tensors: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray],
    config: ViTConfig,
    key: str,
    place: Place,
    flaws: Flaws = SOUND,
) -> Derivation:
    """Derive one number of a trace.

    Args:
        tensors: trace key → array without the batch axis.
        weights: parameters of the model that ran, by timm's names.
        key: trace key, or ``probabilities`` for the softmax of the logits.
        place: index of the number in that tensor.
        flaws: of the model that ran, which decide how it came about.

    Raises:
        ValueError: nothing derives this tensor: it is the input, or a parameter itself.
    """
    source = Source(tensors, weights, config, flaws)
    if key == "probabilities":
        return source.probability(*place)
    if key in ("patch_embed", "embed", "final_norm", "pooled", "logits"):
        return getattr(source, key)(*place)
    if key.startswith("blocks."):
        _, block, name = key.split(".", 2)
        maker = getattr(Block(source, int(block)), name.replace(".", "_"), None)
        if maker:
            return maker(*place)
    raise ValueError(f"{key} is not computed from other tensors of this trace")


@dataclass(frozen=True)
class Source:
    """The tensors of one pass and the weights that made them, read in float64."""

    tensors: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    config: ViTConfig
    flaws: Flaws = SOUND

    def read(self, key: str) -> np.ndarray:
        return self.tensors[key].astype(np.float64)

    def weight(self, name: str) -> np.ndarray:
        return self.weights[name].astype(np.float64)

    def bias(self, name: str, place: int) -> float | None:
        return float(self.weights[name][place]) if name in self.weights else None

    def patch_embed(self, patch: int, dimension: int) -> Derivation:
        return dot(
            Factor("pixels", self.read("patches")[patch], "patch"),
            Factor("filter", self.weight("patch_embed.proj.weight")[dimension]),
            float(self.tensors["patch_embed"][patch, dimension]),
            "pixel",
            bias=self.bias("patch_embed.proj.bias", dimension),
        )

    def embed(self, token: int, dimension: int) -> Derivation:
        """Token plus position; registers have none."""
        config, shown = self.config, float(self.tensors["embed"][token, dimension])
        first = config.num_prefix_tokens - config.num_registers
        if first <= token < config.num_prefix_tokens:
            raise ValueError("a register is a parameter itself, without a position")
        # registers stand between the class token and the patches, and joined later
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
        is_there = f"{name}.weight" in self.weights  # a model may have no final LayerNorm
        if not is_there or not self.flaws.layer_norm:
            same = total([("stream", float(self.tensors[stream][token, dimension]))], shown)
            return replace(same, left_out="layer_norm") if is_there else same
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
    """The tensors of one encoder block; one method for each, named as its trace key."""

    source: Source
    index: int

    def key(self, name: str) -> str:
        return f"blocks.{self.index}.{name}"

    def read(self, name: str) -> np.ndarray:
        return self.source.read(self.key(name))

    def shown(self, name: str, *place: int) -> float:
        return float(self.source.tensors[self.key(name)][place])

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
        found = dot(
            Factor("query", self.read("attn.q")[head, query], "query"),
            Factor("key", self.read("attn.k")[head, key], "key"),
            self.shown("attn.scores", head, query, key),
            "number",
            root=self.source.config.head_dim if scaled else None,
        )
        return found if scaled else replace(found, left_out="scale_scores")

    def attn_pattern(self, head: int, query: int, key: int) -> Derivation:
        return softmax(
            Factor("scores", self.read("attn.scores")[head, query]),
            key,
            self.shown("attn.pattern", head, query, key),
            "token",
        )

    def attn_z(self, head: int, query: int, number: int) -> Derivation:
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
        place = (token, dimension)
        if not self.source.flaws.residual:
            alone = total([(part, self.shown(part, *place))], self.shown(name, *place))
            return replace(alone, left_out="residual")
        parts = [("stream", self.shown(stream, *place)), (part, self.shown(part, *place))]
        return total(parts, self.shown(name, *place))

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
