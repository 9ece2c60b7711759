"""What a link says, as text and as values.

A link holds what differs from the defaults. Whatever a link says that is not allowed falls back to
its default, so no link can break a page.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from explainer.content import load_texts
from explainer.state.choice import PRETRAINED, RUN, SOURCES
from explainer.state.edits import read_edits, write_edits
from explainer.state.film import PATTERN as FILM
from vit_core import ViTConfig
from vit_core.config import POSITIONS

TEXTS = load_texts("link")
# every head count divides every width and every patch count divides 28: all combinations are valid
PATCHES = (2, 4, 7, 14)
CUTS = (2, 4, 7, 8, 14, 16, 28, 32)  # patches per side that a page may try on an image
WIDTHS = (8, 16, 32, 64, 128)
HEADS = (1, 2, 4, 8)
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8)
MAX_SEED = 9_999
IMAGE_SIZE = 28
CLASSES = 10
MOST = 9_999  # of an index in a link; the service and the model's shape narrow it further
MODES = ("free", "guided")
SHOWN = ("show", "hide")
CODE = ("show", "open", "hide")
TEMPERATURES = ("0.125", "0.25", "0.5", "1", "2", "4", "8")
OPTIMIZERS = ("sgd", "momentum", "adam", "muon")  # of one step on the page about learning
NUDGES = range(-10, 11)  # steps of the slider that changes one weight
RATES = range(-50, 21)  # exponents of a learning rate, in tenths of a decade: 0.00001 to 100
# tensors of a pass whose gradients can be looked at, in the order of the pass
BEFORE_BLOCKS = ("patches", "patch_embed", "tokens", "embed")
IN_BLOCK = (
    *("resid_pre", "norm1", "attn.q", "attn.k", "attn.v", "attn.scores", "attn.pattern"),
    *("attn.z", "attn_out", "resid_mid", "norm2", "mlp.pre", "mlp.post", "mlp_out", "resid_post"),
)
AFTER_BLOCKS = ("final_norm", "pooled", "logits")
STATIONS = (*BEFORE_BLOCKS, *IN_BLOCK, *AFTER_BLOCKS)
# ways to say which patches an answer relied on; the last two ask no model
METHODS = (
    *("attention", "rollout", "gradient_attention", "lrp", "integrated_gradients"),
    *("occlusion", "grad_cam", "ink", "random"),
)
FILLS = ("drop", "mean", "black")  # what stands where a patch was taken away
LONGEST_PICTURE = 1_000  # characters of an own picture in a link
# values that belong to one page alone: each page keeps them for itself
PAGE_LOCAL = (
    *("cell", "cut", "kind", "shuffle", "temperature", "off", "unit"),
    *("edits", "figure", "film", "data", "screen"),
    *("target", "station", "weight", "nudge", "rate", "optimizer"),
    *("explain", "method", "fill", "liked"),
    *("stage", "match"),
)
DATA = ("mnist", "fashion-mnist", "cifar10", "symbols", "pictures")  # of a new run
SCREENS = 18  # of the story
# what the second choice of a comparison may have unlike the first: model, picture and edits
OF_SECOND = (
    *("source", "pretrained", "run", "epoch", "patches", "width", "heads", "depth", "position"),
    *("seed", "digit", "index", "picture", "sample", "photo", "edits"),
)
LONGEST_SECOND = 3_000  # characters of a second choice in a link
# what a class sees of its teacher's link: model, picture and patch; but no photograph, which only
# one server keeps
OF_CLASS = (
    *("source", "pretrained", "run", "epoch", "patches", "width", "heads", "depth", "position"),
    *("seed", "digit", "index", "picture", "sample", "query", "b", "target"),
)
ROOM_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"  # of a room's code: none that looks like a digit
ROOM_LENGTH = 6


@dataclass(frozen=True)
class State:
    """All that a link can say.

    Attributes:
        source: one of ``SOURCES``, ``RUN`` or ``PRETRAINED``.
        pretrained: name of the pretrained model that was looked at last; empty until there is one.
        run: id of the training run that was looked at last; empty until there is one.
        epoch: of that run, 0 for its untrained model; None for the last one that was saved.
        patches, width, heads, depth, position, seed: the knobs of the untrained model.
        digit, index: class of the test digit, and which one of that class.
        sample: which picture of the gallery of a model that was not trained on digits.
        photo: name of an own photograph for such a model, as the server keeps it for a while; empty
            while a sample is looked at.
        query: index of the chosen token; 0 is the class token, if there is one. None until somebody
            chooses.
        block, head: where attention is looked at.
        picture: an own digit, as its code says it; empty while a test digit is looked at.
        cell: the chosen cell of a matrix, as ``matrix.row.column``; empty until somebody chooses.
        mode, step: of the guide that pages had once, which only old links name; from 0.
        code: "show" where the code can be switched on, "open" where it is, "hide" where there is
            none.
        controls: whether the sidebar is there.
        cut: patches per side to try on the page about patches; None for the model's own.
        kind: of position to look at; None for the model's own.
        shuffle: seed of the shuffled patches; 0 leaves them in order.
        temperature: what the scores are divided by before the softmax, beside √d_h.
        off: the heads that are switched off, as ``block.head`` pairs joined by ``_``.
        unit: the chosen dimension, hidden unit or class of a page's curves.
        b: the second choice of a comparison, as the parameters in which it is unlike the first;
            ``state.second`` reads it. Empty without a comparison.
        present: "1" where the page is shown to a room.
        edits: changes of the pass of a page on which a visitor makes them; ``state.edits`` reads
            them.
        figure: a picture of the page, as ``part.name``.
        film: the film that the page shows, as ``explainer.state.film`` writes it.
        data: what a new run on the training page learns from.
        target: the class that the loss asks for, of a picture whose class nobody has noted; None
            until somebody says it.
        station: the tensor of the pass whose gradient is looked at, one of ``STATIONS``.
        weight: the chosen weight, as ``name:row.column``; empty until somebody chooses.
        nudge: how far that weight is changed, in steps of ``NUDGES``.
        rate: the learning rate of one step, as the exponent of 10 in tenths: -10 is 0.1.
        optimizer: of that step, one of ``OPTIMIZERS``.
        explain: the class whose score is explained; None for the predicted one.
        method: that explains it, one of ``METHODS``.
        fill: what stands where a patch was taken away, one of ``FILLS``.
        liked: the unit whose favourite pictures are looked at: ``block.number`` of a hidden unit,
            or ``block.hHEAD.dimension`` of a direction of a head; empty until somebody chooses.
        stage: after which block patches are compared, 0 before the first; None for after the last.
        match: the second picture in which a patch is looked for, as its code says it; empty until
            somebody chooses.
        screen: of the story, from 1. The last in a link, where the browser itself writes it.
    """

    source: str = "default"
    pretrained: str = ""
    run: str = ""
    epoch: int | None = None
    patches: int = 7
    width: int = 64
    heads: int = 4
    depth: int = 4
    position: str = "learned"
    seed: int = 0
    digit: int = 7
    index: int = 0
    query: int | None = None
    block: int = 0
    head: int = 0
    picture: str = ""
    sample: int = 0
    photo: str = ""
    cell: str = ""
    mode: str = "free"
    step: int = 0
    code: str = "show"
    controls: str = "show"
    cut: int | None = None
    kind: str | None = None
    shuffle: int = 0
    temperature: str = "1"
    off: str = ""
    unit: int | None = None
    b: str = ""
    present: str = ""
    edits: str = ""
    figure: str = ""
    film: str = ""
    data: str = "mnist"
    target: int | None = None
    station: str = "resid_post"
    weight: str = ""
    nudge: int = 0
    rate: int = -10
    optimizer: str = "sgd"
    explain: int | None = None
    method: str = "rollout"
    fill: str = "drop"
    liked: str = ""
    stage: int | None = None
    match: str = ""
    room: str = ""
    screen: int = 1

    @property
    def shaped(self) -> ViTConfig:
        """The model that the knobs describe."""
        return ViTConfig(
            image_size=IMAGE_SIZE,
            patch_size=IMAGE_SIZE // self.patches,
            embed_dim=self.width,
            depth=self.depth,
            num_heads=self.heads,
            pos_embed=self.position,
        )


@dataclass(frozen=True)
class Reader:
    """Reads one parameter of a link.

    Attributes:
        read: raises ``KeyError`` or ``ValueError`` for a text that is not allowed.
        allowed: says what is, beginning with its verb.
    """

    read: Callable[[str], str | int]
    allowed: str


def one_of(options: Sequence[str | int]) -> Reader:
    known = {str(option): option for option in options}
    return Reader(known.__getitem__, TEXTS["one_of"].format(options=spelled(known)))


def spelled(options: Iterable[object]) -> str:
    """Return a list as a sentence has it."""
    *first, last = map(str, options)
    return TEXTS["last_option"].format(others=", ".join(first), last=last) if first else last


def whole(most: int) -> Reader:
    """Return a reader of plain whole numbers 0..``most``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > most:
            raise ValueError(text)
        return int(text)

    return Reader(read, TEXTS["whole_number"].format(most=most))


