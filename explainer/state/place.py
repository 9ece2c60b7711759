"""The place that is looked at: which block, head, token and cell, and what its page has chosen.

Parts of pages are given one and never ask the session. So a part can be drawn for any place, twice
on one page, and in a test without a session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

from explainer.state.choice import Choice
from explainer.state.film import Film, read_film
from explainer.state.link import State
from vit_core import ViTConfig
from vit_core.interpret.heads import Head


class Cell(NamedTuple):
    """One cell of a matrix that a page shows; row and column count from 0."""

    matrix: str
    row: int
    column: int

    def __str__(self) -> str:
        """Return the cell as a link writes it."""
        return f"{self.matrix}.{self.row}.{self.column}"


class Weight(NamedTuple):
    """One weight of a model: its parameter's name, and its row and column from 0."""

    name: str
    row: int
    column: int

    def __str__(self) -> str:
        """Return the weight as a link writes it."""
        return f"{self.name}:{self.row}.{self.column}"


class Unit(NamedTuple):
    """A number that a block computes for each token; block, head and number count from 0.

    Attributes:
        head: whose output ``z`` has it as a dimension; None for a hidden unit of the MLP.
    """

    block: int
    head: int | None
    number: int

    def __str__(self) -> str:
        """Return the unit as a link writes it."""
        head = "" if self.head is None else f"h{self.head}."
        return f"{self.block}.{head}{self.number}"


@dataclass(frozen=True)
class Place:
    """What one part of a page shows of a model.

    Attributes:
        config: of the model.
        block: encoder block, 0..depth - 1.
        head: attention head, 0..num_heads - 1.
        query: chosen token, 0..num_tokens - 1, where 0 is the class token if there is one; None
            until somebody chooses, and then ``token`` says which one is followed.
        cell: chosen cell, which may lie in no matrix of the page; see ``cell_in``.
        shows_code: whether the panels with code stand under the parts.
        cut: patches per side to try on the page about patches; None for the model's own.
        kind: of position to look at, one of ``vit_core.config.POSITIONS``.
        shuffle: seed of the shuffled patches; 0 leaves them in order.
        temperature: what the scores are divided by before the softmax, beside √d_h.
        off: the heads that are switched off, in order.
        unit: chosen dimension, hidden unit or class of the page, which narrows it; None until
            somebody chooses.
        target: the class that the loss asks for where nobody knows the picture's; None until
            somebody says it.
        station: the tensor whose gradient is looked at, one of ``explainer.state.link.STATIONS``.
        weight: the chosen weight, which the model need not have; None until somebody chooses.
        nudge: how far that weight is changed, in steps of ``explainer.state.link.NUDGES``.
        rate: exponent of the learning rate, in tenths of a decade.
        optimizer: of one step, one of ``explainer.state.link.OPTIMIZERS``.
        explain: the class whose score is explained; None for the predicted one.
        method: that explains it, one of ``explainer.state.link.METHODS``.
        fill: what stands where a patch was taken away, one of ``explainer.state.link.FILLS``.
        liked: the unit whose favourite pictures are looked at; None until somebody chooses.
        stage: after which block patches are compared, 0 before the first, up to depth; None for
            after the last.
        match: the second picture in which a patch is looked for; empty until somebody chooses.
        prefix: of the keys of all widgets and components; another one for each time that a part
            is drawn on one page.
        film: that the page shows; None for how it begins.
        half: of a comparison, "a" or "b"; empty where nothing is compared.
        other: what the other half shows; None where nothing is compared.
        beside: what the other half looks at there; it has no ``beside`` of its own.

    Raises:
        ValueError: the model has no such block, head, token, or head to switch off.
    """

    config: ViTConfig
    block: int = 0
    head: int = 0
    query: int | None = None
    cell: Cell | None = None
    shows_code: bool = False
    cut: int | None = None
    kind: str = ""
    shuffle: int = 0
    temperature: str = "1"
    off: tuple[Head, ...] = ()
    unit: int | None = None
    film: Film | None = None
    target: int | None = None
    station: str = State.station
    weight: Weight | None = None
    nudge: int = 0
    rate: int = State.rate
    optimizer: str = State.optimizer
    explain: int | None = None
    method: str = State.method
    fill: str = State.fill
    liked: Unit | None = None
    stage: int | None = None
    match: str = ""
    prefix: str = ""
    half: str = ""
    other: Choice | None = None
    beside: "Place | None" = None

    def __post_init__(self) -> None:
        if not self.kind:
            object.__setattr__(self, "kind", self.config.pos_embed)
        config = self.config
        for name, value, size in (
            ("block", self.block, config.depth),
            ("head", self.head, config.num_heads),
            ("query", self.query or 0, config.num_tokens),
        ):
            if not 0 <= value < size:
                raise ValueError(f"{name} must be from 0 to {size - 1}, not {value}")
        if not all(has_head(config, head) for head in self.off):
            raise ValueError(f"the model has not all the heads to switch off: {self.off}")

    @classmethod
    def from_state(
        cls,
        state: State,
        config: ViTConfig,
        prefix: str = "",
        half: str = "",
        other: Choice | None = None,
    ) -> Self:
        """Return the place that a state asks for, narrowed to what the model has."""
        pairs = (pair.split(".") for pair in state.off.split("_") if pair)
        off = {Head(int(block), int(head)) for block, head in pairs}
        query = state.query
        return cls(
            config,
            block=min(state.block, config.depth - 1),
            head=min(state.head, config.num_heads - 1),
            query=None if query is None else min(query, config.num_tokens - 1),
            cell=read_cell(state.cell),
            shows_code=state.code == "open",
            cut=state.cut,
            kind=state.kind or config.pos_embed,
            shuffle=state.shuffle,
            temperature=state.temperature,
            off=tuple(sorted(head for head in off if has_head(config, head))),
            unit=state.unit,
            film=read_film(state.film),
            target=narrowed_class(state.target, config),
            station=state.station,
            weight=read_weight(state.weight),
            nudge=state.nudge,
            rate=state.rate,
            optimizer=state.optimizer,
            explain=narrowed_class(state.explain, config),
            method=state.method,
            fill=state.fill,
            liked=narrowed_unit(read_unit(state.liked), config),
            stage=None if state.stage is None else min(state.stage, config.depth),
            match=state.match,
            prefix=prefix,
            half=half,
            other=other,
        )

    def token(self, start: int) -> int:
        """Return the followed token, 0..num_tokens - 1; until one is chosen, that of a patch.

        Args:
            start: the patch, 0..num_patches - 1; on all pages ``Observation.telling_patch``.
        """
        if self.query is not None:
            return self.query
        return min(self.config.num_prefix_tokens + start, self.config.num_tokens - 1)

    def patch(self, start: int) -> int:
        """Return the chosen patch, 0..num_patches - 1 in reading order.

        The chosen token's patch; ``start`` while the chosen token is none.
        """
        patch = self.token(start) - self.config.num_prefix_tokens
        return patch if patch >= 0 else start

    def cell_in(self, shapes: Mapping[str, tuple[int, int]]) -> Cell | None:
        """Return the chosen cell, if it lies in one of the matrices.

        Args:
            shapes: name of each matrix → its rows and columns.
        """
        cell = self.cell
        if cell is None or cell.matrix not in shapes:
            return None
        rows, columns = shapes[cell.matrix]
        return cell if cell.row < rows and cell.column < columns else None

    def key(self, name: str) -> str:
        """Return the key of a widget, component or container of this part."""
        return f"{self.prefix}{name}"


