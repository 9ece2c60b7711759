"""The tasks of a worksheet: numbers of the chosen model, short enough for paper, and the answers.

What pupils compute with is rounded first, as decimal numbers. So each answer is exactly what the
printed numbers give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from explainer.observation.observe import Observation
from explainer.state.place import Place
from vit_core import ViTConfig

WHOLE = 8  # patches along a side that are all numbered; of more, a part is
PART = 6  # patches along a side of that part
TERMS = 4  # products of the dot product
SCORES = 3  # that share
APART = (1.0, 2.0)  # how far below the largest the other scores should lie
GUESSES = 3  # patches
TENTH, HUNDREDTH = Decimal("0.1"), Decimal("0.01")
TABLE_END = Decimal("-4.9")  # the last number of which the table has a power of e


def rounded(number: float, step: Decimal) -> Decimal:
    """Round to a multiple of a power of ten; a half goes away from zero, as at school."""
    result = Decimal(float(number)).quantize(step, ROUND_HALF_UP)
    return result if result else abs(result)  # no -0.0


@dataclass(frozen=True)
class Cut:
    """The part of the picture whose patches are numbered, in patches.

    Attributes:
        grid: rows and columns of the whole picture.
        top, left, rows, columns: of the part.
    """

    grid: tuple[int, int]
    top: int
    left: int
    rows: int
    columns: int

    @property
    def is_whole(self) -> bool:
        return (self.rows, self.columns) == self.grid

    def number(self, row: int, column: int) -> int:
        """Return the number of a patch of the part, in reading order of the whole picture."""
        return (self.top + row) * self.grid[1] + self.left + column + 1


def cut_of(config: ViTConfig, patch: int) -> Cut:
    """Return the part around a patch whose patches are numbered; a small grid is numbered whole."""
    rows, columns = config.grid_size
    (top, height), (left, width) = (
        (0, count) if count <= WHOLE else (min(max(0, at - PART // 2), count - PART), PART)
        for count, at in ((rows, patch // columns), (columns, patch % columns))
    )
    return Cut((rows, columns), top, left, height, width)


@dataclass(frozen=True)
class Counts:
    """How many numbers a model has to handle.

    Attributes:
        extra: tokens that belong to no patch.
        embedding: weights and biases that make a token's row from a patch.
        attention: weights of one head.
    """

    patches: int
    values: int
    width: int
    extra: int

    @property
    def embedding(self) -> int:
        return self.width * (self.values + 1)

    @property
    def tokens(self) -> int:
        return self.patches + self.extra

    @property
    def attention(self) -> int:
        return self.tokens**2


def counts_of(config: ViTConfig) -> Counts:
    return Counts(config.num_patches, config.patch_dim, config.embed_dim, config.num_prefix_tokens)


@dataclass(frozen=True)
class Product:
    """A dot product of a query and a key, of which a few numbers are worked out.

    Attributes:
        query, key: patches, 0..num_patches - 1.
        places: of the shown numbers in both rows, from 0.
        left, right: the shown numbers of the query and of the key, rounded.
        shown: the sum of these products in the model, which does not round.
        total: of all products in the model.
        count: of all products.
    """

    query: int
    key: int
    places: tuple[int, ...]
    left: tuple[Decimal, ...]
    right: tuple[Decimal, ...]
    shown: float
    total: float
    count: int

    @property
    def products(self) -> tuple[Decimal, ...]:
        return tuple(one * other for one, other in zip(self.left, self.right, strict=True))

    @property
    def sum(self) -> Decimal:
        return sum(self.products, Decimal(0))


def product_of(seen: Observation, place: Place) -> Product:
    """Return the dot product of the followed patch's query with the key that gets most from it."""
    prefix, query = seen.config.num_prefix_tokens, place.patch(seen.telling_patch)
    key = int(weights_of(seen, place).argmax())
    left, right = (
        tensor_of(seen, place, name)[prefix + patch].astype(np.float64)
        for name, patch in (("q", query), ("k", key))
    )
    products = left * right
    places = sorted(np.argsort(-np.abs(products), kind="stable")[:TERMS].tolist())
    return Product(
        query,
        key,
        tuple(places),
        short(left[places]),
        short(right[places]),
        float(products[places].sum()),
        float(products.sum()),
        len(products),
    )


def short(values: np.ndarray) -> tuple[Decimal, ...]:
    """Round numbers alike, so that the largest of them keeps two digits, or three decimals."""
    largest = float(np.abs(values).max())
    power = int(np.floor(np.log10(largest))) if largest else 0
    step = Decimal(1).scaleb(min(max(power - 1, -3), 0))
    return tuple(rounded(value, step) for value in values.tolist())


