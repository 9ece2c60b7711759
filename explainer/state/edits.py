"""Changes of a pass: of the picture, of the heads, of the positions; one text for links."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vit_core import ViTConfig
from vit_core.interpret.heads import Head

COVERS = {"m": "mean", "k": "black", "d": "drop"}  # letter in a link → how a patch is covered
LEFT_OUT = {  # letter in a link → the mistake of ``vit_core.mistakes`` that leaves a step out
    "r": "no_residual",
    "l": "no_layer_norm",
    "u": "no_scaling",
}
LONGEST = 1_000  # characters in a link
TURN_STEP = 5  # degrees
HALF_TURN = 180


@dataclass(frozen=True)
class Edits:
    """What is changed in a pass, in the order in which it happens.

    The picture is turned and moved, its patches are covered and then swapped, all of it on whole
    levels 0 to 255. Then the pass runs without positions, tokens, heads, or one of its steps.

    Attributes:
        heads_off: the heads that give zeros in place of their mix of values; sorted.
        cover: patch of the turned and moved picture, and how it is covered: with the picture's
            "mean" colour, in "black", or "drop": its token is left out of the pass; sorted.
        swaps: pairs of places whose patches change places, in the order in which it happened.
        move: pixels to the right and pixels down; black pixels come in.
        turn: degrees counter-clockwise, a multiple of ``TURN_STEP``, -180 < turn <= 180.
        no_position: zeros in place of all positions.
        mistake: the mistake with which the pass runs, one of ``LEFT_OUT``; empty for none. The
            weights stay those of the model.

    Raises:
        ValueError: the turn or the mistake is none of these, or a patch is covered twice or in no
            known way.
    """

    heads_off: tuple[Head, ...] = ()
    cover: tuple[tuple[int, str], ...] = ()
    swaps: tuple[tuple[int, int], ...] = ()
    move: tuple[int, int] = (0, 0)
    turn: int = 0
    no_position: bool = False
    mistake: str = ""

    def __post_init__(self) -> None:
        heads = sorted({Head(*head) for head in self.heads_off})
        object.__setattr__(self, "heads_off", tuple(heads))
        object.__setattr__(self, "cover", tuple(sorted(self.cover)))
        if self.turn % TURN_STEP or not -HALF_TURN < self.turn <= HALF_TURN:
            raise ValueError(f"a picture cannot be turned by {self.turn}")
        if self.mistake and self.mistake not in LEFT_OUT.values():
            raise ValueError(f"a pass cannot run with {self.mistake}")
        if len({patch for patch, _ in self.cover}) < len(self.cover):
            raise ValueError("a patch is covered once")
        if not {how for _, how in self.cover} <= {*COVERS.values()}:
            raise ValueError(f"a patch is covered by one of {', '.join(COVERS.values())}")

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return self != NO_EDITS

    @property
    def changes_picture(self) -> bool:
        """Whether the pixels are others than the picture's own."""
        return bool(self.turn or any(self.move) or self.swaps or self.covered("mean", "black"))

    @property
    def of_model(self) -> "Edits":
        """These changes without those of the picture: the model that they make of a model."""
        return Edits(heads_off=self.heads_off, no_position=self.no_position, mistake=self.mistake)

    def covered(self, *ways: str) -> list[int]:
        """Return the patches that are covered in one of these ways, in order."""
        return [patch for patch, how in self.cover if how in ways]

    def order(self, num_patches: int) -> tuple[int, ...] | None:
        """Return the patch of the picture that stands at each place; None without swaps.

        Raises:
            ValueError: there is no such place.
        """
        if not self.swaps:
            return None
        order = list(range(num_patches))
        for one, other in self.swaps:
            if not (0 <= one < num_patches and 0 <= other < num_patches):
                raise ValueError(f"there are no places {one} and {other} to swap")
            order[one], order[other] = order[other], order[one]
        return tuple(order)

    def left_out(self, num_patches: int) -> list[int]:
        """Return the places whose tokens are left out."""
        order = self.order(num_patches)
        patches = self.covered("drop")
        return patches if order is None else sorted(order.index(patch) for patch in patches)

    def fitting(self, config: ViTConfig) -> "Edits":
        """Return these changes without those that a model cannot have."""
        count, (height, width) = config.num_patches, config.image_hw
        right, down = self.move
        edits = replace(
            self,
            heads_off=tuple(
                head
                for head in self.heads_off
                if head.block < config.depth and head.head < config.num_heads
            ),
            cover=tuple((patch, how) for patch, how in self.cover if patch < count),
            swaps=tuple(pair for pair in self.swaps if max(pair) < count),
            move=(right if abs(right) < width else 0, down if abs(down) < height else 0),
            no_position=self.no_position and config.pos_embed != "none",
        )
        if len(edits.covered("drop")) == count:  # at least one token must stay
            edits = replace(edits, cover=edits.cover[:-1])
        return edits

    def without_gaps(self) -> "Edits":
        """Return these changes with covered patches in place of those that are left out."""
        return replace(
            self, cover=tuple((p, "mean" if how == "drop" else how) for p, how in self.cover)
        )


