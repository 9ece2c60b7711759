"""Checkpoints: what is written comes back bit for bit; anything else is refused in one sentence."""

import json
import os
import pickle
import random
import re
import stat
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from vit_core import (
    CheckpointError,
    TrainConfig,
    ViT,
    ViTConfig,
    build,
    load_checkpoint,
    save_checkpoint,
    trace,
)
from vit_core.checkpoint import FORMAT, parts_of
from vit_core.data import DataInfo, mnist_info

SMALL = ViTConfig(patch_size=14, embed_dim=4, num_heads=2, depth=1, mlp_ratio=1.0)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small untrained checkpoint with all its metadata."""
    path = tmp_path_factory.mktemp("written") / "model.safetensors"
    save_checkpoint(
        build(SMALL),
        path,
        preset="seed",
        train_config=TrainConfig(epochs=3),
        metrics={"epoch": 3, "step": 1287, "val_accuracy": 0.125},
        data=mnist_info(),
        command="python -m vit_core.train --preset seed",
    )
    return path


def refusal(path: Path, expect: ViTConfig | None = None) -> str:
    """Load what must be refused and return the sentence, without the path."""
    before = torch.get_rng_state()
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, expect)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < 700
    assert torch.equal(torch.get_rng_state(), before)
    return message.removeprefix(str(path))


def write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> Path:
    path.write_bytes(safetensors.torch.save(tensors, metadata))
    return path


def write_header(path: Path, header: object, data: bytes = b"") -> Path:
    """Spell a safetensors file by hand: the header's length, the header, the tensors' bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def state(config: ViTConfig = SMALL) -> dict[str, Tensor]:
    return dict(build(config).state_dict())


def described(config: ViTConfig = SMALL, **more: str) -> dict[str, str]:
    return {"format": FORMAT, "config": config.to_json(), **more}


# round trip


@pytest.mark.parametrize("name", ["cls_config", "mean_config"])
def test_a_round_trip_is_identical_to_the_bit(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, random_model, random_images
) -> None:
    config = request.getfixturevalue(name)
    model, path = random_model(config).float(), tmp_path / "a.safetensors"
    train = TrainConfig(epochs=7, lr=3e-4, seed=11)
    metrics = {"epoch": 7, "step": 99, "val_accuracy": 0.1 + 0.2, "note": "é\n"}
    classes = tuple(f"class {n}" for n in range(config.num_classes))
    channels = config.in_channels
    data = DataInfo("mine", "abc", (0.1,) * channels, (1 / 3,) * channels, classes)
    save_checkpoint(
        model, path, preset="fast", train_config=train, metrics=metrics, data=data, command="x --y"
    )
    loaded = load_checkpoint(path, expect=config)
    assert loaded.config == loaded.model.config == config
    assert not loaded.model.training
    assert (loaded.preset, loaded.train_config, loaded.metrics) == ("fast", train, metrics)
    assert (loaded.data, loaded.command) == (data, "x --y")
    old, new = model.state_dict(), loaded.model.state_dict()
    assert list(old) == list(new)
    assert all(torch.equal(old[key].view(torch.int32), new[key].view(torch.int32)) for key in old)
    images = random_images(config).float()
    assert torch.equal(trace(model, images).logits, trace(loaded.model, images).logits)
    save_checkpoint(
        loaded.model,
        tmp_path / "b.safetensors",
        preset=loaded.preset,
        train_config=loaded.train_config,
        metrics=loaded.metrics,
        data=loaded.data,
        command=loaded.command,
    )
    assert (tmp_path / "b.safetensors").read_bytes() == path.read_bytes()


def test_a_checkpoint_may_be_a_model_alone(tmp_path: Path) -> None:
    save_checkpoint(build(SMALL), tmp_path / "a.safetensors")
    loaded = load_checkpoint(str(tmp_path / "a.safetensors"))
    assert (loaded.preset, loaded.train_config, loaded.metrics) == (None, None, {})
    assert (loaded.data, loaded.command) == (None, None)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_of_another_dtype_is_written_in_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    model, path = build(SMALL).to(dtype), tmp_path / "a.safetensors"
    save_checkpoint(model, path)
    loaded = load_checkpoint(path).model.state_dict()
    for key, value in model.state_dict().items():
        assert loaded[key].dtype == torch.float32
        assert torch.equal(loaded[key], value.float())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_half_precision_are_read_as_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    tensors = {key: value.to(dtype) for key, value in state().items()}
    loaded = load_checkpoint(write(tmp_path / "a", tensors, described())).model.state_dict()
    assert all(torch.equal(loaded[key], value.float()) for key, value in tensors.items())


