"""The parameters of the chosen model as arrays."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from explainer.inputs.models.load import source_of
from explainer.observation.compute import read_only
from explainer.state.choice import Choice


def weights(choice: Choice) -> Mapping[str, np.ndarray]:
    """Return every parameter by timm's name, float32 and read-only, without copying.

    A linear layer's ``weight`` is (outputs, inputs).
    """
    model = source_of(choice).model
    return MappingProxyType(
        {name: read_only(value.detach().numpy()) for name, value in model.named_parameters()}
    )