def between(numbers: range) -> Reader:
    """Return a reader of plain whole numbers that may have a minus."""
    least, most = numbers[0], numbers[-1]

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,6}", text) or int(text) not in numbers:
            raise ValueError(text)
        return int(text)

    return Reader(read, TEXTS["whole_between"].format(least=least, most=most))


def matching(pattern: str, longest: int, allowed: str) -> Reader:
    """Return a reader of texts of one form."""

    def read(text: str) -> str:
        if len(text) > longest or not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(text)
        return text

    return Reader(read, allowed)


def read_room(text: str) -> str:
    """Return the code of a room in capital letters."""
    code = text.upper() if text.isascii() else text
    if len(code) != ROOM_LENGTH or not set(code) <= set(ROOM_LETTERS):
        raise ValueError(text)
    return code


def read_changes(text: str) -> str:
    """Return the text of ``state.edits`` as that writes it; no step is left out in an own pass."""
    edits = read_edits(text)
    if not text or edits.mistake:
        raise ValueError(text)
    return write_edits(edits)


def read_pairs(text: str) -> dict[str, Any]:
    """Return what a second choice has unlike the first, by the names of ``State``.

    An empty text after a name stands for its default, as in ``picture=`` for no own picture.

    Raises:
        ValueError: it names something else, something twice, or a value that is not allowed.
    """
    if not 0 < len(text) <= LONGEST_SECOND:
        raise ValueError("none, or too long")
    values: dict[str, Any] = {}
    for name, value in parse_qsl(
        text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
    ):
        if name in values or name not in OF_SECOND:
            raise ValueError(name)
        default = getattr(State(), name)
        try:
            if name == "edits":
                values[name] = write_edits(read_edits(value))
            else:
                values[name] = READERS[name].read(value) if value or default else default
        except KeyError:
            raise ValueError(value) from None
    return values


