"""The maps that the story shows and tests: each claims to say which patches an answer relied on."""

from collections.abc import Mapping

import numpy as np

from explainer.inputs.models.memory import is_large
from explainer.observation.look.attributions import attribution
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core.interpret import METHODS, AttributionError
from vit_core.interpret.attribution import TARGETED

INK = "ink"  # which asks no model
ASKING = ("lrp", "rollout")  # maps that ask the model


def claims_of(choice: Choice, seen: Observation) -> Mapping[str, np.ndarray]:
    """Return method → its map of the picture, (P,) float32; of each, what explains the answer.

    A method that needs gradients is left out of a large model, whose story would wait for it, and
    so is one that cannot explain the model.
    """
    target = seen.prediction if seen.has_head else None
    claims: dict[str, np.ndarray] = {}
    for name in (*ASKING, INK):
        if name not in METHODS or (name in TARGETED and is_large(seen.config)):
            continue
        try:
            claims[name] = attribution(choice, target, name).patches.astype(np.float32)
        except AttributionError:
            continue
    return claims


def first_claim(claims: Mapping[str, np.ndarray]) -> str:
    """Return the map whose claim is tested first, as ``TruthScreen`` of the browser chooses it."""
    return next(iter(claims), INK)
