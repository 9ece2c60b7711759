"""What a probe's run keeps beside its model: how good it is, and some held-out pictures."""

import base64
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from vit_core.storage.strict_json import number_in, read_json

FILE = "probe.json"
MAX_BYTES = 1024**2
MAX_SHOWN = 24  # held-out pictures
MAX_CLASSES = 10
MAX_NAME = 60  # characters of a class's name
MAX_PICTURES = 2_000
MAX_PICTURE = 48 * 1024  # characters of one as text
MAX_GRID = 64  # patches of a side
LEVELS = 100  # of what a patch says, on both sides of 0
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


@dataclass(frozen=True)
class Asked:
    """A held-out picture and the probe's answer.

    Attributes:
        label, predicted: classes.
        share: probability of the answer, 0 to 1.
        picture: PNG or JPEG file as base64.
        patches: what each patch says about the answer, in reading order, from -``LEVELS`` to
            ``LEVELS``.
        columns: patches in a row.
    """

    label: int
    predicted: int
    share: float
    picture: str
    patches: tuple[int, ...]
    columns: int


@dataclass(frozen=True)
class ProbeResult:
    """What came of a probe.

    Attributes:
        backbone: its name, as ``explainer.inputs.models.probes`` has it.
        names: of the classes, as the visitor wrote them.
        known: those among them that the backbone was trained on, by their names.
        pool: "cls" | "mean".
        width: of the features.
        learned: pictures of each class that it learned from.
        confusion: row by row, [true class][answer] over the held-out pictures.
        neighbour, pixels: held-out pictures that the nearest neighbour gets right, by the features
            and by the pixels.
        checked: share of the learning pictures that were right when left out; -1 if unknown.
        penalty: that was chosen.
        features_seconds, fitted_seconds: that it took.
        guess: what the visitor expected of 10; -1 if nothing.
        asked: some held-out pictures.
    """

    backbone: str
    names: tuple[str, ...]
    known: tuple[str, ...]
    pool: str
    width: int
    learned: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    neighbour: int
    pixels: int
    checked: float
    penalty: float
    features_seconds: float
    fitted_seconds: float
    guess: int
    asked: tuple[Asked, ...]

    @property
    def held_out(self) -> int:
        """How many pictures were held out."""
        return sum(map(sum, self.confusion))

    @property
    def right(self) -> int:
        """How many of them are right."""
        return sum(row[place] for place, row in enumerate(self.confusion))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_values(cls, values: Any) -> Self:
        """Check what ``to_json`` wrote, which anybody may have changed.

        Raises:
            ValueError: it is something else.
        """
        if not isinstance(values, dict) or set(values) != {field.name for field in fields(cls)}:
            raise ValueError("it has other entries")
        names = tuple(text_in(name, MAX_NAME) for name in listed(values["names"], MAX_CLASSES, 2))
        classes = len(names)
        confusion = tuple(
            tuple(whole(number, MAX_PICTURES) for number in listed(row, classes, classes))
            for row in listed(values["confusion"], classes, classes)
        )
        if not sum(map(sum, confusion)):
            raise ValueError("no picture was held out")
        return cls(
            backbone=text_in(values["backbone"], 300),
            names=names,
            known=tuple(text_in(name, MAX_NAME) for name in listed(values["known"], classes)),
            pool={"cls": "cls", "mean": "mean"}[values["pool"]],
            width=whole(values["width"], 100_000),
            learned=tuple(
                whole(number, MAX_PICTURES)
                for number in listed(values["learned"], classes, classes)
            ),
            confusion=confusion,
            neighbour=whole(values["neighbour"], MAX_PICTURES),
            pixels=whole(values["pixels"], MAX_PICTURES),
            checked=real(values["checked"], -1.0, 1.0),
            penalty=real(values["penalty"], 0.0, 1e9),
            features_seconds=real(values["features_seconds"], 0.0, 1e9),
            fitted_seconds=real(values["fitted_seconds"], 0.0, 1e9),
            guess=whole(values["guess"], 10, least=-1),
            asked=tuple(asked_of(one, classes) for one in listed(values["asked"], MAX_SHOWN)),
        )


def load_result(folder: Path) -> ProbeResult | None:
    """Return the result in a run's folder; None if there is none, or it is damaged."""
    try:
        return ProbeResult.from_values(read_json(folder / FILE, MAX_BYTES))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def asked_of(values: Any, classes: int) -> Asked:
    columns = whole(values["columns"], MAX_GRID, least=1)
    patches = tuple(
        whole(number, LEVELS, least=-LEVELS) for number in listed(values["patches"], MAX_GRID**2)
    )
    if not patches or len(patches) % columns:
        raise ValueError("the patches make no rows")
    picture = text_in(values["picture"], MAX_PICTURE)
    if not base64.b64decode(picture, validate=True).startswith(SIGNATURES):
        raise ValueError("a picture is of another format")
    return Asked(
        label=whole(values["label"], classes - 1),
        predicted=whole(values["predicted"], classes - 1),
        share=real(values["share"], 0.0, 1.0),
        picture=picture,
        patches=patches,
        columns=columns,
    )


def listed(value: Any, most: int, least: int = 0) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError("a list is missing or of another length")
    return value


def whole(value: Any, most: int, least: int = 0) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{value!r} is no whole number from {least} to {most}")
    return value


def real(value: Any, least: float, most: float) -> float:
    if (number := number_in(value, least, most)) is None:
        raise ValueError(f"{value!r} is no number from {least} to {most}")
    return float(number)


def text_in(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("a text is missing or too long")
    return value
