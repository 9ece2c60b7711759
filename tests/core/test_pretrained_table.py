"""Every name of timm's plain ViTs and every ViT of torchvision: equal numbers, or a sentence.

The models are made as these libraries make them, at random weights, but for their depth and width.
"""

import json
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from vit_core.pretrained import PretrainedError, from_timm, from_torchvision
from vit_core.pretrained.timm_architectures import ARCHITECTURES, READ, REFUSED, width_of
from vit_core.torchvision_import import import_torchvision

torchvision = import_torchvision()  # before timm, which imports it
import timm  # noqa: E402
from timm.models import get_pretrained_cfg  # noqa: E402

MOST = 1e-4
READABLE = sorted(name for _, names in READ for name in names.split())
UNREADABLE = sorted((name, next(iter(f.items()))) for f, names in REFUSED for name in names.split())
LARGE = {"1b", "3b", "giantopt", "gigantic", "giant"}  # too large to make, and like the others
PLAIN = timm.list_models(module="vision_transformer") + timm.list_models(module="deit")
OTHERS = sorted(set(timm.list_models(["vit_*", "deit*"])) - set(PLAIN))


def randomised(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.1, generator=generator)
    return module.eval()


@cache
def patch_of(name: str) -> int:
    return next(int(part[5:]) for part in [*name.split("_"), "patch16"] if part.startswith("patch"))


def made(name: str, **options: Any) -> tuple[nn.Module, dict[str, Any]]:
    """Return timm's model of a name, narrow and of one block, and the options that made it so."""
    heads = ARCHITECTURES[name].get("num_heads", 12)
    shape = {"depth": 1, "embed_dim": 8 * heads, "img_size": 3 * patch_of(name), "num_classes": 5}
    model = timm.create_model(name, **shape | options)
    return randomised(model), shape | options


def config_of(name: str, options: dict[str, Any], cfg: dict[str, Any]) -> dict[str, Any]:
    """Return what timm.models.save_for_hf writes of a model."""
    size = options["img_size"]
    pictures = cfg | {"input_size": [3, size, size], "num_classes": 5}
    pictures.pop("architecture", None)
    about = {"architecture": name, "num_classes": 5, "num_features": options["embed_dim"]}
    about |= {"model_args": options, "pretrained_cfg": pictures}
    return json.loads(json.dumps(about))


@torch.no_grad()
def difference(ours: nn.Module, theirs: nn.Module) -> float:
    shape = (2, ours.config.in_channels, *ours.config.image_hw)
    batch = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    return float((ours(batch) - theirs(batch)).abs().max())


def test_the_table_has_each_plain_vit_of_timm() -> None:
    assert sorted(ARCHITECTURES) == sorted(PLAIN)
    assert len(READABLE) >= 58


@pytest.mark.parametrize("name", READABLE)
def test_widths_are_timms(name: str) -> None:
    with torch.device("meta"):
        assert timm.create_model(name, depth=1).embed_dim == width_of(name)


@pytest.mark.parametrize("name", READABLE)
def test_a_folder_of_a_name_that_is_read_equals_its_source(name: str) -> None:
    source, options = made(name)
    config = config_of(name, options, dict(source.pretrained_cfg))
    model, prepared = from_timm(source.state_dict(), config=config)
    assert difference(model, source) <= MOST
    assert model.config.num_heads == source.blocks[0].attn.num_heads
    assert model.config.norm_eps == source.blocks[0].norm1.eps
    assert prepared.mean == tuple(source.pretrained_cfg["mean"])
    as_module, _ = from_timm(source)
    assert as_module.config == model.config


@pytest.mark.parametrize("name", READABLE)
def test_what_is_in_the_name_alone_is_not_guessed(name: str) -> None:
    """A configuration without ``model_args`` is the one that the name stands for."""
    source, options = made(name)
    config = config_of(name, options, dict(get_pretrained_cfg(name).to_dict()))
    del config["model_args"]
    model, _ = from_timm(source.state_dict(), config=config)
    assert difference(model, source) <= MOST
    missing = [
        key for key in source.state_dict() if "ls1" in key or key in ("norm.weight", "reg_token")
    ]
    for key in missing:  # what the name promises and the weights lack is no smaller model
        tensors = source.state_dict()
        del tensors[key]
        with pytest.raises(PretrainedError, match=key):
            from_timm(tensors, config=config)


@pytest.mark.parametrize(("name", "field"), UNREADABLE, ids=[name for name, _ in UNREADABLE])
def test_a_name_that_is_refused_says_which_field(name: str, field: tuple[str, Any]) -> None:
    with pytest.raises(PretrainedError) as caught:
        from_timm({}, config={"architecture": name, "pretrained_cfg": {"input_size": [3, 32, 32]}})
    said = str(caught.value)
    assert name in said
    assert field[0] in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "name", [name for name, _ in UNREADABLE if not LARGE & set(name.split("_"))]
)
def test_a_module_that_is_refused_is_so_without_its_name(name: str) -> None:
    options = {"depth": 1, "img_size": 3 * patch_of(name), "num_classes": 5}
    with torch.device("meta"):  # what the numbers are is not looked at, and drawing them takes long
        model = timm.create_model(name, **options)
    with pytest.raises(
        PretrainedError, match=r"^this model.* this project's |no Vision Transformer of timm"
    ):
        from_timm(model.to_empty(device="cpu"))


@pytest.mark.parametrize("name", OTHERS)
def test_other_architectures_are_refused_by_name(name: str) -> None:
    with pytest.raises(PretrainedError, match=f"architecture '{name}' is not read here"):
        from_timm({}, config={"architecture": name, "pretrained_cfg": {}})


@pytest.mark.parametrize("name", torchvision.models.list_models(include="vit_*"))
def test_each_vit_of_torchvision(name: str) -> None:
    make = getattr(torchvision.models, name)
    with torch.device("meta"):
        whole = make()
    patch, heads = whole.patch_size, whole.encoder.layers[0].self_attention.num_heads
    width = whole.hidden_dim
    source = randomised(
        torchvision.models.VisionTransformer(
            image_size=2 * patch,
            patch_size=patch,
            num_layers=1,
            num_heads=heads,
            hidden_dim=width,  # tells the heads
            mlp_dim=64,  # tells nothing, and thousands take long to draw
            num_classes=7,
        )
    )
    model, _ = from_torchvision(source)
    assert difference(model, source) <= 1e-3  # of sums of over a thousand
    assert model.config.num_heads == heads
    from_weights, prepared = from_torchvision(source.state_dict())
    assert from_weights.config == model.config  # the width tells the heads of these
    assert any(f"{heads} were taken" in note for note in prepared.notes)
