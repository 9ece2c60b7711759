"""The image, on which patches can be chosen, under a value of each of them."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from explainer.components.token_picker import token_picker
from explainer.observation.observe import Observation
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding.wording import patch_of


def choose_patch(choice: Choice, clicked: Mapping[str, int]) -> None:
    session.set_patch(choice, clicked["query"])


def show_over_image(
    key: str,
    values: np.ndarray,
    choice: Choice,
    seen: Observation,
    place: Place,
    cache: tuple,
    limit: float | None = None,
    width: int = 260,
    title: str = "",
) -> None:
    """Signed values of the patches over the image, on which patches can be chosen."""
    token_picker(
        key=place.key(key),
        group=place.prefix,
        image=seen.pixels,
        grid=seen.config.grid_size,
        prefix_names=[],
        query=patch_of(choice, seen, place),
        on_choose=partial(choose_patch, choice),
        values=values,
        scale="diverging",
        limit=limit,
        colour="patch",
        width=width,
        title=title,
        cache=cache,
    )
