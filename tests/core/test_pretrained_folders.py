"""Folders with models as they are found, damaged ones among them: a model, or one sentence."""

import json
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pretrained_models import recorded, timm_config, timm_shape, timm_tensors, write
from safetensors.torch import save, save_file

from vit_core import build, save_checkpoint
from vit_core.data import DataInfo
from vit_core.data.image_file import read_image
from vit_core.pretrained import (
    PretrainedError,
    from_huggingface,
    from_timm,
    load,
    local_models,
)
from vit_core.pretrained.__main__ import main

SHAPE = timm_shape()
TENSORS = timm_tensors(SHAPE)
CONFIG = timm_config(SHAPE)
INDEX = "model.safetensors.index.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "a model", CONFIG, TENSORS)


def refusal(read: Callable[[], object]) -> str:
    """Return the sentence with which something is refused."""
    with pytest.raises(PretrainedError) as caught:
        read()
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) <= 400
    return said


def put_shards(folder: Path) -> dict[str, str]:
    """Cut the weights into two files with an index; return which tensor is where."""
    (folder / "model.safetensors").unlink(missing_ok=True)
    names = sorted(TENSORS)
    parts = (names[::2], names[1::2])
    places = {}
    for number, part in enumerate(parts, start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: TENSORS[name] for name in part}, folder / file)
        places |= dict.fromkeys(part, file)
    put_index(folder, places)
    return places


def put_index(folder: Path, places: object) -> None:
    about = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / INDEX).write_text(json.dumps(about))


# shards


def test_shards_with_their_index_are_one_model(folder: Path) -> None:
    whole = load(folder)[0]
    put_shards(folder)
    parts = load(folder)[0]
    assert all(
        torch.equal(a, b) for a, b in zip(whole.parameters(), parts.parameters(), strict=True)
    )
    assert local_models(folder.parent) == {"a model": folder}


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        "",
        "sub/model.safetensors",
        "sub\\model.safetensors",
        "C:model.safetensors",
        "weights.bin",
        "nul\0.safetensors",
        "x" * 300,
        7,
        None,
        ["model.safetensors"],
    ],
    ids=repr,
)
def test_an_index_names_files_of_its_folder_alone(folder: Path, name: object) -> None:
    places = put_shards(folder)
    put_index(folder, places | {"head.bias": name})
    assert "safetensors files of the same folder" in refusal(lambda: load(folder))


def test_a_shard_that_is_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    places = put_shards(folder)
    outside = folder.parent / "outside.safetensors"
    save_file(TENSORS, outside)
    (folder / "link.safetensors").symlink_to(outside)
    put_index(folder, dict.fromkeys(places, "link.safetensors"))
    assert "of the same folder" in refusal(lambda: load(folder))


def test_links_of_the_hubs_cache_are_followed(tmp_path: Path) -> None:
    """In its folders every file is a link to where the contents are kept."""
    home = tmp_path / "models--org--name"
    blobs, snapshot = home / "blobs", home / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    write(snapshot, CONFIG, TENSORS)
    put_shards(snapshot)
    for number, file in enumerate(sorted(snapshot.glob("model-*"))):
        file.rename(blobs / f"{number}")
        file.symlink_to(Path("..", "..", "blobs", f"{number}"))
    assert load(snapshot)[0].config == SHAPE


def test_shards_that_are_missing_are_named(folder: Path) -> None:
    put_shards(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors' is not there" in refusal(lambda: load(folder))
    for damaged in ({}, [], "x", None):
        put_index(folder, damaged)
        assert "weight_map" in refusal(lambda: load(folder))


def test_a_tensor_in_two_shards_is_refused(folder: Path) -> None:
    put_shards(folder)
    save_file(TENSORS, folder / "model-00002-of-00002.safetensors")
    assert "as another part has" in refusal(lambda: load(folder))


# other files


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("pytorch_model.bin", "'pytorch_model.bin', a pickle"),
        ("model.pth", "a pickle"),
        ("checkpoint-best.pt", "a pickle"),
        ("last.ckpt", "docs/pretrained.md"),
        ("adapter_model.safetensors", "an adapter (LoRA)"),
        ("open_clip_model.safetensors", "name the one to read model.safetensors"),
        ("tf_model.h5", "in a format that is not read here"),
        ("model.onnx", "in a format that is not read here"),
        ("README.md", "has config.json and model.safetensors"),
    ],
)
def test_without_weights_it_says_what_there_is(folder: Path, file: str, words: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / file).write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    assert words in refusal(lambda: load(folder))
    assert not Path("ran").exists()


