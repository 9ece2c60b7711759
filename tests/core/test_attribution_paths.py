"""Integrated gradients and occlusion against simple computations, and against other libraries."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from explained_models import KINDS, SMALL, classes_of, explained, pictures
from safetensors.torch import load_file
from torch import Tensor

from vit_core import ViT, ViTConfig, build, load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.interpret import AttributionError, attribute
from vit_core.interpret.attribution import occlusion, task
from vit_core.interpret.cover import leave_out_patches
from vit_core.model import patchify

RECORDED = load_file(Path(__file__).parent / "recorded" / "attributions.safetensors")


def answers(model: ViT, images: Tensor, whole: Tensor, probabilities: bool) -> Tensor:
    """Return the logit or the probability of each picture's class, or the cosine to ``whole``."""
    output = model(images)
    classes = classes_of(model.config, len(images))
    if classes is None:
        return F.cosine_similarity(output, whole)
    return (output.softmax(dim=1) if probabilities else output)[torch.arange(len(images)), classes]


@pytest.mark.parametrize("kind", KINDS)
def test_integrated_gradients_of_three_points_by_hand(kind: str) -> None:
    """Gauss and Legendre's three points lie at ½ and ½ ± ½√0.6, with weights of 8, 5 and 5 / 18."""
    model = explained(kind).eval()
    images = pictures(model.config)
    with torch.no_grad():
        whole = model(images)
    total = torch.zeros_like(images)
    for at, share in ((0.5 - 0.15**0.5, 5 / 18), (0.5, 8 / 18), (0.5 + 0.15**0.5, 5 / 18)):
        point = (at * images).requires_grad_()
        score = answers(model, point, whole, probabilities=False).sum()
        total += share * torch.autograd.grad(score, point)[0]
    expected = patchify(images * total, model.config.patch_hw).sum(dim=2)
    classes = classes_of(model.config)
    found = attribute(explained(kind), images, classes, "integrated_gradients", steps=3)
    torch.testing.assert_close(found.patches, expected, rtol=1e-6, atol=1e-9)
    with torch.no_grad():
        grey = answers(model, torch.zeros_like(images), whole, probabilities=False)
        risen = answers(model, images, whole, probabilities=False) - grey
    torch.testing.assert_close(found.error, (found.patches.sum(dim=1) - risen).abs())
    assert found.passes == 5


@pytest.mark.parametrize("kind", ["class token", "mean pooling"])
def test_integrated_gradients_are_the_integral_and_complete(kind: str) -> None:
    """Against the middles of 2,000 short steps; with more points the error goes to 0."""
    model = explained(kind)
    image = 0.3 * pictures(SMALL, 1)
    middles = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    points = (middles[:, None, None, None] * image).requires_grad_()
    (slopes,) = torch.autograd.grad(model(points)[:, 2].sum(), points)
    expected = patchify(image * slopes.mean(dim=0), (2, 2)).sum(dim=2)
    by_steps = {
        steps: attribute(model, image, [2], "integrated_gradients", steps=steps)
        for steps in (1, 5, 50)
    }
    torch.testing.assert_close(by_steps[50].patches, expected, rtol=1e-3, atol=1e-5)
    risen = (model(image) - model(torch.zeros_like(image)))[0, 2].detach()
    torch.testing.assert_close(by_steps[50].patches.sum(), risen, rtol=1e-3, atol=1e-5)
    errors = [float(found.error) for found in by_steps.values()]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-4


def test_integrated_gradients_may_start_at_another_colour() -> None:
    model = explained("registers, LayerScale, oblong")
    images, black = pictures(model.config), torch.tensor([-1.5, 0.5, -2]).double()
    images[:, 1] = 0.5
    start = black[:, None, None].expand(images.shape)
    point = (0.5 * (images + start)).requires_grad_()
    score = model(point)[torch.arange(3), torch.arange(3)].sum()
    by_pixel = (images - start) * torch.autograd.grad(score, point)[0]
    how = {"steps": 1, "baseline": black}
    found = attribute(model, images, [0, 1, 2], "integrated_gradients", **how)
    torch.testing.assert_close(found.patches, patchify(by_pixel, (2, 3)).sum(dim=2))
    with torch.no_grad():
        risen = (model(images) - model(start))[torch.arange(3), torch.arange(3)]
    torch.testing.assert_close(found.error, (found.patches.sum(dim=1) - risen).abs())
    zeros = attribute(model, images, [0, 1, 2], "integrated_gradients", baseline=torch.zeros(3))
    usual = attribute(model, images, [0, 1, 2], "integrated_gradients")
    assert torch.equal(zeros.patches, usual.patches)


