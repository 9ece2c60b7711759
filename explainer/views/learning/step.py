"""One step: this picture's loss for every learning rate, and what each optimizer makes of it."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.content import load_texts
from explainer.content.numbers import rate_text, written
from explainer.figures.steps import loss_span, optimizer_table, rate_chart
from explainer.figures.theme import Mode
from explainer.observation.learning import steps as computed
from explainer.observation.learning.lesson import target_of
from explainer.observation.learning.recipe import recipe_of
from explainer.observation.learning.steps import (
    AGAIN,
    EVERY,
    LEAP,
    REST,
    RIGHT,
    TOO_LARGE,
    TOO_SMALL,
    Steps,
    all_optimizers,
    muon_matrices,
    rate_of,
    zone_of,
)
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import are_all_shown, names_of, shown_classes
from explainer.shell import controls
from explainer.shell.changed_shares import show_changed_shares
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note, note_scale
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart, show_html
from explainer.shell.waiting import ready
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import OPTIMIZERS, RATES
from explainer.state.place import Place
from vit_core.learning.step import Compared

TEXTS = load_texts("learning_step")
ASKED = 0  # exponent of the learning rate, in tenths, that the question asks about
SURE = 0.01  # nats; the model gives the class at least 99 %
FLOOR = 1e-9  # nats at the lower edge of the chart


def show_step(choice: Choice, seen: Observation, place: Place) -> None:
    texts, target = TEXTS["step"], target_of(seen, place)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls.pick(
            texts["pick"],
            OPTIMIZERS,
            place.optimizer,
            lambda name: session.change(optimizer=name),
            key=place.key("optimizer"),
            format_func=lambda name: texts[name],
            help=texts["pick_help"],
        )
        with st.container(width=420):
            controls.slide(
                texts["slide"],
                RATES,
                place.rate,
                lambda tenths: session.change(rate=tenths),
                key=place.key("rate"),
                format_func=lambda tenths: rate_text(tenths),
            )
    if not ready(
        lambda: computed.are_there(choice, target, place.optimizer),
        texts["too_slow"].format(passes=len(RATES)),
        place,
        "step",
    ):
        return
    found = computed.steps(choice, target, place.optimizer)
    show_rates(choice, seen, place, found)
    show_bars(seen, place, found)
    show_optimizers(choice, seen, place, target)
    with more(place, "step"):
        download_csv(
            texts["download"], partial(rates_csv, found), "one-step.csv", place.key("step-csv")
        )
        download_csv(
            texts["download_table"],
            partial(optimizers_csv, choice, seen, place),
            "optimisers.csv",
            place.key("optimisers-csv"),
        )


def index_of(place: Place) -> int:
    """Return the place of the chosen learning rate on its slider."""
    return RATES.index(place.rate)


def show_rates(choice: Choice, seen: Observation, place: Place, found: Steps) -> None:
    """Draw the loss over all learning rates, and say what the chosen one does."""
    texts, best = TEXTS["step"], int(np.nanargmin(finite(found.losses)))
    limits = common_limits("losses of a step", choice, seen, place, span_of)
    span = None if limits is None else (-float(limits[0]), float(limits[1]))
    title = texts["chart"].format(passes=len(RATES))
    st.markdown(f"**{title}**")
    show_chart(
        partial(chart, found, index_of(place), span),
        place,
        "rate-chart",
        title,
        alt=texts["chart_alt"].format(
            least=rate_text(RATES[0]),
            most=rate_text(RATES[-1]),
            before=written(found.before),
            best=written(float(found.losses[best])),
            rate=rate_text(RATES[best]),
        ),
    )
    note_scale(place)
    st.markdown(verdict(place, found))
    said = [texts["zones"].format(count=f"{seen.config.num_parameters:,}")]
    if found.before < SURE:
        said.append(texts["sure"])
    if beyond := beyond_words(found.zones):
        said.append(texts[beyond])
    if (found.losses < FLOOR).any():
        said.append(texts["floor"])
    note("\n\n".join(said))


def finite(losses: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(losses), losses, np.inf)


def span_of(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return how far the axis of losses goes down, with its sign turned, and up."""
    target = target_of(seen, place)
    found = computed.steps(choice, target, place.optimizer)
    low, high = loss_span(found.losses, found.before)
    return [-low, high]


def chart(found: Steps, chosen: int, span: tuple[float, float] | None, mode: Mode) -> go.Figure:
    texts = TEXTS["step"]
    names = {zone: texts[zone] for zone in (TOO_SMALL, RIGHT, TOO_LARGE, LEAP)}
    return rate_chart(
        np.array(RATES) / 10,
        found.losses,
        found.before,
        found.zones,
        chosen,
        written=[
            (rate_text(tenths), written(float(loss)) if np.isfinite(loss) else "")
            for tenths, loss in zip(RATES, found.losses, strict=True)
        ],
        axes=(texts["rate_axis"], texts["loss_axis"]),
        names=names | {"now": texts["now"].format(loss=written(found.before))},
        hover=texts["hover"],
        mode=mode,
        span=span,
    )


