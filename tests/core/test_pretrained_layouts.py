"""State dicts as people have them: nested, behind prefixes, rounded, with another head."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from pretrained_models import recorded, timm_config, timm_shape, timm_tensors, write
from torch import nn

from vit_core.pretrained import (
    PretrainedError,
    from_huggingface,
    from_timm,
    from_torchvision,
    load,
)
from vit_core.torchvision_import import import_torchvision

torchvision = import_torchvision()  # before timm, which imports it
import timm  # noqa: E402

SHAPE = timm_shape()
TENSORS = timm_tensors(SHAPE)
IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
HEAD = ("head.weight", "head.bias")


def behind(prefix: str, *without: str) -> dict[str, torch.Tensor]:
    return {name if name in without else prefix + name: value for name, value in TENSORS.items()}


@torch.no_grad()
def logits(source: object) -> torch.Tensor:
    return from_timm(source, num_heads=3)[0](IMAGES)


@pytest.mark.parametrize(
    "prefix", ["module.", "model.", "backbone.", "_orig_mod.", "module._orig_mod.", "net.0.vit."]
)
def test_a_prefix_is_taken_off_and_said(prefix: str, tmp_path: Path) -> None:
    assert torch.equal(logits(behind(prefix)), logits(TENSORS))
    beside = behind(prefix, *HEAD)  # as a wrapper keeps a head beside the body
    assert torch.equal(logits(beside), logits(TENSORS))
    _, prepared = load(write(tmp_path / "model", timm_config(SHAPE), behind(prefix)))
    assert any(prefix.removeprefix("module.") in note for note in prepared.notes)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model."])
def test_prefixes_before_those_of_hugging_face(prefix: str) -> None:
    tensors, config = recorded("vit")
    plain, quiet = from_huggingface(tensors, config)
    found, prepared = from_huggingface({prefix + k: v for k, v in tensors.items()}, config)
    assert found.config == plain.config
    assert all(
        torch.equal(a, b) for a, b in zip(found.parameters(), plain.parameters(), strict=True)
    )
    assert len(prepared.notes) == len(quiet.notes) + 1


@pytest.mark.parametrize("name", ["model", "state_dict", "teacher", "model_state_dict"])
def test_a_checkpoint_that_holds_a_state_dict(name: str) -> None:
    checkpoint = {name: OrderedDict(TENSORS), "epoch": 3, "optimizer": {"lr": 0.1}, "args": None}
    assert torch.equal(logits(checkpoint), logits(TENSORS))
    notes = from_timm(checkpoint)[1].notes
    assert any(repr(name) in note for note in notes)


def test_of_a_teacher_and_a_student_the_teacher_is_read() -> None:
    other = {name: value + 1 for name, value in TENSORS.items()}
    checkpoint = {"student": behind("module.backbone."), "teacher": behind("backbone.")}
    assert torch.equal(logits(checkpoint | {"student": other}), logits(TENSORS))
    with pytest.raises(PretrainedError, match="several models, model and model_ema"):
        from_timm({"model": TENSORS, "model_ema": other})


def test_two_models_in_one_are_refused() -> None:
    both = behind("encoder.") | {f"momentum.{name}": value for name, value in TENSORS.items()}
    with pytest.raises(PretrainedError, match=r"several models, behind 'encoder\.', 'momentum\.'"):
        from_timm(both)
    twice = behind("module.") | {"head.bias": torch.zeros(4)}
    with pytest.raises(PretrainedError, match=r"'head\.bias' twice"):
        from_timm(twice)


def test_what_is_no_tensor_is_refused_by_its_name() -> None:
    with pytest.raises(PretrainedError, match="'epoch' is of type int"):
        from_timm(TENSORS | {"epoch": 3})
    with pytest.raises(PretrainedError, match=r"3 is of type Tensor|names with a tensor each; 3"):
        from_timm(TENSORS | {3: torch.zeros(1)})
    with torch.device("meta"):
        empty = torch.zeros(192)
    with pytest.raises(PretrainedError, match="no plain tensor"):
        from_timm(TENSORS | {"norm.weight": empty})


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_of_other_precisions_are_read(kind: torch.dtype) -> None:
    rounded = {name: value.to(kind) for name, value in TENSORS.items()}
    single = {name: value.float() for name, value in rounded.items()}
    assert torch.equal(logits(rounded), logits(single))


@pytest.mark.parametrize(
    "kind", [torch.int8, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn]
)
def test_codes_for_numbers_are_refused(kind: torch.dtype) -> None:
    coded = TENSORS | {"norm.weight": torch.ones(192).to(kind)}
    with pytest.raises(PretrainedError, match=r"norm\.weight holds numbers of type"):
        from_timm(coded)


@pytest.mark.parametrize(
    "shape", [(), (0,), (1,), (191,), (193,), (192, 1), (1, 192), (2, 3, 4, 5, 6)], ids=str
)
@pytest.mark.parametrize("name", sorted(TENSORS))
def test_a_tensor_of_another_shape_is_refused(name: str, shape: tuple[int, ...]) -> None:
    if TENSORS[name].shape == shape:
        return
    with pytest.raises(PretrainedError) as caught:
        from_timm(TENSORS | {name: torch.zeros(shape)}, num_heads=3)
    assert "cannot be read (" not in str(caught.value)  # what nobody thought of


@pytest.mark.parametrize("name", sorted(set(TENSORS) - set(HEAD)))
def test_a_tensor_that_is_missing_is_named(name: str) -> None:
    rest = {key: value for key, value in TENSORS.items() if key != name}
    with pytest.raises(PretrainedError) as caught:
        from_timm(rest, config=timm_config(SHAPE))
    assert name.split(".")[-2 if "." in name else 0] in str(caught.value)


def test_many_stray_names_are_counted_and_three_are_named() -> None:
    stray = {f"stray.{number}": torch.zeros(1) for number in range(20_000)}
    with pytest.raises(PretrainedError) as caught:
        from_timm(TENSORS | stray, num_heads=3)
    assert "not expected stray.0, stray.1, stray.2 and 19997 more" in str(caught.value)
    tensors, config = recorded("vit")
    with pytest.raises(PretrainedError, match="and 19997 more"):
        from_huggingface(tensors | stray, config)


def test_the_work_of_names_grows_with_their_number_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is compared with all others: 20,000 of them took 22 seconds."""
    asked = []

    class Name(str):
        def endswith(self, *args: object) -> bool:
            asked.append(self)
            return super().endswith(*args)

    tensors, config = recorded("vit")
    for count in (100, 200):
        asked.clear()
        stray = {Name(f"stray.{number}"): torch.zeros(1) for number in range(count)}
        with pytest.raises(PretrainedError):
            from_huggingface(tensors | stray, config)
        assert len(asked) <= 10 * count


