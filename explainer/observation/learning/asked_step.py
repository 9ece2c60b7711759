"""One real step on the chosen picture, as the story asks for it: too short, right and too long.

A browser may send anything, so all of it is checked.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from explainer.content.numbers import rate_text
from explainer.observation.learning.lesson import can_learn
from explainer.observation.learning.steps import (
    RIGHT,
    TOO_LARGE,
    TOO_SMALL,
    Steps,
    are_there,
    steps,
)
from explainer.observation.live_answer import LONGEST_ID
from explainer.state.choice import Choice
from explainer.state.link import RATES
from vit_core import CheckpointError

FAR = 20  # tenths of a decade between the right step and the others, where there is room


def answer_step(choice: Choice, sent: object) -> dict[str, Any] | None:
    """Return what goes back to ``AskedLine`` of ``story/asked.js``.

    That is {id, before, steps}, or {id, wait} while it is being computed, where ``wait`` is how
    often it was asked, or {id, error}; None if a browser sent no question at all.

    Args:
        sent: the value of the component's trigger, {id, target, turn}.
    """
    if not isinstance(sent, Mapping):
        return None
    question, target = sent.get("id"), sent.get("target")
    if not isinstance(question, str) or not 0 < len(question) <= LONGEST_ID:
        return None
    if not can_learn(choice.config):
        return {"id": question, "error": "too_large"}
    if type(target) is not int or not 0 <= target < choice.config.num_classes:
        return {"id": question, "error": "no_such_class"}
    try:
        if not are_there(choice, target, "sgd"):
            return {"id": question, "wait": turn if type(turn := sent.get("turn")) is int else 0}
        found = steps(choice, target, "sgd")
    except (ValueError, CheckpointError, OSError) as error:
        return {"id": question, "error": str(error)}
    told = {name: step_of(found, at) for name, at in three(found).items()}
    return {"id": question, "before": found.before, "steps": told}


def three(found: Steps) -> dict[str, int]:
    """Return the places of up to three learning rates by their zone: small, right and large.

    The right one makes the loss smallest, of those below all that are too large. Where no rate
    takes a tenth off the loss, or none makes it larger, that one is missing.
    """
    zones, losses = found.zones, np.where(np.isfinite(found.losses), found.losses, np.inf)
    first = zones.index(TOO_LARGE) if TOO_LARGE in zones else len(zones)
    sound = [at for at in range(first) if zones[at] == RIGHT]
    right = min(sound, key=lambda at: losses[at]) if sound else None
    chosen: dict[str, int] = {}
    small = [at for at in range(first if right is None else right) if zones[at] == TOO_SMALL]
    if small:
        far = [at for at in small if right is None or at <= right - FAR]
        chosen[TOO_SMALL] = far[-1] if far else small[-1]
    if right is not None:
        chosen[RIGHT] = right
    large = [at for at, zone in enumerate(zones) if zone == TOO_LARGE]
    if large:
        finite = [at for at in large if np.isfinite(losses[at])] or large
        from_right = [at for at in finite if right is None or at >= right + FAR]
        chosen[TOO_LARGE] = from_right[0] if from_right else finite[-1]
    return chosen


def step_of(found: Steps, at: int) -> dict[str, Any]:
    """Return one step as a browser draws it; what overflows is None."""
    loss, shares = float(found.losses[at]), found.probabilities[at]
    is_whole = bool(np.isfinite(loss) and np.isfinite(shares).all())
    return {
        "rate": rate_text(RATES[at]),
        "loss": loss if is_whole else None,
        "shares": shares.tolist() if is_whole else None,
    }
