"""What the page that looks inside says and shares between its parts."""

from collections.abc import Mapping

from explainer.content import load_texts
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place

TEXTS = load_texts("look_inside")


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    return {}
