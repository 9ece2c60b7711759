"""Many pictures as points of a plane, which move from block to block and from epoch to epoch."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components import assets
from explainer.components.colours import component_colours
from explainer.components.component_state import state_of
from explainer.components.packing import pack
from explainer.components.selection import send_choice, valid_choice
from explainer.components.sight import repaints
from explainer.figures import theme

FEW = 60  # pictures up to which each is drawn itself
MOST_NAMED = 24  # classes that have a button each

_mount = st.components.v2.component(
    "vit_explainer.point_map",
    html='<div class="explorer"><div class="panels"></div></div>',
    css=assets.stylesheet("shared/shared", "point_map/point_map"),
    js=assets.javascript(
        "shared/data", "shared/kept", "shared/keys", "shared/grid", "point_map/cloud",
        "point_map/walk", "point_map/point_map",
    ),
)  # fmt: skip


def pack_map(
    *,
    channel: str,
    images: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    names: Sequence[str],
    points: np.ndarray,
    predicted: np.ndarray,
    told: Sequence[Sequence[Sequence[str]]],
    stages: Sequence[str],
    epochs: Sequence[str],
    shown: int,
    stage: int,
    texts: Mapping[str, str],
    step: str = "",
) -> bytes:
    """Return what the browser needs of a map.

    Args:
        channel: on which the component hears which picture is in hand.
        images: (n, height, width, 1 or 3) uint8, as they are shown when pointed at.
        labels: (n,) the class of each, below 0 where nobody knows it.
        class_names: strangers may have written them.
        names: of pictures whose class is unknown; may be empty where all are known.
        points: (E, S, n, 2) from -1 to 1, right and up.
        predicted: (E, n) the class that each is taken for, below 0 without a head.
        told: what is said of each stage of each epoch, a few sentences.
        stages, epochs: what each is called.
        shown, stage: the epoch and the stage with which the map opens.
        step: the channel of maps that go through the stages together; empty for a map alone.

    Raises:
        ValueError: the numbers do not fit each other.
    """
    count = len(images)
    sizes = (len(epochs), len(stages))
    if (
        points.shape != (*sizes, count, 2)
        or [len(of_epoch) for of_epoch in told] != [sizes[1]] * sizes[0]
        or predicted.shape != (len(epochs), count)
        or labels.shape != (count,)
        or len(names) not in (0, count)
    ):
        raise ValueError(f"points of shape {points.shape} do not fit {count} pictures")
    present = [int(label) for label in np.unique(labels) if 0 <= label < len(class_names)]
    is_named = 1 < len(present) <= MOST_NAMED
    header = {
        "channel": channel,
        "image_height": images.shape[1],
        "image_width": images.shape[2],
        "channels": images.shape[3],
        "class_names": list(map(str, class_names)),
        "classes": [
            {"index": label, "name": str(class_names[label])} for label in present if is_named
        ],
        "names": list(map(str, names)),
        "told": [[list(lines) for lines in of_epoch] for of_epoch in told],
        "stages": list(stages),
        "step": step,
        "epochs": list(epochs),
        "shown": shown,
        "stage": stage,
        "few": FEW,
        "can_be_wrong": bool((labels >= 0).all() and (predicted >= 0).all()),
        "palette": [list(shade) for shade in theme.CLASSES],
        "quiet": list(theme.MUTED),
        "texts": dict(texts),
        "colours": component_colours(),
    }
    arrays = {
        "points": points,
        "predicted": predicted,
        "labels": labels,
    }
    return pack(
        header, {"images": images} | {name: one.astype(np.float32) for name, one in arrays.items()}
    )


def point_map(
    make: Callable[[], bytes],
    *,
    key: str,
    cache: Hashable,
    count: int,
    chosen: Mapping[str, Any],
    on_choose: Callable[[int], None],
) -> None:
    """Show a map.

    Args:
        make: of ``pack_map``; called only when needed.
        key: of the component, and its channel.
        cache: everything that is drawn depends on, as ``explainer.caching.remember`` takes it.
        count: of the pictures.
        chosen: ``own``, where the picture in hand lies at each stage, (right, up, right, …), and
            ``chosen``, which of the pictures it is, or -1.
        on_choose: called before the rerun with the picture that was clicked.
    """

    def choose() -> None:
        clicked = valid_choice(state_of(key), {"index": count})
        if "index" in clicked:
            on_choose(clicked["index"])

    with st.container(gap=None):
        _mount(
            key=key,
            data=remember(("point map", key, cache), make),
            on_choice_change=repaints(choose),
        )
        send_choice(key, chosen)
