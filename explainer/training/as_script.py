"""A run as a Python script, which needs only ``vit_core``."""

import json
from dataclasses import dataclass, fields

from vit_core import TrainConfig, ViTConfig
from vit_core.checkpoint import is_shipped
from vit_core.data.kept import IMAGES, KEPT
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
NEEDS = {
    IMAGES: f"""
It reads the run's own images from {IMAGES}, which the page of the run hands out:
put that file beside this script.""",
    "folder": """
Say in IMAGES where the images are: the file of the run does not tell.""",
    "weights": """
Say in WEIGHTS which checkpoint it starts from: the file of the run does not tell.""",
}


@dataclass(frozen=True)
class Data:
    """How the script gets its images.

    Attributes:
        what: it trains on.
        things: what one of many is called.
        imports: lines of Python that ``open`` needs.
        open: an expression, whose value is the data.
        place: a line of Python that says where the images are; may be empty.
        needs: a sentence about that.
    """

    what: str
    things: str
    imports: tuple[str, ...]
    open: str
    place: str = ""
    needs: str = ""

    @property
    def needs_path(self) -> bool:
        """Whether the expression uses ``Path``."""
        return "Path(" in self.open


def data_of(config: RunConfig) -> Data:
    """Return how the script of a run gets its images."""
    if config.dataset == "mnist":
        return Data("MNIST", "digits", ("from vit_core.data import mnist",), "mnist()")
    if config.dataset == KEPT:
        return Data(
            "images of one's own",
            "images",
            ("from vit_core.data.kept import read_images",),
            "read_images(Path(IMAGES))",
            f'IMAGES = "{IMAGES}"',
            NEEDS[IMAGES],
        )
    reading = "" if config.statistics == "data" else f'statistics="{config.statistics}"'
    if config.is_streamed:
        reading = ", ".join(filter(None, (reading, "memory=0.0, workers=4")))
    arguments = f", Reading({reading})" if reading else ""
    imports = (f"from vit_core.data.open import {'Reading, ' if reading else ''}open_data",)
    if config.dataset in DATASETS:
        name = json.dumps(config.dataset)
        opened = f"open_data({name}, model_config{arguments})"
        return Data(config.dataset, "images", imports, opened)
    opened = f"open_data(IMAGES, model_config{arguments})"
    place = 'IMAGES = "path/to/images"'
    return Data("a folder of images", "images", imports, opened, place, NEEDS["folder"])


def script_of(config: RunConfig, test_accuracy: float | None = None) -> str:
    """Return a script that trains the model of a run again, to the same weights.

    Args:
        test_accuracy: of the run, from 0 to 1; None if it is not finished.
    """
    flawed = bool(Flaws.from_config(config.train))
    data = data_of(config)
    is_known = is_shipped(config.init)
    imports = list(data.imports)
    if config.limit_per_class is not None:
        imports.append("from vit_core.data.limit import limited")
    if flawed:
        imports.append("from vit_core.mistakes import build_with")
    places = [data.place] if data.place else []
    if not is_known:
        places.append('WEIGHTS = "path/to/checkpoint.safetensors"')
    start = ""
    if config.init:
        source = json.dumps(config.init) if is_known else "WEIGHTS"
        start = f"print(start_from(model, checkpoint_of({source}), data.info.class_names))\n"
    limit = config.limit_per_class
    return SCRIPT.format(
        what=data.what,
        needs=data.needs + ("" if is_known else NEEDS["weights"]),
        result="" if test_accuracy is None else RESULT.format(accuracy=test_accuracy),
        build_import="" if flawed else ", build",
        standard="from pathlib import Path\n\n" if data.needs_path else "",
        imports="\n".join(imports),
        init_import="\nfrom vit_core.training.initial import checkpoint_of, start_from"
        if config.init
        else "",
        places="".join(f"{line}\n" for line in places),
        model=as_arguments(config.model),
        train=as_arguments(config.train),
        threads=config.threads,
        open=data.open,
        data=json.dumps(config.data),  # quoted, because it may be any text
        limit=""
        if limit is None
        else f"data = limited(data, {limit})  # of each class, the first\n",
        build=(
            "build_with(model_config, train_config, train_config.seed)"
            if flawed
            else "build(model_config, train_config.seed)"
        ),
        init=start,
        things=data.things,
    )


def as_arguments(config: ViTConfig | TrainConfig) -> str:
    """Return every field of a configuration as a keyword argument, one in each line."""
    return "\n".join(
        f"    {field.name}={getattr(config, field.name)!r}," for field in fields(config)
    )