def test_a_file_that_is_named_itself(folder: Path) -> None:
    assert load(folder / "model.safetensors")[0].config == SHAPE
    assert load(str(folder / "config.json"))[0].config == SHAPE
    pickle = folder / "weights.pth"
    pickle.write_bytes(b"x")
    assert "a pickle" in refusal(lambda: load(pickle))
    other = folder / "notes.txt"
    other.write_text("x")
    assert "is no model" in refusal(lambda: load(other))
    assert "is neither a folder" in refusal(lambda: load(folder / "nothing"))


@pytest.mark.parametrize("name", ["", ".", "x\0y", "\n", "hf/..", "timm/", "~", "x" * 5_000])
def test_names_that_are_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refusal(lambda: load(name))


def test_a_configuration_that_is_none(folder: Path) -> None:
    for content in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"3",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"{" + b'"x": 1,' * 700_000 + b'"y": 1}',
        b'{"architecture": NaN}',
        b'{"architecture": 1e999}',
        b'{"model_type": {"vit": 1}}',
        b'{"architecture": "vit_tiny_patch16_224", "pretrained_cfg": []}',
        b'{"architecture": "vit_tiny_patch16_224", "model_args": "none"}',
    ):
        (folder / "config.json").write_bytes(content)
        refusal(lambda: load(folder))
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()
    refusal(lambda: load(folder))


def header(**tensors: object) -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text


