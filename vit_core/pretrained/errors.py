"""Errors of reading pretrained models."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from vit_core.errors import VitError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
LONGEST = 400  # characters of a message; it may quote what a stranger wrote


class PretrainedError(VitError, ValueError):
    """Weights that are missing, damaged or do not fit. The message is one sentence on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class Cancelled(PretrainedError):
    """The caller cancelled the download."""


def one_line(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line without control characters, cut to ``longest`` characters."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def in_a_sentence(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Turn every error that a stranger's file causes into a ``PretrainedError``."""

    @wraps(function)
    def called(*args: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return function(*args, **options)
        except PretrainedError:
            raise
        except MemoryError:
            raise PretrainedError("this model needs more memory than there is") from None
        except Exception as error:  # an untrusted file can cause errors of any kind
            raise PretrainedError(
                f"this model cannot be read ({type(error).__name__}: {one_line(str(error), 200)})"
            ) from None

    return called
