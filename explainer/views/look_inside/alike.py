"""One patch and those that the model finds similar: before training, and in a second picture."""

from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.components.alike import Cosines, alike
from explainer.components.sight import repaints
from explainer.components.thumbnails import thumbnails
from explainer.content import load_texts
from explainer.content.numbers import fixed
from explainer.content.strangers_words import plain_format
from explainer.content.token_names import patch_names
from explainer.figures import theme
from explainer.figures.pixels import image_address
from explainer.figures.steps import Line, line_chart
from explainer.figures.theme import Mode
from explainer.inputs.models.memory import is_large
from explainer.observation.look import alike as numbers
from explainer.observation.look.alike import MIRROR, Second
from explainer.observation.observe import Observation
from explainer.shell import quiz
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.picker.gallery import thumbnail
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart
from explainer.shell.waiting import awaited
from explainer.state import session
from explainer.state.choice import DIGITS, Choice
from explainer.state.place import Place

TEXTS = load_texts("look_alike")["alike"]
COLUMNS = 8  # of small pictures


def show_alike(choice: Choice, seen: Observation, place: Place) -> None:
    patch, stage = place.patch(seen.telling_patch), stage_of(seen, place)
    own = numbers.own_stages(choice, seen)
    pictures = st.container()
    before = untrained(choice, seen, place)
    second = numbers.chosen_second(choice, place.match)
    other = numbers.second_stages(choice, seen, second)
    title = TEXTS["own" if choice.trained else "own_untrained"]
    found = [Cosines("own", title, numbers.cosines(own, own, patch))]
    if before is not None:
        name = "untrained_run" if numbers.first_epoch(choice) else "untrained"
        found.append(Cosines("before", TEXTS[name], numbers.cosines(before, before, patch)))
    name = plain_format(TEXTS["second"], name=second.name)
    found.append(Cosines("other", name, numbers.cosines(own, other, patch), "second"))
    with pictures:
        alike(
            key=place.key("alike-patches"),
            image=seen.pixels,
            grid=seen.config.grid_size,
            chosen=patch,
            stage=stage,
            cosines=found,
            on_choose=partial(choose, choice),
            second=numbers.pixels_of(choice, seen, second),
            stretched=place.other is None,  # two halves have one scale
            group=place.prefix,
            title=TEXTS["title"],
            cache=(choice, patch, second.code, before is not None),
        )
    pick_second(choice, seen, place, second)
    st.markdown(words(choice, seen, second, stage, own, before, other))
    show_means(choice, place, own, before)
    with more(place, "alike"):
        download_csv(
            TEXTS["download"],
            lambda: table_csv(TEXTS["csv_columns"], rows_of(seen, found)),
            "similar-patches.csv",
            place.key("alike-patches-csv"),
        )


def stage_of(seen: Observation, place: Place) -> int:
    """Return after which block patches are compared; 0 before the first."""
    return seen.config.depth if place.stage is None else place.stage


