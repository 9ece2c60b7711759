"""The one place that imports torchvision.

torchvision's package on PyPI is built against CUDA. With a CPU-only PyTorch its compiled operators
do not load, and the import fails with "operator torchvision::nms does not exist". Data sets,
transforms and weights need none of these operators, so it is enough to declare the missing names.
"""

import importlib
from types import ModuleType

import torch

NMS_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[torch.library.Library] = []  # a library is removed when nothing refers to it


def import_torchvision() -> ModuleType:
    """Return torchvision. Call this before importing anything that imports it, such as timm.

    Raises:
        ImportError: torchvision is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared:
            raise
    # PyTorch's own functions have no types here
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        library.define(operator + NMS_SCHEMA)  # type: ignore[no-untyped-call]
    _declared.append(library)
    return importlib.import_module("torchvision")


def import_transforms() -> ModuleType:
    """Return torchvision's transforms, version 2.

    Raises:
        ImportError: torchvision is not installed.
    """
    import_torchvision()
    return importlib.import_module("torchvision.transforms.v2")