def write_pairs(values: Mapping[str, Any]) -> str:
    """Return the text of a second choice, in the order of ``OF_SECOND``."""
    texts = {name: values[name] for name in OF_SECOND if name in values}
    return urlencode({name: "" if value is None else value for name, value in texts.items()})


READERS: dict[str, Reader] = {
    "source": one_of((*SOURCES, RUN, PRETRAINED)),
    "pretrained": matching(
        r"[A-Za-z0-9_-]+(/[A-Za-z0-9_.-]+){1,3}|local/[^/\x00-\x1f]+",  # a folder has any name
        120,
        TEXTS["pretrained"],
    ),
    "run": matching(r"[A-Za-z0-9_-]{8,40}", 40, TEXTS["run"]),
    "epoch": whole(MOST),
    "patches": one_of(PATCHES),
    "width": one_of(WIDTHS),
    "heads": one_of(HEADS),
    "depth": one_of(DEPTHS),
    "position": one_of(POSITIONS),
    "seed": whole(MAX_SEED),
    "digit": whole(CLASSES - 1),
    "index": whole(MOST),
    "query": whole(MOST),
    "block": whole(MOST),
    "head": whole(MOST),
    "picture": matching(r"[A-Za-z0-9_-]+", LONGEST_PICTURE, TEXTS["picture"]),
    "sample": whole(MOST),
    "photo": matching(r"[0-9a-f]{16}", 16, TEXTS["photo"]),
    "cell": matching(r"[a-z_]+\.[0-9]{1,4}\.[0-9]{1,4}", 40, TEXTS["cell"]),
    "mode": one_of(MODES),
    "step": whole(MOST),
    "code": one_of(CODE),
    "controls": one_of(SHOWN),
    "cut": one_of(CUTS),
    "kind": one_of(POSITIONS),
    "shuffle": whole(MOST),
    "temperature": one_of(TEMPERATURES),
    "off": matching(r"[0-9]{1,2}\.[0-9]{1,2}(_[0-9]{1,2}\.[0-9]{1,2})*", 400, TEXTS["off"]),
    "unit": whole(MOST),
    "b": Reader(lambda text: write_pairs(read_pairs(text)), TEXTS["b"]),
    "present": one_of(("1",)),
    "edits": Reader(read_changes, TEXTS["edits"]),
    "figure": matching(r"[a-z]\w*(\.[A-Za-z][\w-]*)+", 120, TEXTS["figure"]),
    "film": matching(FILM, 40, TEXTS["film"]),
    "data": one_of(DATA),
    "target": whole(MOST),
    "station": one_of(STATIONS),
    "weight": matching(r"\w+(\.\w+)*:[0-9]{1,9}\.[0-9]{1,9}", 100, TEXTS["weight"]),
    "nudge": between(NUDGES),
    "rate": between(RATES),
    "optimizer": one_of(OPTIMIZERS),
    "explain": whole(MOST),
    "method": one_of(METHODS),
    "fill": one_of(FILLS),
    "liked": matching(r"[0-9]{1,4}\.(h[0-9]{1,4}\.)?[0-9]{1,6}", 20, TEXTS["liked"]),
    "stage": whole(MOST),
    "match": matching(r"mirror|[sc][0-9]{1,4}|d[0-9]\.[0-9]{1,4}", 10, TEXTS["match"]),
    "room": Reader(read_room, TEXTS["room"]),
    "screen": one_of(range(1, SCREENS + 1)),
}


