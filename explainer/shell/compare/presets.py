"""Pairs that are worth comparing: each made from the model and the picture in hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from explainer import training
from explainer.content import load_texts
from explainer.content.strangers_words import StrangersWord, plain_format
from explainer.content.token_names import patch_names
from explainer.inputs.models import load, pretrained
from explainer.inputs.pictures import test_digits
from explainer.inputs.pictures.galleries import DIGITS
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation, observe
from explainer.observation.wrong_digits import misclassified_digits
from explainer.state.choice import PRETRAINED, RUN, UNTRAINED, Choice
from explainer.state.edits import LEFT_OUT, Edits, write_edits
from explainer.state.link import DEPTHS, HEADS, PATCHES, WIDTHS, State
from explainer.state.place import Place
from explainer.training.run import Run
from vit_core.interpret.heads import Head

TEXTS = load_texts("compare")["presets"]
STEPS = {"no_residual": "residual", "no_layer_norm": "layer_norm", "no_scaling": "scale_scores"}
TRIED = 8  # digits of a class, until one is read right
PIXELS = 2  # by which a picture is moved


@dataclass(frozen=True)
class InHand:
    """What is looked at now.

    Attributes:
        now: the state, without a second half.
    """

    now: State
    choice: Choice
    seen: Observation
    place: Place


@dataclass(frozen=True)
class Preset:
    """Two halves that are worth comparing.

    Attributes:
        name: of its text.
        label: plain letters; strangers' words may be in it.
    """

    name: str
    label: str
    a: State
    b: State


Maker = Callable[[InHand], Iterator[Preset]]


def untrained(hand: InHand) -> Iterator[Preset]:
    """The model before training, with the shape that the knobs can give it, and after."""
    now, config = hand.now, hand.choice.config
    if hand.choice.gallery != DIGITS or hand.choice.is_edited_model:
        return
    if hand.choice.is_shaped:
        yield preset("untrained", now, replace(now, source=load.available_sources()[0]))
        return
    shape: dict[str, Any] = {
        "patches": nearest(PATCHES, config.grid_size[1]),
        "width": nearest(WIDTHS, config.embed_dim),
        "heads": nearest(HEADS, config.num_heads),
        "depth": nearest(DEPTHS, config.depth),
        "position": config.pos_embed,
    }
    yield preset("untrained", replace(now, source=UNTRAINED, **shape), now)


def nearest(options: tuple[int, ...], size: int) -> int:
    return min(options, key=lambda option: abs(option - size))


def epochs(hand: InHand) -> Iterator[Preset]:
    """The first and the last saved epoch of the run in hand, or of the recorded one."""
    run = run_in_hand(hand)
    if run is None:
        return
    saved = run.history.epochs()
    first, last = (
        replace(hand.now, source=RUN, run=run.id, epoch=epoch) for epoch in (saved[0], saved[-1])
    )
    yield preset("epochs", first, last, first=saved[0], last=saved[-1], run=run.title)


def run_in_hand(hand: InHand) -> Run | None:
    """Return the run that is looked at or was, else a recorded one, if several epochs are saved."""
    known = load.find_run(hand.now.run) if hand.now.run else None
    runs = [*([known] if known else []), *training.the_manager().recorded()]
    return next((run for run in runs if len(run.history.epochs()) > 1), None)


def wrong(hand: InHand) -> Iterator[Preset]:
    """A digit that the model reads right, and one of the same class that it does not."""
    if hand.choice.gallery != DIGITS or not hand.seen.has_head:
        return
    one = next(iter(misclassified_digits(hand.choice)), None)
    right = None if one is None else right_index(hand.choice, one.digit)
    if one is None or right is None:
        return
    digits = [
        replace(hand.now, picture="", digit=one.digit, index=index) for index in (right, one.index)
    ]
    said = hand.seen.class_names[one.predicted]
    yield preset("wrong", *digits, digit=hand.seen.class_names[one.digit], said=said)


def right_index(choice: Choice, digit: int) -> int | None:
    """Return the first digit of a class that the model reads right, of a few that are tried."""
    for index in range(min(TRIED, test_digits.count_digits(digit))):
        tried = replace(choice, digit=digit, index=index, picture="", edits=choice.edits.of_model)
        if observe(tried).prediction == digit:
            return index
    return None


def pool(hand: InHand) -> Iterator[Preset]:
    """A trained model that reads the class token, and one that reads the mean of its patches."""
    by_pool = {"cls": "default", "mean": "fast"}
    yield from two_trained(hand, "pool", by_pool, hand.choice.config.pool)


def position(hand: InHand) -> Iterator[Preset]:
    """Learned positions, and those of sine and cosine; of one shape, if nothing was trained."""
    kind = hand.choice.config.pos_embed
    if hand.choice.is_shaped:
        kinds = (replace(hand.now, position=one) for one in ("learned", "sincos"))
        yield preset("position", *kinds)
        return
    by_kind = {"learned": "default", "sincos": "seed"}
    yield from two_trained(hand, "position", by_kind, "sincos" if kind == "sincos2d" else kind)


def two_trained(hand: InHand, name: str, models: dict[str, str], kind: str) -> Iterator[Preset]:
    """Yield two trained models for digits; the one in hand stands for its kind.

    Args:
        models: kind → the shipped model of this kind, in the order of the halves.
        kind: of the model in hand.
    """
    available = load.available_sources()
    if hand.choice.gallery != DIGITS or not {*models.values()} <= {*available}:
        return
    halves = [
        hand.now if hand.choice.trained and one == kind else replace(hand.now, source=source)
        for one, source in models.items()
    ]
    yield preset(name, *halves)


def changed(hand: InHand) -> Iterator[Preset]:
    """The same with a head off, a patch covered, without position, moved."""
    if hand.choice.edits:
        return
    place, config = hand.place, hand.choice.config
    patch = place.patch(hand.seen.telling_patch)
    head = Head(place.block, place.head)
    facts = {"block": head.block + 1, "head": head.head + 1}
    yield edited(hand, "head_off", Edits(heads_off=(head,)), **facts)
    name = patch_names(config)[patch]
    yield edited(hand, "covered", Edits(cover=((patch, "mean"),)), patch=name)
    yield edited(hand, "moved", Edits(move=(PIXELS, 0)))
    if config.pos_embed != "none":
        yield edited(hand, "no_position", Edits(no_position=True))


def mistakes(hand: InHand) -> Iterator[Preset]:
    """The same weights with a step of the pass left out."""
    if hand.choice.edits or flaws(hand.choice):
        return
    for mistake in LEFT_OUT.values():
        yield edited(hand, mistake, Edits(mistake=mistake))


def edited(hand: InHand, name: str, edits: Edits, **facts: object) -> Preset:
    return preset(name, hand.now, replace(hand.now, edits=write_edits(edits)), **facts)


def cifar10(hand: InHand) -> Iterator[Preset]:
    """Digits, and photographs of ten classes."""
    if "cifar10" in load.available_sources():
        digits = replace(hand.now, source=load.available_sources()[0])
        first = hand.now if hand.choice.gallery == DIGITS else digits
        yield preset("cifar10", first, replace(hand.now, source="cifar10"))


def pretrained_models(hand: InHand) -> Iterator[Preset]:
    """A small model, and a large one that the server has."""
    ready = [one for one in pretrained.offers() if one.is_ready and "dinov2" in one.name.lower()]
    if ready:
        small = replace(hand.now, source=load.available_sources()[0])
        first = small if hand.now.source == PRETRAINED else hand.now
        second = replace(hand.now, source=PRETRAINED, pretrained=ready[0].name)
        yield preset("pretrained", first, second, title=ready[0].title)


GROUPS: dict[str, tuple[Maker, ...]] = {
    "learning": (untrained, epochs),
    "pictures": (wrong,),
    "changed": (changed,),
    "mistakes": (mistakes,),
    "models": (pool, position, cifar10, pretrained_models),
}


def presets(hand: InHand) -> dict[str, list[Preset]]:
    """Return the pairs that can be compared here, by the group that they are offered in."""
    made = {
        group: [one for make in makers for one in make(hand) if one.a != one.b]
        for group, makers in GROUPS.items()
    }
    return {group: pairs for group, pairs in made.items() if pairs}


def preset(name: str, a: State, b: State, **facts: object) -> Preset:
    return Preset(name, StrangersWord(plain_format(TEXTS[name], **facts)), a, b)
