"""The sentences about runs, and the title of a run."""

from explainer.content import load_texts
from explainer.training.recipes import flawed_recipe_of
from explainer.training.run import RunRequest

MESSAGES = load_texts("runs")


def title_of(request: RunRequest) -> str:
    """Return a title of a few words: the recipe, the number of epochs and the mistakes, if any."""
    recipe, mistakes = flawed_recipe_of(request.model, request.train)
    label, names = load_texts("train")["recipes"][recipe]["label"], load_texts("mistakes")["banner"]
    epochs = request.train.epochs
    title = MESSAGES["title_one" if epochs == 1 else "title"].format(recipe=label, epochs=epochs)
    return ", ".join((title, *(names["names"][name] for name in mistakes)))