NO_EDITS = Edits()


def swaps_of(order: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return swaps that bring the patches into an order, as ``Edits.order`` returns it.

    Raises:
        ValueError: it does not name each patch once.
    """
    if sorted(order) != list(range(len(order))):
        last = len(order) - 1
        raise ValueError(f"an order of {len(order)} patches names each of 0 to {last} once")
    now, swaps = list(range(len(order))), []
    for place, patch in enumerate(order):
        other = now.index(patch)
        if other != place:
            swaps.append((place, other))
            now[place], now[other] = now[other], now[place]
    return tuple(swaps)


def write_edits(edits: Edits) -> str:
    """Return the text of a link; empty if nothing is changed. It may be longer than one takes."""
    return "_".join(items_of(edits))


def items_of(edits: Edits) -> Iterator[str]:
    """Yield the items of the text, in the order in which the changes happen."""
    letters = {how: letter for letter, how in COVERS.items()}
    for letter, number in (("t", edits.turn), ("x", edits.move[0]), ("y", edits.move[1])):
        if number:
            yield f"{letter}{number}"
    yield from (f"{letters[how]}{patch}" for patch, how in edits.cover)
    yield from (f"s{one}.{other}" for one, other in edits.swaps)
    if edits.no_position:
        yield "n"
    yield from (letter for letter, mistake in LEFT_OUT.items() if mistake == edits.mistake)
    yield from (f"h{block}.{head}" for block, head in edits.heads_off)


def read_edits(text: str) -> Edits:
    """Read the text of a link; an empty one changes nothing. Whether a model fits is told later.

    Raises:
        ValueError: the text is none, or too long.
    """
    if len(text) > LONGEST:
        raise ValueError(f"at most {LONGEST} characters")
    values: dict[str, Any] = {"move": {}, "heads_off": [], "cover": [], "swaps": []}
    for item in text.split("_") if text else ():
        read_item(item, values)
    return Edits(
        heads_off=tuple(values["heads_off"]),
        cover=tuple(values["cover"]),
        swaps=tuple(values["swaps"]),
        move=(values["move"].get("x", 0), values["move"].get("y", 0)),
        turn=values.get("turn", 0),
        no_position=values.get("no_position", False),
        mistake=values.get("mistake", ""),
    )


def read_item(item: str, values: dict[str, Any]) -> None:
    """Add one change to the values of ``Edits``."""
    for pattern, add in ITEMS:
        if match := re.fullmatch(pattern, item, re.ASCII):
            add(values, *match.groups())
            return
    raise ValueError(f"no change is written {item!r}")


def add_turn(values: dict[str, Any], degrees: str) -> None:
    once(values, "turn", int(degrees))


def add_mistake(values: dict[str, Any], letter: str) -> None:
    once(values, "mistake", LEFT_OUT[letter])


def add_no_position(values: dict[str, Any]) -> None:
    once(values, "no_position", True)


def add_move(values: dict[str, Any], axis: str, pixels: str) -> None:
    once(values["move"], axis, int(pixels))


def add_head(values: dict[str, Any], block: str, head: str) -> None:
    values["heads_off"].append(Head(int(block), int(head)))


def add_cover(values: dict[str, Any], letter: str, patch: str) -> None:
    values["cover"].append((int(patch), COVERS[letter]))


def add_swap(values: dict[str, Any], one: str, other: str) -> None:
    values["swaps"].append((int(one), int(other)))


def once(values: dict[str, Any], name: str, value: object) -> None:
    if name in values:
        raise ValueError(f"there is a second {name}")
    values[name] = value


ITEMS: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"h([0-9]{1,2})\.([0-9]{1,2})", add_head),
    (r"([mkd])([0-9]{1,4})", add_cover),
    (r"s([0-9]{1,4})\.([0-9]{1,4})", add_swap),
    (r"([xy])(-?[0-9]{1,3})", add_move),
    (r"t(-?[0-9]{1,3})", add_turn),
    (r"n", add_no_position),
    (r"([rlu])", add_mistake),
)
