"""The classic mistake in a run's model, and the parts of the forward pass it leaves out."""

from explainer.inputs.models.load import source_of
from explainer.state.choice import Choice
from vit_core.mistakes import Flaws, flaws_of, mistakes_of


def flaws(choice: Choice) -> Flaws:
    """Return which steps of the forward pass the model carries out."""
    return flaws_of(source_of(choice).model)


def mistakes(choice: Choice) -> tuple[str, ...]:
    """Return the names of the mistakes in the run that trained the model."""
    checkpoint = source_of(choice).checkpoint
    if checkpoint is None or checkpoint.train_config is None:
        return ()
    return mistakes_of(checkpoint.config, checkpoint.train_config)