def test_pixels_at_the_mean_get_nothing_of_integrated_gradients() -> None:
    model = explained("class token")
    images = pictures(model.config)
    images[:, :, :2, :2] = 0
    found = attribute(model, images, [0, 1, 2], "integrated_gradients").patches
    assert not found[:, 0].any()
    assert found[:, 1:].all()


def test_a_linear_model_is_split_exactly() -> None:
    """Without its blocks the model is linear in the pixels, and one point is enough."""
    config = ViTConfig(
        image_size=6, patch_size=2, embed_dim=8, depth=1, num_heads=2, pool="mean", final_norm=False
    )
    model = build(config).double()
    with torch.no_grad():
        model.blocks[0].attn.proj.weight.zero_()
        model.blocks[0].mlp.fc2.weight.zero_()
    images = pictures(config, 1)
    weight = (model.head.weight @ model.patch_embed.proj.weight)[3] / config.num_patches
    expected = patchify(images, (2, 2)) @ weight
    for steps in (1, 7):
        found = attribute(model, images, [3], "integrated_gradients", steps=steps)
        torch.testing.assert_close(found.patches, expected.detach())
        assert found.error < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_occlusion_leaves_each_patch_out_once(kind: str) -> None:
    model = explained(kind).eval()
    images, config = pictures(model.config), model.config
    found = attribute(explained(kind), images, classes_of(config), "occlusion")
    with torch.no_grad():
        whole = model(images)
        with_all = answers(model, images, whole, probabilities=True)
        for patch in range(config.num_patches):

            def tap(name: str, tensor: Tensor, patch: int = patch) -> Tensor:
                return leave_out_patches(tensor, config, [patch]) if name == "embed" else tensor

            output = model(images, tap)
            if config.num_classes:
                without = output.softmax(dim=1)[torch.arange(3), classes_of(config)]
            else:
                without = F.cosine_similarity(output, whole)
            torch.testing.assert_close(found.patches[:, patch], with_all - without)
    assert found.passes == config.num_patches + 1


def test_occlusion_compares_with_other_features() -> None:
    model = explained("no head")
    images, other = pictures(model.config), torch.linspace(-1, 1, 8).double()
    found = attribute(model, images, None, "occlusion", reference=other).patches

    def tap(name: str, tensor: Tensor) -> Tensor:
        return leave_out_patches(tensor, model.config, [4]) if name == "embed" else tensor

    with torch.no_grad():
        whole, without = model(images), model(images, tap)
    expected = F.cosine_similarity(whole, other[None]) - F.cosine_similarity(without, other[None])
    torch.testing.assert_close(found[:, 4], expected)


def test_occlusion_of_the_only_patch_is_refused() -> None:
    config = ViTConfig(image_size=4, patch_size=4, embed_dim=8, num_heads=2, depth=1)
    with pytest.raises(AttributionError, match="only one"):
        attribute(build(config), pictures(config, 1).float(), [0], "occlusion")


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "lrp", "rollout"])
def test_the_size_of_a_chunk_changes_nothing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = explained("registers, LayerScale, oblong")
    images, classes = pictures(model.config, 4), classes_of(model.config, 4)
    expected = attribute(model, images, classes, method).patches
    for size in (1, 3):
        monkeypatch.setattr(task, "at_once", lambda *_, size=size: size)
        monkeypatch.setattr(occlusion, "pictures_at_once", lambda _, size=size: size)
        heard: list[tuple[int, int]] = []
        found = attribute(
            model, images, classes, method, progress=lambda *said, heard=heard: heard.append(said)
        )
        torch.testing.assert_close(found.patches, expected)
        assert [done for done, _ in heard] == sorted({done for done, _ in heard})
        assert {total for _, total in heard} == {heard[-1][0]}


@pytest.mark.parametrize("name", ["default", "best"])
@pytest.mark.parametrize("method", ["integrated_gradients", "grad_cam"])
def test_other_libraries_make_the_same_map(name: str, method: str) -> None:
    """Maps of captum and torchcam, made by ``recorded/record_attributions.py``."""
    model = load_checkpoint(SHIPPED_DIR / f"{name}.safetensors").model.double()
    images, classes = RECORDED[f"{name}.images"].double(), RECORDED[f"{name}.classes"]
    found = attribute(model, images, classes, method).patches
    torch.testing.assert_close(found, RECORDED[f"{name}.{method}"], rtol=1e-4, atol=1e-6)
    single = attribute(model.float(), images.float(), classes, method).patches
    torch.testing.assert_close(single.double(), found, rtol=0, atol=1e-4 * found.abs().max().item())
