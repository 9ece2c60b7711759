"""Models of runs with a classic mistake: which mistake, and which parts of the model run."""

from explainer.inputs.models.load import source_of
from explainer.state.choice import Choice
from vit_core.mistakes import Flaws, flaws_of, mistakes_of


def flaws(choice: Choice) -> Flaws:
    """Return which parts of the model's forward pass run."""
    return flaws_of(source_of(choice).model)


def mistakes(choice: Choice) -> tuple[str, ...]:
    """Return the names of the mistakes in the run that the model comes from."""
    checkpoint = source_of(choice).checkpoint
    if checkpoint is None or checkpoint.train_config is None:
        return ()
    return mistakes_of(checkpoint.config, checkpoint.train_config)
