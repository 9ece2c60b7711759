"""timm's and torchvision's Vision Transformers at random weights, against those libraries."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from vit_core.pretrained import PretrainedError, from_timm, from_torchvision
from vit_core.torchvision_import import import_torchvision

torchvision = import_torchvision()  # before timm, which imports it
import timm  # noqa: E402
from timm.data import create_transform, resolve_data_config  # noqa: E402
from torchvision.models.vision_transformer import interpolate_embeddings  # noqa: E402

MOST = 1e-5
NAMED = {  # timm's name → image size, so that the tests stay quick
    "vit_tiny_patch16_224": 64,
    "deit_tiny_patch16_224": 64,
    "vit_small_patch14_dinov2": 56,
    "vit_small_patch14_reg4_dinov2": 56,
}


def randomised(module: nn.Module, deviation: float = 0.1) -> nn.Module:
    """Draw every parameter anew, tokens, positions and scales as well."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, deviation, generator=generator)
    return module.eval()


def images(size: int, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def small_timm(**options: object) -> nn.Module:
    shape = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 3}
    model = timm.models.VisionTransformer(**{**shape, "num_classes": 5, **options})
    return randomised(model, 0.3)


@torch.no_grad()
def difference(ours: nn.Module, theirs: nn.Module, size: int) -> float:
    batch = images(size)
    return float((ours(batch) - theirs(batch)).abs().max())


@pytest.mark.parametrize(("name", "size"), NAMED.items())
def test_timms_named_models(name: str, size: int) -> None:
    source = randomised(timm.create_model(name, img_size=size), 0.05)
    model, preprocessing = from_timm(source)
    assert difference(model, source, size) <= MOST
    assert preprocessing.mean == source.pretrained_cfg["mean"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reg_tokens": 2},
        {"reg_tokens": 2, "no_embed_class": True},
        {"no_embed_class": True},
        {"class_token": False, "global_pool": "avg", "fc_norm": False},
        {"init_values": 0.5},
        {"qkv_bias": False},
        {"num_classes": 0},
        {"mlp_ratio": 2.0},
    ],
    ids=str,
)
def test_timms_variants_also_at_another_size(options: dict[str, object]) -> None:
    source = small_timm(**options)
    model, _ = from_timm(source)
    assert difference(model, source, 32) <= MOST
    other, _ = from_timm(source, image_size=48)
    source.set_input_size((48, 48))
    assert difference(other, source, 48) <= MOST


def test_a_state_dict_of_timm_is_enough() -> None:
    source = small_timm(reg_tokens=2)
    model, _ = from_timm(source.state_dict(), num_heads=3)
    assert difference(model, source, 32) <= MOST
    with pytest.raises(PretrainedError, match="a width of 24 is divided into; give num_heads"):
        from_timm(source.state_dict())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"global_pool": "avg"}, "normalises after taking the mean"),
        ({"global_pool": "avg", "fc_norm": False}, "reads the mean of the patches"),
        ({"qk_norm": True}, "normalises queries and keys"),
        ({"pre_norm": True}, "normalises before the first block"),
        ({"act_layer": nn.ReLU}, "computes ReLU"),
        ({"mlp_layer": timm.layers.SwiGLU}, "gated"),
    ],
)
def test_what_this_model_cannot_be_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(PretrainedError, match=words):
        from_timm(small_timm(**options))


def test_other_modules_and_weights_are_one_sentence() -> None:
    with pytest.raises(PretrainedError, match="no Vision Transformer of timm"):
        from_timm(nn.Linear(2, 2))
    with pytest.raises(PretrainedError, match=r"no patch_embed\.proj\.weight"):
        from_timm({})
    tensors = small_timm().state_dict()
    del tensors["blocks.1.norm2.weight"]
    tensors["blocks.1.extra"] = torch.zeros(1)
    tensors["norm.bias"] = torch.full((24,), float("nan"))
    with pytest.raises(PretrainedError) as caught:
        from_timm(tensors, num_heads=3)
    assert "missing blocks.1.norm2.weight; not expected blocks.1.extra" in str(caught.value)
    whole = small_timm().state_dict() | {"norm.bias": torch.full((24,), float("nan"))}
    with pytest.raises(PretrainedError, match=r"not finite numbers, in norm\.bias"):
        from_timm(whole, num_heads=3)


