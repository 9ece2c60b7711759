"""The trace of the chosen picture in the chosen model, computed once for all visitors."""

import streamlit as st

from explainer.inputs.models.memory import is_large
from explainer.observation.compute import Observation, compute
from explainer.observation.large_observations import LargeObservations
from explainer.observation.small_observations import SmallObservations
from explainer.state.choice import Choice


def observe(choice: Choice) -> Observation:
    """Run the chosen model on the chosen picture, once for all visitors.

    Raises:
        CheckpointError: the model cannot be read.
        ValueError: the visitor's own picture is unreadable or no longer kept.
    """
    if is_large(choice.config):
        return large_observations().without_tensors(choice)
    return small_observations().without_tensors(choice)


def keep_for_this_run(choice: Choice) -> None:
    """Keep the tensors of a large model for this run of a page, which then looks them up."""
    if is_large(choice.config):
        large_observations().keep_for_this_run(choice)


@st.cache_resource
def small_observations() -> SmallObservations:
    return SmallObservations(compute)


@st.cache_resource
def large_observations() -> LargeObservations:
    return LargeObservations(compute)
