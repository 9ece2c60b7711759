"""This picture's gradient beside those of a batch, and ten steps on this picture alone."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content.numbers import percent, precise_percent, written
from explainer.content.strangers_words import plain_format
from explainer.figures import theme
from explainer.figures.steps import Line, cosine_table, line_chart, loss_exponents
from explainer.figures.theme import Mode
from explainer.observation.learning import batches
from explainer.observation.learning.batches import STEPS, Batch, ByHeart
from explainer.observation.learning.labelled import SHOWN, Available, available
from explainer.observation.learning.lesson import target_of
from explainer.observation.learning.recipe import recipe_of
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of
from explainer.shell import quiz
from explainer.shell.downloads import download_csv, matrix_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note, note_scale
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart, show_html
from explainer.shell.waiting import is_asked, ready
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.step import TEXTS

VIEW = "learning"
RISEN = 1.05  # times the loss before; from there on it is called higher
ALIKE = 0.9  # of a single gradient's length; a mean as long as that is not called shorter


def show_batch(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["batch"]
    there = available(choice)
    if not there.in_batch:
        st.markdown(texts["without"])
        return
    passes = max(1 + there.in_batch, (1 + STEPS) * there.others // batches.BACKWARD)
    if not batches.can_be_computed(choice, passes):
        st.markdown(texts["too_large"])
        return
    show_beside(choice, seen, place, there)
    show_heart(choice, seen, place, there)


def show_beside(choice: Choice, seen: Observation, place: Place, there: Available) -> None:
    """Draw this picture's gradient beside those of a batch, once somebody asks for it."""
    texts, target = TEXTS["batch"], target_of(seen, place)
    numbers = {
        "count": there.in_batch,
        "pictures": texts[f"batch_{there.kind}"],
        "weights": f"{seen.config.num_parameters:,}",
    }
    st.markdown(texts["text"].format(**numbers))
    if there.kind == SHOWN:
        note(texts["few"])
    if not batches.is_batch_known(choice, target) and not is_asked(
        choice, texts["ask"].format(**numbers), place, "batch"
    ):
        return
    if not ready(
        lambda: batches.is_batch_there(choice, target),
        texts["busy"].format(**numbers),
        place,
        "batch",
    ):
        return
    found = batches.batch_of(choice, target)
    if not found.typical_length:
        st.markdown(texts["nothing"])
        return
    limits = common_limits("gradient cosines", choice, seen, place, cosine_limit)
    names = class_names(seen, found)
    chosen = np.flatnonzero(found.classes == target)
    show_html(
        cosine_table(
            table_of(found),
            [texts["this"], *names],
            names,
            (0, int(chosen[0])) if chosen.size else None,
            texts,
            None if limits is None else float(limits),
        ),
        "gradient-cosines",
        texts["table"],
    )
    note_scale(place)
    st.markdown(
        texts["with_mean"].format(
            with_mean=two_digits(found.with_mean),
            others=two_digits(found.others_with_mean),
            shorter=texts[
                "about_same" if found.mean_length > ALIKE * found.typical_length else "shorter"
            ],
            mean_length=written(found.mean_length),
            typical_length=written(found.typical_length),
            length=written(found.length),
        )
    )
    note(texts["cost"].format(count=found.count + 1))
    with more(place, "batch"):
        download_csv(
            texts["download"],
            lambda: matrix_csv(table_of(found), [texts["this"], *names], names, texts["corner"]),
            "gradient-cosines.csv",
            place.key("cosines-csv"),
        )


def cosine_limit(choice: Choice, seen: Observation, place: Place) -> float:
    """Return the largest cosine of the table; 0 where nobody has asked for it."""
    target = target_of(seen, place)
    if not batches.is_batch_known(choice, target):
        return 0.0
    found = batches.batch_of(choice, target)
    return float(np.nanmax(np.abs(table_of(found))))


def table_of(found: Batch) -> np.ndarray:
    """Return the cosines of this picture above those between the classes."""
    return np.concatenate([found.of_picture[None], found.between])


def class_names(seen: Observation, found: Batch) -> list[str]:
    return [str(name) for name in names_of(seen, found.classes.tolist())]


def two_digits(number: float) -> str:
    text = f"{number:.2f}".replace("-", "−")
    return "0.00" if text == "−0.00" else text


def show_heart(choice: Choice, seen: Observation, place: Place, there: Available) -> None:
    """Take steps on this picture once somebody asks, ask what they do, and show it."""
    texts, target, recipe = TEXTS["batch"], target_of(seen, place), recipe_of(choice)
    st.subheader(texts["heart_title"].format(steps=STEPS), anchor=False)
    numbers = {
        "steps": STEPS,
        "count": there.others,
        "pictures": texts[f"others_{there.kind}"],
        "optimizer": TEXTS["schedule"][f"name_{recipe.config.optimizer}"],
        "recipe": TEXTS["step"]["own_recipe" if recipe.is_own else "train_recipe"],
    }
    st.markdown(texts["heart_lead"].format(**numbers))
    if not batches.is_heart_known(choice, target) and not is_asked(
        choice, texts["heart_ask"].format(**numbers), place, "heart"
    ):
        return
    if not ready(
        lambda: batches.is_learned_by_heart(choice, target),
        texts["heart_busy"].format(**numbers),
        place,
        "heart",
        lambda: batches.share_done(batches.heart_key(choice, target)),
    ):
        return
    found = batches.learned_by_heart(choice, target)
    question = ask_heart(found)
    quiz.show_question(VIEW, question, place)
    is_answered = quiz.fingerprint(VIEW, question) in quiz.answers()
    if is_answered or is_asked(choice, texts["heart_show"], place, "heart-answer"):
        show_charts(seen, place, found)


