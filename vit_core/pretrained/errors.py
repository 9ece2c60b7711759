"""What can go wrong with others' weights."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from vit_core.errors import VitError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
LONGEST = 400  # characters of a message, which may quote what a stranger wrote


class PretrainedError(VitError, ValueError):
    """Weights that cannot be had or do not fit; the message is one sentence on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class Cancelled(PretrainedError):
    """Somebody no longer wants the download."""


def one_line(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line without control characters, shortened where it is too long."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def in_a_sentence(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Turn whatever else a stranger's file causes into a ``PretrainedError``."""

    @wraps(function)
    def called(*args: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return function(*args, **options)
        except PretrainedError:
            raise
        except MemoryError:
            raise PretrainedError("this model needs more memory than there is") from None
        except Exception as error:  # of any kind: it was made by a file that nobody vouches for
            raise PretrainedError(
                f"this model cannot be read ({type(error).__name__}: {one_line(str(error), 200)})"
            ) from None

    return called
