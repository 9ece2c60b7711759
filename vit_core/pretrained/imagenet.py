"""The names of ImageNet's classes, as torchvision brings them along."""

from functools import cache

from vit_core.torchvision_import import import_torchvision

CLASSES = 1000


@cache
def imagenet_names(count: int) -> tuple[str, ...]:
    """Return the names of ImageNet-1k's classes; numbers where a model has others."""
    if count == CLASSES:
        try:
            models = import_torchvision().models
        except ImportError:
            pass
        else:
            return tuple(models.ViT_B_16_Weights.IMAGENET1K_V1.meta["categories"])
    return tuple(map(str, range(count)))
