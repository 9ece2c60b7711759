"""The line, for KaTeX, that leads from the terms of a derivation to its number."""

import math

from explainer.content.equality import latex_sign, number_of
from explainer.content.numbers import latex_written
from explainer.observation.derivation import Derivation


def worked_line(derivation: Derivation) -> str:
    """Return the line; it says ≈ where the numbers, as they are shown, do not give the next one."""
    numbers = {name: latex_written(value) for name, value in derivation.numbers.items()}
    end = latex_written(derivation.result)
    if derivation.kind == "softmax":
        return softmax_line(numbers, end)
    if derivation.kind == "layer_norm":
        return layer_norm_line(numbers, end)
    if derivation.kind == "gelu":
        return gelu_line(numbers, end)
    if derivation.kind == "sum":
        parts = [latex_written(float(term)) for term in derivation.terms]
        sign = latex_sign(sum(map(number_of, parts)), end)
        return rf"{' + '.join(map(bracketed, parts))} {sign} {end}"
    if derivation.kind == "mean":
        count = int(derivation.numbers["count"])
        sign = latex_sign(number_of(numbers["sum"]) / count, end)
        summed = rf"\frac{{{numbers['sum']}}}{{{count}}}"
        return rf"\frac{{1}}{{{count}}} \sum_i x_i = {summed} {sign} {end}"
    return dot_line(derivation, numbers, end)


def softmax_line(numbers: dict[str, str], end: str) -> str:
    score, most, power, total = (numbers[name] for name in ("score", "most", "power", "sum"))
    # the sum has terms that are not in this line, so only the numerator can be computed again
    first = latex_sign(math.exp(number_of(score) - number_of(most)), power)
    second = latex_sign(number_of(power) / number_of(total), end)
    return (
        rf"\frac{{e^{{{score} - {bracketed(most)}}}}}{{\sum_j e^{{\,x_j - {bracketed(most)}}}}}"
        rf" {first} \frac{{{power}}}{{{total}}} {second} {end}"
    )


def layer_norm_line(numbers: dict[str, str], end: str) -> str:
    x, mean, variance, epsilon, gamma, beta = (
        numbers[name] for name in ("x", "mean", "variance", "epsilon", "gamma", "beta")
    )
    divided = (number_of(x) - number_of(mean)) / root(number_of(variance) + number_of(epsilon))
    sign = latex_sign(divided * number_of(gamma) + number_of(beta), end)
    return (
        rf"\frac{{{x} - {bracketed(mean)}}}{{\sqrt{{{variance} + {epsilon}}}}}"
        rf" \cdot {bracketed(gamma)} + {bracketed(beta)} {sign} {end}"
    )


def gelu_line(numbers: dict[str, str], end: str) -> str:
    x, share = numbers["x"], numbers["share"]
    exact = 0.5 * (1 + math.erf(number_of(x) / math.sqrt(2)))
    first, second = latex_sign(exact, share), latex_sign(number_of(x) * number_of(share), end)
    return rf"{bracketed(x)} \cdot \Phi({x}) {first} {bracketed(x)} \cdot {share} {second} {end}"


def dot_line(derivation: Derivation, numbers: dict[str, str], end: str) -> str:
    """Return (sum + bias) / √root · factor; a single product stands for its sum."""
    line, value = numbers["sum"], number_of(numbers["sum"])
    if len(derivation.terms) == 1:
        parts = [latex_written(float(factor.values[0])) for factor in derivation.factors]
        line, value = r" \cdot ".join(map(bracketed, parts)), math.prod(map(number_of, parts))
    if "bias" in numbers:
        line = rf"{line} + {bracketed(numbers['bias'])}"
        value += number_of(numbers["bias"])
    if "root" in numbers:
        line = rf"\frac{{{line}}}{{\sqrt{{{int(derivation.numbers['root'])}}}}}"
        value /= math.sqrt(derivation.numbers["root"])
    if "factor" in numbers:
        line = rf"({line}) \cdot {bracketed(numbers['factor'])}"
        value *= number_of(numbers["factor"])
    return rf"\sum = {end}" if line == end else rf"{line} {latex_sign(value, end)} {end}"


def root(number: float) -> float:
    return math.sqrt(number) or math.nan  # a row of equal numbers, and an ε that is shown as 0


def bracketed(text: str) -> str:
    return rf"({text})" if text.startswith("-") else text
