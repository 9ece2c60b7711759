"""The test digits that a run's model finds hardest."""

from explainer.caching import remember
from explainer.inputs.models import load, memory
from explainer.state.choice import saved
from explainer.state.link import CLASSES
from explainer.training import Run
from vit_core import ViTConfig
from vit_core.data import Split, mnist_info, mnist_test
from vit_core.training.evaluation import hardest_images
from vit_core.training.hard_example import HardExample

SHOWN = 16
BATCH = 500
WORK = 60e9  # multiplications that a page may spend on it, some seconds of one core


def hardest_of(run: Run) -> tuple[HardExample, ...]:
    """Return what a finished run has noted, or search with its last model, once for all visitors.

    Raises:
        CheckpointError: the model's file is damaged, or the run is gone.
        OSError: it cannot be read.
    """
    test, noted = mnist_test(), run.history.hardest()
    if sound := [example for example in noted if is_sound(example, len(test))]:
        return tuple(sound[:SHOWN])
    epoch = run.history.epochs()[-1]
    file = run.history.checkpoint(epoch).stat()
    key = ("hardest", run.id, epoch, file.st_ino, file.st_mtime_ns)
    return remember(key, lambda: search(saved(run.id, epoch)))


def is_of_digits(run: Run) -> bool:
    """Whether the run's model was trained on digits, so that it can be tried on the test digits."""
    config, info = run.history.config, mnist_info()
    shape = (config.model.in_channels, *config.model.image_hw, config.model.num_classes)
    return config.data == info.fingerprint and shape == (1, 28, 28, CLASSES)


def is_sound(example: HardExample, count: int) -> bool:
    """Whether it can be what a run has noted; anybody may have changed the file."""
    classes = range(CLASSES)
    numbers = (example.index, example.label, example.predicted)
    return (
        all(type(number) is int for number in numbers)
        and 0 <= example.index < count
        and example.label in classes
        and example.predicted in classes
        and isinstance(example.probability, int | float)
        and 0 <= example.probability <= 1
    )


def search(source: str) -> tuple[HardExample, ...]:
    loaded, test = load.load_source(source), mnist_test()
    count = searched(loaded.model.config, len(test))
    part = Split(test.images[:count], test.labels[:count])
    at_once = memory.images_at_once(loaded.model.config, BATCH)
    with memory.forward_lock(loaded.model.config):
        return tuple(hardest_images(loaded.model, part, loaded.info, SHOWN, at_once))


def searched(config: ViTConfig, most: int) -> int:
    """Return how many test digits a model of this size is tried on: whole batches."""
    N, D = config.num_tokens, config.embed_dim
    image = config.num_parameters * N + 2 * config.depth * N * N * D  # multiplications
    return min(most, max(1, round(WORK / image / BATCH)) * BATCH)
