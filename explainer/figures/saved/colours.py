"""Colours of CSS as they are on a light page."""

import re

import numpy as np


def light(css: str) -> str:
    """Return a colour of the page's own CSS as a hexadecimal one.

    It knows the page's ways: ``light-dark(a, b)``, ``color-mix(in srgb, a n%, b)``,
    ``rgb(r,g,b)``, ``#abc`` and ``#aabbcc``.

    Raises:
        ValueError: it is none of these.
    """
    css = css.strip()
    if css.startswith("light-dark("):
        return light(parts_of(css)[0])
    if css.startswith("color-mix("):
        _, first, second = parts_of(css)
        mixed = re.fullmatch(r"(.*)\s([\d.]+)%", first)
        if mixed is None:
            raise ValueError(f"no colour: {css}")
        under = "#ffffff" if second == "transparent" else light(second)
        return mixed_of(light(mixed[1]), float(mixed[2]) / 100, under)
    if css.startswith("rgb("):
        return hexed(np.array([float(part) for part in parts_of(css)[:3]]))
    if re.fullmatch("#[0-9a-fA-F]{3}", css):
        return "#" + "".join(2 * digit for digit in css[1:])
    if re.fullmatch("#[0-9a-fA-F]{6}", css):
        return css
    raise ValueError(f"no colour: {css}")


def parts_of(css: str) -> list[str]:
    """Return what stands between the commas of ``name(…)``."""
    inside, depth, parts = css[css.index("(") + 1 : css.rindex(")")], 0, [""]
    for sign in inside:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def mixed_of(one: str, share: float, other: str) -> str:
    """Return so much of one colour with the rest of another."""
    return hexed(share * rgb(one) + (1 - share) * rgb(other))


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)], float)


def hexed(channels: np.ndarray) -> str:
    return "#" + "".join(f"{int(channel + 0.5):02x}" for channel in channels)


def ink(colour: str) -> str:
    """Return black or white, whichever stands out more."""
    return "#111111" if rgb(colour) @ (0.299, 0.587, 0.114) > 140 else "#ffffff"
