"""The model that a browser gets: its file, its address, and which models it can be."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import safetensors.torch
import streamlit as st
import torch
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from explainer.inputs.models import for_browser
from explainer.inputs.models.for_browser import browser_model, file_of, fits_browser, make_file
from explainer.inputs.models.load import Source, load_source
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.link import DEPTHS, HEADS, IMAGE_SIZE, PATCHES, WIDTHS
from vit_core import TrainConfig, ViTConfig, build
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import mnist_info
from vit_core.mistakes import MISTAKES, build_with

TINY = ViTConfig(patch_size=7, embed_dim=16, depth=1, num_heads=2)


def source_with(config: ViTConfig, seed: int = 0) -> Source:
    return Source(build(config, seed).eval(), mnist_info(), None)


def choice_of(source: str, config: ViTConfig) -> Choice:
    return Choice(source, config, seed=0, digit=0, index=0)


class FakeServer:
    def __init__(self) -> None:
        self.storage = MemoryMediaFileStorage("/media")
        self.media_file_mgr = MediaFileManager(self.storage)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    fake = FakeServer()
    monkeypatch.setattr(st.runtime, "exists", lambda: True)
    monkeypatch.setattr(st.runtime, "get_instance", lambda: fake)
    yield fake


@pytest.mark.parametrize("name", ["default", "cifar10", "seed"])
def test_the_file_has_every_weight_exactly(name: str) -> None:
    source = load_source(name)
    found = safetensors.torch.load(make_file(source).content)
    expected = dict(source.model.state_dict())
    if source.model.config.pos_embed == "sincos":  # computed, and not in the checkpoint
        expected["pos_embed"] = source.model.pos_embed
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key].float(), value) for key, value in expected.items())


def test_half_precision_only_where_nothing_is_lost() -> None:
    """A model that is stored in half is no larger in the browser than in its file."""
    cifar10 = safetensors.torch.load(make_file(load_source("cifar10")).content)
    assert {tensor.dtype for tensor in cifar10.values()} == {torch.float16}
    default = safetensors.torch.load(make_file(load_source("default")).content)
    assert default["blocks.0.mlp.fc1.weight"].dtype == torch.float32


def test_positions_that_do_not_exist_are_not_sent() -> None:
    content = make_file(source_with(replace(TINY, pos_embed="none"))).content
    assert "pos_embed" not in safetensors.torch.load(content)


def test_the_hash_is_of_all_that_decides_what_is_computed() -> None:
    sources = [
        source_with(TINY),
        source_with(TINY, seed=1),
        source_with(replace(TINY, norm_eps=1e-3)),
        source_with(replace(TINY, num_heads=4)),
        replace(source_with(TINY), info=replace(mnist_info(), mean=(0.2,))),
        *(
            Source(
                build_with(*MISTAKES[kind].apply(TINY, TrainConfig())).eval(), mnist_info(), None
            )
            for kind in ("no_residual", "no_layer_norm", "no_scaling")
        ),
    ]
    files = [make_file(source) for source in sources]
    assert len({file.hash for file in files}) == len(sources)
    assert make_file(source_with(TINY)) == files[0]
    for file in files:
        header = json.loads(file.content[8 : 8 + int.from_bytes(file.content[:8], "little")])
        assert header["__metadata__"] == {"hash": file.hash}


def test_two_large_models_never_share_an_address(server: FakeServer) -> None:
    """Streamlit makes the address of more than a megabyte from three parts of it."""
    source = load_source("best")
    one = make_file(source)
    with torch.no_grad():
        model = build(source.model.config).eval()
        model.load_state_dict(source.model.state_dict())
        model.blocks[1].mlp.fc1.weight[3, 3] += 1
    other = make_file(replace(source, model=model))
    assert len(one.content) == len(other.content) > 2**20
    addresses = {for_browser.publish(file) for file in (one, other)}
    assert len(addresses) == 2


def test_visitors_share_one_copy_which_goes_with_the_last_of_them(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = choice_of("fast", load_source("fast").model.config)
    addresses = set()
    for session in ("a", "b"):
        monkeypatch.setattr(
            "streamlit.runtime.media_file_manager._get_session_id", lambda one=session: one
        )
        for _ in range(2):
            addresses.add(browser_model(choice)["address"])
    (address,) = addresses
    kept = server.storage.get_file(address.removeprefix("/media/"))
    assert kept.content is file_of(load_source("fast")).content
    for session, is_kept in (("a", True), ("b", False)):
        server.media_file_mgr.clear_session_refs(session)
        server.media_file_mgr.remove_orphaned_files()
        assert bool(server.storage._files_by_id) == is_kept


def test_what_a_component_gets(server: FakeServer) -> None:
    source = load_source("cifar10")
    sent = browser_model(choice_of("cifar10", source.model.config))
    assert json.loads(json.dumps(sent)) == sent
    assert sent["class_names"] == list(source.info.class_names)
    assert sent["config"]["mean"] == sent["mean"] == list(source.info.mean)
    assert sent["config"]["std"] == sent["std"] == list(source.info.std)
    assert (
        ViTConfig(**{key: sent["config"][key] for key in source.model.config.to_dict()})
        == source.model.config
    )
    assert sent["config"]["flaws"] == {"residual": True, "layer_norm": True, "scale_scores": True}


def test_without_a_server_there_is_no_address() -> None:
    assert browser_model(choice_of(UNTRAINED, TINY))["address"] == ""


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED_DIR.glob("*.safetensors")])
def test_every_shipped_model_fits(name: str) -> None:
    assert fits_browser(load_source(name).model.config)


def test_every_model_of_the_knobs_fits() -> None:
    largest = ViTConfig(
        patch_size=IMAGE_SIZE // max(PATCHES),
        embed_dim=max(WIDTHS),
        num_heads=max(HEADS),
        depth=max(DEPTHS),
    )
    assert fits_browser(largest)


@pytest.mark.parametrize(
    "config",
    [
        ViTConfig(image_size=224, in_channels=3, patch_size=16, embed_dim=192, depth=12),
        ViTConfig(patch_size=1, num_heads=8, depth=6),
    ],
    ids=["many weights", "many tokens"],
)
def test_large_models_stay_on_the_server(config: ViTConfig) -> None:
    assert not fits_browser(config)
    assert browser_model(choice_of(UNTRAINED, config)) is None


def test_weights_are_not_kept_longer_than_their_model() -> None:
    before = len(for_browser._files)
    source = source_with(TINY, seed=9)
    file_of(source)
    assert len(for_browser._files) == before + 1
    del source
    assert len(for_browser._files) == before
