"""A run as a Python script, which needs only ``vit_core``."""

import json
from dataclasses import dataclass, fields

from explainer.content import load_texts
from vit_core import TrainConfig, ViTConfig
from vit_core.checkpoint import is_shipped
from vit_core.data.kept import KEPT
from vit_core.data.sets import DATASETS
from vit_core.mistakes import Flaws
from vit_core.runs.directory import RunConfig

SCRIPT = '''\
"""Trains one Vision Transformer on {what}, with every setting spelled out.

Run it where vit_core can be imported: in the folder of this project, or after
`pip install -e .` there.{needs}{result}
"""

{standard}import torch

from vit_core import TrainConfig, ViTConfig{build_import}, save_checkpoint
{imports}
from vit_core.train import Done, EpochEnd, fit{init_import}

FILE = "model.safetensors"
{places}
model_config = ViTConfig(
{model}
)
train_config = TrainConfig(
{train}
)

torch.set_num_threads({threads})  # another number rounds differently
data = {open}
if data.info.fingerprint != {data}:
    print("This is not the data that the run was trained on, so its result will differ.")
{limit}
model = {build}
{init}print(f"{{model_config.num_parameters:,}} numbers to learn, {{train_config.epochs}} epochs")
for event in fit(model, data, train_config):
    if isinstance(event, EpochEnd):
        accuracy = event.val_accuracy
        right = f"{{accuracy:.2%}} of the validation {things} right"
        print(f"epoch {{event.epoch}}: {{right}}", flush=True)
    elif isinstance(event, Done):
        print(f"test accuracy {{event.test_accuracy:.2%}}")

save_checkpoint(model, FILE, train_config=train_config, data=data.info)
print(f"saved as {{FILE}}")
'''
RESULT = """
On the machine of the run it ends at a test accuracy of {accuracy:.2%}, as the run did;
another machine may round differently."""
TEXTS = load_texts("script")
LINES = TEXTS["lines"]


@dataclass(frozen=True)
class Data:
    """How the script gets its images.

    Attributes:
        kind: "mnist" | "kept" | "named" | "folder".
        imports: a line of Python that ``open`` needs.
        open: an expression, whose value is the data.
    """

    kind: str
    imports: str
    open: str


def data_of(config: RunConfig) -> Data:
    """Return how the script of a run gets its images."""
    if config.dataset == "mnist":
        return Data("mnist", LINES["mnist"], "mnist()")
    if config.dataset == KEPT:
        return Data("kept", LINES["kept"], "read_images(Path(IMAGES))")
    reading = [] if config.statistics == "data" else [f'statistics="{config.statistics}"']
    if config.is_streamed:
        reading += ["memory=0.0", "workers=4"]
    is_named = config.dataset in DATASETS
    given = [json.dumps(config.dataset) if is_named else "IMAGES", "model_config"]
    if reading:
        given.append(f"Reading({', '.join(reading)})")
    return Data(
        "named" if is_named else "folder",
        LINES["named_reading" if reading else "named"],
        f"open_data({', '.join(given)})",
    )


def script_of(config: RunConfig, test_accuracy: float | None = None) -> str:
    """Return a script that trains the model of a run again, to the same weights.

    Args:
        test_accuracy: of the run, from 0 to 1; None if it is not finished.
    """
    flawed = bool(Flaws.from_config(config.train))
    data, limit = data_of(config), config.limit_per_class
    has_file = bool(config.init) and not is_shipped(config.init)  # of weights, not named here
    imports = [data.imports]
    if limit is not None:
        imports.append(LINES["limited"])
    if flawed:
        imports.append(LINES["flawed"])
    places = [LINES[f"{data.kind}_place"]] if data.kind in TEXTS["needs"] else []
    if has_file:
        places.append(LINES["weights_place"])
    source = "WEIGHTS" if has_file else json.dumps(config.init)
    needs = [data.kind, *(["weights"] if has_file else [])]
    return SCRIPT.format(
        what=TEXTS["what"][config.dataset if data.kind == "named" else data.kind],
        needs="".join(f"\n{TEXTS['needs'][name]}" for name in needs if name in TEXTS["needs"]),
        result="" if test_accuracy is None else RESULT.format(accuracy=test_accuracy),
        build_import="" if flawed else ", build",
        standard=LINES["path"] if data.kind == "kept" else "",
        imports="\n".join(imports),
        init_import=f"\n{LINES['init']}" if config.init else "",
        places="".join(f"{line}\n" for line in places),
        model=as_arguments(config.model),
        train=as_arguments(config.train),
        threads=config.threads,
        open=data.open,
        data=json.dumps(config.data),  # quoted, because it may be any text
        limit="" if limit is None else LINES["limit"].format(count=limit),
        build=(
            "build_with(model_config, train_config, train_config.seed)"
            if flawed
            else "build(model_config, train_config.seed)"
        ),
        init=LINES["start"].format(source=source) if config.init else "",
        things="digits" if data.kind == "mnist" else "images",
    )


def as_arguments(config: ViTConfig | TrainConfig) -> str:
    """Return every field of a configuration as a keyword argument, one in each line."""
    return "\n".join(
        f"    {field.name}={getattr(config, field.name)!r}," for field in fields(config)
    )
