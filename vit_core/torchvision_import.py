"""The one place that imports torchvision.

torchvision's package on PyPI is built against CUDA. Next to a CPU-only PyTorch its compiled
operators do not load, and its import fails with "operator torchvision::nms does not exist". Data
sets, transforms and weights need none of those operators; declaring the missing names is enough for
the import.
"""

import importlib
from types import ModuleType

import torch

NMS_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[torch.library.Library] = []  # a library is undone when nothing holds it


def import_torchvision() -> ModuleType:
    """Return torchvision. Call before anything that imports it by itself, such as timm.

    Raises:
        ImportError: torchvision is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared:
            raise
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(operator + NMS_SCHEMA)
    _declared.append(library)
    return importlib.import_module("torchvision")


def import_transforms() -> ModuleType:
    """Return torchvision's transforms, version 2.

    Raises:
        ImportError: torchvision is not installed.
    """
    import_torchvision()
    return importlib.import_module("torchvision.transforms.v2")
