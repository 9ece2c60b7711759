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
    told = texts_of("home", observation)
    st.header(told["answer_title"], anchor=False)
    names, shares = observation.class_names, observation.probabilities
    best, truth = observation.prediction, observation.label
    said = {
        "answer": names[best],
        "share": percent(shares[best]),
        "classes": f"{len(names):,}",
    }
    if truth is not None:
        said |= {
            "truth": names[truth],
            "a_truth": with_article(names[truth]),
            "truth_share": percent(shares[truth]),
        }
    if choice.trained and truth is None:
        words = told["answer_trained"] + " " + told["answer_own"]
    elif choice.trained:
        verdict = "answer_right" if best == truth else "answer_wrong"
        words = told["answer_trained"] + " " + told[verdict]
    else:
        words = told["answer_untrained"]
        said["onward"] = told["answer_onward" if choice.is_shaped else "answer_onward_run"]
    st.markdown(words.format(**said))
    places = shown_classes(observation)
    labels, texts = names_of(observation, places), [percent(shares[place]) for place in places]
    st.plotly_chart(
        probabilities(
            shares[places],
            labels,
            None if truth is None else places.index(truth),
            texts,
            axis=told["probability_axis" if truth is not None else "probability_axis_own"],
            mode=st.context.theme.type or "light",
        ),
        theme=None,
        key="probabilities",
        config={"displayModeBar": "hover", "displaylogo": False},
        alt=plain_format(
            told["probability_alt" if truth is not None else "probability_alt_own"],
            values=", ".join(map(" ".join, zip(labels, texts, strict=True))),
            **said,
        ),
    )
    if not are_all_shown(observation):
        count, rest = left_over(observation, places)
        note(told["answer_rest"].format(count=f"{count:,}", share=percent(rest)))


def show_features(choice: Choice, observation: Observation) -> None:
    st.header(TEXTS["features_title"], anchor=False)
    st.markdown(TEXTS["features_text"].format(width=observation.config.embed_dim))
    show_patch_colours(observation)
