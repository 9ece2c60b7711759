"""How the chosen model was trained, or would be, and where in its run it stands."""

from dataclasses import dataclass

from explainer.caching import remember
from explainer.inputs.models.load import Source, find_run, source_of
from explainer.state.choice import UNTRAINED, Choice, read_saved
from explainer.training.recipes import QUICK, RECIPES
from vit_core import TrainConfig
from vit_core.data import MNIST_TRAINING
from vit_core.learning.schedule import Schedule, schedule_of
from vit_core.runs.directory import RunError


@dataclass(frozen=True)
class Recipe:
    """A way of training.

    Attributes:
        config: its settings.
        is_own: whether the model was trained so; else it is what the page "Train" starts with.
        steps_per_epoch: of its run.
        epoch: after which the model was saved; None if it was not trained so.
    """

    config: TrainConfig
    is_own: bool
    steps_per_epoch: int
    epoch: int | None


def recipe_of(choice: Choice) -> Recipe:
    """Return how the chosen model was trained, or what the page "Train" starts with.

    Raises:
        CheckpointError: the model cannot be read.
    """
    source = source_of(choice)
    config = source.checkpoint.train_config if source.checkpoint else None
    if config is None or choice.source == UNTRAINED:
        config = RECIPES[QUICK][1]
        return Recipe(config, False, MNIST_TRAINING // config.batch_size, None)
    epoch = whole(source, "epoch")
    return Recipe(config, True, steps_per_epoch(choice, source, config), min(epoch, config.epochs))


def steps_per_epoch(choice: Choice, source: Source, config: TrainConfig) -> int:
    """Return the steps of an epoch as the run has them, or as its checkpoint's numbers say."""
    if saved := read_saved(choice.source):
        run = find_run(saved[0])
        try:
            if run is not None and run.history.steps_per_epoch > 0:
                return run.history.steps_per_epoch
        except (RunError, ZeroDivisionError):
            pass  # a damaged or an uploaded run, which says nothing of its images
    epoch, step = whole(source, "epoch"), whole(source, "step")
    if epoch and step >= epoch:
        return step // epoch
    return max(1, MNIST_TRAINING // config.batch_size)


def whole(source: Source, name: str) -> int:
    """Return a whole number of a checkpoint's metrics, which strangers may have written."""
    assert source.checkpoint is not None, "only a model of this project has such numbers"
    number = source.checkpoint.metrics.get(name)
    return number if isinstance(number, int) and 0 < number < 2**31 else 0


def schedule(choice: Choice) -> Schedule:
    """Return the learning rates of the whole run, computed once for all visitors."""
    recipe = recipe_of(choice)
    return remember(
        ("schedule", recipe), lambda: schedule_of(recipe.config, recipe.steps_per_epoch)
    )
