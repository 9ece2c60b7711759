"""Every step of one head as one strip, and the arithmetic of the cell that is chosen."""

from functools import partial

import streamlit as st

from explainer.components.token_picker import token_picker
from explainer.content.token_names import prefix_names
from explainer.observation.observe import Observation
from explainer.shell import cell_matrices, controls
from explainer.shell.badge import equals_pytorch
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.self_attention.cells import SQUARES, chosen_cell, row_of, show_drawer
from explainer.views.self_attention.matrices import centre_of, squares, strip
from explainer.views.self_attention.wording import TEXTS, facts


def show_steps(choice: Choice, seen: Observation, place: Place) -> None:
    picture, explanation = st.columns((2, 5), gap="large")
    with picture:
        show_image(choice, seen, place)
    with explanation:
        show_words(choice, seen, place)
    show_strip(choice, seen, place)
    show_squares(choice, seen, place)
    show_deeper(choice, seen, place)


def show_image(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw the image to choose a token on, with the weights of the chosen one over it."""
    row = row_of(choice, seen, place)
    token_picker(
        key=place.key("asking"),
        group=place.prefix,
        image=seen.pixels,
        grid=seen.config.grid_size,
        prefix_names=prefix_names(seen.config),
        query=row.query,
        on_choose=lambda clicked: session.set_query(clicked["query"]),
        values=row.weights,
        cache=(choice, place.block, place.head, row.query),
    )


def show_words(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["steps"], seen.config
    with st.container(horizontal=True, gap="medium"):
        controls.pick_block(place)
        controls.pick_head(place)
    words = texts["steps"].format(**facts(choice, seen, place))
    if config.pool != "cls":
        words = f"{texts['no_class_token']}\n\n{words}"
    st.markdown(words)


def show_strip(choice: Choice, seen: Observation, place: Place) -> None:
    row, cell = row_of(choice, seen, place), chosen_cell(place)
    cell_matrices.show(
        place,
        "strip",
        items=partial(strip, choice, seen, place),
        cell=cell,
        links={"query": row.query, "token": row.query},
        prefix=seen.config.num_prefix_tokens,
        cache=(choice, place.block, place.head, row.query),
        is_strip=True,
    )
    if centre_of(row.scores, 0) is not None:
        note(TEXTS["strip"]["one_sign"])
    if (place.block, place.head) in choice.edits.heads_off:
        note(TEXTS["strip"]["off"])
    if cell is not None and cell.matrix not in SQUARES:
        show_drawer(choice, seen, place, cell)


def show_squares(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw the scores and weights of all queries, while somebody wants to see them."""
    texts, cell = TEXTS["parts"]["steps"], chosen_cell(place)
    is_chosen = cell is not None and cell.matrix in SQUARES
    with fold(place, "all", texts["all_title"], is_open=is_chosen) as is_open:
        if not is_open:
            return
        st.markdown(texts["all"])
        query = place.token(seen.telling_patch)
        cell_matrices.show(
            place,
            "squares",
            items=partial(squares, choice, seen, place),
            cell=cell,
            links={"query": query, "token": query},
            prefix=seen.config.num_prefix_tokens,
            cache=(choice, place.block, place.head),
        )
        if cell is not None and is_chosen:
            show_drawer(choice, seen, place, cell)


def show_deeper(choice: Choice, seen: Observation, place: Place) -> None:
    """Draw the papers' equations, and PyTorch's answer to the same numbers."""
    texts = TEXTS["parts"]["steps"]
    with fold(place, "deeper-steps", texts["deeper_title"]) as is_open:
        if is_open:
            st.markdown(texts["deeper"].format(**facts(choice, seen, place)))
            equals_pytorch("attention", choice, seen, place.block)
