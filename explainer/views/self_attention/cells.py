"""Which matrices the page has, which of their cells is chosen, and where its number comes from."""

from explainer.content.token_names import token_names
from explainer.observation.attention_cells import Head
from explainer.observation.attention_row import AttentionRow, attention_row
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.observation.weights import weights
from explainer.shell.cell_arithmetic import show_derivation
from explainer.state.choice import Choice
from explainer.state.place import Cell, Place
from explainer.views.self_attention.wording import TEXTS
from vit_core import ViTConfig

SQUARES = ("scores", "pattern")  # of all queries; all other matrices stand in the strip


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    tokens = config.num_tokens
    return {
        "norm": (tokens, config.embed_dim),
        **dict.fromkeys(("q", "k", "v", "weighted", "z"), (tokens, config.head_dim)),
        **dict.fromkeys(("product", "score", "share"), (tokens, 1)),
        **dict.fromkeys(SQUARES, (tokens, tokens)),
    }


def shapes_of_old_links(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return the shapes of matrices that older links name, and that are drawn in another form."""
    tokens = config.num_tokens
    return {
        "compare": (2, tokens),
        "weights": (1, tokens),
        "shares": (tokens, 1),
        "values": (tokens, config.head_dim),
    }


def as_drawn(cell: Cell) -> Cell:
    """Return where the page shows the cell of a link, which may be an older one."""
    name, row, column = cell
    if name == "compare":
        return Cell("score" if row else "product", column, 0)
    if name == "weights":
        return Cell("share", column, 0)
    return Cell({"shares": "share", "values": "v"}.get(name, name), row, column)


def chosen_cell(place: Place) -> Cell | None:
    """Return the chosen cell of the page, None while there is none."""
    cell = place.cell_in(cell_shapes(place.config) | shapes_of_old_links(place.config))
    return None if cell is None else as_drawn(cell)


def row_of(choice: Choice, seen: Observation, place: Place) -> AttentionRow:
    """Return the scores and weights of the chosen token."""
    query = place.token(seen.telling_patch)
    return attention_row(seen.tensors, block=place.block, head=place.head, query=query)


def show_drawer(choice: Choice, seen: Observation, place: Place, cell: Cell) -> None:
    """Draw where the number of a cell comes from."""
    query, tokens = place.token(seen.telling_patch), token_names(seen.config)
    labels = {
        "query": tokens[query],
        "row": tokens[cell.row],
        "column": tokens[cell.column] if cell.matrix in SQUARES else "",
        "number": cell.column + 1,
    }
    where = TEXTS["cells"][cell.matrix].format(**labels)
    working = Head(
        seen.config,
        seen.tensors,
        weights(choice),
        place.block,
        place.head,
        query,
        flaws(choice),
        choice.edits.heads_off,
    )
    derivation = working.origin(cell)
    assert derivation is not None, f"{cell.matrix} is a matrix of this page"
    show_derivation(derivation, seen, place, where)
