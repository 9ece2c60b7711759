"""What the model says of the picture: probabilities, or features where it has no head."""

import streamlit as st

from explainer.content import load_texts
from explainer.content.numbers import percent, with_article
from explainer.content.strangers_words import plain_format
from explainer.figures.probabilities import probabilities
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, left_over, names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.shell.notes import note
from explainer.shell.patch_colours import show_patch_colours
from explainer.state.choice import Choice

TEXTS = load_texts("home")


def show_answer(choice: Choice, observation: Observation) -> None:
    texts = texts_of("home", observation)
    st.header(texts["answer_title"], anchor=False)
    names, shares = observation.class_names, observation.probabilities
    best, truth = observation.prediction, observation.label
    values = {
        "answer": names[best],
        "share": percent(shares[best]),
        "classes": f"{len(names):,}",
    }
    if truth is not None:
        values |= {
            "truth": names[truth],
            "a_truth": with_article(names[truth]),
            "truth_share": percent(shares[truth]),
        }
    if choice.trained and truth is None:
        text = texts["answer_trained"] + " " + texts["answer_own"]
    elif choice.trained:
        verdict = "answer_right" if best == truth else "answer_wrong"
        text = texts["answer_trained"] + " " + texts[verdict]
    else:
        text = texts["answer_untrained"]
        values["onward"] = texts["answer_onward" if choice.is_shaped else "answer_onward_run"]
    st.markdown(text.format(**values))
    places = shown_classes(observation)
    labels, percents = names_of(observation, places), [percent(shares[place]) for place in places]
    st.plotly_chart(
        probabilities(
            shares[places],
            labels,
            None if truth is None else places.index(truth),
            percents,
            axis=texts["probability_axis" if truth is not None else "probability_axis_own"],
            mode=st.context.theme.type or "light",
        ),
        theme=None,
        key="probabilities",
        config={"displayModeBar": "hover", "displaylogo": False},
        alt=plain_format(
            texts["probability_alt" if truth is not None else "probability_alt_own"],
            values=", ".join(map(" ".join, zip(labels, percents, strict=True))),
            **values,
        ),
    )
    if not are_all_shown(observation):
        count, rest = left_over(observation, places)
        note(texts["answer_rest"].format(count=f"{count:,}", share=percent(rest)))


def show_features(choice: Choice, observation: Observation) -> None:
    st.header(TEXTS["features_title"], anchor=False)
    st.markdown(TEXTS["features_text"].format(width=observation.config.embed_dim))
    show_patch_colours(observation)
