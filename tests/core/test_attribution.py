"""What holds for every method: shapes, batches, threads, the caller's model, and bad input."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from explained_models import KINDS, SMALL, classes_of, explained, pictures
from torch import Tensor

from vit_core import ViT, ViTConfig, VitError, build
from vit_core.interpret import METHODS, Attribution, AttributionError, attribute
from vit_core.interpret.attribution import SIGNED, TARGETED
from vit_core.interpret.attribution.private import private

CLASS_TOKEN, NO_HEAD = explained("class token"), explained("no head")
IMAGES = pictures(CLASS_TOKEN.config)
OBLONG = "registers, LayerScale, oblong"


def explain(model: ViT, method: str, count: int = 3, images: Tensor | None = None) -> Attribution:
    images = pictures(model.config, count) if images is None else images
    return attribute(model, images, classes_of(model.config, len(images)), method)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_explains_every_kind_of_model(method: str, kind: str) -> None:
    model = explained(kind)
    found = explain(model, method)
    assert found.method == method
    assert found.patches.shape == (3, model.config.num_patches)
    assert found.patches.dtype == torch.float64
    assert not found.patches.requires_grad
    assert found.patches.isfinite().all()
    assert found.kind
    assert found.error is None or (found.error.shape == (3,) and (found.error >= 0).all())
    assert found.is_signed == (method in SIGNED)
    if method not in SIGNED and method != "ink":
        assert (found.patches >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_a_batch_of_eight_is_eight_of_one(method: str, kind: str) -> None:
    model = explained(kind)
    images, classes = pictures(model.config, 8), classes_of(model.config, 8)
    together = attribute(model, images, classes, method)
    for index in range(8):
        one = slice(index, index + 1)
        alone = attribute(model, images[one], None if classes is None else classes[one], method)
        torch.testing.assert_close(together.patches[one], alone.patches)
        assert alone.passes == together.passes
        if alone.error is not None:
            torch.testing.assert_close(together.error[one], alone.error, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_float32_gives_the_map_of_float64(method: str) -> None:
    model, images = explained("registers, LayerScale, oblong"), pictures(KINDS[OBLONG][0])
    exact = explain(model, method, images=images).patches
    found = explain(model.float(), method, images=images.float()).patches
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), exact, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["class token", "dropout, as in training", "a head switched off"])
@pytest.mark.parametrize("method", METHODS)
def test_the_callers_model_stays_as_it_was(method: str, kind: str) -> None:
    model = explained(kind)
    frozen = dict(model.named_parameters())["blocks.0.mlp.fc1.weight"].requires_grad_(False)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    mode = [module.training for module in model.modules()]
    images = pictures(model.config).requires_grad_()
    with torch.no_grad():
        without = explain(model, method, images=images)
    explain(model, method, images=images)
    assert torch.equal(without.patches, explain(model, method, images=images).patches)
    assert images.grad is None
    assert [module.training for module in model.modules()] == mode
    assert not frozen.requires_grad
    for name, parameter in model.named_parameters():
        assert parameter.grad is None
        assert parameter.requires_grad == (parameter is not frozen)
        assert torch.equal(parameter, before[name])


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_for_one_call_shares_all_numbers_and_has_the_same_pass(kind: str) -> None:
    model = explained(kind)
    alone = private(model)
    assert type(alone) is type(model)
    theirs = dict(alone.named_parameters())
    assert theirs.keys() == dict(model.named_parameters()).keys()
    for name, parameter in model.named_parameters():
        assert theirs[name].data_ptr() == parameter.data_ptr()
        assert not theirs[name].requires_grad
    assert not any(module.training for module in alone.modules())
    images = pictures(model.config)
    assert torch.equal(alone(images), model.eval()(images))


@pytest.mark.parametrize("method", METHODS)
def test_it_works_where_gradients_are_switched_off(method: str) -> None:
    expected = explain(CLASS_TOKEN, method).patches
    with torch.inference_mode():
        found = explain(CLASS_TOKEN, method, images=pictures(CLASS_TOKEN.config).clone())
    assert torch.equal(found.patches, expected)


def test_dropout_does_not_make_a_map_random() -> None:
    model = explained("dropout, as in training")
    for method in METHODS:
        first, again = explain(model, method).patches, explain(model, method).patches
        assert torch.equal(first, again)
        assert model.training
    calm = explained("dropout, as in training").eval()
    assert torch.equal(explain(calm, "rollout").patches, explain(model, "rollout").patches)


def test_four_threads_ask_about_one_model() -> None:
    jobs = [(method, seed) for method in METHODS for seed in range(4)]

    def one(job: tuple[str, int]) -> Tensor:
        method, seed = job
        return explain(CLASS_TOKEN, method, images=pictures(CLASS_TOKEN.config, seed=seed)).patches

    expected = [one(job) for job in jobs]
    with ThreadPoolExecutor(4) as threads:
        for found, alone in zip(threads.map(one, jobs), expected, strict=True):
            torch.testing.assert_close(found, alone)


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("ink", "random")])
def test_progress_ends_at_the_total_and_can_stop_the_work(method: str) -> None:
    heard: list[tuple[int, int]] = []
    model, images, classes = CLASS_TOKEN, IMAGES, classes_of(SMALL)
    attribute(model, images, classes, method, progress=lambda *said: heard.append(said))
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert heard[-1][0] == heard[-1][1]
    assert len({total for _, total in heard}) == 1

    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        attribute(model, images, classes, method, progress=stop)


def nan(images: Tensor) -> Tensor:
    changed = images.clone()
    changed[1, 0, 2, 2] = torch.nan
    return changed


def towards(reference: object) -> Attribution:
    return attribute(NO_HEAD, IMAGES, None, "lrp", reference=reference)


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "method": (lambda: attribute(CLASS_TOKEN, IMAGES, method="lime"), "no method 'lime'; use att"),
    "no text": (lambda: attribute(CLASS_TOKEN, IMAGES, method=["ink"]), "no method"),
    "no model": (lambda: attribute(torch.nn.Identity(), IMAGES), "a ViT can be explained, not a"),
    "no tensor": (lambda: attribute(CLASS_TOKEN, [[1.0]]), "must be a tensor, not a list"),
    "one picture": (lambda: attribute(CLASS_TOKEN, IMAGES[0]), r"it takes one or more, \(B, 1, 6"),
    "no picture": (lambda: attribute(CLASS_TOKEN, IMAGES[:0]), r"shape \(0, 1, 6, 6\) do not fit"),
    "other size": (lambda: attribute(CLASS_TOKEN, IMAGES[..., :5]), "do not fit this model"),
    "pixels": (lambda: attribute(CLASS_TOKEN, IMAGES.byte()), "images of torch.uint8"),
    "float32": (lambda: attribute(CLASS_TOKEN, IMAGES.float()), "weights are of torch.float64"),
    "NaN": (lambda: attribute(CLASS_TOKEN, nan(IMAGES)), "some are NaN or infinite"),
    "infinite": (lambda: attribute(CLASS_TOKEN, IMAGES / 0), "some are NaN or infinite"),
    "no such class": (lambda: attribute(CLASS_TOKEN, IMAGES, [0, 1, 4]), "there is no class 4"),
    "negative class": (lambda: attribute(CLASS_TOKEN, IMAGES, [0, -1, 3]), "there is no class -1"),
    "too few": (lambda: attribute(CLASS_TOKEN, IMAGES, [0, 1]), r"3 whole.*not of shape \(2,\)"),
    "one number": (lambda: attribute(CLASS_TOKEN, IMAGES, 1), r"not of shape \(\)"),
    "fractions": (lambda: attribute(CLASS_TOKEN, IMAGES, torch.ones(3)), "not of torch.float32"),
    "names": (lambda: attribute(CLASS_TOKEN, IMAGES, ["a", "b", "c"]), "from 0 to 3.*not .'a'"),
    "class of no head": (lambda: attribute(NO_HEAD, pictures(SMALL), [0, 1, 2]), "no head"),
    "no class": (
        lambda: attribute(CLASS_TOKEN, IMAGES, method="lrp"),
        "lrp explains a class: give",
    ),
    "reference beside classes": (
        lambda: attribute(CLASS_TOKEN, IMAGES, [0, 1, 2], "lrp", reference=torch.ones(8)),
        "this one explains a class",
    ),
    "long reference": (lambda: towards(torch.ones(9)), r"\(8,\) or \(3, 8\), not of shape \(9,\)"),
    "reference of NaN": (lambda: towards(torch.full((8,), torch.nan)), "finite and not all zero"),
    "reference of zeros": (lambda: towards(torch.zeros(8)), "finite and not all zero"),
    "reference in words": (lambda: towards("a cat"), "not a str"),
    "reference of rollout": (
        lambda: attribute(NO_HEAD, IMAGES, reference=torch.ones(8)),
        "rollout has no option 'reference'; it has progress",
    ),
    "baseline": (
        lambda: attribute(CLASS_TOKEN, IMAGES, [0] * 3, "integrated_gradients", baseline=[0.0]),
        "baseline must be a tensor of 1 finite numbers",
    ),
    "no steps": (
        lambda: attribute(CLASS_TOKEN, IMAGES, [0, 1, 2], "integrated_gradients", steps=0),
        "steps must be a whole number from 1 to 1000, not 0",
    ),
    "option": (lambda: attribute(CLASS_TOKEN, IMAGES, steps=3), "rollout has no option 'steps'"),
    "seed": (lambda: attribute(CLASS_TOKEN, IMAGES, method="random", seed=-1), "seed must be"),
    "progress": (lambda: attribute(CLASS_TOKEN, IMAGES, progress=3), "progress must be called"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_sentence(what: str) -> None:
    ask, words = BAD[what]
    with pytest.raises(AttributionError, match=words) as caught:
        ask()
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, VitError)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_model_that_overflows_is_refused() -> None:
    config = replace(SMALL, final_norm=False)
    model = build(config)
    with torch.no_grad():
        model.blocks[0].attn.qkv.weight.fill_(torch.nan)
    with pytest.raises(AttributionError, match="does not give finite numbers"):
        attribute(model, pictures(config).float())


def test_the_methods_are_in_the_order_of_the_page() -> None:
    assert list(METHODS) == [
        *("attention", "rollout", "gradient_attention", "lrp", "integrated_gradients"),
        *("occlusion", "grad_cam", "ink", "random"),
    ]
    assert set(METHODS[2:7]) == TARGETED
    assert sorted(SIGNED) == ["integrated_gradients", "lrp", "occlusion"]


@pytest.mark.parametrize("method", sorted(TARGETED))
def test_a_map_of_another_class_is_another_map(method: str) -> None:
    maps = [attribute(CLASS_TOKEN, IMAGES, [c] * 3, method).patches for c in range(4)]
    assert all(not torch.allclose(maps[0], other) for other in maps[1:])


def test_as_many_tokens_as_the_largest_model_has() -> None:
    config = ViTConfig(
        image_size=32, patch_size=2, embed_dim=4, depth=1, num_heads=1, num_registers=0
    )
    model = build(config)
    images = pictures(config, 2).float()
    for method in METHODS:
        assert attribute(model, images, [1, 2], method).patches.shape == (2, 256)


@pytest.mark.parametrize("method", sorted(TARGETED - {"occlusion"}))
def test_what_waits_for_the_way_back_stays_small(method: str) -> None:
    """However many pictures there are: the chunk before is gone when the next one comes."""
    model = build(ViTConfig(patch_size=4, depth=3))
    images, kept, chunks = pictures(model.config, 60).float(), [0], []

    def keep(tensor: Tensor) -> Tensor:
        kept[0] += tensor.nbytes
        return tensor

    def next_chunk(*_: int) -> None:
        chunks.append(kept[0])
        kept[0] = 0

    options = {"steps": 2} if method == "integrated_gradients" else {}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        attribute(model, images, [0] * 60, method, progress=next_chunk, **options)
    assert len(chunks) > 1
    assert 0 < max(chunks) < 100 * 1024**2