def ask_most_similar(choice: Choice, seen: Observation) -> Question | None:
    """Ask after which block the patches are most similar; None where there is nothing to ask."""
    if seen.config.num_patches < 2:
        return None
    texts, means = TEXTS["question"], numbers.mean_cosines(numbers.own_stages(choice, seen))
    best, last = int(means.argmax()), len(means) - 1
    stages = sorted({0, last // 3, 2 * last // 3, last, best})
    shown = [
        (texts["stage" if stage else "before"].format(block=stage), fixed(float(means[stage]), 2))
        for stage in stages
    ]
    return quiz.compared(
        "alike", texts["text"], shown, stages.index(best), texts["why"], "alike", "alike-means"
    )


def choose(choice: Choice, clicked: dict[str, int]) -> None:
    values = {}
    if "query" in clicked:
        values["query"] = choice.config.num_prefix_tokens + clicked["query"]
    if "stage" in clicked:
        values["stage"] = clicked["stage"]
    session.change(**values)


def untrained(choice: Choice, seen: Observation, place: Place) -> np.ndarray | None:
    """Return the patches before training; where there are none yet, say why or offer them."""
    if not choice.trained:
        note(TEXTS["none"])
        return None
    millions = fixed(choice.config.num_parameters / 1e6, 0)
    if not numbers.can_be_untrained(choice):
        note(TEXTS["too_large"].format(millions=millions))
        return None
    if not is_large(choice.config):
        return numbers.untrained_stages(choice, seen)
    return awaited(
        numbers.untrained_key(choice),
        numbers.prepared_untrained(choice, seen),
        TEXTS["busy_untrained"],
        place,
        "alike-untrained",
        offer=TEXTS["ask_untrained"].format(millions=millions),
        kept=numbers.kept(),
    )


def pick_second(choice: Choice, seen: Observation, place: Place, second: Second) -> None:
    """Offer the pictures in which the patch can be looked for."""
    offered = numbers.seconds(choice)
    st.markdown(f"**{TEXTS['choose']}**")
    with st.container(key=place.key("alike-seconds"), width=480):
        thumbnails(
            key=place.key(f"alike-second-{choice.gallery}"),
            label=TEXTS["choose"],
            pictures=[(address_of(choice, seen, one), one.name) for one in offered],
            chosen=offered.index(second) if second in offered else None,
            columns=COLUMNS,
            on_choose=repaints(lambda index: session.change(match=offered[index].code)),
        )
    values = second.values
    if values is not None and place.half != "b":
        st.button(
            plain_format(TEXTS["look"], name=second.name),
            key=place.key("alike-look"),
            on_click=repaints(lambda: session.change(**values)),
        )


def address_of(choice: Choice, seen: Observation, second: Second) -> str:
    """Return the address of a small version of a second picture."""
    if choice.gallery == DIGITS or second.code == MIRROR:
        return image_address(numbers.pixels_of(choice, seen, second))
    return thumbnail(*numbers.place_in_gallery(choice, second))


def words(
    choice: Choice,
    seen: Observation,
    second: Second,
    stage: int,
    own: np.ndarray,
    before: np.ndarray | None,
    other: np.ndarray,
) -> str:
    """Say how well patches find one another at this stage."""
    config = seen.config
    facts = {
        "stage": TEXTS["stage_after" if stage else "stage_before"].format(block=stage),
        "count": config.num_patches,
    }
    if second.code != MIRROR:
        mutual = int(numbers.matches(own, other, stage).are_mutual.sum())
        return str(TEXTS["second_words"].format(mutual=mutual, **facts))
    untrained = ""
    if before is not None:
        mirrored = numbers.untrained_mirror(choice, seen)
        right = numbers.found_in_mirror(config, before, mirrored, stage)
        untrained = TEXTS["mirror_untrained"].format(right=right, **facts)
    right = numbers.found_in_mirror(config, own, other, stage)
    return str(TEXTS["mirror_words"].format(right=right, untrained=untrained, **facts))


def show_means(choice: Choice, place: Place, own: np.ndarray, before: np.ndarray | None) -> None:
    """Draw how similar the patches are on average, after each block."""
    if own.shape[1] < 2:
        return
    has_position = choice.config.pos_embed != "none" and not choice.edits.no_position
    near = TEXTS["chart_position"] if has_position else ""
    note(TEXTS["chart_words"].format(position=near))
    lines = [("line_trained" if choice.trained else "own", numbers.mean_cosines(own))]
    if before is not None:
        lines.append(("line_untrained", numbers.mean_cosines(before)))
        note(TEXTS["first" if numbers.first_epoch(choice) else "random"])
    st.markdown(f"**{TEXTS['chart']}**")
    said = [
        TEXTS["line_alt"].format(
            name=TEXTS[name], first=fixed(values[0], 2), last=fixed(values[-1], 2)
        )
        for name, values in lines
    ]
    show_chart(
        partial(means_chart, lines),
        place,
        "alike-means",
        TEXTS["chart"],
        alt=TEXTS["chart_alt"].format(lines=" ".join(said)),
    )


def means_chart(lines: list[tuple[str, np.ndarray]], mode: Mode) -> go.Figure:
    shades = {"line_untrained": theme.MUTED}
    chart = line_chart(
        [
            Line(
                TEXTS[name],
                np.arange(len(values)),
                values,
                shades.get(name, theme.ACCENT),
                [fixed(value, 3) for value in values.tolist()],
                has_dots=True,
                dash="dash" if name == "line_untrained" else "solid",
            )
            for name, values in lines
        ],
        axes=(TEXTS["axis_stage"], TEXTS["axis_cosine"]),
        hover=TEXTS["hover"],
        mode=mode,
        y_range=(min(-0.05, *(float(values.min()) - 0.05 for _, values in lines)), 1.05),
        height=240,
    )
    stages = len(lines[0][1])
    chart.update_xaxes(tickvals=[*range(0, stages, 1 + stages // 16)])
    return chart


def rows_of(seen: Observation, found: list[Cosines]) -> list[tuple[str, str, int, float]]:
    names = patch_names(seen.config)
    return [
        (name, one.title, stage, float(value))
        for one in found
        for stage, values in enumerate(one.values)
        for name, value in zip(names, values, strict=True)
    ]
