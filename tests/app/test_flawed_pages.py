"""Every page with a model from a run with a mistake: it opens, says so, and claims no wrong sum."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from reading import choice_and_observation, html_of

from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.observation import flaws
from explainer.observation.arithmetic import derive
from explainer.observation.attention_cells import Head
from explainer.observation.compute import compute
from explainer.observation.lens import attribution
from explainer.observation.weights import weights
from explainer.shell import badge
from explainer.shell.routes import WALK
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views import encoder_block, self_attention
from vit_core import PRESETS, ViTConfig, save_checkpoint
from vit_core.mistakes import MISTAKES, build_with

SHAPE = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2.0)
KINDS = ("no_residual", "no_layer_norm", "no_scaling")
VIEWS = WALK
every_kind = pytest.mark.parametrize("kind", KINDS)


def place(folder: Path, name: str, shape: ViTConfig = SHAPE) -> None:
    """Put a model of a run with this mistake where the source "default" is."""
    config, training = MISTAKES[name].apply(shape, PRESETS["fast"].train)
    model = build_with(config, training, seed=2)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # so that no bias, gain or position is a telling 0 or 1
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    save_checkpoint(
        model,
        folder / "default.safetensors",
        train_config=training,
        metrics={"epoch": 3, "step": 1287, "test_accuracy": 0.5},
    )


@pytest.fixture
def with_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object):
    """Return what makes the app's first model one with a mistake."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()
    yield partial(place, tmp_path)
    st.cache_resource.clear()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("pool", ["cls", "mean"])
@every_kind
def test_every_page_opens_and_says_so(
    with_mistake: Callable, open_page: Callable, kind: str, pool: str, view: str
) -> None:
    with_mistake(kind, replace(SHAPE, pool=pool))
    app = open_page(view.replace("_", "-"), source="default")
    assert not app.exception
    texts = load_texts("mistakes")["banner"]
    assert texts["made"].format(names=texts["names"][kind]) in html_of(app)
    assert escape(texts["flawed"]) in html_of(app)


@pytest.mark.parametrize("kind", [name for name in MISTAKES if name not in KINDS])
def test_a_mistake_in_training_leaves_the_pages_true(
    with_mistake: Callable, open_page: Callable, kind: str
) -> None:
    with_mistake(kind)
    app = open_page("encoder-block", source="default")
    assert not app.exception
    assert load_texts("mistakes")["banner"]["names"][kind] in html_of(app)
    assert escape(load_texts("mistakes")["banner"]["sound"]) in html_of(app)


@pytest.mark.usefixtures("shipped")
def test_the_epochs_of_a_flawed_run_say_so(make_run: Callable, open_page: Callable) -> None:
    config, training = MISTAKES["no_layer_norm"].apply(SHAPE, PRESETS["fast"].train)
    run = make_run(config=config)
    for epoch in run.history.epochs():
        save_checkpoint(
            build_with(config, training, seed=epoch),
            run.history.checkpoint(epoch),
            train_config=training,
            metrics={"epoch": epoch, "step": 429 * epoch},
        )
    for epoch in (0, 2):
        app = open_page("encoder-block", source="run", run=run.id, epoch=epoch)
        assert not app.exception
        assert "made on purpose: no LayerNorm" in html_of(app)
        seen = compute(Choice(f"{run.id}@{epoch}", config, 0, 7, 0)).tensors
        assert np.array_equal(seen["blocks.0.norm1"], seen["blocks.0.resid_pre"])


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("view", ["home", "encoder_block"])
def test_a_sound_model_has_no_banner(open_page: Callable, view: str) -> None:
    address = view.replace("_", "-")
    for source in ("default", "untrained"):
        assert 'class="mistake"' not in html_of(open_page(address, source=source))


# arithmetic