@pytest.mark.parametrize("size", [(97, 61), (60, 90), (64, 64), (300, 200)])
def test_pictures_are_prepared_as_timm_does(size: tuple[int, int]) -> None:
    source = timm.create_model("vit_tiny_patch16_224", img_size=64, embed_dim=24, depth=1)
    _, preprocessing = from_timm(source)
    settings = resolve_data_config(source.pretrained_cfg | {"input_size": (3, 64, 64)})
    theirs = create_transform(**settings)
    assert_prepared(preprocessing, theirs, size)


# torchvision


def small_torchvision(**options: object) -> nn.Module:
    shape = {"image_size": 32, "patch_size": 8, "num_layers": 2, "num_heads": 3, "mlp_dim": 48}
    options = {**shape, "hidden_dim": 24, "num_classes": 5, **options}
    return randomised(torchvision.models.VisionTransformer(**options), 0.3)


def test_torchvisions_small_models_also_at_another_size() -> None:
    source = small_torchvision()
    model, _ = from_torchvision(source)
    assert difference(model, source, 32) <= MOST
    larger = small_torchvision(image_size=48)
    larger.load_state_dict(interpolate_embeddings(48, 8, source.state_dict()))
    model, preprocessing = from_torchvision(source.state_dict(), image_size=48, num_heads=3)
    assert difference(model, larger, 48) <= MOST
    assert preprocessing.size == 48


def test_torchvisions_vit_b_16() -> None:
    source = randomised(torchvision.models.vit_b_16(), 0.02)
    model, preprocessing = from_torchvision(source)
    with torch.no_grad():
        batch = images(224, 1)
        assert (model(batch) - source(batch)).abs().max() <= MOST
    assert preprocessing.class_names[:2] == ("tench", "goldfish")


def test_the_older_names_of_its_mlp_are_read() -> None:
    source = small_torchvision()
    older = {
        name.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): value
        for name, value in source.state_dict().items()
    }
    model, _ = from_torchvision(older, num_heads=3)
    assert difference(model, source, 32) <= MOST


def test_what_torchvision_has_beyond_is_refused() -> None:
    with pytest.raises(PretrainedError, match="hidden layer"):
        from_torchvision(small_torchvision(representation_size=8))
    stem = [torchvision.models.vision_transformer.ConvStemConfig(24, 3, 8)]
    with pytest.raises(PretrainedError, match="several convolutions"):
        from_torchvision(small_torchvision(conv_stem_configs=stem))
    with pytest.raises(PretrainedError, match="not those of torchvision's"):
        from_torchvision({})
    with pytest.raises(PretrainedError, match="no VisionTransformer of torchvision"):
        from_torchvision(nn.Linear(2, 2))


@pytest.mark.parametrize("size", [(300, 451), (640, 427), (256, 256), (231, 500)])
def test_pictures_are_prepared_as_torchvision_does(size: tuple[int, int]) -> None:
    theirs = torchvision.models.ViT_B_16_Weights.IMAGENET1K_V1.transforms()
    source = small_torchvision(image_size=224, patch_size=32)
    assert_prepared(from_torchvision(source)[1], theirs, size)


def assert_prepared(preprocessing: object, theirs: object, size: tuple[int, int]) -> None:
    """Hold our pixels to theirs, which are normalised already."""
    values = np.random.default_rng(0).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    picture = Image.fromarray(values).resize(size)
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    expected = theirs(picture) * std[:, None, None] + mean[:, None, None]
    found = torch.from_numpy(preprocessing.prepare(picture).transpose(2, 0, 1).copy()) / 255
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-5
