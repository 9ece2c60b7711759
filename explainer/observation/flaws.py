"""Models of runs with a classic mistake: which mistake, and which parts of the model run."""

from explainer.inputs.models.load import load_source
from explainer.state.choice import Choice
from vit_core.mistakes import Flaws, flaws_of, mistakes_of


def flaws(choice: Choice) -> Flaws:
    """Return which parts of the model's forward pass run."""
    return flaws_of(load_source(choice.source, choice.config, choice.seed).model)


def mistakes(choice: Choice) -> tuple[str, ...]:
    """Return the names of the mistakes in the run that the model comes from."""
    checkpoint = load_source(choice.source, choice.config, choice.seed).checkpoint
    if checkpoint is None or checkpoint.train_config is None:
        return ()
    return mistakes_of(checkpoint.config, checkpoint.train_config)
