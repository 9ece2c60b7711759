"""A run as a Python script, which needs only ``vit_core``."""

import json
from dataclasses import fields

from vit_core import TrainConfig, ViTConfig
from vit_core.mistakes import Flaws
from vit_core.runs.directory import RunConfig

SCRIPT = '''\
"""Trains one Vision Transformer on MNIST, with every setting spelled out.

Run it where vit_core can be imported: in the folder of this project, or after
`pip install -e .` there.{result}
"""

import torch

from vit_core import TrainConfig, ViTConfig{build_import}, save_checkpoint
from vit_core.data import mnist{flaw_import}
from vit_core.train import Done, EpochEnd, fit

FILE = "model.safetensors"

model_config = ViTConfig(
{model}
)
train_config = TrainConfig(
{train}
)

torch.set_num_threads({threads})  # another number rounds differently
data = mnist()
if data.info.fingerprint != {data}:
    print("This is not the data that the run was trained on, so its result will differ.")

model = {build}
print(f"{{model_config.num_parameters:,}} numbers to learn, {{train_config.epochs}} epochs")
for event in fit(model, data, train_config):
    if isinstance(event, EpochEnd):
        accuracy = event.val_accuracy
        print(f"epoch {{event.epoch}}: {{accuracy:.2%}} of the validation digits right", flush=True)
    elif isinstance(event, Done):
        print(f"test accuracy {{event.test_accuracy:.2%}}")

save_checkpoint(model, FILE, train_config=train_config, data=data.info)
print(f"saved as {{FILE}}")
'''
RESULT = """ On the machine of the run it ends at
a test accuracy of {accuracy:.2%}, as the run did; another machine may round differently."""


def script_of(config: RunConfig, test_accuracy: float | None = None) -> str:
    """Return a script that trains the model of a run again, to the same weights.

    Args:
        test_accuracy: of the run, from 0 to 1; None if it is not finished.
    """
    flawed = bool(Flaws.from_config(config.train))
    return SCRIPT.format(
        result="" if test_accuracy is None else RESULT.format(accuracy=test_accuracy),
        build_import="" if flawed else ", build",
        flaw_import="\nfrom vit_core.mistakes import build_with" if flawed else "",
        model=as_arguments(config.model),
        train=as_arguments(config.train),
        threads=config.threads,
        data=json.dumps(config.data),  # quoted, because it may be any text
        build=(
            "build_with(model_config, train_config, train_config.seed)"
            if flawed
            else "build(model_config, train_config.seed)"
        ),
    )


def as_arguments(config: ViTConfig | TrainConfig) -> str:
    """Return every field of a configuration as a keyword argument, one in each line."""
    return "\n".join(
        f"    {field.name}={getattr(config, field.name)!r}," for field in fields(config)
    )
