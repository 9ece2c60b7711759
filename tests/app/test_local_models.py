"""Folders of the administrator in the app: their names, what they hold, what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from reading import html_of, texts_of, unfold
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest

from explainer.inputs.models import pretrained
from explainer.shell import routes
from vit_core import TrainConfig, ViTConfig, build, save_checkpoint
from vit_core.data import DataInfo, mnist_info
from vit_core.mistakes import build_with

SMALL_SERVER = SimpleNamespace(large_megabytes=1, large_models=1)
PAGES = tuple("home" if view == "home" else routes.address(view) for view in routes.WALK)


@pytest.fixture
def models(
    shipped: Path, known_runs: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    folder = tmp_path / "the models"
    folder.mkdir()
    monkeypatch.setenv(pretrained.FOLDER, str(folder))
    return folder


def put_timm(folder: Path, config: ViTConfig, **pictures: object) -> Path:
    """Write a model as timm does: the names of this project's tensors are timm's."""
    folder.mkdir()
    tensors = build(config, seed=0).state_dict()
    kernel = tensors["patch_embed.proj.weight"]
    shape = (config.embed_dim, config.in_channels, *config.patch_hw)
    tensors["patch_embed.proj.weight"] = kernel.reshape(shape)
    save_file(tensors, folder / "model.safetensors")
    half = [0.5] * config.in_channels
    cfg = {"input_size": [config.in_channels, *config.image_hw], "mean": half, "std": half}
    about = {
        "architecture": "vit_tiny_patch16_224",
        "num_classes": config.num_classes,
        "pretrained_cfg": cfg | pictures,
    }
    (folder / "config.json").write_text(json.dumps(about))
    return folder


def shape(**values: object) -> ViTConfig:
    plain = {"image_size": 32, "in_channels": 3, "patch_size": 8, "embed_dim": 192, "depth": 1}
    return ViTConfig(**plain | {"num_heads": 3, "num_classes": 4} | values)


def is_shown(app: AppTest, name: str) -> bool:
    return app.sidebar.selectbox(key="source").value == f"pretrained:{name}"


@pytest.mark.parametrize(
    "name",
    ["plain", "two words", "v1.2", ".hidden", "modèle", "Ω 模型", "a&b=c?#%20", "it's [x](y)"],
)
def test_a_folder_is_opened_by_its_link_whatever_it_is_called(
    models: Path, open_page: Callable[..., AppTest], name: str
) -> None:
    put_timm(models / name, shape())
    app = open_page("home", source="pretrained", pretrained=f"local/{name}")
    assert not app.exception
    assert is_shown(app, f"local/{name}")
    assert app.query_params["pretrained"] == f"local/{name}"


@pytest.mark.parametrize("page", ["home", "self-attention"])
def test_a_model_whose_numbers_overflow_is_refused_in_a_sentence(
    models: Path, open_page: Callable[..., AppTest], page: str
) -> None:
    folder = put_timm(models / "huge", shape())
    tensors = load_file(folder / "model.safetensors")
    save_file(
        {name: torch.full_like(value, 3e38) for name, value in tensors.items()},
        folder / "model.safetensors",
    )
    app = open_page(page, source="pretrained", pretrained="local/huge")
    assert not app.exception
    assert "numbers of this model overflow when it looks at a picture" in html_of(app)


def test_accents_are_the_same_however_a_system_writes_them(
    models: Path, open_page: Callable[..., AppTest]
) -> None:
    put_timm(models / "mode\u0301le", shape())
    app = open_page("home", source="pretrained", pretrained="local/mod\u00e9le")
    assert not app.exception
    assert is_shown(app, "local/mod\u00e9le")


@pytest.mark.parametrize("page", PAGES)
def test_a_model_of_one_channel_is_shown_on_every_page(
    models: Path, open_page: Callable[..., AppTest], page: str
) -> None:
    put_timm(models / "grey", shape(image_size=28, in_channels=1, patch_size=7, num_classes=10))
    app = open_page(page, source="pretrained", pretrained="local/grey")
    assert not app.exception
    assert is_shown(app, "local/grey")


@pytest.mark.parametrize(
    ("values", "pictures", "words"),
    [
        ({"num_classes": 1}, {}, "a single class"),
        ({"image_size": (32, 64)}, {}, "32 x 64 pixels; the pages show square ones"),
        ({"patch_size": (8, 16)}, {}, "the pages show square ones"),
        ({"num_classes": 1_001}, {}, "has 1,001 classes"),
        ({}, {"std": [0.5, 0.5, 0.001]}, "pixels of another range"),
        ({}, {"std": [0.5, 0.5, 0]}, "std"),
        ({}, {"interpolation": "best"}, "interpolation"),
    ],
)
def test_what_the_pages_cannot_show_is_one_sentence(
    models: Path,
    open_page: Callable[..., AppTest],
    values: dict[str, object],
    pictures: dict[str, object],
    words: str,
) -> None:
    put_timm(models / "odd", shape(**values), **pictures)
    app = open_page("home", source="pretrained", pretrained="local/odd")
    assert not app.exception
    assert words in html_of(app)
    assert not is_shown(app, "local/odd")


@pytest.mark.parametrize(
    "name",
    [
        "timm/x",
        "timm/vit_giant_patch14_clip_224",
        "hf/../..",
        "hf/a/b",
        "torchvision/resnet50",
        "torchvision/x",
        "local/..",
        "local/nothing",
        "local/the models",
        "nobody/knows/it",
        "local/" + "x" * 300,
    ],
)
def test_no_link_breaks_a_page(models: Path, open_page: Callable[..., AppTest], name: str) -> None:
    app = open_page("home", source="pretrained", pretrained=name)
    assert not app.exception
    assert not is_shown(app, name)


def test_a_folder_without_readable_weights_says_what_it_holds(
    models: Path, open_page: Callable[..., AppTest]
) -> None:
    folder = put_timm(models / "pickled", shape())
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    app = open_page("home", source="pretrained", pretrained="local/pickled")
    assert not app.exception
    assert "pytorch_model.bin" in html_of(app)
    assert "a pickle" in html_of(app)
    assert str(models) not in html_of(app)
    assert "the models" not in html_of(app)  # of the server
    assert "local/pickled" not in app.sidebar.selectbox(key="pretrained-offer").options


def test_a_model_larger_than_this_server_is_refused_by_its_files_header(
    models: Path, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_timm(models / "large", shape())
    monkeypatch.setattr(pretrained, "load_limits", lambda: SMALL_SERVER)
    app = open_page("home", source="pretrained", pretrained="local/large")
    assert not app.exception
    assert "its weights alone; allowed are 1 MB" in html_of(app)


def test_runs_of_this_project_are_taken_from_that_folder_too(
    models: Path, open_page: Callable[..., AppTest]
) -> None:
    config = ViTConfig(depth=1, embed_dim=16, num_heads=2, patch_size=7)
    (models / "my digits").mkdir()
    (models / "my digits" / "config.json").write_text(json.dumps({"model": config.to_dict()}))
    save_checkpoint(
        build(config, seed=0), models / "my digits" / "final.safetensors", data=mnist_info()
    )
    app = open_page("home", source="pretrained", pretrained="local/my digits")
    assert not app.exception
    assert is_shown(app, "local/my digits")
    assert "digit" in app.session_state["state"].__dict__  # of MNIST's own gallery
    words = texts_of(unfold(app))
    assert "trained with this project" in words
    assert "trained by others" not in words


def test_a_run_with_a_mistake_says_so_on_its_pages(
    models: Path, open_page: Callable[..., AppTest]
) -> None:
    config = shape(embed_dim=12)
    train = TrainConfig(residual=False)
    data = DataInfo("mine", "", (0.5,) * 3, (0.25,) * 3, ("a", "b", "c", "d"))
    (models / "flawed").mkdir()
    save_checkpoint(
        build_with(config, train).eval(),
        models / "flawed" / "final.safetensors",
        train_config=train,
        data=data,
    )
    app = open_page("home", source="pretrained", pretrained="local/flawed")
    assert not app.exception
    assert 'class="mistake"' in html_of(app)


def test_what_was_taken_for_granted_is_said(
    models: Path, open_page: Callable[..., AppTest]
) -> None:
    put_timm(models / "quiet", shape())
    app = open_page("home", source="pretrained", pretrained="local/quiet")
    words = " ".join(element.value for element in (*app.markdown, *app.sidebar.markdown))
    assert "Its architecture has 12 blocks, and these weights have 1" in words
