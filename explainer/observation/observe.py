"""The trace of the chosen picture in the chosen model, computed once for all visitors."""

import streamlit as st

from explainer.caching import BytesCache
from explainer.inputs.models.memory import is_large
from explainer.observation.compute import Observation, compute
from explainer.observation.large_observations import LargeObservations, tensor_bytes
from explainer.state.choice import Choice

LIMIT = 16 * 1024**2  # bytes
OWN_PICTURES_LIMIT = 8 * 1024**2  # bytes; apart, because only its visitor looks at such a picture


def observe(choice: Choice) -> Observation:
    """Run the chosen model on the chosen picture, once for all visitors.

    Raises:
        CheckpointError: the model cannot be read.
        ValueError: the visitor's own picture is unreadable or no longer kept.
    """
    if is_large(choice.config):
        return large_observations().without_tensors(choice)
    cache = of_own_pictures() if choice.is_own else observations()
    return cache.get(choice, lambda: compute(choice))


def keep_for_this_run(choice: Choice) -> None:
    """Keep the tensors of a large model for this run of a page, which then looks them up."""
    if is_large(choice.config):
        large_observations().keep_for_this_run(choice)


@st.cache_resource
def observations() -> BytesCache[Observation]:
    return BytesCache(LIMIT, tensor_bytes)


@st.cache_resource
def of_own_pictures() -> BytesCache[Observation]:
    return BytesCache(OWN_PICTURES_LIMIT, tensor_bytes)


@st.cache_resource
def large_observations() -> LargeObservations:
    return LargeObservations(compute)
