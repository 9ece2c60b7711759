"""What training on one server may take, from one small file."""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from vit_core.config import TrainConfig, ViTConfig

FILE = Path(__file__).parents[1] / "limits.toml"
VARIABLE = "VIT_EXPLAINER_LIMITS"
MEGABYTE = 1024**2


class Refused(ValueError):
    """What somebody asked for is not allowed; the message is one sentence for them."""


@dataclass(frozen=True)
class Limits:
    """The values of ``limits.toml``, where each is explained; what is 0 there is settled here."""

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
    large_models: int
    large_megabytes: int

    def check(self, model: ViTConfig, train: TrainConfig) -> None:
        """Refuse a run that is too large for this server.

        Raises:
            Refused: it says which limit, and what would be allowed.
        """
        for what, found, most in (
            ("learned numbers", model.num_parameters, self.parameters),
            ("tokens", model.num_tokens, self.tokens),
            ("images in a batch", train.batch_size, self.batch_size),
            ("epochs", train.epochs, self.epochs),
        ):
            if found > most:
                raise Refused(
                    f"This run has {found:,} {what}; on this server at most {most:,} are allowed."
                )
        disk = run_bytes(model, train)
        if disk > self.run_megabytes * MEGABYTE:
            raise Refused(
                f"This run would write {disk / MEGABYTE:,.0f} MB, a model for each epoch; on this "
                f"server at most {self.run_megabytes:,} MB are allowed: choose fewer epochs or a "
                f"smaller model."
            )


def run_bytes(model: ViTConfig, train: TrainConfig) -> int:
    """Return about what a run directory takes: a model for each epoch, and the optimizers' state.

    Besides the model of each epoch there are the untrained one, the last one, and model and two
    moments to resume from.
    """
    return 4 * model.num_parameters * (train.epochs + 2 + 3)


def load_limits(path: Path | None = None) -> Limits:
    """Read the limits of this server.

    Raises:
        ValueError: a value is missing, unknown or no whole number; the message names file and key.
        OSError: the file that ``VIT_EXPLAINER_LIMITS`` names cannot be read.
    """
    path = path or Path(os.environ.get(VARIABLE) or FILE)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    known = [field.name for field in fields(Limits)]
    if wrong := sorted({*known} ^ {*values}):
        raise ValueError(f"{path}: {wrong[0]} is missing or unknown; expected are {known}")
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{path}: {name} must be a whole number from 0, not {value!r}")
    cores = os.cpu_count() or 1
    values["runs_at_once"] = values["runs_at_once"] or max(1, cores // 2)
    values["threads"] = values["threads"] or max(1, cores // 2 // values["runs_at_once"])
    return Limits(**values)
