"""Whether a shown equation holds for the numbers that are shown, or only nearly.

Numbers are rounded to be shown. What was computed from all their digits may then differ from what
a reader computes from the shown ones, and an equals sign between them would be wrong.
"""

import re

EQUALS, NEARLY = "=", "≈"
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
LEFT_OUT = str.maketrans("", "", "() ,\\")
SLACK = 1e-9  # of a half unit: a result that lies just between two numbers may be written as either
NUMBER = re.compile(r"([+-]?\d+)(?:\.(\d+))?(?:e([+-]?\d+))?(%?)")


def number_of(text: str) -> float:
    """Read a number as it is shown: 1,234 or −1.5·10⁻⁵, 38.2 % (which is 0.382) or KaTeX's.

    Raises:
        ValueError: the text is no number.
    """
    return read(text)[0]


def holds(left: float, right: str) -> bool:
    """Whether ``left``, computed from shown numbers, is ``right`` when it is rounded like it."""
    value, unit = read(right)
    return abs(left - value) <= 0.5 * unit * (1 + SLACK) + 1e-12 * abs(value)


def sign(left: float, right: str) -> str:
    """Return what stands between two sides for which ``holds`` says whether they are equal."""
    return EQUALS if holds(left, right) else NEARLY


def latex_sign(left: float, right: str) -> str:
    """Return what ``sign`` returns, for KaTeX."""
    return EQUALS if holds(left, right) else r"\approx"


def read(text: str) -> tuple[float, float]:
    """Return a shown number and the unit of its last digit."""
    plain = re.sub(r"\\cdot\s*10\^\{(-?\d+)\}", r"e\1", text.replace("−", "-"))
    plain = re.sub(r"·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "e" + m[1].translate(SUPERSCRIPTS), plain)
    found = NUMBER.fullmatch(plain.translate(LEFT_OUT))
    if found is None:
        raise ValueError(f"{text!r} is no number")
    whole, digits, power, is_percent = found.groups()
    exponent = int(power or 0) - (2 if is_percent else 0)
    value = float(f"{whole}.{digits or 0}e{exponent}")
    return value, 10.0 ** (exponent - len(digits or ""))