@every_kind
@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_every_number_is_derived_as_it_ran(with_mistake: Callable, kind: str, pool: str) -> None:
    with_mistake(kind, replace(SHAPE, pool=pool))
    choice, seen = choice_and_observation("default")
    made, held, rng = flaws.flaws(choice), weights(choice), np.random.default_rng(0)
    left_out = set()
    for key, tensor in seen.tensors.items():
        if key in ("patches", "tokens", "pos_embed") or key.endswith("resid_pre"):
            continue
        for _ in range(5):
            index = tuple(int(rng.integers(size)) for size in tensor.shape)
            found = derive(seen.tensors, held, seen.config, key, index, made)
            assert abs(found.result - found.shown) <= 1e-5 * found.scale, (key, index)
            assert found.shown == tensor[index]
            if found.left_out:
                left_out.add(found.left_out)
    field = {"no_residual": "residual", "no_layer_norm": "layer_norm", "no_scaling": "scale_scores"}
    assert left_out == {field[kind]}
    assert set(load_texts("arithmetic")["left_out"]) == {*field.values(), "head"}


@every_kind
def test_the_cells_of_self_attention_follow(with_mistake: Callable, kind: str) -> None:
    with_mistake(kind)
    choice, seen = choice_and_observation("default")
    head = Head(seen.config, seen.tensors, weights(choice), 1, 0, 3, flaws.flaws(choice))
    for cell in (Cell("norm", 2, 5), Cell("scores", 3, 4), Cell("score", 4, 0)):
        found = head.origin(cell)
        assert abs(found.result - found.shown) <= 1e-5 * found.scale
    assert ("root" in head.origin(Cell("scores", 3, 4)).numbers) is (kind != "no_scaling")


@pytest.mark.parametrize(
    ("kind", "address", "cell", "name"),
    [
        ("no_residual", "encoder-block", "stream.2.3", "residual"),
        ("no_layer_norm", "encoder-block", "normed.1.3", "layer_norm"),
        ("no_scaling", "self-attention", "scores.1.3", "scale_scores"),
        ("no_layer_norm", "classification-head", "normed.0.3", "layer_norm"),
        ("no_residual", "classification-head", "stream.0.3", "residual"),
    ],
)
def test_a_cell_says_what_was_left_out(
    with_mistake: Callable, open_page: Callable, kind: str, address: str, cell: str, name: str
) -> None:
    with_mistake(kind)
    app = open_page(address, source="default", cell=cell)
    assert not app.exception
    texts = [element.value for element in app.markdown]
    assert any(load_texts("arithmetic")["left_out"][name] in text for text in texts)
    assert not any("more than rounding explains" in text for text in texts)


@every_kind
def test_the_split_of_the_logits_adds_up(with_mistake: Callable, kind: str) -> None:
    with_mistake(kind)
    choice, seen = choice_and_observation("default")
    assert attribution(choice, seen).difference < 1e-4


# other claims


@every_kind
@pytest.mark.parametrize("what", ["attention", "block"])
def test_the_badge_says_why_it_differs(with_mistake: Callable, kind: str, what: str) -> None:
    with_mistake(kind)
    choice, seen = choice_and_observation("default")
    found = badge.compare(what, choice, seen, 1)
    why = badge.reason(what, flaws.flaws(choice))
    differs = what == "block" or kind == "no_scaling"
    assert found.equal is not differs
    assert bool(why) is differs
    assert ("as it must" in badge.badge(found, why)) is differs


def test_a_block_that_adds_nothing_leaves_nothing_without_residual_connections(
    with_mistake: Callable,
) -> None:
    for kind, right in (("no_residual", 0), ("no_layer_norm", 2)):
        with_mistake(kind)
        st.cache_resource.clear()
        choice, seen = choice_and_observation("default")
        questions = encoder_block.questions(choice, seen, Place(seen.config))
        asked = {question.name: question for question in questions}
        assert asked["nothing"].answer == right


def test_without_the_division_its_own_row_is_the_undivided_one(
    with_mistake: Callable,
) -> None:
    with_mistake("no_scaling")
    choice, seen = choice_and_observation("default")
    place = Place(seen.config)
    found = self_attention.temperature.tempered(choice, seen, place)
    titles, rows, ran = zip(*found, strict=True)
    texts = load_texts("self_attention")["parts"]["temperature"]
    assert titles == (texts["model"], texts["divided"]) and ran == (True, False)
    q, k = (seen.tensors[f"blocks.0.attn.{name}"][0].astype(np.float64) for name in "qk")
    query = place.token(seen.telling_patch)
    for row, scale in zip(rows, (1.0, 8**0.5), strict=True):
        powers = np.exp(q[query] @ k.T / scale)
        np.testing.assert_allclose(row, powers / powers.sum(), rtol=1e-4)
