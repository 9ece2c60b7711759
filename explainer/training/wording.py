"""The sentences about runs, and what a run is called."""

from explainer.content import load_texts
from explainer.training.run import RunRequest
from vit_core.mistakes import mistakes_of
from vit_core.presets import PRESETS

SAID = load_texts("runs")


def title_of(request: RunRequest) -> str:
    """Name a run in a few words: whose settings, how long, and which mistakes are in it."""
    train, names = request.train, load_texts("mistakes")["banner"]["names"]
    is_preset = request.preset in PRESETS and request.model == PRESETS[request.preset].model
    words = SAID["title_one" if train.epochs == 1 else "title"]
    title = words.format(
        preset=request.preset if is_preset else SAID["title_own"], epochs=train.epochs
    )
    return ", ".join((title, *(names[name] for name in mistakes_of(request.model, train))))
