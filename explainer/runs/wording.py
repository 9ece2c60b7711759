"""The sentences about runs, and what a run is called."""

from explainer.content import load_texts
from explainer.runs.run import RunRequest

SAID = load_texts("runs")


def title_of(request: RunRequest) -> str:
    """Name a run in a few words."""
    epochs = request.train.epochs
    words = SAID["title_one" if epochs == 1 else "title"]
    return words.format(preset=request.preset or SAID["title_own"], epochs=epochs)
