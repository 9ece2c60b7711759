"""The second choice of a comparison, narrowed to the models and pictures that there are."""

from dataclasses import replace

from explainer.content import load_texts
from explainer.content.strangers_words import LONGEST_SENTENCE, plain_format, strangers_word
from explainer.inputs.models import load, saved_epochs
from explainer.inputs.models.saved_epochs import Shown
from explainer.inputs.pictures.galleries import DIGITS, photo_store, samples
from explainer.shell.sidebar import choice_of
from explainer.shell.sidebar.model import Fixed, narrow_to_known, source_name
from explainer.shell.sidebar.pretrained import settle_pretrained
from explainer.state import session
from explainer.state.choice import PRETRAINED, RUN, UNTRAINED, Choice, takes_drawings
from explainer.state.edits import Edits, read_edits, write_edits
from explainer.state.link import State
from explainer.state.second import changed_second, end, second
from vit_core import CheckpointError
from vit_core.errors import VitError

TEXTS = load_texts("compare")


def second_choice(choice: Choice) -> Choice | None:
    """Return what the second half shows; None where nothing is compared.

    A second model that is not there ends the comparison, with a sentence among those about what a
    link asked for in vain. What it lacks is replaced by the nearest, with a sentence.

    Args:
        choice: of the first half. A second one that is the same is none; the bar says so.
    """
    asked = second(session.load())
    if asked is None:
        return None
    try:
        now, shown = find_model(asked)
        model = fixed_model(now, shown)
    except UnusableError as error:
        session.save(end(session.load()))
        session.refused().append(plain_format(TEXTS["no_second"], why=str(error)))
        return None
    now = narrow_picture(now, model)
    found = choice_of(now, model, shown)
    found = replace(found, edits=fitting_edits(now, found))
    now = replace(now, edits=write_edits(found.edits))
    if now != asked:
        values = {name: getattr(now, name) for name in vars(now) if name != "b"}
        changed = {name: new for name, new in values.items() if new != getattr(asked, name)}
        session.save(changed_second(session.load(), **changed))
    return None if found == choice else found


class UnusableError(VitError):
    """The second model cannot be shown; the message is a sentence."""


def find_model(asked: State) -> tuple[State, Shown | None]:
    """Return the state with a model that is there, and the epoch of a run.

    Raises:
        UnusableError: there is no such model.
    """
    if asked.source == PRETRAINED:
        if problem := settle_pretrained(asked):
            raise UnusableError(problem)
        return asked, None
    if asked.source == RUN:
        shown, problem = saved_epochs.look_up(asked)
        if shown is None:
            raise UnusableError(problem)
        if problem:
            session.refused().append(plain_format(TEXTS["of_second"], what=problem))
            asked = replace(asked, epoch=shown.epoch)
        return asked, shown
    if asked.source not in load.available_sources():
        name = load_texts("sidebar")["sources"][asked.source]
        raise UnusableError(TEXTS["no_model"].format(model=name))
    return asked, None


def fixed_model(now: State, shown: Shown | None) -> Fixed | None:
    """Return what the second model fixes; None for an untrained one.

    Raises:
        UnusableError: its file cannot be read.
    """
    if now.source == UNTRAINED:
        return None
    try:
        source = load.load_source(source_name(now, shown))
    except (CheckpointError, OSError) as error:
        why = saved_epochs.reason(error)
        raise UnusableError(strangers_word(why, LONGEST_SENTENCE)) from None
    return Fixed(source.model.config, source.gallery)


def narrow_picture(now: State, model: Fixed | None) -> State:
    """Replace a picture that is not there by one that is."""
    gallery = model.gallery if model else DIGITS
    known = narrow_to_known(now)
    if gallery != DIGITS:
        photo = now.photo if photo_store.is_kept(now.photo) else ""
        known = replace(now, photo=photo, sample=min(now.sample, len(samples(gallery)) - 1))
    shown = ("picture", "digit", "index") if gallery == DIGITS else ("photo", "sample")
    if gallery != DIGITS and takes_drawings(gallery):
        shown, known = ("picture", "sample"), replace(known, picture=narrow_to_known(now).picture)
    if any(getattr(known, name) != getattr(now, name) for name in shown):
        session.refused().append(TEXTS["no_picture"])
    return known


def fitting_edits(now: State, choice: Choice) -> Edits:
    """Return the changes that the second model can have and the pages can show."""
    asked = read_edits(now.edits)
    edits = asked.fitting(choice.config)
    if edits != asked:
        session.refused().append(TEXTS["no_such_change"])
    if edits.covered("drop"):
        session.refused().append(TEXTS["no_gaps"])
    return edits.without_gaps()


def shown_run(choice: Choice | None) -> Shown | None:
    """Return the run and the epoch of a choice; None for a choice of no run."""
    if choice is None or not choice.is_saved:
        return None
    run, epoch = saved_epochs.saved_run(choice.source)
    return Shown(run, run.history.epochs(), epoch)
