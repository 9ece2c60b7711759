"""What one unit likes: the pictures that excite it, how often it fires, the model without it."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explainer.components.sight import repaints
from explainer.components.thumbnails import thumbnails
from explainer.components.token_picker import token_picker
from explainer.content import load_texts
from explainer.content.numbers import percent, points, precise_percent, written
from explainer.content.strangers_words import StrangersWord, distinct, plain_format, strangers_word
from explainer.content.token_names import patch_names, prefix_names
from explainer.figures import drawn, pixels
from explainer.figures.panels import Panel
from explainer.figures.theme import Mode
from explainer.figures.units import Histogram, framed, histogram_of, unit_histogram
from explainer.inputs.models.memory import is_large
from explainer.inputs.pictures.galleries import samples
from explainer.inputs.pictures.test_pictures import IN_NO_GALLERY, UNKNOWN, TestPictures
from explainer.observation.look import units
from explainer.observation.look.units import Effect, OneUnit, Surveyed
from explainer.observation.naming import sample_name
from explainer.observation.observe import Observation
from explainer.shell import quiz
from explainer.shell.changed_shares import show_changed_shares
from explainer.shell.controls import on_change, pick, pick_number, sync_widget
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.quiz import Question
from explainer.shell.shown import show_chart
from explainer.shell.waiting import ASKED_KEY, awaited, is_asked
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.state.place import Unit as Liked
from vit_core import ViTConfig
from vit_core.interpret.units import Unit

TEXTS = load_texts("look_alike")["unit"]
VIEW = "look_inside"
HIDDEN, DIRECTION = "hidden", "direction"
COLUMNS = 3  # of the pictures that excite a unit
MOST_CLASSES = 10  # in a table; of more, those that change most
FEW = 0.01  # share of the answers


def show_unit(choice: Choice, seen: Observation, place: Place) -> None:
    unit = unit_of(seen, place)
    pick_unit(place, unit)
    offer = st.container()
    own, nine = st.columns((2, 3), gap="large")
    with nine:
        survey, found = examined(choice, place, unit)
    if survey is not None:
        with offer:
            offer_interesting(survey, place, unit)
    with own:
        show_own(choice, seen, place, unit, found)
    if found is None or survey is None:
        return
    pictures = units.pictures_of(choice)
    with nine:
        show_nine(pictures, seen, place, found)
    show_histogram(seen, place, unit, found)
    show_without(choice, seen, place, unit, pictures, survey, found)
    with more(place, "unit"):
        download_csv(
            TEXTS["download"],
            lambda: table_csv(TEXTS["csv_columns"], rows_of(pictures, seen.config, found)),
            "unit.csv",
            place.key("unit-csv"),
        )


def unit_of(seen: Observation, place: Place) -> Unit:
    """Return the chosen unit; until one is, the strongest of the middle block on this picture."""
    if place.liked is not None:
        return Unit(place.liked.block, place.liked.number, place.liked.head)
    block = seen.config.depth // 2
    on_patches = seen.tensors[f"blocks.{block}.mlp.post"][seen.config.num_prefix_tokens :]
    return Unit(block, int(on_patches.max(axis=0).argmax()))


def change(unit: Unit) -> None:
    session.change(liked=str(Liked(unit.block, unit.head, unit.number)))


def named(unit: Unit) -> str:
    """Return what a unit is called; block, head and number count from 1 here."""
    text = TEXTS["unit_hidden" if unit.head is None else "unit_direction"]
    head = None if unit.head is None else unit.head + 1
    return str(text.format(block=unit.block + 1, number=unit.number + 1, head=head))


def pick_unit(place: Place, unit: Unit) -> None:
    """Offer the kind of unit, its block and head, and its number."""
    config, is_hidden = place.config, unit.head is None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        pick(
            TEXTS["kind"],
            (HIDDEN, DIRECTION),
            HIDDEN if is_hidden else DIRECTION,
            lambda kind: change(Unit(unit.block, 0, None if kind == HIDDEN else 0)),
            key=place.key("unit-kind"),
            format_func=TEXTS.__getitem__,
        )
        if config.depth > 1:
            pick_number(
                "block",
                config.depth,
                unit.block,
                lambda block: change(unit._replace(block=block)),
                key=place.key("unit-block"),
            )
        if not is_hidden and config.num_heads > 1:
            pick_number(
                "head",
                config.num_heads,
                unit.head or 0,
                lambda head: change(unit._replace(head=head)),
                key=place.key("unit-head"),
            )
        enter_number(place, unit, config.mlp_dim if is_hidden else config.head_dim)


def enter_number(place: Place, unit: Unit, count: int) -> None:
    """Offer a field for the number of a unit, which counts from 1 here."""

    def keep(number: int) -> None:
        change(unit._replace(number=number - 1))

    key = place.key("unit-number")
    sync_widget(key, unit.number + 1)
    label = TEXTS["hidden_number" if unit.head is None else "direction_number"]
    st.number_input(
        label.format(count=count),
        min_value=1,
        max_value=count,
        value=unit.number + 1,
        step=1,
        key=key,
        width=220,
        on_change=repaints(partial(on_change, key, keep)),
    )


def examined(choice: Choice, place: Place, unit: Unit) -> tuple[Surveyed | None, OneUnit | None]:
    """Return the model and the unit over all pictures; while they are computed, say how far."""
    pictures = units.pictures_of(choice)
    offer = TEXTS["ask"].format(pictures=pictures.words) if is_large(choice.config) else ""
    survey = awaited(
        units.survey_key(choice),
        units.prepared_survey(choice),
        TEXTS["busy_survey"],
        place,
        "unit-survey",
        offer=offer,
        kept=units.kept(),
    )
    if survey is None:
        return None, None
    found = awaited(
        units.unit_key(choice, unit),
        units.prepared_unit(choice, unit),
        TEXTS["busy"],
        place,
        "unit-examined",
        kept=units.kept(),
    )
    return survey, found


def offer_interesting(survey: Surveyed, place: Place, unit: Unit) -> None:
    """Offer the next unit of the same kind that fires seldom and strongly."""
    offered = survey.hidden if unit.head is None else survey.directions
    if not offered:
        note(TEXTS["none_interesting"])
        return
    at = offered.index(unit) + 1 if unit in offered else 0
    st.button(
        TEXTS["interesting"],
        key=place.key("unit-interesting"),
        help=TEXTS["interesting_help"],
        on_click=repaints(partial(change, offered[at % len(offered)])),
    )


def show_own(
    choice: Choice, seen: Observation, place: Place, unit: Unit, found: OneUnit | None
) -> None:
    """Draw the unit over this picture, in the scale of all pictures once that is known."""
    values = units.own_values(seen.tensors[unit.key], unit)
    title = TEXTS["own"].format(unit=named(unit))
    most = float(np.abs(values[seen.config.num_prefix_tokens :]).max())
    if found is not None:
        most = max(most, float(np.abs(found.values).max()))
    st.markdown(f"**{title}**")
    token_picker(
        key=place.key("unit-own"),
        group=place.key("unit"),  # it has all tokens, and the page's other pictures only patches
        image=seen.pixels,
        grid=seen.config.grid_size,
        prefix_names=prefix_names(seen.config),
        query=place.token(seen.telling_patch),
        on_choose=lambda clicked: session.set_query(clicked["query"]),
        values=values,
        scale="diverging",
        limit=most or 1.0,
        width=300,
        title=title,
        cache=(choice, unit, most),
    )


def show_nine(pictures: TestPictures, seen: Observation, place: Place, found: OneUnit) -> None:
    """Draw the pictures that excite the unit most, each of which can be taken to every page."""
    config = seen.config
    st.markdown(f"**{TEXTS['nine']}**")
    if np.ptp(found.values) == 0:
        st.markdown(TEXTS["all_same"])
        return
    marked = [
        framed(pixels_of(pictures, index), config.grid_size, patch)
        for index, patch in zip(found.pictures.tolist(), found.patches.tolist(), strict=True)
    ]
    rows = rows_of(pictures, config, found)
    drawn.note(
        "unit-nine",
        TEXTS["nine"],
        lambda: [
            Panel(one, plain_format(TEXTS["caption"], name=name, value=written(value)), width=140)
            for one, (name, _, value) in zip(marked, rows, strict=True)
        ],
    )
    with st.container(width=420):
        thumbnails(
            key=place.key("unit-nine"),
            label=TEXTS["nine"],
            pictures=[
                (
                    pixels.image_address(one),
                    plain_format(
                        TEXTS["picture_name"], name=name, patch=patch, value=written(value)
                    ),
                )
                for one, (name, patch, value) in zip(marked, rows, strict=True)
            ],
            chosen=None,
            columns=COLUMNS,
            on_choose=repaints(
                lambda index: session.change(**pictures.values(int(found.pictures[index])))
            ),
            captions=[
                plain_format(TEXTS["caption"], name=name, value=written(value))
                for name, _, value in rows
            ],
        )
    note(TEXTS["nine_text"].format(pictures=pictures.words))


def pixels_of(pictures: TestPictures, index: int) -> np.ndarray:
    image = pictures.images[index]
    return image[0] if len(image) == 1 else image.transpose(1, 2, 0)


def name_of(pictures: TestPictures, index: int) -> str:
    """Return what a picture is called: its class, or its name in the gallery, or its number."""
    label, sample = int(pictures.labels[index]), int(pictures.samples[index])
    if label != UNKNOWN and label < len(pictures.class_names):
        return class_names(pictures)[label]
    if sample != IN_NO_GALLERY:
        return sample_name(samples(pictures.gallery)[sample])
    return str(TEXTS["nameless"].format(number=int(pictures.places[index]) + 1))


def class_names(pictures: TestPictures) -> Sequence[StrangersWord]:
    return distinct(pictures.class_names, load_texts("frame")["nameless"])


def rows_of(
    pictures: TestPictures, config: ViTConfig, found: OneUnit
) -> list[tuple[str, str, float]]:
    """Return name, patch and value of each picture that excites the unit most."""
    names = patch_names(config)
    return [
        (name_of(pictures, int(picture)), names[int(patch)], float(value))
        for picture, patch, value in zip(
            found.pictures, found.patches, found.strongest, strict=True
        )
    ]


def show_histogram(seen: Observation, place: Place, unit: Unit, found: OneUnit) -> None:
    """Draw how often the unit has which value, and where this picture's patches are."""
    first = seen.config.num_prefix_tokens
    own = units.own_values(seen.tensors[unit.key], unit)[first:]
    values = found.values
    largest = float(values.max())
    share = percent(float((values > max(largest, 0) / 2).mean()))
    facts = {
        "unit": named(unit),
        "patches": f"{values.size:,}",
        "share": share,
        "largest": written(largest),
        "own": written(float(own.max())),
    }
    st.markdown(f"**{TEXTS['histogram']}**")
    show_chart(
        partial(histogram, histogram_of(values), own, patch_names(seen.config)),
        place,
        "unit-histogram",
        TEXTS["histogram"],
        alt=TEXTS["histogram_alt"].format(
            least=written(float(values.min())),
            most=facts["largest"],
            count=len(own),
            own_least=written(float(own.min())),
            own_most=facts["own"],
            **{name: facts[name] for name in ("unit", "patches", "share")},
        ),
    )
    if largest <= 0:
        st.markdown(TEXTS["silent"].format(**facts))
        return
    larger = float((values.max(axis=1) > own.max()).mean())
    rank = TEXTS["rank"].format(share=percent(larger))
    st.markdown(TEXTS["histogram_words"].format(rank=rank, **facts))


