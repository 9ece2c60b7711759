"""Read pretrained Vision Transformers of other libraries into this project's model.

``load`` takes a name, ``hf/facebook/dinov2-small``, ``timm/vit_tiny_patch16_224`` or
``torchvision/vit_b_16``, or a folder or file on the disk. It returns the model and the
preprocessing of its pictures. Every field of a configuration is used, known to change nothing, or
refused by its name. ``python -m vit_core.pretrained NAME IMAGE`` tries one.
"""

from vit_core.pretrained.errors import Cancelled, PretrainedError
from vit_core.pretrained.huggingface import from_huggingface
from vit_core.pretrained.library import fetch, is_here, load
from vit_core.pretrained.local import local_models
from vit_core.pretrained.preprocessing import Preprocessing
from vit_core.pretrained.timm_models import from_timm
from vit_core.pretrained.torchvision_models import from_torchvision

__all__ = [
    "Cancelled",
    "Preprocessing",
    "PretrainedError",
    "fetch",
    "from_huggingface",
    "from_timm",
    "from_torchvision",
    "is_here",
    "load",
    "local_models",
]
