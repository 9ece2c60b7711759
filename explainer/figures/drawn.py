"""What a part of a page has drawn, for those who save its pictures or compare two of them.

Whatever draws a picture also tells what is in it. Nothing is made until somebody asks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

OTHER_HALF = "b-"  # begins the keys of the second half, where a part is drawn twice

_collected: ContextVar[list["Drawn"] | None] = ContextVar("drawn", default=None)


@dataclass(frozen=True)
class Drawn:
    """One picture that stands on a page.

    Attributes:
        name: of the picture within its part, the same for both halves of a comparison.
        title: what it is called above or beside it; may be empty.
        make: returns what is in it, as data: matrices, a figure, panels, HTML.
        how: how it stands on the page: what is marked in it, for instance. ``largest`` and
            ``on_scale`` make one scale of two halves: the size that has the full colour, and a
            function that makes the picture for another such size.
        half: of a comparison, "a" or "b"; empty where nothing is compared.
        numbers: returns what can be subtracted from the same picture of another half: matrices, a
            chart, or ``difference.OverImage``; None for a picture without numbers.
        group: of the components that mark the same token, within a half.
    """

    name: str
    title: str
    make: Callable[[], Any]
    how: Mapping[str, Any] = field(default_factory=dict)
    half: str = ""
    numbers: Callable[[], Any] | None = None
    group: str = ""


@contextmanager
def collect() -> Iterator[list[Drawn]]:
    """Collect what is drawn inside of the ``with``, in its order."""
    pictures: list[Drawn] = []
    token = _collected.set(pictures)
    try:
        yield pictures
    finally:
        _collected.reset(token)


def note(
    name: str,
    title: str,
    make: Callable[[], Any],
    *,
    numbers: Callable[[], Any] | None = None,
    group: str = "",
    **how: Any,
) -> None:
    """Tell of a picture that is drawn now; of no effect if nobody collects.

    Args:
        name, title, make, numbers, group, how: as ``Drawn`` has them.
    """
    pictures = _collected.get()
    if pictures is not None:
        pictures.append(Drawn(name, title, make, how, numbers=numbers, group=group))


def hand_on(pictures: Iterable[Drawn], half: str = "") -> None:
    """Tell of pictures that somebody has collected, to whoever collects around that.

    Args:
        half: of a comparison, in which they stand.
    """
    outer = _collected.get()
    if outer is not None:
        outer.extend(replace(picture, half=half or picture.half) for picture in pictures)


def base_name(key: str) -> str:
    """Return the name of what has this key, which is the same in both halves of a comparison."""
    return key.removeprefix(OTHER_HALF)
