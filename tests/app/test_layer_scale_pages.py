"""With LayerScale the rows that a page shows still add up, and its equations are those that ran."""

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
import torch
from reading import html_of, texts_of, unfold

from explainer.inputs.models import load
from explainer.observation import observe
from explainer.observation.attention_cells import Head
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell.worked_line import worked_line
from explainer.state.choice import Choice
from explainer.state.place import Cell
from explainer.views.encoder_block.formula import equations
from explainer.views.multi_head.joined import part_names, written_by
from vit_core import ViTConfig, save_checkpoint
from vit_core.mistakes import MISTAKES, Flaws, build_with
from vit_core.presets import PRESETS

SHAPE = ViTConfig(patch_size=14, embed_dim=16, depth=2, num_heads=4, layer_scale=0.1)


@pytest.fixture
def scaled(tmp_path, monkeypatch, known_runs) -> tuple[Choice, Observation]:
    """A model whose factors are far from 1, on one digit."""
    model = build_with(SHAPE, None, seed=2)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.5 * torch.randn(parameter.shape, generator=generator)
    save_checkpoint(model, tmp_path / "default.safetensors", metrics={"test_accuracy": 0.5})
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()
    choice = Choice("default", load.load_source("default").model.config, 0, 7, 0)
    yield choice, observe.observe(choice)
    st.cache_resource.clear()


def test_the_rows_of_the_heads_and_the_bias_add_up(scaled: tuple[Choice, Observation]) -> None:
    choice, seen = scaled
    for block in range(2):
        for token in range(seen.config.num_tokens):
            rows = written_by(choice, seen, block, token)
            sums = seen.tensors[f"blocks.{block}.attn_out"][token]
            np.testing.assert_allclose(rows.sum(axis=0), sums, atol=1e-5)
            gamma = weights(choice)[f"blocks.{block}.ls1.gamma"]
            bias = weights(choice)[f"blocks.{block}.attn.proj.bias"]
            assert np.array_equal(rows[-1], bias * gamma) and not np.allclose(rows[-1], bias)
    assert part_names(SHAPE)[-1] == "bias · λ"
    assert part_names(replace(SHAPE, layer_scale=None))[-1] == "bias"


def test_a_cell_of_the_bias_is_a_product(scaled: tuple[Choice, Observation]) -> None:
    choice, seen = scaled
    head = Head(seen.config, seen.tensors, weights(choice), 1, 0, 2)
    found = head.origin(Cell("written", 4, 3))
    assert found.shown == pytest.approx(found.result, rel=1e-6)
    assert found.shown == pytest.approx(written_by(choice, seen, 1, 2)[4, 3], rel=1e-6)
    assert r" \cdot " in worked_line(found)


def test_the_page_says_it_once(scaled, open_page) -> None:
    app = unfold(open_page("multi-head", source="default", cell="written.4.3"))
    assert not app.exception
    said = texts_of(app)
    assert said.count("LayerScale") == 1 and r"\lambda \odot z_h U_h" in said
    assert "bias · λ writes into" in said and "nothing is computed" not in said
    html = html_of(app)
    assert "Equals PyTorch" in html and "has no LayerScale" in html


@pytest.mark.parametrize("scale", [None, 0.1])
@pytest.mark.parametrize("kind", [None, "no_residual", "no_layer_norm"])
def test_the_equations_are_those_that_ran(random_block, scale, kind) -> None:
    """Each equation, computed from the tensors that it names, gives what the model gave."""
    config = replace(SHAPE, layer_scale=scale)
    training = MISTAKES[kind].apply(config, PRESETS["fast"].train)[1] if kind else None
    made = Flaws.from_config(training)
    first, second = [
        line.split("&=")[1].split(r"\end")[0].strip()
        for line in equations(config, made).split(r"\\")
    ]
    block, seen = random_block(config, training)
    tensors = {"z_{l-1}": seen["resid_pre"], r"z^{\prime}_l": seen["resid_mid"]}
    for line, name in ((first, "resid_mid"), (second, "resid_post")):
        got = compute(line, block, tensors)
        np.testing.assert_allclose(got, seen[name].numpy(), atol=1e-5)


def compute(line: str, block, tensors) -> np.ndarray:
    """Compute one side of an equation of the page, term by term."""
    added, *stream = line.split(" + ")
    scale, _, part = added.rpartition(r"\odot ")
    inner = part[part.index("(") + 1 : -1]
    is_attention = part.startswith(r"\mathrm{MSA}")
    with torch.no_grad():
        if inner.startswith(r"\mathrm{LN}"):
            norm = block.norm1 if is_attention else block.norm2
            given = norm(tensors[inner[len(r"\mathrm{LN}(") : -1]])
        else:
            given = tensors[inner]
        found = (block.attn if is_attention else block.mlp)(given)
        if scale:
            found = found * {"1": block.ls1, "2": block.ls2}[scale.strip()[-1]].gamma
        return (found + sum(tensors[one] for one in stream)).numpy()


@pytest.fixture
def random_block():
    """Return a maker of a block of a model with random weights, and of what it computed."""
    from vit_core import trace

    def make(config: ViTConfig, training):
        model = build_with(config, training, seed=1).eval()
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
        seen = trace(model, torch.randn(1, 1, 28, 28, generator=generator))
        names = ("resid_pre", "resid_mid", "resid_post")
        return model.blocks[1], {name: seen[f"blocks.1.{name}"] for name in names}

    return make
