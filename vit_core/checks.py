"""Checks of single values, with a sentence that says what is allowed."""

import math


def nearest_divisors(number: int, near: int) -> str:
    """Name the divisors of ``number`` just below and just above ``near``, for a message."""
    divisors = [n for n in range(1, number + 1) if number % n == 0]
    below = [n for n in divisors if n < near][-1:]
    above = [n for n in divisors if n > near][:1]
    return " and ".join(map(str, below + above))


def nearest_multiples(near: int, of: int) -> str:
    """Name the positive multiples of ``of`` around ``near``, for a message."""
    below = near // of * of
    return " and ".join(str(number) for number in (below, below + of) if number)


def quoted(value: object) -> str:
    """Return ``value`` as a short text on one line, for a message."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of over 4,300 digits; a very deep list
        return f"something of type {type(value).__name__}, too long to show"
    return text if len(text) <= 80 else f"{text[:77]}..."


def check_int(name: str, value: object, at_least: int, at_most: int = 1_000_000) -> None:
    """Refuse what is no whole number between the bounds, both included.

    Raises:
        ValueError: the message names the field and the bounds.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not at_least <= value <= at_most:
        raise ValueError(
            f"{name} must be a whole number from {at_least} to {at_most}, not {quoted(value)}"
        )


def check_size(name: str, value: object) -> None:
    """Refuse what is neither a number of pixels nor a pair of them, (height, width).

    Raises:
        ValueError: the message names the field and what is allowed.
    """
    pair = value if isinstance(value, tuple) else (value, value)
    if isinstance(value, list) or len(pair) != 2:
        raise ValueError(f"{name} must be one number or (height, width), not {quoted(value)}")
    for number in pair:
        check_int(name, number, at_least=1, at_most=65_536)


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse what is none of ``choices``.

    Raises:
        ValueError: the message names the field and the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {quoted(value)}")


def check_bool(name: str, value: object) -> None:
    """Refuse what is neither True nor False; numbers are refused too.

    Raises:
        ValueError: the message names the field.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, not {quoted(value)}")


def check_float(
    name: str,
    value: object,
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
    at_most: float = math.inf,
) -> None:
    """Refuse what is no finite number between the bounds.

    Raises:
        ValueError: the message names the field and the bounds.
    """
    # only comparisons: NaN fails them all, and no whole number is too long for them
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and above < value < below
        and at_least <= value <= at_most
    ):
        return
    bounds = (
        ("above", above),
        ("at least", at_least),
        ("below", below),
        ("at most", at_most),
    )
    allowed = " and ".join(f"{word} {bound:g}" for word, bound in bounds if math.isfinite(bound))
    raise ValueError(f"{name} must be a finite number {allowed}, not {quoted(value)}")
