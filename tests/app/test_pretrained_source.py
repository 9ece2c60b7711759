"""Pretrained models in the app: what is offered, what a link may ask for, how a download looks."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from reading import html_of
from streamlit.testing.v1 import AppTest

from explainer.inputs.models import downloads, pretrained
from explainer.inputs.models.downloads import Download, Downloads
from explainer.inputs.pictures import chosen
from explainer.observation import observe
from explainer.shell import routes
from explainer.state.choice import Choice, read_by_others
from vit_core import CheckpointError, ViT, ViTConfig, build
from vit_core.data import DataInfo

SMALL = "hf/facebook/dinov2-small"
CONFIG = ViTConfig(
    image_size=32, in_channels=3, patch_size=8, embed_dim=16, depth=2, num_heads=2, num_classes=0
)


class Preprocessing:
    """Prepares pictures as a pretrained model's do."""

    info = DataInfo("photographs", "", (0.5,) * 3, (0.25,) * 3, ())
    source = "weights of a test"
    notes = ("Its heads were *guessed*.",)
    run = None

    def prepare(self, image: Image.Image) -> np.ndarray:
        return np.asarray(image.convert("RGB").resize((32, 32)))


class Core:
    """Stands in for vit_core.pretrained: one model in the hub's cache, one in a folder."""

    class PretrainedError(ValueError):
        pass

    def __init__(self) -> None:
        self.here, self.read, self.problem = {SMALL}, [], ""

    def is_here(self, name: str) -> bool:
        return name in self.here

    def local_models(self, folder: Path) -> dict[str, Path]:
        return {"mine": folder / "mine"}

    def load(self, name: object, most_bytes: int) -> tuple[ViT, Preprocessing]:
        if self.problem:
            raise self.PretrainedError(self.problem)
        self.read.append(str(name))
        return build(CONFIG, seed=2).eval(), Preprocessing()


@pytest.fixture
def core(
    empty_caches: None, shipped: Path, known_runs: object, monkeypatch: pytest.MonkeyPatch
) -> Core:
    fake = Core()
    monkeypatch.setattr(pretrained, "pretrained_package", lambda: fake)
    monkeypatch.delenv(pretrained.FOLDER, raising=False)
    return fake


@pytest.mark.parametrize("view", routes.WALK)
def test_every_page_shows_it(core: Core, open_page: Callable[..., AppTest], view: str) -> None:
    address = "home" if view == "home" else routes.address(view)
    app = open_page(address, source="pretrained", pretrained=SMALL, sample=2)
    assert not app.exception
    assert core.read == [SMALL]
    assert app.query_params["pretrained"] == SMALL
    assert app.sidebar.selectbox(key="source").value == f"pretrained:{SMALL}"


def test_what_is_on_the_server_can_be_chosen_and_the_rest_downloaded(
    core: Core, open_page: Callable[..., AppTest]
) -> None:
    app = open_page("home")
    offered = app.sidebar.selectbox(key="source").options
    assert "DINOv2, small" in offered
    assert "ViT-Base/16" not in offered
    app = app.sidebar.selectbox(key="pretrained-offer").set_value(SMALL).run()
    app = app.sidebar.button(key="use-pretrained").click().run()
    assert app.session_state["state"].pretrained == SMALL
    assert read_by_others(app.sidebar.selectbox(key="source").value) == SMALL
    other = "hf/google/vit-base-patch16-224"
    app = app.sidebar.selectbox(key="pretrained-offer").set_value(other).run()
    assert "346 MB" in app.sidebar.button(key="download-pretrained").label


def test_a_folder_of_the_administrator_is_offered(
    core: Core, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(pretrained.FOLDER, str(tmp_path))
    app = open_page("home", source="pretrained", pretrained="local/mine")
    assert not app.exception
    assert core.read == [str(tmp_path / "mine")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf/google/vit-base-patch16-224", "is not on this server yet"),
        ("hf/nobody/nothing", "There is no pretrained model hf/nobody/nothing"),
        ("local/../secret", "local/../secret"),
    ],
)
def test_a_link_to_one_that_is_not_here_says_so_and_shows_another(
    core: Core, open_page: Callable[..., AppTest], name: str, words: str
) -> None:
    app = open_page("home", source="pretrained", pretrained=name)
    assert not app.exception
    assert words in html_of(app)
    assert app.sidebar.selectbox(key="source").value == "default"


def test_a_damaged_one_says_why_without_the_folders_of_the_server(
    core: Core, open_page: Callable[..., AppTest]
) -> None:
    core.problem = "/srv/models/mine/model.safetensors lacks blocks.0"
    app = open_page("home", source="pretrained", pretrained=SMALL)
    assert not app.exception
    assert "model.safetensors lacks blocks.0" in html_of(app)
    assert "/srv" not in html_of(app)


def test_one_that_is_too_large_for_the_server_is_refused(core: Core, monkeypatch) -> None:
    limits = SimpleNamespace(large_megabytes=0, large_models=1)
    monkeypatch.setattr(pretrained, "load_limits", lambda: limits)
    with pytest.raises(CheckpointError, match="at most 0 MB are allowed"):
        pretrained.load_model(SMALL)


def test_it_is_read_once_and_its_pictures_are_prepared_as_it_wants(core: Core) -> None:
    choice = Choice(f"pretrained:{SMALL}", CONFIG, 0, 0, 0, gallery="photographs", sample=1)
    seen = observe.observe(choice)
    assert seen.pixels.shape == (32, 32, 3)
    assert observe.observe(choice) is seen
    expected = Preprocessing().prepare(chosen.photograph(choice))
    assert np.array_equal(seen.pixels, expected)
    assert core.read == [SMALL]


# downloads


@pytest.fixture
def downloading(core: Core, monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Downloads whose state a test sets by itself."""
    fake = Downloads(lambda name, progress, cancelled: None)
    monkeypatch.setattr("explainer.shell.sidebar.pretrained.the_downloads", lambda: fake)
    return fake


def offer(app: AppTest, name: str) -> AppTest:
    return app.sidebar.selectbox(key="pretrained-offer").set_value(name).run()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Download("x", "me", 30 * 1024**2, 88 * 1024**2), "30 of 88 MB"),
        (Download("x", "me", state="failed", message="The hub cannot be reached."), "cannot be re"),
        (Download("x", "me", state="cancelled"), "cancelled"),
    ],
)
def test_the_panel_says_how_a_download_stands(
    downloading: Downloads, open_page: Callable[..., AppTest], found: Download, words: str
) -> None:
    name = "timm/vit_tiny_patch16_224"
    downloading._known[name] = found
    app = offer(open_page("home"), name)
    assert not app.exception
    shown = [element.proto.text for element in app.sidebar.get("progress")]
    shown += [element.value for element in (*app.sidebar.error, *app.sidebar.markdown)]
    assert any(words in text for text in shown), shown


def test_pressing_download_starts_it(
    downloading: Downloads, open_page: Callable[..., AppTest]
) -> None:
    name = "timm/vit_tiny_patch16_224"
    app = offer(open_page("home"), name)
    app.sidebar.button(key="download-pretrained").click().run()
    assert downloading.find(name) is not None


def test_the_servers_downloads_are_those_of_the_core(core: Core) -> None:
    st.cache_resource.clear()
    assert downloads.the_downloads() is downloads.the_downloads()
