"""The limits of training on one server, from one small file."""

import math
import os
import re
import tomllib
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from explainer.content import load_texts
from explainer.measuring.refusals import Kind
from vit_core.config import TrainConfig, ViTConfig
from vit_core.data import ImageData
from vit_core.errors import VitError

FILE = Path(__file__).parents[1] / "limits.toml"
VARIABLE = "VIT_EXPLAINER_LIMITS"
MEGABYTE = 1024**2
MAX_BYTES = 100_000  # of such a file
MAX_FAULTS = 3  # that one sentence names
MAX_VALUES = {"nice": 19, "runs_at_once": 256, "threads": 256}
MAX_OTHER_VALUE = 10**9
LEAST_GPUS = 0.01  # of one run, if it has any
PROCESSES, RAY = ENGINES = ("processes", "ray")
RAY_ADDRESS = re.compile(r"|auto|[A-Za-z0-9.-]{1,253}:[0-9]{1,5}")
TEXTS = load_texts("limits")


class RefusedError(VitError, ValueError):
    """A visitor asked for something that is not allowed; the message tells the visitor why.

    Attributes:
        kind: by which it is counted, by whoever tells the visitor.
    """

    def __init__(self, sentence: str, kind: Kind) -> None:
        super().__init__(sentence)
        self.kind = kind


