"""Every field of a configuration is used, changes nothing, or is refused by its name."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from pretrained_models import recorded, timm_config, timm_shape, timm_tensors, write

from vit_core.data import normalize
from vit_core.data.image_file import to_array
from vit_core.pretrained import PretrainedError, from_huggingface, from_timm, load
from vit_core.torchvision_import import import_torchvision

SHAPE = timm_shape()
TENSORS = timm_tensors(SHAPE)


def one_sentence(error: pytest.ExceptionInfo[PretrainedError]) -> str:
    said = str(error.value)
    assert "\n" not in said
    assert len(said) <= 400
    return said


# timm


def test_the_heads_are_those_that_model_args_name() -> None:
    for heads in (2, 6, 12):
        args = {"num_heads": heads, "depth": 1, "img_size": 32, "patch_size": 8}
        model, _ = from_timm(TENSORS, config=timm_config(SHAPE, model_args=args))
        assert model.config.num_heads == heads
    args["num_heads"] = 7
    with pytest.raises(PretrainedError, match="not divisible by num_heads 7"):
        from_timm(TENSORS, config=timm_config(SHAPE, model_args=args))


def test_without_a_configuration_the_heads_are_the_usual_ones_and_it_is_said() -> None:
    model, prepared = from_timm(TENSORS)
    assert model.config.num_heads == 3
    assert any("3 were taken" in note for note in prepared.notes)
    assert from_timm(TENSORS, num_heads=6)[0].config.num_heads == 6


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("act_layer", "gelu_tanh"),
        ("act_layer", "quick_gelu"),
        ("act_layer", "relu"),
        ("norm_layer", "rmsnorm"),
        ("norm_layer", {"eps": 1e-5}),
        ("qk_norm", True),
        ("pre_norm", True),
        ("scale_attn_norm", True),
        ("scale_mlp_norm", True),
        ("proj_bias", False),
        ("pos_embed", "none"),
        ("pool_include_prefix", True),
        ("block_fn", "ParallelThingsBlock"),
        ("mlp_layer", "SwiGLU"),
        ("attn_layer", "diff"),
        ("global_pool", "avgmax"),
        ("global_pool", ""),
        ("fc_norm", True),
        ("depth", 2),
        ("embed_dim", 96),
        ("mlp_ratio", 3.0),
        ("patch_size", 16),
        ("in_chans", 1),
        ("num_classes", 3),
        ("num_heads", "three"),
        ("num_heads", 0),
        ("img_size", [32, 32, 32]),
        ("something_new", 1),
    ],
)
def test_what_model_args_say_and_this_model_is_not(field: str, value: object) -> None:
    config = timm_config(SHAPE, model_args={field: value})
    if field == "global_pool":
        del config["global_pool"]
    if field == "num_classes":
        del config["num_classes"]
    with pytest.raises(PretrainedError) as caught:
        from_timm(TENSORS, config=config)
    assert field in one_sentence(caught)


@pytest.mark.parametrize(
    "args",
    [
        {"drop_rate": 0.1, "attn_drop_rate": 0.1, "drop_path_rate": 0.2, "patch_drop_rate": 0.5},
        {"act_layer": "gelu", "norm_layer": "layernorm", "qk_norm": False, "pre_norm": False},
        {"img_size": [32, 32], "patch_size": [8, 8], "depth": 1, "num_classes": 4, "in_chans": 3},
        {"act_layer": None, "weight_init": "skip", "dynamic_img_size": True, "class_token": True},
    ],
)
def test_what_model_args_say_and_this_model_is(args: dict[str, object]) -> None:
    model, _ = from_timm(TENSORS, config=timm_config(SHAPE, model_args=args))
    assert model.config == SHAPE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("crop_mode", "border"),
        ("crop_pct", 0),
        ("crop_pct", "all"),
        ("crop_pct", float("nan")),
        ("interpolation", "random"),
        ("mean", [0.5, 0.5]),
        ("mean", ["a", "b", "c"]),
        ("std", [0.5, 0.5, 0.0]),
        ("std", [0.5, -0.5, 0.5]),
        ("std", [1e-300, 1, 1]),
        ("input_size", [1, 32, 32]),
        ("input_size", [3, 32]),
        ("input_size", [3, 10**9, 10**9]),
        ("label_offset", 1),
        ("something_new", True),
    ],
)
def test_what_pretrained_cfg_says_and_is_not_done(field: str, value: object) -> None:
    config = timm_config(SHAPE)
    config["pretrained_cfg"][field] = value
    with pytest.raises(PretrainedError) as caught:
        from_timm(TENSORS, config=config)
    assert field in one_sentence(caught) or "in_chans" in str(caught.value)


def test_fields_that_contradict_one_another_are_refused() -> None:
    with pytest.raises(PretrainedError, match="num_classes 7"):
        from_timm(TENSORS, config=timm_config(SHAPE, num_classes=7))
    args = {"global_pool": "token"}
    with pytest.raises(PretrainedError, match="global_pool 'avg'"):
        from_timm(TENSORS, config=timm_config(SHAPE, global_pool="avg", model_args=args))
    with pytest.raises(PretrainedError, match="'dataset', 'epochs', 'my_notes' and 1 more"):
        others = {"dataset": 1, "epochs": 2, "my_notes": 3, "zebra": 4}
        from_timm(TENSORS, config=timm_config(SHAPE, **others))
    plain, private = (
        from_timm(TENSORS, config=timm_config(SHAPE, **notes))
        for notes in ({}, {"_my_notes": "private"})
    )
    assert private[0].config == plain[0].config and private[1] == plain[1]


def test_an_oblong_model_is_oblong(tmp_path: Path) -> None:
    shape = timm_shape(image_size=(16, 64))
    args = {"img_size": [16, 64], "patch_size": 8, "depth": 1}
    config = timm_config(shape, model_args=args)
    model, prepared = load(write(tmp_path / "oblong", config, timm_tensors(shape)))
    assert model.config == shape
    assert prepared.size == (16, 64)
    assert prepared.prepare(Image.new("RGB", (300, 200))).shape == (16, 64, 3)
    assert prepared.notes == ()


def test_the_order_of_a_patchs_sides_is_not_lost(tmp_path: Path) -> None:
    shape = timm_shape(patch_size=(4, 16))
    tensors = timm_tensors(shape)
    model, _ = from_timm(tensors, config=timm_config(shape))
    assert model.config.patch_hw == (4, 16)
    tensors, config = recorded("vit")
    kernel = tensors["vit.embeddings.patch_embeddings.projection.weight"]
    turned = tensors | {
        "vit.embeddings.patch_embeddings.projection.weight": kernel.reshape(24, 3, 4, 16)
    }
    with pytest.raises(PretrainedError, match="says patches of 3 x 8 x 8"):
        from_huggingface(turned, config)


# Hugging Face


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_act", "gelu_new"),
        ("hidden_act", "gelu_pytorch_tanh"),
        ("hidden_act", "quick_gelu"),
        ("hidden_act", "relu"),
        ("hidden_act", ["gelu"]),
        ("problem_type", "multi_label_classification"),
        ("problem_type", "regression"),
        ("pruned_heads", {"0": [1]}),
        ("quantization_config", {"load_in_8bit": True}),
        ("architectures", ["MyOwnViT"]),
        ("is_decoder", True),
        ("num_channels", 1),
        ("patch_size", [8, 4]),
        ("image_size", [32, 32, 3]),
        ("image_size", 10**9),
        ("layer_norm_eps", 0),
        ("layer_norm_eps", "small"),
        ("qkv_bias", "yes"),
        ("num_attention_heads", 2.5),
        ("something_new", {}),
    ],
)
def test_what_a_config_says_and_this_model_is_not(field: str, value: object) -> None:
    tensors, config = recorded("vit")
    with pytest.raises(PretrainedError) as caught:
        from_huggingface(tensors, config | {field: value})
    said = one_sentence(caught)
    assert field in said or "patches of" in said


@pytest.mark.parametrize("name", ["vit", "dinov2"])
def test_what_a_trainers_folder_says_is_read(name: str) -> None:
    tensors, config = recorded(name)
    more = {
        "problem_type": "single_label_classification",
        "finetuning_task": "image-classification",
        "_name_or_path": "google/vit-base-patch16-224-in21k",
        "_attn_implementation_autoset": True,
        "torch_dtype": "float32",
        "use_cache": True,
        "hidden_dropout_prob": 0.1,
        "num_labels": 5,
        "image_size": [32, 32],
        "patch_size": [8, 8],
        "output_attentions": True,
        "pruned_heads": {},
        "gradient_checkpointing": False,
    }
    plain, _ = from_huggingface(tensors, config, image_size=32)
    model, _ = from_huggingface(tensors, config | more, image_size=32)
    assert model.config == plain.config


def prepared_by(**values: Any) -> Any:
    tensors, config = recorded("vit")
    return from_huggingface(tensors, config, preprocessor=values)[1]


@pytest.mark.parametrize(
    ("values", "mean", "std"),
    [
        ({}, 0.5, 0.5),
        ({"do_normalize": False}, 0.0, 1.0),
        (
            {"do_rescale": False, "image_mean": [100] * 3, "image_std": [50] * 3},
            100 / 255,
            50 / 255,
        ),
        ({"do_rescale": False, "do_normalize": False}, 0.0, 1 / 255),
        ({"rescale_factor": 1 / 127.5, "image_mean": 1, "image_std": 1}, 0.5, 0.5),
        ({"rescale_factor": 1 / 255, "image_mean": 0.25, "image_std": 2}, 0.25, 2),
        ({"rescale_factor": 1.0, "image_mean": [0] * 3, "image_std": [1] * 3}, 0.0, 1 / 255),
    ],
)
def test_pixels_are_what_the_source_makes_of_them(
    values: dict[str, object], mean: float, std: float
) -> None:
    prepared = prepared_by(**values)
    picture = Image.new("RGB", (32, 32), (0, 51, 255))
    pixels = torch.from_numpy(to_array(prepared.prepare(picture)).copy())[None]
    found = normalize(pixels, prepared.info)[0, :, 0, 0].double()
    expected = (torch.tensor([0.0, 0.2, 1.0], dtype=torch.float64) - mean) / std
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "size", "resize", "squeeze"),
    [
        ({}, 32, 32, True),
        ({"size": 48}, 48, 48, True),
        ({"size": [48, 48]}, 48, 48, True),
        ({"size": {"height": 48, "width": 48}}, 48, 48, True),
        ({"size": {"height": 16, "width": 48}}, (16, 48), (16, 48), True),
        ({"size": {"shortest_edge": 40}}, 40, 40, False),
        ({"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": 32}, 32, 40, False),
        (
            {"size": 40, "do_center_crop": True, "crop_size": {"height": 32, "width": 24}},
            (32, 24),
            40,
            True,
        ),
        ({"size": 40, "image_processor_type": "BitImageProcessor", "crop_size": 32}, 32, 40, False),
        ({"size": 40, "image_processor_type": "DeiTImageProcessor", "crop_size": 32}, 32, 40, True),
        ({"do_resize": False}, 32, 32, False),
    ],
)
def test_sizes_in_all_the_ways_they_are_written(
    values: dict[str, object], size: object, resize: object, squeeze: bool
) -> None:
    prepared = prepared_by(**values)
    assert (prepared.size, prepared.resize, prepared.squeeze) == (size, resize, squeeze)
    if values.get("do_resize") is False:
        assert any("right size" in note for note in prepared.notes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", {"shortest_edge": 10**9}),
        ("size", {"shortest_edge": 32, "longest_edge": 64}),
        ("size", {"height": 32}),
        ("size", {"height": 32, "width": -1}),
        ("size", "large"),
        ("crop_size", [1, 2, 3]),
        ("image_mean", [0.5]),
        ("image_mean", "half"),
        ("image_std", [0, 0, 0]),
        ("image_std", [0.5, 0.5, float("inf")]),
        ("rescale_factor", 0),
        ("rescale_factor", float("nan")),
        ("rescale_offset", True),
        ("resample", 9),
        ("resample", "bicubic"),
        ("do_pad", True),
        ("do_flip_channel_order", True),
        ("do_normalize", "no"),
        ("image_processor_type", "SegformerImageProcessor"),
        ("feature_extractor_type", "MyFeatureExtractor"),
        ("something_new", 1),
    ],
)
def test_what_a_preprocessor_says_and_is_not_done(field: str, value: object) -> None:
    with pytest.raises(PretrainedError) as caught:
        prepared_by(**{field: value})
    assert field in one_sentence(caught)


def test_a_missing_preprocessor_is_said() -> None:
    tensors, config = recorded("vit")
    notes = from_huggingface(tensors, config)[1].notes
    assert any("no preprocessor_config.json" in note for note in notes)


def test_numbers_of_a_file_are_read_as_json_has_them(tmp_path: Path) -> None:
    tensors, config = recorded("vit")
    folder = write(tmp_path / "model", config, tensors)
    text = json.dumps(config).replace('"hidden_size": 24', '"hidden_size": 24.0')
    (folder / "config.json").write_bytes(b"\xef\xbb\xbf" + text.encode())  # as Windows writes it
    assert load(folder)[0].config.embed_dim == 24


@pytest.mark.parametrize(
    ("name", "token", "words"),
    [
        ("deit", "deit.embeddings.distillation_token", "no distillation token"),
        ("dinov2_registers", "embeddings.register_tokens", "missing reg_token"),
    ],
)
def test_tokens_that_a_kind_has_are_not_left_out(name: str, token: str, words: str) -> None:
    tensors, config = recorded(name)
    del tensors[token]
    with pytest.raises(PretrainedError, match=words):
        from_huggingface(tensors, config)


@pytest.mark.parametrize("channels", [2, 4, 12])
def test_images_of_other_channels_than_pictures_have_are_refused(channels: int) -> None:
    shape = timm_shape(in_channels=channels)
    for config in (None, timm_config(shape)):
        with pytest.raises(PretrainedError, match=f"images of {channels} channels"):
            from_timm(timm_tensors(shape), config=config)


def test_tokens_that_a_kind_has_not_are_refused() -> None:
    tensors, config = recorded("vit")
    more = tensors | {"vit.embeddings.register_tokens": torch.zeros(1, 4, 24)}
    with pytest.raises(PretrainedError, match="not expected reg_token"):
        from_huggingface(more, config)


def test_a_field_that_is_left_out_is_its_librarys_default() -> None:
    for name, eps in (("vit", 1e-12), ("dinov2", 1e-6)):
        tensors, config = recorded(name)
        del config["layer_norm_eps"]
        assert from_huggingface(tensors, config, image_size=32)[0].config.norm_eps == eps


def test_timms_models_in_transformers_wrapper(tmp_path: Path) -> None:
    config = {
        "architecture": "vit_tiny_patch16_224",
        "architectures": ["TimmWrapperForImageClassification"],
        "do_pooling": True,
        "dtype": "float32",
        "initializer_range": 0.02,
        "label_names": ["a", "b", "c", "d"],
        "model_args": {"depth": 1, "img_size": 32, "num_heads": 6, "patch_size": 8},
        "model_type": "timm_wrapper",
        "num_classes": 4,
        "transformers_version": "5.24.0",
    }
    wrapped = {f"timm_model.{name}": value for name, value in TENSORS.items()}
    model, prepared = load(write(tmp_path / "wrapped", config, wrapped))
    assert model.config.num_heads == 6
    assert prepared.class_names == ("a", "b", "c", "d")
    plain, _ = from_timm(TENSORS, num_heads=6)
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), plain.parameters(), strict=True)
    )
    with pytest.raises(PretrainedError, match="architectures"):
        load(write(tmp_path / "other", config | {"architectures": ["Other"]}, wrapped))


@pytest.mark.parametrize(
    ("mean", "expected", "is_said"),
    [([0.5], 0.5, False), ([0.5] * 3, 0.5, False), ([0.2, 0.4, 0.6], 0.4, True), (0.3, 0.3, False)],
)
def test_a_grey_model_that_kept_the_numbers_of_three_channels(
    mean: object, expected: float, is_said: bool
) -> None:
    shape = timm_shape(in_channels=1)
    config = timm_config(shape)
    config["pretrained_cfg"]["mean"] = mean
    _, prepared = from_timm(timm_tensors(shape), config=config)
    assert prepared.mean == pytest.approx((expected,))
    assert any("their average" in note for note in prepared.notes) == is_said
    tensors, config = recorded("vit")
    name = "vit.embeddings.patch_embeddings.projection.weight"
    grey = tensors | {name: tensors[name][:, :1]}
    values = {"image_mean": mean, "image_std": [0.5] * 3}
    _, prepared = from_huggingface(grey, config | {"num_channels": 1}, preprocessor=values)
    assert prepared.mean == pytest.approx((expected,))
    assert any("their average" in note for note in prepared.notes) == is_said


def test_a_grey_module_of_timm_as_it_is_made() -> None:
    import_torchvision()  # before timm, which imports it
    import timm

    source = timm.create_model("vit_tiny_patch16_224", in_chans=1, img_size=32, depth=1).eval()
    model, prepared = from_timm(source)
    assert model.config.in_channels == prepared.channels == 1


def test_a_mean_that_takes_in_the_registers_is_refused_of_a_module() -> None:
    import_torchvision()  # before timm, which imports it
    import timm

    pooled = {"global_pool": "avg", "class_token": False, "fc_norm": False, "reg_tokens": 2}
    make = {"img_size": 32, "depth": 1, **pooled}
    from_timm(timm.create_model("vit_tiny_patch16_224", **make).eval())
    source = timm.create_model("vit_tiny_patch16_224", pool_include_prefix=True, **make).eval()
    with pytest.raises(PretrainedError, match="pool_include_prefix"):
        from_timm(source)


CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)


@pytest.mark.parametrize(
    ("name", "processor", "mean", "interpolation"),
    [
        ("vit", None, (0.5,) * 3, "bilinear"),
        ("vit", "DeiTImageProcessor", (0.5,) * 3, "bicubic"),
        ("vit", "BitImageProcessor", CLIP_MEAN, "bicubic"),
        ("deit", None, (0.5,) * 3, "bicubic"),
        ("deit", "ViTFeatureExtractor", (0.5,) * 3, "bilinear"),
        ("dinov2", None, CLIP_MEAN, "bicubic"),
        ("dinov2_registers", "CLIPImageProcessor", CLIP_MEAN, "bicubic"),
        ("dinov2", "ViTImageProcessor", (0.5,) * 3, "bilinear"),
    ],
)
def test_a_field_of_pictures_that_is_left_out_is_its_processors_default(
    name: str, processor: str | None, mean: tuple[float, ...], interpolation: str
) -> None:
    tensors, config = recorded(name)
    values = {"size": {"height": 56, "width": 56}, "do_center_crop": False}
    if processor:
        values["image_processor_type"] = processor
    size = config["patch_size"] * 4
    values["size"] = {"height": size, "width": size}
    _, prepared = from_huggingface(tensors, config, preprocessor=values)
    assert prepared.mean == pytest.approx(mean)
    assert prepared.interpolation == interpolation
    assert not any("has no size" in note for note in prepared.notes)
    del values["size"]
    _, prepared = from_huggingface(tensors, config, preprocessor=values)
    assert any("has no size" in note for note in prepared.notes)


@pytest.mark.parametrize("name", ["dinov2", "dinov2_registers"])
def test_positions_of_an_oblong_dinov2_are_a_squares_as_in_its_source(name: str) -> None:
    tensors, config = recorded(name)
    patch = config["patch_size"]
    key = next(key for key in tensors if key.endswith("position_embeddings"))
    positions = torch.randn(1, 17, tensors[key].shape[2])
    oblong = config | {"image_size": [2 * patch, 8 * patch]}
    preprocessor = {"size": {"height": 2 * patch, "width": 8 * patch}, "do_center_crop": False}
    model, prepared = from_huggingface(
        tensors | {key: positions}, oblong, preprocessor=preprocessor
    )
    assert model.config.grid_size == (2, 8)
    assert prepared.learned_grid == (4, 4)
    with pytest.raises(PretrainedError, match="not those of a square grid"):
        from_huggingface(
            tensors | {key: torch.randn(1, 13, positions.shape[2])},
            config | {"image_size": [2 * patch, 6 * patch]},
            preprocessor={"size": {"height": 2 * patch, "width": 6 * patch}},
        )


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e4m3fn])
def test_positions_and_registers_that_are_codes_are_refused(kind: torch.dtype) -> None:
    for name in ("pos_embed", "reg_token"):
        shape = timm_shape(num_registers=2)
        tensors = timm_tensors(shape)
        tensors[name] = tensors[name].to(kind)
        with pytest.raises(PretrainedError, match=f"{name} holds numbers of type"):
            from_timm(tensors)


@pytest.mark.parametrize("value", [torch.zeros(7, 5), torch.tensor(1.0)])
def test_queries_of_another_shape_than_keys_are_one_sentence(value: torch.Tensor) -> None:
    tensors, config = recorded("vit")
    name = next(key for key in tensors if key.endswith("query.weight"))
    with pytest.raises(PretrainedError, match="must be of one shape"):
        from_huggingface(tensors | {name: value}, config)


def test_a_configuration_that_is_a_folder_is_said_without_its_place(tmp_path: Path) -> None:
    (tmp_path / "model" / "config.json").mkdir(parents=True)
    with pytest.raises(PretrainedError) as error:
        load(tmp_path / "model")
    assert str(tmp_path) not in one_sentence(error)


@pytest.mark.parametrize(
    ("architecture", "args", "is_said"),
    [
        ("vit_tiny_patch16_224", {}, False),
        ("vit_small_patch16_224", {}, True),
        ("vit_small_patch16_224", {"num_heads": 3}, False),
        ("vit_small_patch16_224", {"embed_dim": 192}, False),
    ],
)
def test_heads_of_an_architecture_of_another_width_are_said(
    architecture: str, args: dict[str, int], is_said: bool
) -> None:
    config = timm_config(SHAPE, architecture=architecture, model_args=args)
    _, prepared = from_timm(TENSORS, config=config)
    assert any("these weights are 192 wide" in note for note in prepared.notes) == is_said
