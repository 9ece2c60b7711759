"""The linear probe: its optimum, its head in the model, its command, its file."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from folder_data import make_folder, put_images
from torch import Tensor

from vit_core import CheckpointError, ViT, ViTConfig, load_checkpoint, save_checkpoint, trace
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo
from vit_core.interpret.changed import with_flaws
from vit_core.interpret.head_file import SavedHead, is_head, load_head, save_head
from vit_core.interpret.probe import (
    Head,
    ProbeError,
    encode,
    fit_head,
    hold_out,
    minimum,
    neighbours,
    patch_logits,
    with_head,
)
from vit_core.mistakes import Flaws
from vit_core.probe import main

Make = Callable[..., ViT]


def some_features(count: int = 30, width: int = 7, classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % classes
    centres = torch.randn(classes, width, generator=generator)
    return centres[labels] + torch.randn(count, width, generator=generator), labels


def newton(x: np.ndarray, labels: np.ndarray, classes: int, penalty: float) -> np.ndarray:
    """Minimise the same function by Newton's method, with a bias as a last column; (C, r + 1)."""
    n, ones = len(x), np.ones((len(x), 1))
    inputs, truth = np.hstack((x, ones)), np.eye(classes)[labels]
    size = inputs.shape[1]
    weights = np.zeros((classes, size))
    shrunk = np.tile(np.append(np.ones(size - 1), 0.0), classes) * penalty
    for _ in range(50):
        powers = np.exp(inputs @ weights.T)
        shares = powers / powers.sum(axis=1, keepdims=True)
        slope = ((shares - truth).T @ inputs / n).ravel() + shrunk * weights.ravel()
        curve = np.diag(shrunk)
        for share, row in zip(shares, inputs, strict=True):
            curve += np.kron(np.diag(share) - np.outer(share, share), np.outer(row, row)) / n
        # the bias may grow by the same number in all classes: least squares leaves that out
        weights -= np.linalg.lstsq(curve, slope, rcond=None)[0].reshape(classes, size)
    return weights


@pytest.mark.parametrize("penalty", [1e-1, 1e-3])
def test_the_optimum_is_that_of_newtons_method(penalty: float) -> None:
    features, labels = some_features()
    weight, bias = minimum(features.double(), labels, 3, penalty)
    expected = newton(features.double().numpy(), labels.numpy(), 3, penalty)
    np.testing.assert_allclose(weight, expected[:, :-1], atol=1e-5)
    np.testing.assert_allclose(bias, expected[:, -1] - expected[:, -1].mean(), atol=1e-5)


@pytest.mark.parametrize("width", [7, 50])
def test_the_head_takes_features_as_they_are(width: int) -> None:
    """Shifted, scaled and in fewer coordinates while it is fitted, it is the same minimum."""
    features, labels = some_features(width=width)
    far = 40 * features + 300
    head = fit_head(far, labels, 3, penalties=[1e-2])
    x = far.double()
    scale = (x - x.mean(dim=0)).norm() / len(x) ** 0.5
    expected = newton(((x - x.mean(dim=0)) / scale).numpy(), labels.numpy(), 3, 1e-2)
    np.testing.assert_allclose(head.weight.double() * scale, expected[:, :-1], atol=2e-4)
    logits = head.logits(far)
    assert logits.sum(dim=1).abs().max() < 1e-2
    assert (logits.argmax(dim=1) == labels).float().mean() > 0.9


def test_the_penalty_is_chosen_on_left_out_pictures() -> None:
    generator = torch.Generator().manual_seed(3)
    noise, labels = torch.randn(40, 30, generator=generator), torch.arange(40) % 2
    assert fit_head(noise, labels, 2).penalty > 1e-3, "noise asks for a strong penalty"
    clear = noise + 40 * labels[:, None]
    head = fit_head(clear, labels, 2)
    assert head.penalty < 1e-3 and head.checked == 1.0
    assert fit_head(clear[:3], labels[:3], 2).checked is None, "one picture of a class"


@pytest.mark.parametrize(
    ("labels", "classes", "match"),
    [([0, 0, 0], 1, "two classes"), ([0, 0, 2], 3, "a picture of each"), ([0, 1, 2], 2, "each")],
)
def test_classes_without_pictures_are_refused(labels: list, classes: int, match: str) -> None:
    with pytest.raises(ProbeError, match=match):
        fit_head(torch.randn(3, 4), torch.tensor(labels), classes)


