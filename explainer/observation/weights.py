"""The learned numbers of the model that ran, as arrays."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from explainer.inputs.models.load import load_source
from explainer.observation.observe import frozen
from explainer.state.choice import Choice


def weights(choice: Choice) -> Mapping[str, np.ndarray]:
    """Return every parameter under timm's name, float32 and read-only, without copying.

    A linear layer's ``weight`` is (outputs, inputs).
    """
    model = load_source(choice.source, choice.config, choice.seed).model
    return MappingProxyType(
        {name: frozen(value.detach().numpy()) for name, value in model.named_parameters()}
    )
