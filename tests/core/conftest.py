"""What several of the core's tests need: models whose every weight is random, in float64."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from training_data import be_quiet

from vit_core import ViT, ViTConfig


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on many threads, and other processes may need them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The training command writes no TensorBoard files and leaves this process's signals alone."""
    be_quiet(monkeypatch)


@pytest.fixture(scope="session")
def cls_config() -> ViTConfig:
    """A class token, a learned position, four blocks."""
    return ViTConfig(patch_size=7, embed_dim=16, depth=4, num_heads=4)


@pytest.fixture(scope="session")
def mean_config() -> ViTConfig:
    """Everything else at once: mean pooling, registers, LayerScale, rectangles, colour, no bias."""
    return ViTConfig(
        image_size=(8, 12),
        in_channels=3,
        num_classes=5,
        patch_size=(4, 3),
        embed_dim=24,
        depth=2,
        num_heads=3,
        mlp_ratio=2.5,
        pos_embed="sincos2d",
        pool="mean",
        qkv_bias=False,
        layer_scale=0.1,
        num_registers=2,
    )


@pytest.fixture(scope="session")
def random_model() -> Callable[..., ViT]:
    """Return a maker of models in which no bias, norm, scale or token keeps a telling 0 or 1."""

    def make(config: ViTConfig, seed: int = 0) -> ViT:
        model = ViT(config).double().eval()
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                draws = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.copy_(0.5 * draws / parameter.shape[-1] ** (parameter.ndim == 2) + 0.05)
                if parameter.ndim == 2:
                    parameter.mul_(parameter.shape[-1] ** 0.5)
        return model

    return make


@pytest.fixture(scope="session")
def random_images() -> Callable[..., Tensor]:
    """Return a maker of float64 images (B, channels, height, width) that fit a configuration."""

    def make(config: ViTConfig, batch: int = 3, seed: int = 1) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        shape = (batch, config.in_channels, *config.image_hw)
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return make