def histogram(found: Histogram, own: np.ndarray, names: list[str], mode: Mode) -> go.Figure:
    return unit_histogram(
        found,
        own,
        names,
        axes=(TEXTS["value_axis"], TEXTS["count_axis"]),
        names=(TEXTS["all_name"], TEXTS["own_name"]),
        hover=(TEXTS["bar_hover"], TEXTS["dot_hover"]),
        mode=mode,
    )


def show_without(
    choice: Choice,
    seen: Observation,
    place: Place,
    unit: Unit,
    pictures: TestPictures,
    survey: Surveyed,
    found: OneUnit,
) -> None:
    """Ask what the model is without the unit, and show it."""
    st.subheader(TEXTS["off_title"], anchor=False)
    st.markdown(TEXTS["off_text"])
    if unit.block == seen.config.depth - 1 and seen.config.pool == "cls":
        note(TEXTS["last_block"])
    if not seen.has_head:
        st.markdown(features_words(pictures, survey, found))
        return
    count = len(pictures)
    changed = int((survey.outputs.argmax(axis=1) != found.outputs.argmax(axis=1)).sum())
    if not is_revealed(choice, place, unit, changed, count):
        return
    effect = units.effect_of(pictures, survey.outputs, found.outputs)
    if effect is None:
        st.markdown(TEXTS["answers_only"].format(changed=changed, count=f"{count:,}"))
        return
    st.markdown(effect_words(seen, effect, count))
    show_classes(seen, effect)


