"""Questions on heat maps, which hold for every model."""

from explainer.observation.observe import Observation
from explainer.shell.quiz import Question
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.look_inside.alike import ask_most_similar
from explainer.views.look_inside.map import ask_start
from explainer.views.look_inside.truth import ask_fastest
from explainer.views.look_inside.wording import TEXTS

OF_ALL_MODELS = ("taken", "brightness", "attention")
OPTIONS = ("first", "second", "third")


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    return [
        *ask_fastest(choice, seen, place),
        *filter(None, [ask_most_similar(choice, seen)]),
        *ask_start(choice, seen),
        *(of_all_models(name) for name in OF_ALL_MODELS),
    ]


def of_all_models(name: str) -> Question:
    texts = TEXTS["questions"][name]
    options = tuple(texts[option] for option in OPTIONS)
    return Question(name, texts["text"], options, int(texts["answer"]) - 1, texts["why"])