# heads


def torchvision_model(**options: object) -> nn.Module:
    shape = {"image_size": 32, "patch_size": 8, "num_layers": 1, "num_heads": 3, "mlp_dim": 48}
    model = torchvision.models.VisionTransformer(**shape | {"hidden_dim": 24, "num_classes": 5})
    for name, value in options.items():
        setattr(model, name, value)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return model.eval()


@pytest.mark.parametrize(
    "head",
    [
        nn.Linear(24, 3),
        nn.Sequential(nn.Linear(24, 3)),
        nn.Sequential(nn.Dropout(0.5), nn.Linear(24, 3)),
        nn.Sequential(OrderedDict(head=nn.Sequential(nn.Dropout(0.2), nn.Linear(24, 3)))),
    ],
    ids=["linear", "sequence", "dropout", "nested"],
)
def test_a_head_that_was_replaced_is_read_wherever_it_stands(head: nn.Module) -> None:
    source = torchvision_model(heads=head)
    with torch.no_grad():
        for given in (source, source.state_dict()):
            model, _ = from_torchvision(given, num_heads=3)
            assert (model(IMAGES) - source(IMAGES)).abs().max() <= 1e-5
    body = torchvision_model(heads=nn.Identity())
    assert from_torchvision(body, num_heads=3)[0].config.num_classes == 0


