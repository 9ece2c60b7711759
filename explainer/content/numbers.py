"""How numbers are written."""

import math
from decimal import ROUND_HALF_UP, Decimal

from explainer.content.strangers_words import StrangersWord, in_latex, joined


def percent(share: float) -> str:
    """Write a share of 1 in percent, more precisely near 0 and 1: 38.2 %, 0.41 %, < 0.01 %.

    What is not quite 0 or 1 never looks like it.
    """
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9999 < share < 1:
        return "> 99.99 %"
    return f"{100 * share:.{1 if 0.01 <= share <= 0.99 or share == 1 else 2}f} %"


def rest_percent(share: float) -> str:
    """Write what is left of 100 % beside ``percent(share)``, so that both add up as they stand."""
    text = percent(share)
    if text[0] in "<>":
        return "> 99.99 %" if text[0] == "<" else "< 0.01 %"
    number = text.removesuffix(" %")
    digits = len(number.partition(".")[2])
    return f"{100 - float(number):.{digits}f} %"


def with_article(name: str) -> StrangersWord:
    """Write a name as a sentence has it: a cat, an airplane, an 8."""
    return joined("an " if name[:1].lower() in tuple("aeiou8") else "a ", name)


def latex_number(number: float) -> str:
    """Write a number of any size with four significant digits for KaTeX."""
    if number and not 1e-3 <= abs(number) < 1e5:
        mantissa, exponent = f"{number:.2e}".split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    digits = 0 if abs(number) >= 1000 else 1 if abs(number) >= 100 else 2
    return f"{number:.{digits}f}" if abs(number) >= 0.1 or not number else f"{number:.4f}"


def latex_name(name: str) -> str:
    """Write a class's name for KaTeX: a word upright, as text."""
    if len(name) < 3 and name.isascii() and name.isalnum():
        return str(name)
    return rf"\text{{{in_latex(name)}}}"


def precise_percent(share: float) -> str:
    """Write a probability so that little changes show, also near 0 and 1: 97.01 %, 99.9943 %."""
    digits = 2 if 0.0005 <= share <= 0.9995 else 4
    return f"{100 * share:.{digits}f} %"


def share_of_right(share: float, count: int = 0, most: int = 2) -> str:
    """Write a share of right answers, with no more digits than this many pictures can carry.

    Args:
        count: of the pictures that were asked; 0 if that is not known.
        most: digits behind the point.
    """
    digits = min(most, max(0, math.ceil(math.log10(count)) - 2)) if count else most
    return f"{100 * share:.{digits}f} %"


def points(change: float, like: float | None = None) -> str:
    """Write a change of a probability in percentage points, with its sign: −25.6, +0.0039, 0.

    Args:
        like: another change, which decides how many digits there are; ``change`` itself if None.
    """
    size = abs(100 * change)
    leading = size if like is None else abs(100 * like)
    digits = 1 if leading >= 9.95 else 2 if leading >= 0.095 else 4
    text = f"{size:.{digits}f}"
    return "0" if not float(text) else f"{'−' if change < 0 else '+'}{text}"


def fixed(number: float, digits: int, signed: bool = False) -> str:
    """Write a number with so many decimals and a true minus sign: −0.25, 1.00.

    Args:
        signed: whether a number above 0 has a plus.
    """
    return f"{number:{'+' if signed else ''}.{digits}f}".replace("-", "−")


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def written(number: float) -> str:
    """Write a number with four significant digits, exactly as the matrices' readout does."""
    size = abs(number)
    if size == 0:
        return "0"
    sign = "−" if number < 0 else ""
    mantissa, exponent = f"{size:.3e}".split("e")
    power = int(exponent)
    if -4 <= power < 6:
        # a half is rounded away from zero, as the browser does
        step = Decimal(1).scaleb(-max(0, 3 - power))
        return f"{sign}{Decimal(float(size)).quantize(step, ROUND_HALF_UP):f}"
    return f"{sign}{mantissa}·10{str(power).translate(SUPERSCRIPTS)}"


def latex_written(number: float) -> str:
    """Write what ``written`` writes, for KaTeX."""
    text = written(number).replace("−", "-")
    if "·" not in text:
        return text
    mantissa, _ = text.split("·")
    power = int(f"{abs(number):.3e}".split("e")[1])
    return rf"{mantissa} \cdot 10^{{{power}}}"


def rate_text(tenths: int) -> str:
    """Write a learning rate of so many tenths of a decade, as -49: 0.000013, -10: 0.1, 19: 79."""
    rate = float(10 ** (tenths / 10))
    digits = max(0, 1 - math.floor(tenths / 10))
    text = f"{rate:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