@dataclass(frozen=True)
class Refusal:
    """What a link asked for and did not get.

    Attributes:
        name, text: of the parameter, as the link has them; the text may be anything.
        allowed: says what would have been, beginning with its verb.
        used: says what is shown instead; empty for nothing.
    """

    name: str
    text: str
    allowed: str
    used: str


def decode(params: Mapping[str, str]) -> State:
    """Read a link's parameters; what is missing or not allowed becomes its default."""
    return read_link(params)[0]


def read_link(params: Mapping[str, str]) -> tuple[State, list[Refusal]]:
    """Read a link's parameters, and say which of them were not allowed."""
    values: dict[str, str | int] = {}
    refused = []
    for name, reader in READERS.items():
        if name not in params:
            continue
        try:
            values[name] = reader.read(params[name])
        except (KeyError, ValueError):
            default = getattr(State(), name)
            used = "" if default is None else str(default)
            refused.append(Refusal(name, params[name], reader.allowed, used))
    # a reader gives what its field takes, which a mapping of all fields cannot say
    return State(**values), refused  # type: ignore[arg-type]


def link_of(state: State, address: str, hidden: Iterable[str] = ()) -> str:
    """Return the whole link to a state on the page at ``address``.

    Args:
        address: of the page, whose own parameters are left out.
        hidden: parameters of what those who follow the link shall not have.
    """
    changes: dict[str, Any] = dict.fromkeys(hidden, "hide")
    shared = replace(state, **changes)
    query = urlencode(encode(shared))
    return f"{address.partition('?')[0]}{'?' if query else ''}{query}"


def encode(state: State) -> dict[str, str]:
    """Return the parameters of a link to ``state``: what differs from the defaults."""
    start = State()
    return {
        field.name: str(getattr(state, field.name))
        for field in fields(State)
        if getattr(state, field.name) != getattr(start, field.name)
    }
