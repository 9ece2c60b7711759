"""The rows of the page's matrices: the tokens' names, and which of them is chosen."""

from explainer.content.token_names import token_names
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig


def place_names(config: ViTConfig) -> list[str]:
    """Name the tokens that have a position: [CLS], if there is one, and the patches."""
    names = token_names(config)
    return names[: config.pool == "cls"] + names[config.num_prefix_tokens :]


def query_of(choice: Choice, seen: Observation, place: Place) -> int:
    """Return the followed token."""
    return place.token(seen.telling_patch)


def position_of(choice: Choice, seen: Observation, place: Place) -> int:
    """Return the row of the chosen token in the table; a register has none, so a patch's then."""
    config, query = seen.config, query_of(choice, seen, place)
    has_class = int(config.pool == "cls")
    if query < has_class:
        return query
    registers = config.num_registers
    patch = query - has_class - registers if query >= has_class + registers else seen.telling_patch
    return has_class + patch


def row_before(config: ViTConfig, token: int) -> int | None:
    """Return the row of a token before the registers join; None for a register."""
    has_class = int(config.pool == "cls")
    if token < has_class:
        return token
    return token - config.num_registers if token >= config.num_prefix_tokens else None


def row_after(config: ViTConfig, row: int) -> int:
    return row if row < int(config.pool == "cls") else row + config.num_registers