def test_reading_leaves_the_random_state_alone(written: Path) -> None:
    before = torch.get_rng_state()
    load_checkpoint(written)
    assert torch.equal(torch.get_rng_state(), before)


def test_writing_changes_nothing_of_the_model(tmp_path: Path) -> None:
    model = build(SMALL).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    save_checkpoint(model, tmp_path / "a.safetensors")
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


# writing whole or not at all


@pytest.mark.parametrize("broken", ["fsync", "replace", "chmod"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(build(SMALL, seed=1), path)
    before = path.read_bytes()

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fail)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(build(SMALL, seed=2), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
    save_checkpoint(build(SMALL, seed=2), path)
    assert path.read_bytes() != before


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(build(SMALL), tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        save_checkpoint(build(SMALL), tmp_path / "missing" / "a.safetensors")


def test_a_written_file_can_be_read_by_others(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o644


# files that are none


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "is not a file" in refusal(tmp_path / "missing.safetensors")
    assert "is not a file" in refusal(tmp_path)


def test_a_file_cut_at_any_length(written: Path, tmp_path: Path) -> None:
    whole, path = written.read_bytes(), tmp_path / "cut.safetensors"
    lengths = {0, 1, 7, 8, 9, len(whole) - 1, *range(0, len(whole), 23)}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        assert "not a whole safetensors file" in refusal(path)
    path.write_bytes(whole + b"\0")
    assert "not a whole safetensors file" in refusal(path)


def test_random_bytes(tmp_path: Path) -> None:
    draw, path = random.Random(0), tmp_path / "noise.safetensors"
    for size in [0, 1, 8, 9, 100, 10_000] * 5:
        path.write_bytes(draw.randbytes(size))
        assert "not a whole safetensors file" in refusal(path)
        # the same noise behind a header length that fits
        path.write_bytes(struct.pack("<Q", size) + draw.randbytes(size))
        assert "not a whole safetensors file" in refusal(path)


def test_a_damaged_header_never_escapes_as_another_error(written: Path, tmp_path: Path) -> None:
    """Flip single bytes of the header: refused in a sentence, or still a valid checkpoint."""
    whole, path, draw = written.read_bytes(), tmp_path / "flipped.safetensors", random.Random(1)
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    refused = 0
    for _ in range(400):
        position = draw.randrange(header)
        damaged = bytearray(whole)
        damaged[position] = draw.choice([damaged[position] ^ 1 << draw.randrange(8), 0, 0x22, 0x39])
        path.write_bytes(damaged)
        try:
            load_checkpoint(path)
        except CheckpointError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 100


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_a_pickle_is_refused_without_being_unpickled(tmp_path: Path) -> None:
    path, trap = tmp_path / "a.safetensors", tmp_path / "sprung"
    path.write_bytes(pickle.dumps(Trap(trap)))
    assert "not a whole safetensors file" in refusal(path)
    torch.save({"model": state(), "trap": Trap(trap)}, path)
    assert "not a whole safetensors file" in refusal(path)
    assert not trap.exists()


def test_safetensors_of_others(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.torch.save(state()))
    assert "was not written by this project" in refusal(path)
    assert "format is 'pt'" in refusal(write(path, state(), {"format": "pt"}))
    newer = described() | {"format": "vit-explainer 2"}
    assert "'vit-explainer 2', not 'vit-explainer 1'" in refusal(write(path, state(), newer))
    assert "has no 'config'" in refusal(write(path, state(), {"format": FORMAT}))


# files that lie


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("", "not a JSON text"),
        ("{", "not a JSON text"),
        ("[" * 200_000, "not a JSON text"),
        ('{"depth":' * 50_000, "not a JSON text"),
        ('{"depth": ' + "9" * 5_000 + "}", "not a JSON text"),
        ('{"mlp_ratio": ' + "9" * 400 + "}", "mlp_ratio must be"),
        ("null", "takes a mapping"),
        ("[1, 2]", "takes a mapping"),
        ('{"depth": 1, "evil": "x"}', "has no 'evil'"),
        ('{"evil\\nevil": 1}', r"has no 'evil\\nevil'"),
        ('{"' + "e" * 500_000 + '": 1}', "its fields are"),
        ('{"depth": 1000000000000}', "depth must be a whole number from 1 to 1000"),
        ('{"depth": 1000000, "embed_dim": 1, "num_heads": 1}', "depth must be"),
        ('{"embed_dim": 1000000, "num_heads": 1}', "allowed are 2 GiB"),
        ('{"image_size": 65536, "patch_size": 1}', "allowed are 2 GiB"),
        ('{"image_size": 448, "patch_size": 2}', "allowed are 2 GiB"),
        ('{"num_registers": 1000000}', "allowed are 2 GiB"),
        ('{"layer_scale": 1e300}', "layer_scale must be"),
        ('{"norm_eps": NaN}', "norm_eps must be"),
        ('{"patch_size": [4]}', "one number or (height, width)"),
        ('{"embed_dim": 65}', "64 and 68"),
    ],
)
def test_a_config_that_is_none(config: str, said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", state(), {"format": FORMAT, "config": config})
    message = refusal(path)
    assert message.startswith(" has a 'config' that is not valid: ")
    assert said.replace("\\\\", "\\") in message


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("train_config", '{"epochs": 0}', "epochs must be a whole number from 1"),
        ("train_config", '{"lr": 1' + "0" * 400 + "}", "lr must be a finite number"),
        ("train_config", "[" * 200_000, "not a JSON text of TrainConfig"),
        ("metrics", "[]", "a mapping is expected"),
        ("metrics", "{", "'metrics' that is not valid"),
        ("metrics", '{"a":' * 50_000, "'metrics' that is not valid"),
        ("metrics", '{"step": ' + "1" * 5000 + "}", "'metrics' that is not valid"),
        ("data", "5", "a mapping is expected"),
        ("data", "{}", "class_names must be a list of 10 names"),
        ("data", {"class_names": "0123456789"}, "class_names must be a list of 10 names"),
        ("data", {"class_names": ["a"]}, "class_names must be a list of 10 names"),
        ("data", {"class_names": None}, "class_names must be a list of 10 names"),
        ("data", {"mean": None}, "mean must be a list of 1 numbers"),
        ("data", {"mean": "1"}, "mean must be a list of 1 numbers, not '1'"),
        ("data", {"mean": [0.1, 0.1]}, "mean must be a list of 1 numbers"),
        ("data", {"mean": [float("nan")]}, "mean must be a finite number"),
        ("data", {"mean": [10**400]}, "mean must be a finite number"),
        ("data", {"mean": [{}]}, "mean must be a finite number"),
        ("data", {"std": [0]}, "std must be a finite number at least 1e-06"),
        ("data", {"std": [-1.0]}, "std must be a finite number"),
        ("data", {"std": [float("inf")]}, "std must be a finite number"),
        ("data", {"std": [True]}, "std must be a finite number"),
    ],
)
def test_other_metadata_that_is_none(part: str, text: object, said: str, tmp_path: Path) -> None:
    if isinstance(text, dict):
        good = {"class_names": list("0123456789"), "mean": [0.1], "std": [0.3]}
        text = json.dumps(good | text)
    path = write(tmp_path / "a.safetensors", state(), described(**{part: text}))
    assert said in refusal(path)


def test_metadata_that_is_no_text(tmp_path: Path) -> None:
    for metadata in (5, [], {"config": 5}, {"config": {"depth": 1}}, "x" * 1000):
        path = write_header(tmp_path / "a.safetensors", {"__metadata__": metadata})
        refusal(path)


def test_another_configuration_than_expected(written: Path) -> None:
    expect = ViTConfig(patch_size=14, embed_dim=8, num_heads=2, depth=2, mlp_ratio=1.0)
    message = refusal(written, expect)
    assert "embed_dim is 4 where 8 is expected; depth is 1 where 2 is expected" in message
    assert load_checkpoint(written, expect=SMALL).config == SMALL


def test_missing_and_extra_weights(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for key in state():
        tensors = state()
        del tensors[key]
        assert f"missing {key}" in refusal(write(path, tensors, described()))
        tensors = state() | {key.replace(".", "_") + "_": torch.zeros(1)}
        assert "not expected" in refusal(write(path, tensors, described()))
    assert "missing" in refusal(write(path, {}, described()))
    strange = state() | {"x\ny" * 100_000: torch.zeros(1)}
    assert "not expected 'x\\ny" in refusal(write(path, strange, described()))
    positions = state() | {"pos_embed": torch.zeros(1, 5, 4)}
    fixed = described(ViTConfig(**(SMALL.to_dict() | {"pos_embed": "sincos"})))
    assert "not expected 'pos_embed'" in refusal(write(path, positions, fixed))


def test_weights_of_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for key, value in state().items():
        for other in (value.flatten()[:-1].clone(), value[None].clone(), value[:0].clone()):
            message = refusal(write(path, state() | {key: other}, described()))
            shape = re.escape(str(tuple(other.shape)))
            assert re.search(f"does not fit its own configuration: {key} is {shape}", message)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite(value: float, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for key, tensor in state().items():
        tensor.view(-1)[-1] = value
        message = refusal(write(path, state() | {key: tensor}, described()))
        assert f"not finite numbers, in {key}" in message


@pytest.mark.parametrize(
    "dtype",
    [
        torch.int64,
        torch.int8,
        torch.uint8,
        torch.bool,
        torch.float64,
        torch.complex64,
        torch.float8_e4m3fn,
    ],
)
def test_weights_of_another_type(dtype: torch.dtype, tmp_path: Path) -> None:
    tensors = state()
    tensors["head.bias"] = tensors["head.bias"].to(dtype)
    message = refusal(write(tmp_path / "a.safetensors", tensors, described()))
    assert "in 'head.bias'; allowed: F32, F16, BF16" in message


def test_headers_that_lie_about_sizes(tmp_path: Path) -> None:
    path, meta = tmp_path / "a.safetensors", {"__metadata__": described()}

    def tensor(shape: list, start: int, end: int, kind: str = "F32") -> dict:
        return {"head.bias": {"dtype": kind, "shape": shape, "data_offsets": [start, end]}}

    for lie in (
        tensor([10], 0, 2**62),
        tensor([2**62], 0, 40),
        tensor([2**32, 2**32], 0, 0),
        tensor([-1], 0, 40),
        tensor([10], 40, 0),
        tensor([10.5], 0, 40),
        tensor([10], 0, 40, "F5"),
        tensor([10], 0, 40, "PICKLE"),
        tensor([10], 8, 48),
        {"head.bias": None},
        {"head.bias": tensor([10], 0, 40)},
        {"a": tensor([10], 0, 40)["head.bias"], "b": tensor([10], 0, 40)["head.bias"]},
    ):
        refusal(write_header(path, meta | lie, bytes(40)))
    for length in (0, 2**20, 2**63, 2**64 - 1):
        path.write_bytes(struct.pack("<Q", length) + b"{}")
        assert "not a whole safetensors file" in refusal(path)
    for header in (b"[" * 100_000, b'{"a":' * 100_000, b"null", b"[]", b"\xff\xfe", b"{}"):
        refusal(write_header(path, header))


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3 + 1)  # no byte of it is on the disk
    assert "larger than 2 GiB" in refusal(path)


def test_nothing_is_built_before_all_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tiny file that asks for the largest allowed model costs no memory."""
    large = ViTConfig(embed_dim=1536, depth=12, num_heads=12)
    devices = []
    original = ViT.init_weights

    def spy(model: ViT) -> None:
        devices.append(model.head.weight.device.type)
        original(model)

    path = write(tmp_path / "a.safetensors", state(), described(large))
    monkeypatch.setattr(ViT, "init_weights", spy)
    refusal(path)
    assert devices == ["meta"]


def test_half_precision_is_half_the_size_and_comes_back_rounded(tmp_path: Path) -> None:
    model = build(ViTConfig(embed_dim=64), seed=1)
    save_checkpoint(model, tmp_path / "whole.safetensors")
    save_checkpoint(model, tmp_path / "half.safetensors", half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.55 * sizes[0]
    found = load_checkpoint(tmp_path / "half.safetensors").model.state_dict()
    for key, value in model.state_dict().items():
        assert found[key].dtype == torch.float32
        assert torch.equal(found[key], value.half().float())


@pytest.mark.parametrize("half", [False, True])
def test_a_model_is_written_part_by_part_as_the_library_would_read_it(
    half: bool, tmp_path: Path
) -> None:
    model, path = build(ViTConfig(depth=1), seed=2), tmp_path / "a.safetensors"
    save_checkpoint(model, path, metrics={"é": 1}, command="ü", half=half)
    found = safetensors.torch.load_file(path)
    expected = {key: value.half() if half else value for key, value in model.state_dict().items()}
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], value) for key, value in expected.items())
    with safetensors.safe_open(path, framework="pt") as file:
        assert file.metadata()["command"] == "ü"
    tensors = dict(sorted(model.state_dict().items()))
    header, *parts = parts_of(tensors, {})
    assert len(header) % 8 == 0
    for part, tensor in zip(parts, tensors.values(), strict=True):  # no copy of what may be large
        assert np.shares_memory(np.frombuffer(part, np.uint8), tensor.detach().numpy())


def test_bytes_are_read_as_files_are(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(build(ViTConfig(depth=1), seed=2), path, preset="fast", metrics={"epoch": 1})
    content = path.read_bytes()
    one, other = load_checkpoint(path), load_checkpoint(content)
    assert (one.preset, one.metrics, one.config) == (other.preset, other.metrics, other.config)
    weights = other.model.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in one.model.state_dict().items())
    for spoiled in (b"", content[:100], content[:-1], content[:8] + b"[]" + content[10:]):
        with pytest.raises(CheckpointError, match=r"^it is not a whole safetensors file"):
            load_checkpoint(spoiled)
