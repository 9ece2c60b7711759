"""What the model is made of: how many learned numbers each part has."""

import streamlit as st

from explainer.content import load_texts
from explainer.figures.parts import parts_table
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.shell import more
from explainer.shell.saved import Heading
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig

TEXTS = load_texts("home")


def show_parts(choice: Choice, observation: Observation, place: Place) -> None:
    heading = Heading("home", "parts", TEXTS["parts_title"], (choice,))
    with st.container(key=place.key("part-parts")), more.part(place, heading):
        show_table(choice, observation.config)


def show_table(choice: Choice, config: ViTConfig) -> None:
    st.header(TEXTS["parts_title"], anchor=False)
    count = f"{config.num_parameters:,}"
    st.markdown(parts_text(choice, config).format(count=count, **position_facts(choice, config)))
    counts = config.parameters_by_part
    each = f"{counts['blocks'] // config.depth:,}"
    names = {part: TEXTS["parts"][part].format(depth=config.depth, each=each) for part in counts}
    headings = TEXTS["parts_part"], TEXTS["parts_count"], TEXTS["parts_share"]
    show_html(parts_table(counts, names, headings, TEXTS["parts_caption"]), "table")


def parts_text(choice: Choice, config: ViTConfig) -> str:
    if positions.learned_grid(choice) is not None:
        return TEXTS["parts_resampled"]
    return TEXTS["parts_trained" if choice.trained else "parts_untrained"]


def position_facts(choice: Choice, config: ViTConfig) -> dict[str, object]:
    (rows, columns), learned = config.grid_size, positions.learned_grid(choice)
    learned_rows, learned_columns = learned or config.grid_size
    return {
        "positions": f"{config.num_patches * config.embed_dim:,}",
        "rows": rows,
        "columns": columns,
        "learned_rows": learned_rows,
        "learned_columns": learned_columns,
    }
