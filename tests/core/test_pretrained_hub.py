"""Models by name: from a hub that this test plays, from its cache, and without a network."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file, save

from vit_core.pretrained import Cancelled, PretrainedError, fetch, hub, is_here, library, load
from vit_core.pretrained.__main__ import main
from vit_core.torchvision_import import import_torchvision

RECORDED = Path(__file__).parent / "recorded"
COMMIT = "0" * 40


class Hub(BaseHTTPRequestHandler):
    """Answers as Hugging Face's hub does, with the files of a folder for each model."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def answer(self, with_body: bool) -> None:
        self.asked.append(self.path)
        content = self.files.get(self.path)
        known = {path.split("/resolve/")[0] for path in self.files}
        if content is None:
            has_model = self.path.split("/resolve/")[0] in known
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound" if has_model else "RepoNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", f'"{abs(hash(content)):040x}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """A hub with one model; its files go into an empty cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    Hub.asked = []
    Hub.files = {
        f"/org/small/resolve/main/{name}": (RECORDED / "dinov2" / name).read_bytes()
        for name in ("config.json", "model.safetensors")
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"

    def download(repository: str, progress: Callable, cancelled: Callable) -> Path:
        return hub.download(repository, progress, cancelled, endpoint)

    monkeypatch.setattr(library, "download", download)
    yield Hub
    server.shutdown()
    server.server_close()


def test_a_model_is_downloaded_once_and_then_read_from_the_cache(played: type[Hub]) -> None:
    told: list[tuple[int, int]] = []
    assert not is_here("hf/org/small")
    fetch("hf/org/small", progress=lambda *now: told.append(now))
    size = len(played.files["/org/small/resolve/main/model.safetensors"])
    assert told[-1] == (size, size)
    assert is_here("hf/org/small")
    played.asked.clear()
    played.files.clear()
    model, preprocessing = load("hf/org/small")
    assert played.asked == []
    assert preprocessing.source == "hf/org/small, from Hugging Face's hub"
    with torch.no_grad():
        assert model(torch.zeros(1, 3, preprocessing.size, preprocessing.size)).shape == (1, 24)


def test_a_model_in_parts_is_downloaded_with_its_index(played: type[Hub]) -> None:
    start = "/org/small/resolve/main"
    whole = load_file(RECORDED / "dinov2" / "model.safetensors")
    del played.files[f"{start}/model.safetensors"]
    places = {}
    for number, names in enumerate((sorted(whole)[::2], sorted(whole)[1::2]), start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        played.files[f"{start}/{file}"] = save({name: whole[name] for name in names})
        places |= dict.fromkeys(names, file)
    index = json.dumps({"weight_map": places}).encode()
    played.files[f"{start}/model.safetensors.index.json"] = index
    fetch("hf/org/small")
    assert is_here("hf/org/small")
    played.files.clear()
    model, _ = load("hf/org/small")
    assert torch.equal(model.norm.bias, whole["layernorm.bias"])


def test_an_index_that_names_other_files_is_not_followed(played: type[Hub]) -> None:
    start = "/org/small/resolve/main"
    del played.files[f"{start}/model.safetensors"]
    index = json.dumps({"weight_map": {"x": "../../other/secret.safetensors"}}).encode()
    played.files[f"{start}/model.safetensors.index.json"] = index
    with pytest.raises(PretrainedError, match="of the same folder"):
        fetch("hf/org/small")
    assert not any("secret" in path for path in played.asked)


def test_a_cancelled_download_leaves_nothing_that_is_taken_for_whole(played: type[Hub]) -> None:
    with pytest.raises(Cancelled, match="was cancelled"):
        fetch("hf/org/small", cancelled=lambda: len(played.asked) > 3)
    assert not is_here("hf/org/small")
    fetch("hf/org/small")
    assert is_here("hf/org/small")


def test_what_the_hub_does_not_have_is_one_sentence(played: type[Hub]) -> None:
    with pytest.raises(PretrainedError, match="has no model org/other that everybody may read"):
        load("hf/org/other")
    del played.files["/org/small/resolve/main/model.safetensors"]
    with pytest.raises(PretrainedError, match=r"has no config\.json and model\.safetensors"):
        load("hf/org/small")
    assert not is_here("hf/org/small")


def test_without_a_network_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(
        library, "download", lambda *rest: hub.download(*rest, "http://127.0.0.1:9")
    )
    waits: list[float] = []  # between tries, half a minute in all
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(PretrainedError) as caught:
        load("hf/facebook/dinov2-small")
    said = str(caught.value)
    assert "put config.json and model.safetensors of facebook/dinov2-small into a folder" in said
    assert "VIT_EXPLAINER_PRETRAINED" in said
    assert "\n" not in said
    assert main(["hf/facebook/dinov2-small", "picture.png"]) == 2
    assert capsys.readouterr().err.count("error: ") == 1


def test_a_model_in_timms_format(played: type[Hub]) -> None:
    import_torchvision()  # before timm, which imports it
    import timm

    module = timm.models.VisionTransformer(
        img_size=64, patch_size=16, embed_dim=192, depth=1, num_heads=3, num_classes=5
    )
    config = {
        "architecture": "vit_tiny_patch16_224",
        "num_classes": 5,
        "pretrained_cfg": {
            "input_size": [3, 64, 64],
            "crop_pct": 0.9,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
        "label_names": ["a", "b", "c", "d", "e"],
    }
    start = "/timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k/resolve/main"
    played.files[f"{start}/config.json"] = json.dumps(config).encode()
    played.files[f"{start}/model.safetensors"] = save(module.state_dict())
    model, preprocessing = load("timm/vit_tiny_patch16_224")
    assert preprocessing.class_names == ("a", "b", "c", "d", "e")
    assert (preprocessing.size, preprocessing.resize) == (64, 71)
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (model(images) - module.eval()(images)).abs().max() <= 1e-5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing/here", "is neither a folder with config.json"),
        ("hf/only-one-part", "is neither a folder"),
        ("timm/vit_giant_patch14_clip_224", "say which of timm's weights"),
        ("torchvision/resnet50", "allowed are vit_b_16"),
    ],
)
def test_names_that_mean_nothing(name: str, words: str) -> None:
    with pytest.raises(PretrainedError, match=words):
        load(name)


@pytest.mark.parametrize("ask", [load, fetch])
def test_without_torchvision_its_models_name_what_to_install(
    ask: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr(library, "import_torchvision", missing)
    with pytest.raises(PretrainedError, match=r"pip install torchvision"):
        ask("torchvision/vit_b_16")


def test_torchvisions_weights_are_read_from_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert not is_here("torchvision/vit_b_32")
    module = (
        import_torchvision()
        .models.VisionTransformer(
            image_size=224, patch_size=32, num_layers=1, num_heads=12, hidden_dim=768, mlp_dim=96
        )
        .eval()
    )
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(module.state_dict(), folder / "vit_b_32-d86f8d99.pth")
    assert is_here("torchvision/vit_b_32")
    model, preprocessing = load("torchvision/vit_b_32")
    assert (preprocessing.size, preprocessing.resize) == (224, 256)
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (model(images) - module(images)).abs().max() <= 1e-5
    (folder / "vit_b_32-d86f8d99.pth").write_bytes(b"damaged")
    with pytest.raises(PretrainedError, match="is damaged"):
        load("torchvision/vit_b_32")


def test_a_file_whose_hash_differs_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    source = tmp_path / "vit_b_32-d86f8d99.pth"
    source.write_bytes(b"other bytes")

    class Weights:
        url = source.as_uri()

    monkeypatch.setattr(library, "weights_of", lambda model: Weights)
    with pytest.raises(PretrainedError, match="its hash differs"):
        fetch("torchvision/vit_b_32")
    assert not list((tmp_path / "home").rglob("*.p*"))


def test_the_command_says_what_a_backbone_gives(capsys: pytest.CaptureFixture) -> None:
    picture = str(next((Path(__file__).parents[2] / "explainer").rglob("chelsea.jpg")))
    assert main([str(RECORDED / "dinov2"), picture]) == 0
    assert "no classes: 24 features" in capsys.readouterr().out
    assert main([str(RECORDED / "vit"), picture]) == 0
    assert capsys.readouterr().out.count("LABEL_") == 5
