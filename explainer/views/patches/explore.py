"""Cut, pull apart, flatten: the patch explorer."""

from collections.abc import Mapping
from functools import partial

from explainer.components.patch_explorer import patch_explorer
from explainer.content.token_names import patch_names, value_names
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.shape import show_shape
from explainer.views.patches.wording import TEXTS, patch_of
from vit_core import ViTConfig


def show_explorer(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config, patch = TEXTS["parts"]["explore"], seen.config, patch_of(choice, seen, place)
    patch_explorer(
        key=place.key("patch-explorer"),
        image=seen.pixels,
        grid=config.grid_size,
        vectors=seen.tensors["patches"],
        texts=texts_of("patch_explorer", seen),
        patch=patch,
        on_choose=partial(choose, choice),
        cache=choice,
    )
    with fold(place, "shape", TEXTS["shape"]["label"]) as is_open:
        if is_open:
            show_shape(choice, seen, place)
    with more(place, "explore"):
        download_csv(
            texts["download"],
            partial(
                matrix_csv,
                seen.tensors["patches"],
                patch_names(config),
                pixel_names(config),
                "patch",
            ),
            "patches.csv",
            place.key("patches-csv"),
            texts["download_note"].format(patch=patch_names(config)[patch], index=patch),
        )


def choose(choice: Choice, clicked: Mapping[str, int]) -> None:
    """Keep the patch that was clicked in the explorer."""
    if "query" in clicked:
        session.set_patch(choice, clicked["query"])


def pixel_names(config: ViTConfig) -> list[str]:
    """Name the values of a patch."""
    return value_names(config)