def ask_heart(found: ByHeart) -> Question:
    texts = TEXTS["batch"]
    before, after = shares_of(found)
    gained = gain(found)
    answer = 3 if gained > 1 else 0 if gained >= -1 else 1 if gained >= -10 else 2
    return Question(
        "heart",
        texts["heart_question"].format(before=before, count=found.count, steps=STEPS),
        (texts["heart_same"], texts["heart_less"], texts["heart_much"], texts["heart_more"]),
        answer,
        texts["heart_why"].format(before=before, after=after, steps=STEPS),
        shows="heart-shares",
    )


def gain(found: ByHeart) -> float:
    """Return by how many points in a hundred more of the others are read right at the end."""
    return round(100 * float(found.accuracies[-1] - found.accuracies[0]), 6)


def shares_of(found: ByHeart) -> tuple[str, str]:
    """Return how many of the others are read right before and after all steps."""
    return percent(float(found.accuracies[0])), percent(float(found.accuracies[-1]))


def show_charts(seen: Observation, place: Place, found: ByHeart) -> None:
    texts, name = TEXTS["batch"], seen.class_names[found.target]
    shares = found.probabilities[:, found.target]
    before, after = shares_of(found)
    facts = {
        "steps": STEPS,
        "count": found.count,
        "first": precise_percent(float(shares[0])),
        "last": precise_percent(float(shares[-1])),
        "before": before,
        "after": after,
        "loss_before": written(float(found.losses[0])),
        "loss_after": written(float(found.losses[-1])),
    }
    losses = {
        "steps": STEPS,
        "first": written(float(found.picture_losses[0])),
        "last": written(float(found.picture_losses[-1])),
        "before": facts["loss_before"],
        "after": facts["loss_after"],
    }
    left, right = st.columns(2, gap="large")
    for column, which, alt in (
        (left, "shares", plain_format(texts["heart_alt"], truth=name, **facts)),
        (right, "losses", texts["heart_loss_alt"].format(**losses)),
    ):
        title = texts[f"heart_{which}"]
        column.markdown(f"**{title}**")
        make = share_chart if which == "shares" else loss_chart
        show_chart(
            partial(make, found, str(name)), place, f"heart-{which}", title, alt=alt, into=column
        )
    st.markdown(texts["heart_words"].format(truth=name, **facts))
    st.markdown(texts[lesson_name(found)])
    with more(place, "batch"):
        download_csv(
            texts["download_heart"],
            partial(heart_csv, found),
            "by-heart.csv",
            place.key("heart-csv"),
        )


def lesson_name(found: ByHeart) -> str:
    """Return the name of the text on what the steps did to the others."""
    if gain(found) < -1:
        return "heart_worse"
    return "heart_costly" if found.losses[-1] > RISEN * found.losses[0] else "heart_fine"


def share_chart(found: ByHeart, name: str, mode: Mode) -> go.Figure:
    texts = TEXTS["batch"]
    shares, steps = found.probabilities[:, found.target], np.arange(len(found.losses))
    return line_chart(
        [
            Line(
                plain_format(texts["picture_line"], truth=name),
                steps,
                100 * shares,
                theme.ACCENT,
                [precise_percent(share) for share in shares.tolist()],
                has_dots=True,
            ),
            Line(
                texts["others_line"].format(count=found.count),
                steps,
                100 * found.accuracies,
                theme.BAD,
                [percent(share) for share in found.accuracies.tolist()],
                has_dots=True,
            ),
        ],
        axes=(texts["step_axis"], texts["share_axis"]),
        hover=texts["point_hover"],
        mode=mode,
        y_range=(-3, 103),
    )


def loss_chart(found: ByHeart, name: str, mode: Mode) -> go.Figure:
    texts, steps = TEXTS["batch"], np.arange(len(found.losses))
    lines = (
        (texts["picture_loss"], found.picture_losses, theme.ACCENT),
        (texts["others_loss"].format(count=found.count), found.losses, theme.BAD),
    )
    return line_chart(
        [
            Line(
                line,
                steps,
                loss_exponents(losses),
                shade,
                [written(loss) for loss in losses.tolist()],
                has_dots=True,
            )
            for line, losses, shade in lines
        ],
        axes=(texts["step_axis"], texts["loss_axis"]),
        hover=texts["point_hover"],
        mode=mode,
        is_log=True,
    )


def heart_csv(found: ByHeart) -> str:
    shares = found.probabilities[:, found.target]
    return table_csv(
        TEXTS["batch"]["columns"],
        [
            (step, float(share), *map(float, rest))
            for step, (share, *rest) in enumerate(
                zip(shares, found.picture_losses, found.losses, found.accuracies, strict=True)
            )
        ],
    )
