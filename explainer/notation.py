"""How numbers are written."""


def percent(share: float) -> str:
    """Write a share of 1 in percent, small ones more precisely: 38.2 %, 0.41 %, < 0.01 %."""
    if 0 < share < 0.0001:
        return "< 0.01 %"
    return f"{100 * share:.{1 if share >= 0.01 else 2}f} %"


def latex_number(number: float) -> str:
    """Write a number of any size with four significant digits for KaTeX."""
    if number and not 1e-3 <= abs(number) < 1e5:
        mantissa, exponent = f"{number:.2e}".split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    digits = 0 if abs(number) >= 1000 else 1 if abs(number) >= 100 else 2
    return f"{number:.{digits}f}" if abs(number) >= 0.1 or not number else f"{number:.4f}"
