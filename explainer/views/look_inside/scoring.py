"""What the parts share that put methods to the test."""

from collections.abc import Mapping

import numpy as np

from explainer.content import load_texts
from explainer.content.numbers import written
from explainer.content.strangers_words import LONGEST_SENTENCE, strangers_word
from explainer.figures.map_table import MapCell, ends, map_colours
from explainer.observation.look.attributions import BASELINES
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.notes import note
from vit_core.interpret import METHODS

VIEW = "look_inside"
TEXTS = load_texts("look_true")
Names = Mapping[str, str]


def method_names(seen: Observation) -> Names:
    """Return what each method is called beside this model and picture."""
    texts = texts_of(VIEW, seen)["methods"]
    return {method: str(texts[method]["name"]) for method in METHODS}


def note_refused(refused: Mapping[str, str], names: Names) -> None:
    """Say which methods can explain nothing here, and why."""
    if refused:
        each = (
            TEXTS["refused_one"].format(
                method=names[method], why=strangers_word(why, LONGEST_SENTENCE)
            )
            for method, why in refused.items()
        )
        note(TEXTS["refused"].format(methods="; ".join(each)))


def map_cell(
    values: np.ndarray, grid: tuple[int, int], signed: bool, name: str, where: str, text: str
) -> MapCell:
    """Return a small map on a scale of its own.

    Args:
        name: of the method.
        where: what is shown of the method, for the text beside the pointer.
        text: below it.
    """
    low, high = ends(values, signed=signed)
    alt = TEXTS["map_alt"].format(method=name, where=where, low=written(low), high=written(high))
    return MapCell(map_colours(values, grid, signed=signed), text, alt)


def apart(methods: tuple[str, ...]) -> int:
    """Return how many of the last rows are baselines."""
    return sum(method in BASELINES for method in methods)


def two_digits(number: float) -> str:
    text = f"{number:.2f}".replace("-", "−")
    return "0.00" if text == "−0.00" else text


def baselines(names: Names) -> str:
    """Return what the last rows are for."""
    told = TEXTS["baselines"]
    return str(told.format(ink=names["ink"].lower(), random=names["random"].lower()))