def has_head(config: ViTConfig, head: Head) -> bool:
    return 0 <= head.block < config.depth and 0 <= head.head < config.num_heads


def read_cell(text: str) -> Cell | None:
    """Return the cell that a link writes as ``matrix.row.column``; None for an empty text."""
    if not text:
        return None
    matrix, row, column = text.split(".")
    return Cell(matrix, int(row), int(column))


def read_weight(text: str) -> Weight | None:
    """Return the weight that a link writes as ``name:row.column``; None for an empty text."""
    if not text:
        return None
    name, _, index = text.partition(":")
    row, column = index.split(".")
    return Weight(name, int(row), int(column))


def read_unit(text: str) -> Unit | None:
    """Return the unit that a link writes; None for an empty text."""
    if not text:
        return None
    block, *head, number = text.split(".")
    return Unit(int(block), int(head[0].removeprefix("h")) if head else None, int(number))


def narrowed_unit(unit: Unit | None, config: ViTConfig) -> Unit | None:
    """Return the unit that is asked for, or the nearest one that the model has."""
    if unit is None:
        return None
    block = min(unit.block, config.depth - 1)
    if unit.head is None:
        return Unit(block, None, min(unit.number, config.mlp_dim - 1))
    head = min(unit.head, config.num_heads - 1)
    return Unit(block, head, min(unit.number, config.head_dim - 1))


def narrowed_class(asked: int | None, config: ViTConfig) -> int | None:
    """Return the class that is asked for, or the last one that the model has."""
    if asked is None or not config.num_classes:
        return None
    return min(asked, config.num_classes - 1)
