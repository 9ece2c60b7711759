"""Hugging Face's models at random weights: recorded by ``recorded/record.py``."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from vit_core import trace
from vit_core.pretrained import PretrainedError, from_huggingface, load, local_models

RECORDED = Path(__file__).parent / "recorded"
MODELS = ("vit", "vit_body", "deit", "dinov2", "dinov2_registers")
CLASSIFIERS = ("vit", "deit")
MOST = 1e-5


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("name", MODELS)
def test_it_equals_its_source_also_at_another_size(name: str, size: int) -> None:
    expected = load_file(RECORDED / name / "expected.safetensors")
    model, preprocessing = from_huggingface(RECORDED / name, image_size=size)
    assert not model.training
    assert preprocessing.size == size
    found = trace(model, expected[f"images_{size}"])
    output = found.logits if name in CLASSIFIERS else found["final_norm"]
    assert (output - expected[f"output_{size}"]).abs().max() <= MOST
    assert bool(model.config.num_classes) == (name in CLASSIFIERS)


def test_what_each_model_becomes() -> None:
    configs = {name: from_huggingface(RECORDED / name, image_size=32)[0].config for name in MODELS}
    assert {name: config.num_registers for name, config in configs.items()} == {
        "vit": 0,
        "vit_body": 0,
        "deit": 1,  # its distillation token
        "dinov2": 0,
        "dinov2_registers": 4,
    }
    assert {config.layer_scale for name, config in configs.items() if "dino" in name} == {1.0}
    assert configs["vit"].norm_eps == 1e-12


def test_a_state_dict_with_the_newer_names_is_read_as_well() -> None:
    tensors = load_file(RECORDED / "vit" / "model.safetensors")
    config = json.loads((RECORDED / "vit" / "config.json").read_text())
    newer = {}
    for name, value in tensors.items():
        for old, new in (
            ("encoder.layer.", "layers."),
            ("attention.attention.query", "attention.q_proj"),
            ("attention.attention.key", "attention.k_proj"),
            ("attention.attention.value", "attention.v_proj"),
            ("attention.output.dense", "attention.o_proj"),
            ("intermediate.dense", "mlp.fc1"),
            ("output.dense", "mlp.fc2"),
        ):
            name = name.replace(old, new)
        newer[name] = value
    model, _ = from_huggingface(newer, config, image_size=32)
    expected = load_file(RECORDED / "vit" / "expected.safetensors")
    with torch.no_grad():
        found = model(expected["images_32"])
    assert (found - expected["output_32"]).abs().max() <= MOST


def test_half_precision_is_computed_in_single() -> None:
    tensors = load_file(RECORDED / "dinov2" / "model.safetensors")
    config = json.loads((RECORDED / "dinov2" / "config.json").read_text())
    half = {name: value.half() for name, value in tensors.items()}
    rounded = {name: value.half().float() for name, value in tensors.items()}
    images = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    outputs = []
    for weights in (half, rounded):
        model, _ = from_huggingface(weights, config, image_size=48)
        assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
        with torch.no_grad():
            outputs.append(model(images))
    assert torch.equal(*outputs)


def copy_of(name: str, folder: Path, **changes: object) -> Path:
    """Copy a recorded model, with other values in its configuration."""
    folder.mkdir()
    config = json.loads((RECORDED / name / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes((RECORDED / name / "model.safetensors").read_bytes())
    return folder


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"use_swiglu_ffn": True}, "gated"),
        ({"hidden_act": "quick_gelu"}, "'quick_gelu' where this project's computes GELU"),
        ({"model_type": "dinov3_vit"}, "'dinov3_vit' are not read here; allowed are vit, deit"),
        ({"num_hidden_layers": 3}, "missing blocks.2.norm1.weight"),
        ({"num_hidden_layers": 1}, "not expected blocks.1."),
        ({"hidden_size": 48}, "where (48,"),
        ({"num_attention_heads": 7}, "not divisible by num_heads 7"),
        ({"hidden_size": "wide"}, "cannot be shown"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(PretrainedError) as caught:
        from_huggingface(copy_of("dinov2", tmp_path / "model", **changes), image_size=32)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cls_classifier.weight", "mean of two heads"),
        ("classifier.weight", "reads the class token beside the mean"),
        ("embeddings.something", "not expected embeddings.something"),
    ],
)
def test_other_heads_and_tensors_are_refused(tmp_path: Path, name: str, words: str) -> None:
    folder = copy_of("dinov2", tmp_path / "model")
    tensors = load_file(folder / "model.safetensors") | {name: torch.zeros(5, 24)}
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(PretrainedError, match=words):
        from_huggingface(folder, image_size=32)


def test_damaged_folders_are_one_sentence(tmp_path: Path) -> None:
    folder = copy_of("vit", tmp_path / "model")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PretrainedError, match="not a whole safetensors file"):
        from_huggingface(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(PretrainedError, match=r"model\.safetensors is not there"):
        from_huggingface(folder)
    for text, words in (("[1]", "no names and values"), ("{", "cannot be read")):
        (folder / "config.json").write_text(text)
        with pytest.raises(PretrainedError, match=words):
            from_huggingface(folder)
    with pytest.raises(PretrainedError, match=r"config\.json is not there"):
        from_huggingface(tmp_path / "nothing")
    with pytest.raises(PretrainedError, match="needs the model's config"):
        from_huggingface({})


def test_a_folder_of_folders_is_listed(tmp_path: Path) -> None:
    copy_of("vit", tmp_path / "one")
    copy_of("deit", tmp_path / "two")
    (tmp_path / "two" / "model.safetensors").unlink()
    (tmp_path / "notes.txt").write_text("no model")
    assert local_models(tmp_path) == {"one": tmp_path / "one"}
    assert local_models(tmp_path / "missing") == {}
    model, preprocessing = load(tmp_path / "one")
    assert model.config.num_classes == 5
    assert preprocessing.source == "the folder one"


def test_the_preprocessor_is_the_sources(tmp_path: Path) -> None:
    folder = copy_of("dinov2", tmp_path / "model", image_size=518, patch_size=8)
    values = {
        "crop_size": {"height": 32, "width": 32},
        "do_center_crop": True,
        "size": {"shortest_edge": 40},
        "resample": 2,
        "image_mean": [0.1, 0.2, 0.3],
        "image_std": [0.4, 0.5, 0.6],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(values))
    _, found = from_huggingface(folder)
    assert (found.size, found.resize, found.interpolation) == (32, 40, "bilinear")
    assert (found.mean, found.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert found.info.mean == found.mean
    plain = from_huggingface(RECORDED / "vit")[1]
    assert (plain.size, plain.resize, plain.squeeze, plain.interpolation) == (
        32,
        32,
        True,
        "bilinear",
    )
    picture = Image.new("RGB", (64, 40), (255, 0, 0))
    assert plain.prepare(picture).shape == (32, 32, 3)
    assert found.prepare(picture).shape == (32, 32, 3)


@pytest.mark.parametrize("size", [40, {"height": 40, "width": 40}])
def test_a_deits_picture_is_squeezed_before_its_middle_is_cut_out(
    tmp_path: Path, size: object
) -> None:
    folder = copy_of("deit", tmp_path / "model")
    values = {"do_center_crop": True, "crop_size": 32, "size": size, "resample": 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(values))
    _, found = from_huggingface(folder)
    assert (found.size, found.resize, found.squeeze) == (32, 40, True)
    picture = Image.new("RGB", (80, 20))
    picture.paste((255, 0, 0), (8, 0, 72, 20))  # a tenth of black on either side
    pixels = found.prepare(picture)
    assert pixels.shape == (32, 32, 3)
    assert (pixels[:, 1:-1, 0] > 250).all()


def test_classes_have_the_configurations_names() -> None:
    _, found = from_huggingface(RECORDED / "deit")
    assert found.class_names == tuple(f"LABEL_{number}" for number in range(5))
    assert from_huggingface(RECORDED / "dinov2", image_size=32)[1].class_names == ()
