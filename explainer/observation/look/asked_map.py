"""Where many pictures lie after the last block, as the story asks for it.

A browser may send anything, so all of it is checked.
"""

from collections.abc import Mapping
from typing import Any

from explainer.observation.live_answer import LONGEST_ID
from explainer.observation.look.map import (
    NO_CLASS,
    EpochMap,
    kept_maps,
    key_of,
    maker,
    pictures_of,
)
from explainer.observation.tasks import standing
from explainer.state.choice import Choice
from vit_core import CheckpointError

LEAST = 3  # pictures of a map
DIGITS_OF_POINTS = 5  # significant ones


def answer_map(choice: Choice, sent: object) -> dict[str, Any] | None:
    """Return what goes back to ``AskedLine`` of ``story/asked.js``.

    That is {id, wait, share} while the map is made, where ``wait`` is how often it was asked and
    ``share`` how much is done, 0 to 1; {id, few} for a model with too few pictures, in words;
    {id, error}; or {id, words, points, labels, predicted, mean, directions}. None if a browser
    sent no question at all.

    Args:
        sent: the value of the component's trigger, {id, turn}.
    """
    if not isinstance(sent, Mapping):
        return None
    question, turn = sent.get("id"), sent.get("turn")
    if not isinstance(question, str) or not 0 < len(question) <= LONGEST_ID:
        return None
    try:
        pictures = pictures_of(choice)
        if len(pictures) < LEAST:
            return {"id": question, "few": pictures.words}
        found = standing(key_of(choice), maker(choice), kept=kept_maps())
    except (ValueError, CheckpointError, OSError) as error:
        return {"id": question, "error": str(error)}
    if found.error is not None:
        return {"id": question, "error": str(found.error)}
    if found.value is None:
        return {
            "id": question,
            "wait": turn if type(turn) is int else 0,
            "share": round(found.share, 3),
        }
    return {
        "id": question,
        "words": pictures.words,
        "labels": pictures.labels.tolist(),
        **last_stage(found.value),
    }


def last_stage(found: EpochMap) -> dict[str, Any]:
    """Return the points after the last block, and the plane in which they lie."""
    return {
        "points": [[short(right), short(up)] for right, up in found.points[-1].tolist()],
        "predicted": [None if one == NO_CLASS else one for one in found.predicted.tolist()],
        "mean": found.means[-1].tolist(),
        "directions": found.directions[-1].tolist(),
    }


def short(value: float) -> float:
    return float(f"{value:.{DIGITS_OF_POINTS}g}")
