"""The test pictures that a run's model finds hardest."""

from dataclasses import dataclass

import numpy as np

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.inputs.pictures.batches import pixels_of
from explainer.state.choice import saved
from explainer.training import Run
from explainer.views.train.of_data import is_of_digits
from vit_core import ViTConfig
from vit_core.data import Images, Split
from vit_core.data.kept import KEPT, load_images
from vit_core.data.packed import packed_mnist_test
from vit_core.data.sample_pictures import made_smaller
from vit_core.training.evaluation import hardest_images
from vit_core.training.hard_example import HardExample

SHOWN = 16
BATCH = 500
WORK = 60e9  # multiplications that a page may spend on it, some seconds of one core


@dataclass(frozen=True)
class Hard:
    """A test picture with what a model makes of it.

    Attributes:
        pixels: (height, width) uint8 of one channel, (height, width, 3) of three.
    """

    example: HardExample
    pixels: np.ndarray


def has_hardest(run: Run) -> bool:
    """Whether the hardest test pictures of a run can be shown: whether they are kept anywhere."""
    if not run.history.epochs():
        return False
    if is_of_digits(run) or run.history.config.dataset == KEPT:
        return True
    return run.history.hardest_pictures() is not None


def hardest_of(run: Run) -> tuple[Hard, ...]:
    """Return what a finished run has noted, or search with its last model, once for all visitors.

    Raises:
        CheckpointError: the model's file is damaged, or the run is gone.
        KeptImagesError: the run's images are gone or damaged.
        OSError: a file cannot be read.
    """
    noted, config = run.history.hardest(), run.history.config.model
    test = test_part(run)
    if test is None:
        return with_own_pictures(run, noted)
    sound = [one for one in noted if is_sound(one, len(test), config.num_classes)]
    examples = tuple(sound[:SHOWN])
    if not examples:
        epoch = run.history.epochs()[-1]
        file = run.history.checkpoint(epoch).stat()
        key = ("hardest", run.id, epoch, file.st_ino, file.st_mtime_ns)
        examples = remember(key, lambda: search(saved(run.id, epoch), test))
    images = made_smaller(test.at([one.index for one in examples]))
    return tuple(
        Hard(one, pixels_of(image[None])) for one, image in zip(examples, images, strict=True)
    )


def test_part(run: Run) -> Images | None:
    """Return the test images of a run's data; None where the server has not read them.

    Raises:
        KeptImagesError: the run's images are gone or damaged.
    """
    if is_of_digits(run):
        return packed_mnist_test()
    if run.history.config.dataset == KEPT:
        return load_images(run.history.path).test
    return None


def with_own_pictures(run: Run, noted: list[HardExample]) -> tuple[Hard, ...]:
    """Return the test pictures that a run has put beside its note."""
    images, config = run.history.hardest_pictures(), run.history.config.model
    if images is None or images.shape[1] != config.in_channels:
        return ()
    return tuple(
        Hard(one, pixels_of(image[None]))
        for one, image in zip(noted[:SHOWN], images, strict=False)
        if is_sound(one, one.index + 1, config.num_classes)
    )


def is_sound(example: HardExample, count: int, classes: int) -> bool:
    """Whether it can be what a run has noted; anybody may have changed the file."""
    numbers = (example.index, example.label, example.predicted)
    return (
        all(type(number) is int for number in numbers)
        and 0 <= example.index < count
        and example.label in range(classes)
        and example.predicted in range(classes)
        and isinstance(example.probability, int | float)
        and 0 <= example.probability <= 1
    )


def search(source: str, test: Images) -> tuple[HardExample, ...]:
    loaded = load.load_source(source)
    part: Split = test.first(searched(loaded.model.config, len(test)))
    at_once = memory.images_at_once(loaded.model.config, BATCH)
    with memory.forward_lock(loaded.model.config):
        return tuple(hardest_images(loaded.model, part, loaded.info, SHOWN, at_once))


def searched(config: ViTConfig, most: int) -> int:
    """Return how many test pictures a model of this size is tried on: whole batches."""
    N, D = config.num_tokens, config.embed_dim
    image = config.num_parameters * N + 2 * config.depth * N * N * D  # multiplications
    return min(most, max(1, round(WORK / image / BATCH)) * BATCH)
