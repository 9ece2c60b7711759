"""A Vision Transformer from scratch: the model, its trace, data, training and checkpoints."""

from vit_core.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from vit_core.config import TrainConfig, ViTConfig
from vit_core.errors import VitError
from vit_core.model import ViT, build
from vit_core.presets import PRESETS, Preset
from vit_core.trace import Trace, trace

__version__ = "0.1.0"  # the one place that says it

__all__ = [
    "PRESETS",
    "Checkpoint",
    "CheckpointError",
    "Preset",
    "Trace",
    "TrainConfig",
    "ViT",
    "ViTConfig",
    "VitError",
    "build",
    "load_checkpoint",
    "save_checkpoint",
    "trace",
]