def test_pictures_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(ProbeError, match="same features"):
        fit_head(torch.ones(4, 5), torch.tensor([0, 0, 1, 1]), 2)


def test_a_headed_model_shares_its_backbone(
    random_model: Make, random_images: Callable[..., Tensor], cls_config: ViTConfig
) -> None:
    for classes in (10, 0):
        config = ViTConfig.from_dict(cls_config.to_dict() | {"num_classes": classes})
        model, images = random_model(config), random_images(config)
        before = model(images)
        head = Head(torch.randn(3, config.embed_dim), torch.randn(3), 0.0, None)
        headed = with_head(model, head)
        pooled, _ = encode(model, images)
        expected = F.linear(pooled, head.weight.double(), head.bias.double())
        torch.testing.assert_close(headed(images), expected)
        torch.testing.assert_close(trace(headed, images).logits, expected)
        assert headed.config.num_classes == 3 and headed.blocks is model.blocks
        assert torch.equal(model(images), before), "the backbone answers as before"


def test_patches_sum_to_the_answer_where_they_are_pooled(
    random_model: Make, random_images: Callable[..., Tensor], mean_config: ViTConfig
) -> None:
    model, images = random_model(mean_config), random_images(mean_config)
    seen = trace(model, images)
    for place in range(len(images)):
        patches = seen["final_norm"][place, mean_config.num_prefix_tokens :]
        said = patch_logits(model, patches)
        assert said.shape == (mean_config.num_patches, 5)
        logits = seen.logits[place]
        torch.testing.assert_close(said.mean(dim=0), logits - logits.mean())


def test_the_features_are_what_the_pass_pools(
    random_model: Make, random_images: Callable[..., Tensor], cls_config: ViTConfig,
    mean_config: ViTConfig,
) -> None:  # fmt: skip
    for config in (cls_config, mean_config):
        model, images = random_model(config), random_images(config)
        pooled, patches = encode(model, images)
        seen = trace(model, images)
        torch.testing.assert_close(pooled, seen["pooled"])
        torch.testing.assert_close(patches, seen["final_norm"][:, config.num_prefix_tokens :])


def test_a_model_with_a_mistake_is_no_backbone(cls_config: ViTConfig) -> None:
    flawed = with_flaws(ViT(cls_config), Flaws(residual=False))
    with pytest.raises(ProbeError, match="sound"):
        with_head(flawed, Head(torch.zeros(2, cls_config.embed_dim), torch.zeros(2), 0.0, None))


def test_every_class_has_pictures_on_both_sides() -> None:
    labels = torch.tensor([0] * 12 + [1] * 5 + [2] * 2)
    held = hold_out(labels)
    assert [int(held[labels == label].sum()) for label in range(3)] == [3, 1, 1]
    assert torch.equal(held, hold_out(labels)) and not torch.equal(held, hold_out(labels, seed=1))
    limited = hold_out(labels[:17], limit=4)
    assert [int((~limited)[labels[:17] == label].sum()) for label in range(2)] == [4, 4]
    with pytest.raises(ProbeError, match="at least 6"):
        hold_out(labels, limit=5)


def test_neighbours_are_the_nearest() -> None:
    known = torch.tensor([[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]])
    asked = torch.tensor([[0.5, 0.4], [0.0, 8.0]])
    assert neighbours(known, asked).tolist() == [2, 1]
    assert neighbours(known, asked, is_cosine=False).tolist() == [0, 1]


# the command


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backbone") / "tiny.safetensors"
    config = ViTConfig(image_size=8, in_channels=3, patch_size=4, embed_dim=8, depth=1, num_heads=2)
    info = DataInfo("x", "", (0.5,) * 3, (0.2,) * 3, tuple("abcdefghij"))
    save_checkpoint(ViT(config), path, data=info)
    return path


