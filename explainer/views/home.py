"""Home: the whole pipeline at a glance, what it says, and what it is made of."""

from urllib.parse import urlencode

import streamlit as st

from explainer import navigation, services, state
from explainer.components.pipeline import show_pipeline
from explainer.content import load_texts
from explainer.figures.parts import parts_table
from explainer.figures.pipeline import pipeline
from explainer.figures.probabilities import probabilities
from explainer.services import Observation
from explainer.stages import percent, stages
from explainer.state import Choice

TEXTS = load_texts("home")


def render(choice: Choice, observation: Observation) -> None:
    st.title(TEXTS["title"])
    st.markdown(TEXTS["lead"].format(values=f"{observation.pixels.size:,}"), width=760)
    show_stages(choice, observation)
    left, right = st.columns(2, gap="large")
    with left:
        show_answer(choice, observation)
    with right:
        show_parts(choice, observation)
    if choice.trained:
        show_origin(choice)


def show_stages(choice: Choice, observation: Observation) -> None:
    query = urlencode(state.link())
    addresses = {
        view: f"{navigation.address(view)}?{query}".rstrip("?") for view in navigation.TITLES
    }
    marked = TEXTS["legend_class_token"] if observation.config.pool == "cls" else ""
    rows = stages(observation, TEXTS, choice.trained, addresses)
    if view := show_pipeline(pipeline(rows, TEXTS["legend"] + marked), key="pipeline"):
        navigation.go(view)


def show_answer(choice: Choice, observation: Observation) -> None:
    st.header(TEXTS["answer_title"])
    names, shares = observation.class_names, observation.probabilities
    best, truth = observation.prediction, observation.label
    said = {
        "answer": names[best],
        "share": percent(shares[best]),
    }
    if truth is not None:
        said |= {"truth": names[truth], "truth_share": percent(shares[truth])}
    if choice.trained and truth is None:
        words = TEXTS["answer_trained"] + " " + TEXTS["answer_own"]
    elif choice.trained:
        verdict = "answer_right" if best == truth else "answer_wrong"
        words = TEXTS["answer_trained"] + " " + TEXTS[verdict]
    else:
        words = TEXTS["answer_untrained"]
    st.markdown(words.format(**said))
    texts = [percent(share) for share in shares]
    st.plotly_chart(
        probabilities(
            shares,
            names,
            truth,
            texts,
            axis=TEXTS["probability_axis" if truth is not None else "probability_axis_own"],
            mode=st.context.theme.type or "light",
        ),
        theme=None,
        key="probabilities",
        config={"displayModeBar": "hover", "displaylogo": False},
        alt=TEXTS["probability_alt" if truth is not None else "probability_alt_own"].format(
            values=", ".join(f"{name} {text}" for name, text in zip(names, texts, strict=True)),
            **said,
        ),
    )


def show_parts(choice: Choice, observation: Observation) -> None:
    config = observation.config
    st.header(TEXTS["parts_title"])
    count = f"{config.num_parameters:,}"
    st.markdown(TEXTS["parts_trained" if choice.trained else "parts_untrained"].format(count=count))
    counts = config.parameters_by_part
    each = f"{counts['blocks'] // config.depth:,}"
    names = {part: TEXTS["parts"][part].format(depth=config.depth, each=each) for part in counts}
    headings = TEXTS["parts_part"], TEXTS["parts_count"], TEXTS["parts_share"]
    st.html(parts_table(counts, names, headings, TEXTS["parts_caption"]))


def show_origin(choice: Choice) -> None:
    checkpoint = services.load_source(choice.source).checkpoint
    st.header(TEXTS["origin_title"])
    accuracy = checkpoint.metrics.get("test_accuracy")
    if isinstance(accuracy, float):
        st.markdown(TEXTS["origin"].format(accuracy=f"{100 * accuracy:.2f} %"))
    else:
        st.markdown(TEXTS["origin_unmeasured"])
    if checkpoint.command:
        st.markdown(TEXTS["origin_command"])
        st.code(checkpoint.command, language=None, wrap_lines=True)
