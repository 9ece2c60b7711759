"""The row that stands for the image."""

from functools import partial

from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.more import more
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.classification_head.features.wording import TEXTS
from explainer.views.classification_head.pooled import show_pooled
from explainer.views.classification_head.wording import numbered


def show_read(choice: Choice, seen: Observation, place: Place) -> None:
    show_pooled(choice, seen, place)
    with more(place, "read"):
        download_csv(
            TEXTS["parts"]["read"]["download"],
            partial(features_csv, seen),
            "features.csv",
            place.key("features-csv"),
        )


def features_csv(seen: Observation) -> str:
    return matrix_csv(
        seen.tensors["pooled"][None], ("image",), numbered(seen.config.embed_dim), "row"
    )
