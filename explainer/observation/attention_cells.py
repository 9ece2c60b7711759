"""From which numbers each cell on the two pages about attention was computed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from explainer.observation.arithmetic import SOUND, derive
from explainer.observation.derivation import Derivation, Factor, dot
from explainer.state.place import Cell
from vit_core import ViTConfig
from vit_core.mistakes import Flaws

TENSORS = ("q", "k", "v", "scores", "pattern", "z")  # of a block, their first axis is the head


@dataclass(frozen=True)
class Head:
    """One query of one head of one block, with the tensors and weights that its cells come from.

    Attributes:
        tensors: of the trace, without the batch axis.
        weights: of the model that ran, by timm's names.
        flaws: of that model.
        off: heads that were switched off in this pass, (block, head) pairs.
    """

    config: ViTConfig
    tensors: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    block: int
    head: int
    query: int
    flaws: Flaws = SOUND
    off: Collection[tuple[int, int]] = ()

    def origin(self, cell: Cell) -> Derivation | None:
        """Derive the number of a cell; None if it is a learned parameter.

        Raises:
            ValueError: the two pages have no such matrix.
        """
        name, row, column = cell
        if name == "norm":
            return self.derived("norm1", row, column)
        if name == "attn_out":
            return self.derived("attn_out", row, column)
        if name in TENSORS:
            return self.derived(f"attn.{name}", self.head, row, column)
        if name == "product":
            return self.product(row)
        if name in ("score", "share"):  # of the query, drawn as a column
            tensor = {"score": "attn.scores", "share": "attn.pattern"}[name]
            return self.derived(tensor, self.head, self.query, row)
        if name == "weighted":
            return self.weighted(row, column)
        if name == "written":
            return self.written(row, column)
        raise ValueError(f"there is no matrix {name!r} on the pages about attention")

    def derived(self, name: str, *index: int) -> Derivation:
        key = f"blocks.{self.block}.{name}"
        return derive(self.tensors, self.weights, self.config, key, index, self.flaws, self.off)

    def read(self, name: str) -> np.ndarray:
        return self.tensors[f"blocks.{self.block}.attn.{name}"].astype(np.float64)

    def product(self, key: int) -> Derivation:
        """Derive the dot product of the query and a key, before the division by √d_h."""
        queries, keys = (self.read(name)[self.head] for name in "qk")
        return dot(
            Factor("query", queries[self.query], "query"),
            Factor("key", keys[key], "key"),
            float(queries[self.query] @ keys[key]),
            "number",
        )

    def weighted(self, key: int, number: int) -> Derivation:
        """Derive one number of a value times the attention weight of the query."""
        weight = self.read("pattern")[self.head, self.query, [key]]
        value = self.read("v")[self.head, [key], number]
        return dot(
            Factor("shares", weight),
            Factor("values", value, "value"),
            float(weight[0] * value[0]),
            "token",
            kind="mix",
        )

    def written(self, head: int, dimension: int) -> Derivation | None:
        """Derive what one head adds to the query's row; the row after the last head is the bias."""
        if head == self.config.num_heads:
            return self.bias(dimension)
        size = self.config.head_dim
        weights = self.weights[f"blocks.{self.block}.attn.proj.weight"].astype(np.float64)
        mixed = self.read("z")[head, self.query]
        column = weights[dimension, head * size : (head + 1) * size]
        scale = self.weights.get(f"blocks.{self.block}.ls1.gamma")
        factor = None if scale is None else float(scale[dimension])
        shown = float(mixed @ column) * (1.0 if factor is None else factor)
        return dot(
            Factor("heads", mixed), Factor("weight_out", column), shown, "number", factor=factor
        )

    def bias(self, dimension: int) -> Derivation | None:
        """Derive what the bias adds; None without LayerScale, where it is a parameter itself."""
        scale = self.weights.get(f"blocks.{self.block}.ls1.gamma")
        if scale is None:
            return None
        bias = self.weights[f"blocks.{self.block}.attn.proj.bias"]
        return dot(
            Factor("bias", bias[[dimension]].astype(np.float64)),
            Factor("layer_scale", scale[[dimension]].astype(np.float64)),
            float(bias[dimension] * scale[dimension]),
            "dimension",
        )
