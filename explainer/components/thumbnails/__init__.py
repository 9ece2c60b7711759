"""Small pictures to choose one of, by mouse, finger or arrow keys."""

from collections.abc import Callable, Sequence

import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.selection import valid_choice

_mount = st.components.v2.component(
    "vit_explainer.thumbnails",
    html='<div class="thumbnails" role="radiogroup"></div>',
    css=assets.stylesheet("thumbnails/thumbnails"),
    js=assets.javascript("thumbnails/thumbnails"),
)


def thumbnails(
    *,
    key: str,
    label: str,
    pictures: Sequence[tuple[str, str]],
    chosen: int | None,
    columns: int,
    on_choose: Callable[[int], None],
    captions: Sequence[str] = (),
) -> None:
    """Show the pictures in rows.

    Args:
        key: of the component.
        label: of all of them, for screen readers.
        pictures: (address, name) of each.
        chosen: index of the chosen picture; None for none of them.
        columns: pictures in a row.
        on_choose: called before the rerun with the index of the picture that was clicked.
        captions: what stands below each picture; none without them.
    """

    def on_change() -> None:
        choice = valid_choice(state_of(key), {"index": len(pictures)})
        if "index" in choice:
            on_choose(choice["index"])

    _mount(
        key=key,
        data={
            "label": label,
            "pictures": [list(picture) for picture in pictures],
            "chosen": chosen,
            "columns": columns,
            "captions": list(captions),
        },
        on_choice_change=on_change,
    )