def test_the_command_fits_and_writes_a_model(
    backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "all", {"train": 8})
    (folder / "train/cat/notes.txt").write_text("no picture")
    (folder / "train/cat/9.png").write_text("no picture either")
    output = tmp_path / "probe.safetensors"
    arguments = [str(backbone), str(folder / "train"), "--limit-per-class", "5"]
    assert main([*arguments, "--output", str(output)]) == 0
    out, err = capsys.readouterr()
    assert "15 pictures of 3 classes to learn from, 9 held out to check" in out
    assert "2 files are no whole image" in err and "nearest, features" in out
    assert "eel (3 held out, 5 to learn from)" in out
    found = load_checkpoint(output)
    assert found.config.num_classes == 3 and found.data.class_names == ("cat", "dog", "eel")
    assert found.pictures is not None and len(found.pictures.labels) == 9
    right = found.metrics["val_accuracy"]
    assert f"{right:.2%} of the held-out" in out
    assert right >= 8 / 9, "the classes differ in colour"


def test_the_command_checks_with_the_part_for_that(
    backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(tmp_path, {"train": 5, "val": 2, "test": 3}, ("cat", "dog"))
    assert main([str(backbone), str(tmp_path), "--limit-per-class", "4"]) == 0
    assert "8 pictures of 2 classes to learn from, 6 held out" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["cifar10", "fast"])
def test_a_shipped_model_is_named_by_its_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (SHIPPED_DIR / f"{name}.safetensors").is_file()
    put_images(tmp_path / "dark", 3), put_images(tmp_path / "bright", 3, shade=90)
    assert main([name, str(tmp_path)]) == 0
    assert "4 pictures of 2 classes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda path: None, "is not a folder"),
        (lambda path: put_images(path / "cat", 3), "one class"),
        (lambda path: (put_images(path / "cat", 3), put_images(path / "dog", 1)), "1 pictures"),
        (lambda path: (put_images(path / "cat", 3), (path / "dog").mkdir()), "no image"),
    ],
)
def test_the_command_refuses_in_one_sentence(
    make: Callable[[Path], object],
    match: str,
    backbone: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(tmp_path / "pictures")
    assert main([str(backbone), str(tmp_path / "pictures")]) == 2
    assert match in capsys.readouterr().err.splitlines()[-1]
    assert main(["no-such-model", str(tmp_path)]) == 2


# a head's own file


def a_head(config: ViTConfig) -> SavedHead:
    info = DataInfo("own pictures", "", (0.5,), (0.2,), ("a", "b", "c"))
    shape = ViTConfig.from_dict(config.to_dict() | {"num_classes": 3})
    weight, bias = torch.randn(3, config.embed_dim), torch.randn(3)
    return SavedHead("hf/some/model", shape, weight, bias, info, {"val_accuracy": 0.5})


def test_a_head_finds_its_backbone_again(
    tmp_path: Path, random_model: Make, cls_config: ViTConfig
) -> None:
    saved, path = a_head(cls_config), tmp_path / "head.safetensors"
    save_head(path, saved)
    found = load_head(path)
    assert is_head(path) and path.stat().st_size < 4_000
    assert torch.equal(found.weight, saved.weight) and found.data == saved.data
    model = random_model(cls_config)
    images = torch.randn(2, 1, 28, 28, dtype=torch.float64)
    expected = F.linear(encode(model, images)[0], saved.weight.double(), saved.bias.double())
    torch.testing.assert_close(found.join(model)(images), expected)
    other = random_model(ViTConfig.from_dict(cls_config.to_dict() | {"depth": 2}))
    with pytest.raises(CheckpointError, match="another shape"):
        found.join(other)
    with pytest.raises(CheckpointError, match=r"head alone.*hf/some/model"):
        load_checkpoint(path)


def test_damaged_heads_are_refused(tmp_path: Path, cls_config: ViTConfig, backbone: Path) -> None:
    path = tmp_path / "head.safetensors"
    save_head(path, a_head(cls_config))
    content = path.read_bytes()
    assert not is_head(backbone) and not is_head(tmp_path / "none")
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    for change in (
        lambda h: h["__metadata__"].update(backbone=""),
        lambda h: h["__metadata__"].pop("data"),
        lambda h: h["__metadata__"].update(config="{}"),
        lambda h: h["__metadata__"].update(format="other"),
        lambda h: h["head.weight"].update(shape=[cls_config.embed_dim, 3]),
    ):
        changed = json.loads(json.dumps(header))
        change(changed)
        text = json.dumps(changed).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
        with pytest.raises(CheckpointError):
            load_head(path)
    path.write_bytes(content[:-4])
    with pytest.raises(CheckpointError):
        load_head(path)
