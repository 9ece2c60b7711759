"""What the classes of others' models are called: one name each, none empty, no two the same."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from vit_core.pretrained.errors import one_line
from vit_core.torchvision_import import import_torchvision

IMAGENET = 1000  # classes
KNOWN = 0.9  # share of ImageNet's names from which on a list of names is ImageNet's
LONGEST = 400  # characters of a name, which the app shortens further where it shows it


@cache
def imagenet_names() -> tuple[str, ...]:
    """Return the names of ImageNet-1k's classes; empty where torchvision cannot be imported."""
    try:
        models = import_torchvision().models
    except ImportError:
        return ()
    return tuple(models.ViT_B_16_Weights.IMAGENET1K_V1.meta["categories"])


def names_of(labels: object, count: int, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the classes' names, and what there is to be said about them.

    A name is kept whole: only ImageNet's list gives synonyms behind commas.

    Args:
        labels: a list, or a mapping of the class's number to its name; None for none.
        count: of the classes.
        where: what holds the labels, for the sentence.
    """
    if not count:
        return (), ()
    if not isinstance(labels, Mapping | list | tuple) or not labels:
        return unnamed(count)
    given = numbered(labels)
    notes = []
    if len(labels) != count or any(number not in given for number in range(count)):
        known = sum(number in given for number in range(count))
        notes.append(f"{where} names {known:,} of the {count:,} classes; the others are numbered.")
    names = [plain(given.get(number)) for number in range(count)]
    if count == IMAGENET and (whole := imagenet_names()):
        first = [name.split(",")[0].strip() for name in names]
        if sum(a == b for a, b in zip(first, whole, strict=True)) >= KNOWN * count:
            names = first
    return distinct(names), tuple(notes)


def numbered(labels: Mapping[Any, Any] | list[Any] | tuple[Any, ...]) -> dict[int, Any]:
    """Return labels by the class's number, which JSON has as text."""
    if not isinstance(labels, Mapping):
        return dict(enumerate(labels))
    found = {}
    for key, value in labels.items():
        if isinstance(key, int) or (isinstance(key, str) and key.isdecimal() and len(key) < 10):
            found[int(key)] = value
    return found


def plain(name: object) -> str:
    """Return a name as text on one line; empty for what is none."""
    if isinstance(name, str | int | float):
        return one_line(str(name), LONGEST)
    return ""


def unnamed(count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the classes of a model whose names nobody has written down."""
    if count == IMAGENET and (names := imagenet_names()):
        note = "Its classes have no names; having 1,000 of them, it is given ImageNet's names."
        return distinct(names), (note,)
    return tuple(map(str, range(count))), ()


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Give a name to the nameless, and a number to those that have the name of another."""
    wanted = [name if name.strip() else f"class {number}" for number, name in enumerate(names)]
    taken = set(wanted)
    next_number: dict[str, int] = {}
    seen: set[str] = set()
    found = []
    for name in wanted:
        chosen = name
        while chosen in seen or (chosen != name and chosen in taken):
            next_number[name] = next_number.get(name, 1) + 1
            chosen = f"{name} ({next_number[name]})"
        seen.add(chosen)
        found.append(chosen)
    return tuple(found)
