"""Names for the classes of pretrained models: one for each class, none empty, all different."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from vit_core.pretrained.errors import one_line
from vit_core.torchvision_import import import_torchvision

IMAGENET = 1000  # classes
KNOWN = 0.9  # a list with this share of ImageNet's names, or more, counts as ImageNet's
LONGEST = 400  # characters of a name; the app shortens names further


@cache
def imagenet_names() -> tuple[str, ...]:
    """Return the 1,000 class names of ImageNet-1k; empty if torchvision cannot be imported."""
    try:
        models = import_torchvision().models
    except ImportError:
        return ()
    return tuple(models.ViT_B_16_Weights.IMAGENET1K_V1.meta["categories"])


def names_of(labels: object, count: int, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a name for each class, and notes for people about these names.

    A name is not shortened. Only ImageNet's list has synonyms behind commas; of these the first
    is taken.

    Args:
        labels: a list, or a mapping from class index (from 0) to name; None if there is none.
        count: the number of classes.
        where: the file that holds the labels, for the notes.
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
    if count == IMAGENET and (imagenet := imagenet_names()):
        first = [name.split(",")[0].strip() for name in names]
        if sum(a == b for a, b in zip(first, imagenet, strict=True)) >= KNOWN * count:
            names = first
    return distinct(names), tuple(notes)


def numbered(labels: Mapping[Any, Any] | list[Any] | tuple[Any, ...]) -> dict[int, Any]:
    """Return the labels by class index. JSON stores the index as text."""
    if not isinstance(labels, Mapping):
        return dict(enumerate(labels))
    by_number = {}
    for key, value in labels.items():
        if isinstance(key, int) or (isinstance(key, str) and key.isdecimal() and len(key) < 10):
            by_number[int(key)] = value
    return by_number


def plain(name: object) -> str:
    """Return a name as text on one line; empty if it is neither text nor a number."""
    if isinstance(name, str | int | float):
        return one_line(str(name), LONGEST)
    return ""


def unnamed(count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the classes of a model that comes without class names, and say so in a note."""
    if count == IMAGENET and (names := imagenet_names()):
        note = "Its classes have no names; having 1,000 of them, it is given ImageNet's names."
        return distinct(names), (note,)
    return tuple(map(str, range(count))), ()


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Make names different: an empty one becomes ``class 7``, a repeated one gets a number."""
    wanted = [name if name.strip() else f"class {number}" for number, name in enumerate(names)]
    taken = set(wanted)
    next_number: dict[str, int] = {}
    seen: set[str] = set()
    result = []
    for name in wanted:
        chosen = name
        while chosen in seen or (chosen != name and chosen in taken):
            next_number[name] = next_number.get(name, 1) + 1
            chosen = f"{name} ({next_number[name]})"
        seen.add(chosen)
        result.append(chosen)
    return tuple(result)
