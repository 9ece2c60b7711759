"""The sentences about runs, and the title of a run."""

from explainer.content import load_texts
from explainer.training.recipes import flawed_recipe_of
from explainer.training.run import RunRequest
from vit_core.data.kept import OWN_PICTURES

MESSAGES = load_texts("runs")


def title_of(request: RunRequest) -> str:
    """Return a title of a few words: the data unless they are digits, what it is, the mistakes.

    Mistakes are named only where there are any.
    """
    recipe, mistakes = flawed_recipe_of(request.model, request.train, request.dataset)
    label, names = load_texts("train")["recipes"][recipe]["label"], load_texts("mistakes")["banner"]
    epochs = request.train.epochs
    name, known = data_name(request), MESSAGES["data"]
    words = [] if name == "mnist" else [known.get(name, known[OWN_PICTURES])]
    if request.images is not None:
        label = MESSAGES["title_classes"].format(count=request.model.num_classes)
    words.append(
        MESSAGES["title_one" if epochs == 1 else "title"].format(recipe=label, epochs=epochs)
    )
    if request.init:
        words.append(MESSAGES["title_init"])
    return ", ".join((*words, *(names["names"][name] for name in mistakes)))


def data_name(request: RunRequest) -> str:
    """Return the name of the data that a request is about, as ``DataInfo.name`` has it."""
    return request.dataset if request.images is None else request.images.info.name