def tensor_of(seen: Observation, place: Place, name: str) -> np.ndarray:
    """Return a tensor of the attention of the place's block and head."""
    return seen.tensors[f"blocks.{place.block}.attn.{name}"][place.head]


def weights_of(seen: Observation, place: Place) -> np.ndarray:
    """Return the attention that the followed patch gives to each patch, (P,)."""
    return row_of(seen, place, "pattern")[seen.config.num_prefix_tokens :]


def row_of(seen: Observation, place: Place, name: str) -> np.ndarray:
    """Return the followed patch's row of the scores or the pattern, (N,)."""
    query = seen.config.num_prefix_tokens + place.patch(seen.telling_patch)
    return tensor_of(seen, place, name)[query].astype(np.float64)


@dataclass(frozen=True)
class Softmax:
    """The softmax of a few scores.

    Attributes:
        query: the patch that asks.
        patches: to which the scores belong, in reading order.
        scores: rounded to one decimal.
        exact: the shares of these patches alone in the model, which does not round.
        weights: the shares of these patches in the model, where all tokens share.
    """

    query: int
    patches: tuple[int, ...]
    scores: tuple[Decimal, ...]
    exact: tuple[float, ...]
    weights: tuple[float, ...]

    @property
    def differences(self) -> tuple[Decimal, ...]:
        """The scores minus the largest of them."""
        return tuple(score - max(self.scores) for score in self.scores)

    @property
    def powers(self) -> tuple[Decimal, ...]:
        """What the table says of each difference."""
        return tuple(map(power_of_e, self.differences))

    @property
    def sum(self) -> Decimal:
        return sum(self.powers, Decimal(0))

    @property
    def shares(self) -> tuple[Decimal, ...]:
        return tuple((power / self.sum).quantize(HUNDREDTH, ROUND_HALF_UP) for power in self.powers)


def power_of_e(number: Decimal) -> Decimal:
    """Return e to the power of a number up to 0 as the printed table has it."""
    if number < TABLE_END:
        return Decimal("0.00")
    return rounded(float(np.exp(float(number))), HUNDREDTH)


def softmax_of(seen: Observation, place: Place) -> Softmax | None:
    """Return scores of the followed patch with unlike shares; None if there is one patch only.

    The largest score is among them, and others are about as far below it as ``APART`` says, so that
    the table has their powers.
    """
    scores = row_of(seen, place, "scores")[seen.config.num_prefix_tokens :]
    if len(scores) < 2:
        return None
    chosen = [int(scores.argmax())]
    for apart in APART[: len(scores) - 1]:
        off = np.abs(scores.max() - scores - apart)
        off[chosen] = np.inf
        chosen.append(int(off.argmin()))
    patches = sorted(chosen)
    kept = scores[patches]
    powers = np.exp(kept - kept.max())
    return Softmax(
        place.patch(seen.telling_patch),
        tuple(patches),
        tuple(rounded(score, TENTH) for score in kept.tolist()),
        tuple((powers / powers.sum()).tolist()),
        tuple(weights_of(seen, place)[patches].tolist()),
    )


@dataclass(frozen=True)
class Looks:
    """Which patches get most attention from one.

    Attributes:
        query: the patch that asks.
        patches: that get most, the most first; equal ones in reading order.
        weights: their shares of the attention.
        following: the largest share that another patch gets; 0 without another.
        elsewhere: the share of the tokens that belong to no patch.
    """

    query: int
    patches: tuple[int, ...]
    weights: tuple[float, ...]
    following: float
    elsewhere: float


def looks_of(seen: Observation, place: Place) -> Looks | None:
    """Return where the followed patch looks; None if there are too few patches to guess."""
    weights = weights_of(seen, place)
    if len(weights) <= GUESSES:
        return None
    order = np.argsort(-weights, kind="stable").tolist()
    prefix = seen.config.num_prefix_tokens
    return Looks(
        place.patch(seen.telling_patch),
        tuple(order[:GUESSES]),
        tuple(weights[order[:GUESSES]].tolist()),
        float(weights[order[GUESSES]]),
        float(row_of(seen, place, "pattern")[:prefix].sum()),
    )


def table_of_e() -> Sequence[tuple[Decimal, Sequence[Decimal]]]:
    """Return the printed table: the whole part of each row, and e to the power of its numbers.

    The columns are the tenths, from 0 to 9: the first row has e to the powers 0, −0.1 … −0.9.
    """
    rows = int(-TABLE_END) + 1
    return [
        (-Decimal(row), [power_of_e(-(row + tenth * TENTH)) for tenth in range(10)])
        for row in range(rows)
    ]