def verdict(place: Place, found: Steps) -> str:
    """Say what the chosen learning rate makes of the loss, and whether it is right."""
    texts, index = TEXTS["step"], index_of(place)
    loss, zone = float(found.losses[index]), found.zones[index]
    names = {"optimizer": texts[place.optimizer], "rate": rate_text(place.rate)}
    if not np.isfinite(loss):
        return str(texts["verdict_broken"].format(**names))
    said = texts["verdict"].format(before=written(found.before), after=written(loss), **names)
    return f"{said} {texts[f'verdict_{zone}']}"


def beyond_words(zones: tuple[str, ...]) -> str:
    """Return the name of the text on large steps that make the loss smaller; empty for none."""
    if TOO_LARGE not in zones:
        return "never"
    return "again" if LEAP in zones else ""


def show_bars(seen: Observation, place: Place, found: Steps) -> None:
    """Draw the probabilities before and after the step."""
    texts = TEXTS["step"]
    after = found.probabilities[index_of(place)]
    if not np.isfinite(after).all():
        return
    places = shown_classes(seen)
    target = target_of(seen, place)
    if target not in places:
        places[-1] = target
    show_changed_shares(
        seen.probabilities[places],
        after[places],
        names_of(seen, places),
        (texts["class"], texts["before"], texts["after"], texts["change"]),
        name="step-bars",
        title=texts["bars"],
    )
    if not are_all_shown(seen):
        note(texts["some"].format(shown=len(places), classes=f"{len(seen.class_names):,}"))


def show_optimizers(choice: Choice, seen: Observation, place: Place, target: int) -> None:
    """Draw what each optimizer makes of the same gradient, matrix by matrix."""
    texts = TEXTS["step"]
    st.subheader(texts["compare_title"], anchor=False)
    st.markdown(texts["compare"])
    if place.config.depth > 1:
        depth, key = place.config.depth, place.key("optimisers-block")
        controls.pick_number("block", depth, place.block, session.set_block, key=key)
    found = all_optimizers(choice, target, place.block)
    rows = [*next(iter(found.values())).first]
    show_html(
        optimizer_table(
            [
                (
                    row_name(row),
                    [
                        (cell_text(found[name].first[row]), found[name].first[row].cosine)
                        for name in OPTIMIZERS
                    ],
                )
                for row in rows
            ],
            [texts[name] for name in OPTIMIZERS],
            OPTIMIZERS.index(place.optimizer),
            texts,
        ),
        "optimisers",
        texts["compare_title"],
    )
    momentum = found["momentum"]
    first, again = momentum.first[EVERY].length, momentum.again[EVERY].length
    st.markdown(
        texts["words"].format(
            again=AGAIN,
            longer=f"{again / first:.1f}" if first else texts["none"],
            count=f"{seen.config.num_parameters:,}",
            adam_mean=f"{found['adam'].first[EVERY].mean:.2f}",
            muon_words=muon_words(choice),
        )
    )


def row_name(row: str) -> str:
    texts = TEXTS["step"]
    return str({REST: texts["rest"], EVERY: texts["all"]}.get(row, row))


def cell_text(one: Compared) -> str:
    texts = TEXTS["step"]
    cosine = texts["none"] if one.cosine is None else f"{one.cosine:.2f}".replace("-", "−")
    return str(texts["cell"].format(cosine=cosine, length=written(one.length)))


def muon_words(choice: Choice) -> str:
    texts, recipe = TEXTS["step"], recipe_of(choice)
    return str(
        texts["muon_some"].format(
            matrices=len(muon_matrices(choice)),
            share=f"{recipe.config.lr / recipe.config.muon_lr:.3g}",
            recipe=texts["own_recipe" if recipe.is_own else "train_recipe"],
        )
    )


def ask_step(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    """Ask what one step of plain SGD does; nothing while that has to be computed first."""
    target = target_of(seen, place)
    if not computed.are_cheap(choice):
        return []
    texts = TEXTS["questions"]["step"]
    before, after = computed.single(choice, target, "sgd", ASKED)
    why = texts["why"].format(before=written(before), after=written(after))
    return [
        Question(
            "step",
            texts["text"].format(before=written(before), rate=rate_text(ASKED)),
            (texts["rises"], texts["little"], texts["falls"]),
            (TOO_LARGE, TOO_SMALL, RIGHT).index(zone_of(before, after)),
            why if np.isfinite(after) else texts["why_broken"],
            "step",
        )
    ]


def rates_csv(found: Steps) -> str:
    rows = [
        (rate_of(tenths), float(loss), zone)
        for tenths, loss, zone in zip(RATES, found.losses, found.zones, strict=True)
    ]
    return table_csv(("rate", "loss", "zone"), [(0.0, found.before, ""), *rows])


def optimizers_csv(choice: Choice, seen: Observation, place: Place) -> str:
    found = all_optimizers(choice, target_of(seen, place), place.block)
    rows = [
        (row, name, step, "" if one.cosine is None else one.cosine, one.length)
        for name, both in found.items()
        for step, kept in ((1, both.first), (AGAIN, both.again))
        for row, one in kept.items()
    ]
    return table_csv(TEXTS["step"]["columns"], rows)
