"""Which patches each method says the answer relied on."""

import streamlit as st

from explainer.components.sight import repaints
from explainer.components.token_picker import token_picker
from explainer.observation.look.attributions import attribution, explained, runner_up
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of
from explainer.shell.controls import sync_widget
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.look_inside.wording import TEXTS


def show_where(choice: Choice, seen: Observation, place: Place) -> None:
    if seen.has_head:
        choose_class(seen, place)
    else:
        st.markdown(TEXTS["parts"]["where"]["headless"])
    found = attribution(choice, explained(seen, place), "rollout")
    config = seen.config
    token_picker(
        key=place.key("where-rollout"),
        group=place.prefix,
        image=seen.pixels,
        grid=config.grid_size,
        prefix_names=(),
        values=found.patches,
        query=place.patch(seen.telling_patch),
        on_choose=lambda clicked: session.set_patch(choice, clicked["query"]),
        title=TEXTS["methods"]["rollout"]["name"],
    )


def choose_class(seen: Observation, place: Place) -> None:
    """Ask for the class whose score is explained; the predicted one stays out of the link."""
    texts, key = TEXTS["parts"]["where"], place.key("explain")
    names = names_of(seen, range(seen.config.num_classes))
    marks = {runner_up(seen): texts["runner_up"], seen.prediction: texts["predicted"]}
    sync_widget(key, explained(seen, place))

    def keep() -> None:
        chosen = int(st.session_state[key])
        session.change(explain=None if chosen == seen.prediction else chosen)

    st.selectbox(
        texts["explain"],
        range(len(names)),
        key=key,
        format_func=lambda index: marks.get(index, "{name}").format(name=str(names[index])),
        on_change=repaints(keep),
        width=320,
    )
