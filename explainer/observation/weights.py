"""The parameters of the chosen model as arrays."""

from collections.abc import Mapping
from types import MappingProxyType
from weakref import WeakKeyDictionary

import numpy as np

from explainer.inputs.models.load import source_of
from explainer.observation.compute import read_only
from explainer.state.choice import Choice
from vit_core.model import ViT

# of the models that are in memory; a page asks a hundred times for those of one
ARRAYS: WeakKeyDictionary[ViT, Mapping[str, np.ndarray]] = WeakKeyDictionary()


def weights(choice: Choice) -> Mapping[str, np.ndarray]:
    """Return every parameter by timm's name, float32 and read-only, without copying.

    A linear layer's ``weight`` is (outputs, inputs).
    """
    model = source_of(choice).model
    arrays = ARRAYS.get(model)
    if arrays is None:
        arrays = ARRAYS[model] = MappingProxyType(
            {name: read_only(value.detach().numpy()) for name, value in model.named_parameters()}
        )
    return arrays