def is_revealed(choice: Choice, place: Place, unit: Unit, changed: int, count: int) -> bool:
    """Ask how many answers change, until somebody has answered or wants to see it at once."""
    if st.session_state.get(ASKED_KEY, {}).get(place.key("unit-effect")) == choice:
        return True
    few = int(FEW * count)
    answers = [(TEXTS["none_change"], not changed)]
    if few:
        answers.append((TEXTS["few_change"].format(few=few), 0 < changed <= few))
    more_change = TEXTS["many_change" if few else "one_changes"]
    answers.append((more_change.format(few=few), changed > few))
    facts = {"changed": changed, "count": f"{count:,}"}
    question = Question(
        "unit-off",
        TEXTS["question"].format(unit=named(unit), **facts),
        tuple(option for option, _ in answers),
        [is_right for _, is_right in answers].index(True),
        TEXTS["why"].format(**facts),
    )
    quiz.show_question(VIEW, question, place)
    is_answered = quiz.fingerprint(VIEW, question) in quiz.answers()
    return is_answered or is_asked(choice, TEXTS["show"], place, "unit-effect")


def effect_words(seen: Observation, effect: Effect, count: int) -> str:
    said = TEXTS["accuracy"].format(
        before=precise_percent(effect.accuracy),
        after=precise_percent(effect.accuracy_off),
        changed=effect.changed,
        count=f"{count:,}",
    )
    changes = effect.right_off - effect.right
    if not changes.any():
        return f"{said} {TEXTS['spared']}"
    most = int(np.abs(changes).argmax())
    needed = TEXTS["needed"].format(
        name=seen.class_names[int(effect.classes[most])], points=points(float(changes[most]))
    )
    spared = TEXTS["spared"] if not effect.changed else ""
    return f"{said} {needed} {spared}"


def show_classes(seen: Observation, effect: Effect) -> None:
    """Draw the mean probability of each right class with and without the unit."""
    order = np.argsort(-np.abs(effect.right_off - effect.right), kind="stable")[:MOST_CLASSES]
    shown = np.sort(order)
    show_changed_shares(
        effect.right[shown],
        effect.right_off[shown],
        [seen.class_names[int(effect.classes[one])] for one in shown],
        (
            TEXTS["class_column"],
            TEXTS["before_column"],
            TEXTS["after_column"],
            TEXTS["change_column"],
        ),
        name="unit-classes",
        title=TEXTS["table"],
    )


def features_words(pictures: TestPictures, survey: Surveyed, found: OneUnit) -> str:
    turned = units.turned(survey.outputs, found.outputs)
    most = int(turned.argmax())
    return str(
        TEXTS["features"].format(
            mean=written(float(turned.mean())),
            most=written(float(turned[most])),
            name=strangers_word(name_of(pictures, most)),
        )
    )
