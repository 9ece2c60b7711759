"""Home: the whole pipeline at a glance, what it says, and what it is made of."""

from functools import partial
from urllib.parse import urlencode

import streamlit as st

from explainer.components.copy_link import copy_link
from explainer.components.pipeline import show_pipeline
from explainer.content import load_texts
from explainer.content.numbers import percent, with_article
from explainer.content.strangers_words import LONGEST_SENTENCE, plain_format, strangers_word
from explainer.figures.parts import parts_table
from explainer.figures.pipeline import pipeline
from explainer.figures.probabilities import probabilities
from explainer.inputs.models import load, saved_epochs
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, left_over, names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.shell import quiz, routes
from explainer.shell.downloads import download_csv
from explainer.shell.mistake_banner import show_banner
from explainer.shell.notes import note
from explainer.shell.patch_colours import show_patch_colours
from explainer.shell.sidebar.pretrained import show_notes
from explainer.state import session
from explainer.state.choice import Choice
from explainer.views.home.stages import stages
from vit_core import ViTConfig

TEXTS = load_texts("home")


def render(choice: Choice, observation: Observation) -> None:
    st.title(TEXTS["title"], anchor=False)
    lead = texts_of("home", observation)["lead"]
    st.markdown(lead.format(values=f"{observation.pixels.size:,}"), width=760)
    show_banner(choice)
    show_ways()
    show_stages(choice, observation)
    left, right = st.columns(2, gap="large")
    with left:
        (show_answer if observation.has_head else show_features)(choice, observation)
    with right:
        show_parts(choice, observation)
    if choice.trained:
        show_origin(choice, observation)
    show_score()


def show_ways() -> None:
    """The two ways to go from here, and the link to where one is."""
    with st.container(
        key="quiet-row",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        with st.container(horizontal=True, width="content"):
            if st.button(TEXTS["start"], key="start", type="primary"):
                set_out("guided")
            if st.button(TEXTS["free"], key="free"):
                set_out("free")
            if st.button(TEXTS["train"], key="train"):
                routes.go("train")
        copy_link(load_texts("frame")["copy_link"])


def set_out(mode: str) -> None:
    session.change(mode=mode, step=0)
    routes.go(routes.following("home"))


def show_stages(choice: Choice, observation: Observation) -> None:
    query = urlencode(session.link())
    addresses = {view: f"{routes.address(view)}?{query}".rstrip("?") for view in routes.PIPELINE}
    marked = TEXTS["legend_class_token"] if observation.config.pool == "cls" else ""
    rows = stages(observation, texts_of("home", observation), choice.trained, addresses)
    if view := show_pipeline(pipeline(rows, TEXTS["legend"] + marked), key="pipeline"):
        routes.go(view)


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


def show_parts(choice: Choice, observation: Observation) -> None:
    config = observation.config
    st.header(TEXTS["parts_title"], anchor=False)
    count = f"{config.num_parameters:,}"
    st.markdown(parts_text(choice, config).format(count=count, **position_facts(choice, config)))
    counts = config.parameters_by_part
    each = f"{counts['blocks'] // config.depth:,}"
    names = {part: TEXTS["parts"][part].format(depth=config.depth, each=each) for part in counts}
    headings = TEXTS["parts_part"], TEXTS["parts_count"], TEXTS["parts_share"]
    st.html(parts_table(counts, names, headings, TEXTS["parts_caption"]))


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


def show_origin(choice: Choice, observation: Observation) -> None:
    told = texts_of("home", observation)
    source = load.load_source(choice.source)
    checkpoint = source.checkpoint
    st.header(told["origin_title"], anchor=False)
    if source.preprocessing is not None:
        texts = load_texts("pretrained")
        words = texts["origin" if checkpoint is None else "origin_run"]
        named = strangers_word(source.preprocessing.source, LONGEST_SENTENCE)
        st.markdown(words.format(source=named))
        show_notes(source.preprocessing.notes)
        return
    accuracy = checkpoint.metrics.get("test_accuracy")
    if choice.is_saved:
        st.markdown(saved_epochs.origin(choice.source, told))
    elif isinstance(accuracy, float):
        st.markdown(told["origin"].format(accuracy=f"{100 * accuracy:.2f} %"))
    else:
        st.markdown(told["origin_unmeasured"])
    command, words = checkpoint.command, "origin_command"
    if choice.is_saved:  # anybody may have written the file
        command, words = saved_epochs.command(choice.source, checkpoint)
    if command:
        st.markdown(told[words])
        st.code(command, language=None, wrap_lines=True)


def show_score() -> None:
    """How many questions were answered on each page, and how many rightly."""
    st.header(TEXTS["score_title"], anchor=False)
    answers, scores = tuple(quiz.answers().values()), quiz.scores()
    if not answers:
        st.markdown(TEXTS["score_none"])
        return
    right = sum(answer.is_right for answer in answers)
    st.markdown(TEXTS["score_all"].format(right=right, answered=len(answers)))
    views = [view for view in routes.PIPELINE if view in scores]
    st.table(
        {
            TEXTS["score_page"]: [routes.TITLES[view] for view in views],
            TEXTS["score_answered"]: [str(scores[view].answered) for view in views],
            TEXTS["score_right"]: [str(scores[view].right) for view in views],
        },
        border="horizontal",
        hide_index=True,
        width="content",
    )
    here = (st.context.url or "").rstrip("/")
    addresses = {view: f"{here}/{routes.address(view)}" for view in views}
    download_csv(
        TEXTS["score_download"],
        partial(quiz.as_csv, answers, routes.TITLES, addresses),
        "predictions.csv",
        key="download-answers",
    )
