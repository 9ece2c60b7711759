"""Epochs that are played one after another, in both halves in step."""

from dataclasses import replace

from explainer.inputs.models import load
from explainer.inputs.models.saved_epochs import Shown
from explainer.state.choice import RUN
from explainer.state.link import State
from explainer.state.second import changed_second, second


def shown_of(state: State | None) -> Shown | None:
    """Return the run and the epoch that a state asks for; None if it asks for no saved one."""
    if state is None or state.source != RUN or not (run := load.find_run(state.run)):
        return None
    epochs = run.history.epochs()
    epoch = epochs[-1] if epochs and state.epoch is None else state.epoch
    return Shown(run, epochs, epoch) if epoch is not None and epoch in epochs else None


def following(shown: Shown | None) -> int | None:
    """Return the epoch after the one that is shown; None at the last."""
    if shown is None:
        return None
    return next((epoch for epoch in shown.epochs if epoch > shown.epoch), None)


def goes_on(state: State) -> bool:
    """Whether there is a later epoch in either half."""
    return any(following(shown_of(half)) is not None for half in (state, second(state)))


def moved_on(state: State) -> State:
    """Return the state with the next epoch in each half that has one."""
    other = second(state)
    if (epoch := following(shown_of(state))) is not None:
        state = replace(state, epoch=epoch)
    if other is not None and state.b:
        epoch = following(shown_of(other))
        # also if it stays: what it had in common with the first half moved on
        state = changed_second(state, epoch=other.epoch if epoch is None else epoch)
    return state


def from_the_start(state: State) -> State:
    """Return the state with the first epoch in each half that is at its last."""
    other = second(state)
    if (shown := shown_of(state)) and following(shown) is None:
        state = replace(state, epoch=shown.epochs[0])
    if other is not None:
        shown = shown_of(other)
        is_apart = shown and following(shown) is None and other.run != state.run
        state = changed_second(state, epoch=shown.epochs[0] if shown and is_apart else other.epoch)
    return state