def test_weights_that_are_none(folder: Path) -> None:
    whole = save(TENSORS)
    big = {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4]}
    for content in (
        b"",
        b"\0" * 7,
        b"\xff" * 100,
        struct.pack("<Q", 10**12),
        struct.pack("<Q", 3) + b"{}}",
        whole[:100],
        whole[:-1],
        whole + b"x",
        header(x=big) + b"\0" * 4,
        header(x={"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}) + b"\0" * 4,
        header(x={"dtype": "F3", "shape": [1], "data_offsets": [0, 4]}) + b"\0" * 4,
        header(x={"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}) + b"\0" * 4,
        header(x=[1, 2]),
        header(),
        b"PK\x03\x04" + b"\0" * 64,
    ):
        (folder / "model.safetensors").write_bytes(content)
        refusal(lambda: load(folder))
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()
    refusal(lambda: load(folder))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_weights_that_are_not_finite_are_refused(folder: Path, value: float) -> None:
    odd = TENSORS["norm.weight"].double()
    odd[3] = value
    save_file(TENSORS | {"norm.weight": odd}, folder / "model.safetensors")
    assert "not finite numbers, in norm.weight" in refusal(lambda: load(folder))


def test_a_model_that_is_too_large_is_refused_before_its_tensors_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 4 * SHAPE.num_parameters
    assert load(folder, most_bytes=size)[0].config == SHAPE
    from safetensors import safe_open

    class Closed:
        """Opens a file whose header alone may be read."""

        def __init__(self, *args: object, **options: object) -> None:
            self.file = safe_open(*args, **options)

        def __enter__(self) -> "Closed":
            self.file.__enter__()
            return self

        def __exit__(self, *args: object) -> None:
            self.file.__exit__(*args)

        def keys(self) -> list[str]:
            return self.file.keys()

        def get_slice(self, name: str) -> object:
            return self.file.get_slice(name)

    monkeypatch.setattr("safetensors.safe_open", Closed)
    assert "weights alone" in refusal(lambda: load(folder, most_bytes=size - 1))
    hugging_face = write(folder.parent / "hf", *reversed(recorded("vit")))
    assert "weights alone" in refusal(lambda: load(hugging_face, most_bytes=1_000))


# this project's own runs


def put_run(folder: Path, **values: object) -> Path:
    shape = timm_shape(embed_dim=12, **values)
    channels = shape.in_channels
    names = tuple(f"class {number}" for number in range(shape.num_classes))
    data = DataInfo("mine", "f", (0.4,) * channels, (0.2,) * channels, names)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model": shape.to_dict(), "command": "…"}))
    (folder / "metrics.jsonl").write_text("{}")
    save_checkpoint(build(shape, seed=0), folder / "epoch-001.safetensors", data=data)
    save_checkpoint(build(shape, seed=0), folder / "final.safetensors", data=data)
    return folder


@pytest.mark.parametrize("values", [{}, {"in_channels": 1}, {"image_size": (16, 32)}], ids=str)
def test_a_run_of_this_project_is_read_and_its_pictures_are_cut_as_in_training(
    tmp_path: Path, values: dict[str, object]
) -> None:
    folder = put_run(tmp_path / "my run", **values)
    model, prepared = load(folder)
    assert local_models(tmp_path) == {"my run": folder}
    assert load(folder / "final.safetensors")[0].config == model.config
    assert prepared.info.name == "mine"
    assert prepared.source == "the run my run of this project"
    picture = tmp_path / "picture.png"
    values = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    Image.fromarray(values).save(picture)
    expected = read_image(str(picture), model.config.image_hw, model.config.in_channels)
    with Image.open(picture) as image:
        found = prepared.prepare(image)
    planes = found[None] if found.ndim == 2 else found.transpose(2, 0, 1)
    assert np.array_equal(planes, expected)


def test_a_run_that_has_not_ended_says_so(tmp_path: Path) -> None:
    folder = put_run(tmp_path / "run")
    (folder / "final.safetensors").unlink()
    assert "a run of this project that has not ended" in refusal(lambda: load(folder))
    assert load(folder / "epoch-001.safetensors")[0].config.embed_dim == 12
    assert local_models(tmp_path) == {}


def test_a_damaged_run_is_one_sentence(tmp_path: Path) -> None:
    folder = put_run(tmp_path / "run")
    content = (folder / "final.safetensors").read_bytes()
    (folder / "final.safetensors").write_bytes(content[:-4])
    assert "final.safetensors" in refusal(lambda: load(folder))
    save_checkpoint(build(SHAPE, seed=0), folder / "final.safetensors")
    assert "does not say how its pictures are normalised" in refusal(lambda: load(folder))


# whatever else


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.sampled_from([10**9, 10**400, -(2**63), 0.0, 1e308, 1e-320, "\ud800", "gelu", "x" * 5_000])
    | st.floats()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["height", "width", "shortest_edge", "0", "1"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def read_or_refuse(read: Callable[[], object]) -> None:
    """Read a model and a picture with it; or refuse it by a sentence that somebody wrote."""
    try:
        _, prepared = read()
        pixels = prepared.prepare(Image.new("RGB", (60, 40)))
        height, width = pixels.shape[:2]
        assert prepared.size in (height, (height, width))
    except PretrainedError as error:
        said = str(error)
        assert "\n" not in said
        assert len(said) <= 400
        assert "cannot be read (" not in said  # in which whatever nobody thought of ends


@MANY
@given(st.data(), ANY)
def test_any_value_of_a_field_of_timm(data: st.DataObject, value: object) -> None:
    config = json.loads(json.dumps(CONFIG)) | {"model_args": {"depth": 1}, "label_names": ["a"]}
    part = data.draw(st.sampled_from([config, config["model_args"], config["pretrained_cfg"]]))
    args = ("img_size", "patch_size", "num_heads", "init_values", "mlp_ratio", "reg_tokens")
    more = ("class_token", "fc_norm", "no_embed_class", "label_descriptions", "hf_hub_id")
    part[data.draw(st.sampled_from(sorted({*part, *args, *more})))] = value
    read_or_refuse(lambda: from_timm(TENSORS, config=config))


@MANY
@given(st.data(), ANY, st.sampled_from(["vit", "deit", "dinov2"]))
def test_any_value_of_a_field_of_hugging_face(
    data: st.DataObject, value: object, name: str
) -> None:
    tensors, config = recorded(name)
    preprocessor = {
        "size": {"height": 32, "width": 32},
        "crop_size": 32,
        "do_center_crop": True,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "rescale_factor": 1 / 255,
        "resample": 3,
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
    }
    part = data.draw(st.sampled_from([config, preprocessor]))
    part[data.draw(st.sampled_from(sorted(part)))] = value
    read_or_refuse(lambda: from_huggingface(tensors, config, preprocessor=preprocessor))


@MANY
@given(st.binary(max_size=200) | ANY.map(lambda value: json.dumps(value).encode()), st.booleans())
def test_any_content_of_a_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, is_config: bool
) -> None:
    folder = write(tmp_path_factory.mktemp("any") / "model", CONFIG, TENSORS)
    (folder / ("config.json" if is_config else "model.safetensors")).write_bytes(content)
    refusal(lambda: load(folder))


# the command line


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that claims to have ``side`` pixels a side."""
    about = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", about)
    return start + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", bomb(30_000)),
        ("large.png", bomb(12_000)),
        ("cut.png", bomb(100)),
        ("text.jpg", b"no picture"),
        ("empty.png", b""),
        ("program.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("nothing.png", None),
    ],
)
def test_the_command_says_what_is_wrong_with_a_picture(
    folder: Path, capsys: pytest.CaptureFixture, name: str, content: bytes | None
) -> None:
    picture = folder.parent / name
    if content is not None:
        picture.write_bytes(content)
    assert main([str(folder), str(picture)]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert name in last


def test_the_command_takes_no_folder_for_a_picture(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main([str(folder), str(folder)]) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F", "HSV", "YCbCr"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_any_mode_are_prepared(mode: str, channels: int) -> None:
    shape = timm_shape(in_channels=channels)
    _, prepared = from_timm(timm_tensors(shape), config=timm_config(shape))
    pixels = prepared.prepare(Image.new(mode, (64, 48)))
    assert pixels.shape == ((32, 32) if channels == 1 else (32, 32, 3))
    assert pixels.dtype == np.uint8


def test_the_command_names_classes_of_a_grey_model_and_what_was_taken_for_granted(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    shape = timm_shape(image_size=28, in_channels=1, patch_size=7)
    labels = ["zero", "one", "two", "three"]
    config = timm_config(shape, label_names=labels)
    folder = write(tmp_path / "grey", config, timm_tensors(shape))
    Image.new("L", (40, 30), 200).save(tmp_path / "picture.png")
    assert main([str(folder), str(tmp_path / "picture.png")]) == 0
    said = capsys.readouterr()
    assert all(name in said.out for name in labels)
    assert "note: Its architecture has 12 blocks, and these weights have 1." in said.err


def test_a_very_long_picture_is_prepared_in_little_memory() -> None:
    _, prepared = from_timm(TENSORS, config=CONFIG)
    for size in ((60_000, 3), (3, 60_000), (1, 1), (5, 40_000)):
        assert prepared.prepare(Image.new("RGB", size)).shape == (32, 32, 3)


def test_a_single_class_has_a_logit_and_no_share(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    shape = timm_shape(num_classes=1)
    folder = write(tmp_path / "one", timm_config(shape), timm_tensors(shape))
    Image.new("RGB", (40, 30)).save(tmp_path / "picture.png")
    assert main([str(folder), str(tmp_path / "picture.png")]) == 0
    said = capsys.readouterr().out
    assert "a single class, 0: logit" in said
    assert "%" not in said
