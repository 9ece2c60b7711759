"""A table of which class is taken for which, whose cells can be pressed."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st

from explainer.components import assets
from explainer.components.component_state import state_of
from explainer.components.selection import valid_choice
from explainer.figures import drawn
from explainer.figures.confusion import confusion

_mount = st.components.v2.component(
    "vit_explainer.confusions",
    html='<div class="confusions"></div>',
    css=assets.stylesheet("confusions/confusions"),
    js=assets.javascript("confusions/confusions"),
)


def confusion_table(
    *,
    key: str,
    counts: np.ndarray,
    names: Sequence[str],
    texts: Mapping[str, str],
    chosen: tuple[int, int] | None,
    on_choose: Callable[[int, int], None],
) -> None:
    """Show the table; cells without pictures cannot be pressed.

    Args:
        key: of the component.
        counts, names: as ``figures.confusion.confusion`` has them.
        texts: those of the figure, and ``cell`` and ``cell_right`` for screen readers, in which
            {truth}, {answer} and {count} stand.
        chosen: row and column of the chosen cell; None for none of them.
        on_choose: called before the rerun with row and column of the cell that was pressed.
    """

    def on_change() -> None:
        side = len(names)
        choice = valid_choice(state_of(key), {"row": side, "column": side})
        if len(choice) == 2:
            on_choose(choice["row"], choice["column"])

    drawn.note(key, texts["caption"], lambda: confusion(counts, names, texts))
    _mount(
        key=key,
        data={
            "table": confusion(counts, names, texts, is_pressable=True),
            "chosen": None if chosen is None else list(chosen),
        },
        on_choice_change=on_change,
    )
