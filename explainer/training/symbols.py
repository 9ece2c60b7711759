"""How a handful of drawings is learned: from the weights of the digits' model, or from scratch.

``benchmarks/own_symbols.py`` measures both; the settings were chosen there, with symbols that are
not in its table.
"""

import math
from dataclasses import replace

from vit_core import PRESETS, TrainConfig, ViTConfig

FINE, SCRATCH = "fine", "scratch"
WAYS = (FINE, SCRATCH)  # the recommended one first
BASE = "fast"  # shipped, and the shape of both
EPOCHS = 15
BATCH = 64
STEPS = {FINE: 105, SCRATCH: 300}  # about so many
RATES = {FINE: 0.25, SCRATCH: 1.0}  # of those that the digits were learned with


def settings(way: str, classes: int, drawings: int) -> tuple[ViTConfig, TrainConfig]:
    """Return the shape of the model and how it learns.

    Args:
        way: one of ``WAYS``.
        classes: number of symbols.
        drawings: from which it learns, of all symbols together.
    """
    model, usual = PRESETS[BASE].model, PRESETS[BASE].train
    rate = RATES[way]
    train = replace(
        usual,
        epochs=EPOCHS,
        repeats=max(1, math.ceil(STEPS[way] / EPOCHS * BATCH / drawings)),
        batch_size=BATCH,
        lr=rate * usual.lr,
        muon_lr=rate * usual.muon_lr,
        augment="elastic",
        augment_strength=1.0,
        label_smoothing=0.1,
        clean_fraction=0.0,
    )
    return replace(model, num_classes=classes), train


def init_of(way: str) -> str:
    """Return what a run starts from, as ``RunRequest.init`` has it."""
    return BASE if way == FINE else ""


def way_of(init: str) -> str:
    """Return the way of a run that started from ``init``."""
    return FINE if init else SCRATCH
