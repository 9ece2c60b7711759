"""Records the maps that captum and torchcam make of shipped models, for the tests.

    pip install --no-deps captum==0.9.0 torchcam==0.5.0
    python tests/core/recorded/record_attributions.py

``attributions.safetensors`` beside this file gets, for each model, digits of the test part as the
model takes them, a class for each, captum's integrated gradients (50 steps of Gauss and Legendre's
rule from zeros, summed over the pixels of each patch) and torchcam's Grad-CAM of the last
``norm1``, not scaled. Both are made in float64.
"""

from pathlib import Path

import torch
from captum.attr import IntegratedGradients
from safetensors.torch import save_file
from torch import Tensor
from torchcam.methods import GradCAM

from vit_core import load_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data.embedded_mnist import mnist_info, mnist_test
from vit_core.data.sets import normalize
from vit_core.model import ViT, patchify

HERE = Path(__file__).parent
MODELS = ("default", "best")
DIGITS = (1, 18)
STEPS = 50


def captum_patches(model: ViT, images: Tensor, classes: Tensor) -> Tensor:
    """Return captum's integrated gradients, summed over each patch, (B, P)."""
    pixels = IntegratedGradients(model).attribute(images, target=classes, n_steps=STEPS)
    return patchify(pixels, model.config.patch_hw).sum(dim=2)


def torchcam_patches(model: ViT, images: Tensor, classes: Tensor) -> Tensor:
    """Return torchcam's Grad-CAM of the patches' tokens, (B, P)."""
    config = model.config

    def as_map(tokens_BND: Tensor) -> Tensor:
        grid_BPD = tokens_BND[:, config.num_prefix_tokens :]
        return grid_BPD.transpose(1, 2).unflatten(2, config.grid_size)

    layer = f"blocks.{config.depth - 1}.norm1"
    with GradCAM(model, layer, reshape_transform=as_map) as extract:
        (found,) = extract(classes.tolist(), model(images), normalized=False)
    return found.flatten(1)


def main() -> None:
    digits = normalize(mnist_test().images[list(DIGITS)], mnist_info())
    recorded: dict[str, Tensor] = {}
    for name in MODELS:
        model = load_checkpoint(SHIPPED_DIR / f"{name}.safetensors").model
        with torch.no_grad():
            ranked = model(digits).argsort(dim=1, descending=True)
        images, classes = digits.repeat(2, 1, 1, 1), torch.cat((ranked[:, 0], ranked[:, 1]))
        model, exact = model.double(), images.double()
        recorded[f"{name}.images"] = images
        recorded[f"{name}.classes"] = classes
        recorded[f"{name}.integrated_gradients"] = captum_patches(model, exact, classes)
        recorded[f"{name}.grad_cam"] = torchcam_patches(model, exact, classes)
    save_file(recorded, HERE / "attributions.safetensors")


if __name__ == "__main__":
    main()
