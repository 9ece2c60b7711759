"""The sentences about runs, and the title of a run."""

from explainer.content import load_texts
from explainer.training.run import RunRequest
from vit_core.mistakes import mistakes_of
from vit_core.presets import PRESETS

MESSAGES = load_texts("runs")


def title_of(request: RunRequest) -> str:
    """Return a title of a few words: the preset, the number of epochs and the mistakes, if any."""
    train, names = request.train, load_texts("mistakes")["banner"]["names"]
    is_preset = request.preset in PRESETS and request.model == PRESETS[request.preset].model
    template = MESSAGES["title_one" if train.epochs == 1 else "title"]
    title = template.format(
        preset=request.preset if is_preset else MESSAGES["title_own"], epochs=train.epochs
    )
    return ", ".join((title, *(names[name] for name in mistakes_of(request.model, train))))
