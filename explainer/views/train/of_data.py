"""What a run learns from, as the training page speaks of it: the names of the classes, how many
pictures there are, and the page's texts about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from explainer.content import load_texts, load_variant
from explainer.content.strangers_words import distinct
from explainer.inputs.models import load
from explainer.state.choice import saved
from explainer.state.link import CLASSES
from explainer.training import Run
from vit_core import CheckpointError
from vit_core.data import mnist_info
from vit_core.data.kept import IMAGES, KEPT, KeptImagesError, read_head
from vit_core.data.sets import COUNTS, Counts
from vit_core.data.torchvision_sets import CLASS_NAMES
from vit_core.runs.directory import RunConfig

UNKNOWN: Counts = (0, 0, 0)
OTHER = "other"
DIGITS = "mnist"


@dataclass(frozen=True)
class OfData:
    """What is known of a run's data.

    Attributes:
        name: ``mnist``, ``fashion-mnist``, ``cifar10``, ``own symbols``, ``own pictures`` or
            ``other``, which has the page's words for the pictures.
        class_names: index 0 names the first class; strangers may have written them.
        counts: of the images for training, validation and test; 0 where that is not known.
    """

    name: str
    class_names: tuple[str, ...]
    counts: Counts

    @property
    def texts(self) -> Mapping[str, Any]:
        """The texts of the page, with the words for these pictures."""
        return texts_about(self.name)

    @property
    def title(self) -> str:
        """What the data are called."""
        things = load_texts("train")["things"]
        return str(things[self.name if self.name in things else OTHER]["data"])

    def counted(self, part: int, most: int = 0) -> str:
        """Return how many images a part has, with a space behind; nothing if that is not known.

        Args:
            part: 0 for training, 1 for validation, 2 for test.
            most: that are looked at; 0 for all.
        """
        count = self.counts[part]
        return f"{min(count, most) if most else count:,} " if count else ""


@cache
def texts_about(name: str) -> Mapping[str, Any]:
    """Return the page's texts with the words for the pictures of one kind of data."""
    texts = load_variant("train", (f"_{name}",))
    things = texts["things"]
    words = dict(things[name if name in things else OTHER])
    words["Things"] = words["things"].capitalize()
    known: Mapping[str, Any] = MappingProxyType(
        {key: put_in(value, words) for key, value in texts.items() if key != "things"}
    )
    return known


def put_in(texts: Any, words: Mapping[str, str]) -> Any:
    """Put words into all texts in their places, and leave all other places open."""
    if isinstance(texts, str):
        for name, word in words.items():
            texts = texts.replace(f"{{{name}}}", word)
        return texts
    if isinstance(texts, list):
        return [put_in(one, words) for one in texts]
    if isinstance(texts, Mapping):
        return {name: put_in(one, words) for name, one in texts.items()}
    return texts


def of_dataset(name: str) -> OfData:
    """Return what is known of a named data set."""
    names = mnist_info().class_names if name == DIGITS else CLASS_NAMES[name]
    return OfData(name, names, COUNTS[name])


def of_run(run: Run) -> OfData:
    """Return what is known of the data of a run, whose settings are whole."""
    config = run.history.config
    counts = (config.images, config.val_images, config.test_images)
    if is_of_digits(run):
        known = COUNTS[DIGITS] if run.status != "uploaded" else UNKNOWN
        if config.val_images:
            known = counts
        return OfData(DIGITS, mnist_info().class_names, known)
    if config.dataset == KEPT:
        try:
            info, _ = read_head(run.history.path / IMAGES)
        except KeptImagesError:
            return OfData(OTHER, numbered(config), UNKNOWN)
        if len(info.class_names) != config.model.num_classes:
            return OfData(OTHER, numbered(config), UNKNOWN)
        name = info.name if info.name in load_texts("train")["things"] else OTHER
        return OfData(name, distinct(info.class_names), counts)
    if config.dataset in CLASS_NAMES and config.model.num_classes == CLASSES:
        return OfData(config.dataset, CLASS_NAMES[config.dataset], counts)
    is_known = run.status != "uploaded" and config.val_images
    return OfData(OTHER, names_of_model(run), counts if is_known else UNKNOWN)


def is_of_digits(run: Run) -> bool:
    """Whether the run's model was trained on digits, so that it can be tried on the test digits."""
    config, info = run.history.config, mnist_info()
    shape = (config.model.in_channels, *config.model.image_hw, config.model.num_classes)
    return config.data == info.fingerprint and shape == (1, 28, 28, CLASSES)


def names_of_model(run: Run) -> tuple[str, ...]:
    """Return the class names that the last saved model of a run has, or numbers without one."""
    epochs = run.history.epochs()
    try:
        names = load.load_source(saved(run.id, epochs[-1])).info.class_names if epochs else ()
    except (CheckpointError, OSError):
        names = ()
    config = run.history.config
    if len(names) != config.model.num_classes:
        return numbered(config)
    return distinct(names)


def numbered(config: RunConfig) -> tuple[str, ...]:
    return tuple(map(str, range(config.model.num_classes)))
