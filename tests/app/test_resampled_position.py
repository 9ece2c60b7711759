"""A model whose positions were learned for another grid: the pages know, and count rightly."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from reading import texts_of, unfold
from streamlit.testing.v1 import AppTest
from test_stated_numbers import check, stated, wrong_in
from unlike import COLOUR

from explainer.inputs.models import pretrained
from explainer.shell import routes
from explainer.shell.quiz import Question, askable
from vit_core import build
from vit_core.pretrained import from_timm
from vit_core.pretrained.preprocessing import Preprocessing

SHARED = Path(__file__).parents[3] / "shared" / "weights"
NAME = "hf/facebook/dinov2-small"
LEARNED = replace(COLOUR, image_size=56, num_classes=0, layer_scale=0.1, depth=1, embed_dim=192)


def read(size: int) -> tuple[object, Preprocessing]:
    """Read a tiny model of 7 × 7 places for images of ``size`` pixels."""
    tensors = build(replace(LEARNED, num_heads=3), seed=1).state_dict()
    tensors["patch_embed.proj.weight"] = tensors["patch_embed.proj.weight"].reshape(192, 3, 8, 8)
    return from_timm(tensors, image_size=size)


@pytest.fixture
def resampled(shipped, known_runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's pretrained model is one that was resampled to 4 × 4 places."""
    core = SimpleNamespace(
        load=lambda *name, **limits: read(32),
        is_here=lambda *name: True,
        local_models=lambda *folder: {},
        PretrainedError=ValueError,
    )
    monkeypatch.setattr(pretrained, "pretrained_package", lambda: core)
    monkeypatch.delenv(pretrained.FOLDER, raising=False)


def test_only_a_resampled_model_has_another_grid() -> None:
    assert read(56)[1].learned_grid is None
    model, prepared = read(32)
    assert model.config.grid_size == (4, 4) and prepared.learned_grid == (7, 7)


@pytest.mark.usefixtures("resampled")
@pytest.mark.parametrize("cell", ["table.0.1", "table.3.1"])
def test_no_interpolated_number_is_called_learned(
    open_page: Callable[..., AppTest], asked_questions: list[Question], cell: str
) -> None:
    app = open_page("position", source="pretrained", pretrained=NAME, cell=cell)
    assert not app.exception
    said = texts_of(app)
    assert "7 × 7" in said and "interpolated" in said and "learned weights" not in said
    assert ("it was learned as it is" in said) == (cell == "table.0.1")
    (question,) = (one for one in asked_questions if one.name == "learned")
    assert "learned" not in question.text and "all learned" not in question.why
    assert f"17 places × 192 dimensions = {17 * 192:,}" in question.why
    assert question.options[question.answer] == f"{17 * 192:,}"


@pytest.mark.usefixtures("resampled")
def test_home_counts_what_training_has_set(open_page: Callable[..., AppTest]) -> None:
    app = unfold(open_page("home", source="pretrained", pretrained=NAME))
    said = texts_of(app)
    assert "Training has set" not in said
    assert f"{16 * 192:,} of them" in said and "7 × 7 patches" in said


@pytest.mark.usefixtures("resampled")
@pytest.mark.parametrize("view", ["home", *routes.PIPELINE])
def test_what_its_pages_state_holds(
    open_page: Callable[..., AppTest], asked_questions: list[Question], view: str
) -> None:
    address = "home" if view == "home" else routes.address(view)
    app = open_page(address, source="pretrained", pretrained=NAME)
    assert not app.exception
    wrong, _ = wrong_in(stated(app))
    assert not wrong
    for question in asked_questions:
        check(question)


@pytest.mark.skipif(
    not (SHARED / "dinov2-small").is_dir(), reason="needs ../shared with DINOv2's weights"
)
@pytest.mark.parametrize("view", ["home", *routes.PIPELINE])
def test_what_the_pages_of_dinov2_state_holds(
    shipped,
    open_page: Callable[..., AppTest],
    asked_questions: list[Question],
    monkeypatch: pytest.MonkeyPatch,
    view: str,
) -> None:
    monkeypatch.setenv(pretrained.FOLDER, str(SHARED))
    cells = {"multi_head": "written.1.3", "encoder_block": "stream.2.3"}
    address = "home" if view == "home" else routes.address(view)
    link = {"cell": cells[view]} if view in cells else {}
    app = open_page(address, source="pretrained", pretrained="local/dinov2-small", **link)
    assert not app.exception
    unfold(app)
    texts = list(stated(app))
    wrong, _ = wrong_in(iter(texts))
    assert not wrong
    for question in asked_questions:
        check(question)
    if view != "home":
        assert len(askable(asked_questions)) >= 2
    if view in ("position", "home"):
        assert any("37 × 37" in text for text in texts)
    if view in ("multi_head", "encoder_block"):
        assert any("has no LayerScale" in text for text in texts)
        assert not any("more than rounding" in text for text in texts)
