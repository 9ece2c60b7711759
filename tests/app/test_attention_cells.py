"""Every cell of the two pages on attention comes from what stands beside it, to rounding."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.observation.attention_cells import Head
from explainer.state.place import Cell
from explainer.views import multi_head, self_attention
from vit_core import ViTConfig, build, trace

TOLERANCE = 1e-6  # of the sum of the terms' sizes, at least of 1


def working(config: ViTConfig, seed: int, query: int) -> Head:
    """Return the last head of the last block of a model in which every parameter matters."""
    generator = torch.Generator().manual_seed(seed)
    model = build(config, seed).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    recorded = trace(model, torch.randn(1, 1, *config.image_hw, generator=generator))
    return Head(
        config,
        {key: recorded[key][0].numpy() for key in recorded},
        {name: value.detach().numpy() for name, value in model.named_parameters()},
        config.depth - 1,
        config.num_heads - 1,
        query,
    )


def pictured(one: Head) -> Mapping[str, np.ndarray]:
    """Return every matrix of the pages in float64, without the code that derives its cells."""
    prefix = f"blocks.{one.block}."
    read = {
        name: one.tensors[f"{prefix}attn.{name}"][one.head].astype(np.float64)
        for name in ("q", "k", "v", "scores", "pattern", "z")
    }
    weights = one.weights[f"{prefix}attn.proj.weight"].astype(np.float64)
    every_z = one.tensors[f"{prefix}attn.z"].astype(np.float64)
    size = one.config.head_dim
    written = [
        weights[:, head * size : (head + 1) * size] @ every_z[head, one.query]
        for head in range(one.config.num_heads)
    ]
    row = read["pattern"][one.query]
    return {
        **read,
        "norm": one.tensors[f"{prefix}norm1"],
        "product": (read["k"] @ read["q"][one.query])[:, None],
        "score": read["scores"][one.query][:, None],
        "share": row[:, None],
        "weighted": row[:, None] * read["v"],
        "written": np.stack([*written, one.weights[f"{prefix}attn.proj.bias"]]),
        "attn_out": one.tensors[f"{prefix}attn_out"],
    }


@settings(max_examples=12)
@given(
    heads=st.sampled_from([1, 2, 4]),
    head_dim=st.sampled_from([1, 3, 8]),
    depth=st.integers(1, 2),
    patch=st.sampled_from([3, 6]),
    pool=st.sampled_from(["cls", "mean"]),
    registers=st.integers(0, 2),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_cell_of_random_models(
    heads: int,
    head_dim: int,
    depth: int,
    patch: int,
    pool: str,
    registers: int,
    bias: bool,
    seed: int,
) -> None:
    config = ViTConfig(
        image_size=12,
        patch_size=patch,
        embed_dim=heads * head_dim,
        depth=depth,
        num_heads=heads,
        pool=pool,
        num_registers=registers,
        qkv_bias=bias,
    )
    places = np.random.default_rng(seed)
    one = working(config, seed, int(places.integers(config.num_tokens)))
    matrices = pictured(one)
    shapes = self_attention.cells.cell_shapes(config) | multi_head.joined.sum_shapes(config)
    assert {name: matrix.shape for name, matrix in matrices.items()} == shapes
    for name, (rows, columns) in shapes.items():
        for _ in range(3):
            cell = Cell(name, int(places.integers(rows)), int(places.integers(columns)))
            found = one.origin(cell)
            if name == "written" and cell.row == heads:
                assert found is None  # the bias is learned
                continue
            expected = float(matrices[name][cell.row, cell.column])
            assert abs(found.result - expected) <= TOLERANCE * found.scale, cell
            assert abs(found.shown - expected) <= TOLERANCE * found.scale, cell


def test_with_layer_scale_what_a_head_writes_is_scaled() -> None:
    config = ViTConfig(
        image_size=12, patch_size=6, embed_dim=8, depth=1, num_heads=2, layer_scale=0.3
    )
    one = working(config, 3, 1)
    parts = [one.origin(Cell("written", head, 5)).result for head in range(2)]
    gamma = float(one.weights["blocks.0.ls1.gamma"][5])
    bias = float(one.weights["blocks.0.attn.proj.bias"][5])
    expected = float(one.tensors["blocks.0.attn_out"][1, 5])
    assert sum(parts) + gamma * bias == pytest.approx(expected, abs=1e-5)


def test_a_matrix_of_another_page_is_refused() -> None:
    one = working(ViTConfig(image_size=12, patch_size=6, embed_dim=8, depth=1, num_heads=2), 0, 0)
    with pytest.raises(ValueError, match="no matrix 'other'"):
        one.origin(Cell("other", 0, 0))