class LimitsError(VitError, ValueError):
    """The file of limits is wrong; the message is a sentence for the person who runs the server.

    Attributes:
        for_visitors: the same sentence without the server's folders.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(TEXTS["not_started"].format(path=path, reason=reason))
        self.for_visitors = TEXTS["for_visitors"].format(name=path.name, reason=reason)


@dataclass(frozen=True)
class Limits:
    """The values of ``limits.toml``, which explains each; a 0 for "automatic" is resolved here.

    On a cluster, ``runs_at_once`` stays 0, since machines come and go.
    """

    runs_at_once: int
    threads: int
    nice: int
    worker_megabytes: int
    worker_idle_seconds: int
    queue: int
    seconds: int
    seconds_while_others_wait: int
    paused_seconds: int
    paused_seconds_while_others_wait: int
    parameters: int
    tokens: int
    batch_size: int
    epochs: int
    run_megabytes: int
    total_megabytes: int
    keep_hours: int
    lease_seconds: int
    own_classes: int
    own_pictures: int
    own_megabytes: int
    data_downloads: int
    large_models: int
    large_megabytes: int
    classrooms: int
    pupils: int
    answers_a_minute: int
    class_drawings: int
    engine: str = PROCESSES
    ray_address: str = ""
    worker_gpus: float = 0

    def check(self, model: ViTConfig, train: TrainConfig, images: ImageData | None = None) -> None:
        """Refuse a run that is too large for this server.

        Args:
            images: that the run shall keep in its own folder.

        Raises:
            RefusedError: the message names the limit that the run exceeds, and what is allowed.
        """
        for name, value, maximum in (
            ("parameters", model.num_parameters, self.parameters),
            ("tokens", model.num_tokens, self.tokens),
            ("batch_size", train.batch_size, self.batch_size),
            ("epochs", train.epochs, self.epochs),
        ):
            if value > maximum:
                raise RefusedError(
                    TEXTS["too_many"].format(found=value, what=TEXTS[name], most=maximum),
                    "too_large",
                )
        kept = self._check_images(images) if images else 0
        megabytes = (run_bytes(model, train) + kept) / MEGABYTE
        if megabytes > self.run_megabytes:
            raise RefusedError(
                TEXTS["too_much_disk"].format(found=megabytes, most=self.run_megabytes), "too_large"
            )

    def _check_images(self, images: ImageData) -> int:
        """Return the bytes of the images that a run shall keep.

        Raises:
            RefusedError: they are too many, or of too many classes, or too large.
        """
        parts = (images.train, images.val, images.test)
        pictures = sum(map(len, parts))
        for name, value, maximum in (
            ("own_classes", len(images.info.class_names), self.own_classes),
            ("own_pictures", pictures, self.own_pictures),
        ):
            if value > maximum:
                raise RefusedError(
                    TEXTS["too_many"].format(found=value, what=TEXTS[name], most=maximum),
                    "too_large",
                )
        size = pictures * math.prod(images.train.image_shape)
        if size > self.own_megabytes * MEGABYTE:
            megabytes = size / MEGABYTE
            raise RefusedError(
                TEXTS["too_large_pictures"].format(found=megabytes, most=self.own_megabytes),
                "too_large",
            )
        return size


def run_bytes(model: ViTConfig, train: TrainConfig) -> int:
    """Return roughly how many bytes a run's folder takes.

    It holds a model for each epoch, the untrained model, the last model, and what a resumed run
    needs: a model and the optimizer's two moments.
    """
    return 4 * model.num_parameters * (train.epochs + 2 + 3)


def load_limits(path: Path | None = None) -> Limits:
    """Return the limits of this server. Its file is read once.

    Raises:
        LimitsError: the file cannot be read, or a value is missing, unknown or not allowed.
    """
    return read_limits(path or Path(os.environ.get(VARIABLE) or FILE), os.cpu_count() or 1)


@cache
def read_limits(path: Path, cores: int) -> Limits:
    try:
        values = parse(read(path))
    except ValueError as error:
        raise LimitsError(path, str(error)) from None
    limits = Limits(**values)
    if limits.engine == RAY:
        if find_spec("ray") is None:
            raise LimitsError(path, TEXTS["no_ray"])
        return replace(limits, threads=limits.threads or 1)
    if limits.worker_gpus:
        raise LimitsError(path, TEXTS["gpus_without_cluster"])
    runs_at_once = limits.runs_at_once or max(1, cores // 2)
    threads = limits.threads or max(1, cores // 2 // runs_at_once)
    return replace(limits, runs_at_once=runs_at_once, threads=threads)


def read(path: Path) -> str:
    """Return the text of a file of limits.

    Raises:
        ValueError: it cannot be read; the message is the end of a sentence.
    """
    try:
        if not path.exists():
            raise ValueError(TEXTS["no_file"])
        if not path.is_file():
            raise ValueError(TEXTS["not_a_file"])
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(TEXTS["unreadable"].format(why=error.strerror or error)) from None
    if len(content) > MAX_BYTES:
        raise ValueError(TEXTS["too_large"].format(most=MAX_BYTES))
    try:
        return content.decode("utf-8-sig")  # editors on Windows may add a mark at the beginning
    except UnicodeDecodeError:
        raise ValueError(TEXTS["not_utf8"]) from None


def parse(text: str) -> dict[str, Any]:
    """Return the values of a file of limits.

    Raises:
        ValueError: a value is wrong; the message is the end of a sentence.
    """
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # Python refuses numbers that are too long
        raise ValueError(TEXTS["not_toml"].format(why=str(error).splitlines()[0])) from None
    known = [field.name for field in fields(Limits)]
    needed = [field.name for field in fields(Limits) if field.default is MISSING]
    faults = [TEXTS["missing"].format(name=name) for name in needed if name not in values]
    faults += [TEXTS["unknown"].format(name=short(name)) for name in values if name not in known]
    if faults:
        first = ", ".join(faults[:MAX_FAULTS])
        raise ValueError(TEXTS["expected"].format(faults=first, known=", ".join(known)))
    for name, value in values.items():
        if name == "engine":
            if value not in ENGINES:
                raise ValueError(TEXTS["wrong_engine"].format(found=short(value)))
            continue
        if name == "ray_address":
            if not isinstance(value, str) or not RAY_ADDRESS.fullmatch(value):
                raise ValueError(TEXTS["wrong_address"].format(found=short(value)))
            continue
        if name == "worker_gpus":
            is_number = type(value) in (int, float)
            if not is_number or (value and not LEAST_GPUS <= value <= 1):
                raise ValueError(TEXTS["wrong_gpus"].format(least=LEAST_GPUS, found=short(value)))
            continue
        maximum = MAX_VALUES.get(name, MAX_OTHER_VALUE)
        if type(value) is not int or not 0 <= value <= maximum:
            raise ValueError(
                TEXTS["wrong_value"].format(name=name, most=maximum, found=short(value))
            )
    return values


def short(value: object) -> str:
    """Return a value in a form that is short enough for a sentence."""
    try:
        text = ascii(value)
    except ValueError:  # an integer with thousands of digits
        return TEXTS["long_number"]
    return text if len(text) <= 40 else f"{text[:40]}…"