def test_what_stands_before_a_head_is_said() -> None:
    source = torchvision_model(heads=nn.Sequential(nn.Dropout(0.5), nn.Linear(24, 3)))
    notes = from_torchvision(source.state_dict(), num_heads=3)[1].notes
    assert any("taken for dropout" in note for note in notes)


@pytest.mark.parametrize(
    "head",
    [
        nn.Sequential(nn.Linear(24, 8), nn.ReLU(), nn.Linear(8, 3)),
        nn.Sequential(nn.LayerNorm(24), nn.Linear(24, 3)),
        nn.Sequential(nn.BatchNorm1d(24), nn.Linear(24, 3)),
    ],
    ids=["hidden layer", "norm", "batch norm"],
)
def test_a_head_of_several_layers_is_refused(head: nn.Module) -> None:
    source = torchvision_model(heads=head)
    for given in (source, source.state_dict()):
        with pytest.raises(PretrainedError, match=r"head has (several layers|a )"):
            from_torchvision(given, num_heads=3)
    timm_head = {f"head.{name}": value for name, value in head.state_dict().items()}
    with pytest.raises(PretrainedError, match="several layers"):
        from_timm({k: v for k, v in TENSORS.items() if k not in HEAD} | timm_head)


def test_an_activation_in_a_modules_head_is_refused() -> None:
    head = nn.Sequential(nn.ReLU(), nn.Linear(24, 3))
    with pytest.raises(PretrainedError, match="head has a ReLU"):
        from_torchvision(torchvision_model(heads=head))
    model = timm.models.VisionTransformer(
        img_size=32, patch_size=8, embed_dim=24, depth=1, num_heads=3, num_classes=5
    )
    model.head = nn.Sequential(nn.Tanh(), nn.Linear(24, 5))
    with pytest.raises(PretrainedError, match="head has a Tanh"):
        from_timm(model)


@pytest.mark.parametrize("place", ["", "0.", "1."])
def test_heads_of_timm_and_hugging_face_that_were_replaced(place: str) -> None:
    moved = {
        (f"head.{place}{name[5:]}" if name in HEAD else name): value
        for name, value in TENSORS.items()
    }
    assert torch.equal(logits(moved), logits(TENSORS))
    tensors, config = recorded("vit")
    moved = {name.replace("classifier.", f"classifier.{place}"): v for name, v in tensors.items()}
    assert from_huggingface(moved, config)[0].config.num_classes == 5


def test_the_projection_head_of_a_teacher_is_left_out_and_said() -> None:
    shape = timm_shape(num_classes=0)
    body = timm_tensors(shape)
    teacher = {f"backbone.{name}": value for name, value in body.items()}
    for name in ("mlp.0.weight", "mlp.0.bias", "last_layer.weight_g", "last_layer.weight_v"):
        teacher[f"head.{name}"] = torch.zeros(3, 3)
    student = {f"module.{name}": value + 1 for name, value in teacher.items()}
    model, prepared = from_timm({"student": student, "teacher": teacher, "epoch": 3})
    assert model.config.num_classes == 0
    plain, _ = from_timm(body)
    assert all(map(torch.equal, model.parameters(), plain.parameters()))
    assert any("projection head" in note for note in prepared.notes)
    hidden = body | {"head.mlp.0.weight": torch.zeros(3, 3)}  # of classes, for all that is known
    with pytest.raises(PretrainedError, match="not expected"):
        from_timm(hidden)


@pytest.mark.parametrize("source", [None, [], 5])
def test_what_is_no_state_dict_is_said(source: object) -> None:
    with pytest.raises(PretrainedError, match="a state dict is expected"):
        from_timm(source)
