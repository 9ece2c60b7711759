"""Which model and which picture: what a link comes to once the models and pictures are known."""

from collections.abc import Hashable
from dataclasses import dataclass

from explainer.state.edits import NO_EDITS, Edits
from vit_core import ViTConfig

UNTRAINED = "untrained"
SOURCES = ("default", "fast", "best", "seed", "cifar10", UNTRAINED)
RUN = "run"  # a saved epoch of a training run
PRETRAINED = "pretrained"  # weights that others trained
DIGITS = "digits"  # the gallery of MNIST's test digits; inputs/pictures has the others
DRAWN = "of-model-drawn-"  # begins the name of a gallery of a model that learned drawings


@dataclass(frozen=True)
class Choice:
    """A model and an image, ready to be observed.

    Attributes:
        source: one of ``SOURCES``, a run's saved epoch as ``saved`` writes it, or a pretrained
            model as ``by_others`` does.
        config: of the source; the knobs' when they shape the model, the checkpoint's otherwise.
        seed: of the weights that the knobs' model starts with.
        gallery: which pictures belong to the model; with digits ``digit``, ``index`` and
            ``picture`` say which one, with others ``sample`` and ``photo``, or ``picture`` where it
            takes drawings.
        edits: changes of the picture and of the pass, which fit the model.
    """

    source: str
    config: ViTConfig
    seed: int
    digit: int
    index: int
    picture: str = ""
    gallery: str = DIGITS
    sample: int = 0
    photo: str = ""
    edits: Edits = NO_EDITS

    @property
    def model_key(self) -> tuple[Hashable, ...]:
        """What the model depends on, whichever picture it sees."""
        return self.source, self.config, self.seed, self.edits.of_model

    @property
    def is_edited_model(self) -> bool:
        """Whether the model runs with changes, and so is not that of the source."""
        return bool(self.edits.of_model)

    @property
    def takes_drawings(self) -> bool:
        """Whether a visitor can draw its pictures."""
        return takes_drawings(self.gallery)

    @property
    def is_own(self) -> bool:
        """Whether a visitor's own picture is looked at."""
        return bool(self.picture or self.photo)

    @property
    def trained(self) -> bool:
        """Whether the weights are learned; those of a run's epoch 0 are drawn at random."""
        saved = read_saved(self.source)
        return self.source != UNTRAINED if saved is None else saved[1] > 0

    @property
    def is_saved(self) -> bool:
        """Whether the model is a saved epoch of a run."""
        return read_saved(self.source) is not None

    @property
    def is_shaped(self) -> bool:
        """Whether the knobs shape the model; that of a run has its shape from the start."""
        return self.source == UNTRAINED


def takes_drawings(gallery: str) -> bool:
    """Whether the pictures of a gallery are drawn by pen, white on black: digits or own symbols."""
    return gallery == DIGITS or gallery.startswith(DRAWN)


def saved(run: str, epoch: int) -> str:
    """Return what stands for a run's saved epoch in ``Choice.source``."""
    return f"{run}@{epoch}"


def read_saved(source: str) -> tuple[str, int] | None:
    """Return the run's id and the epoch of what ``saved`` wrote; None for another source."""
    run, at, epoch = source.rpartition("@")
    return (run, int(epoch)) if at and read_by_others(source) is None else None


def by_others(name: str) -> str:
    """Return what stands for a pretrained model in ``Choice.source``."""
    return f"{PRETRAINED}:{name}"


def read_by_others(source: str) -> str | None:
    """Return the name of what ``by_others`` wrote; None for another source."""
    kind, colon, name = source.partition(":")
    return name if colon and kind == PRETRAINED else None
