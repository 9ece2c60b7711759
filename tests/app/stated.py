"""Reads the equations in a text, and computes them again from the numbers that it shows.

Written apart from the app's own ``explainer.content.equality``, so that one can hold the other to
its word.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from streamlit.testing.v1 import AppTest

from explainer.shell.quiz import Question

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
LITERAL = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?"
# what a side of an equation in prose may consist of, with ln and e as single signs
SIDE = r"[\d.,\s()/×·+\-√%ℓε^⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*"
ENDS = re.compile(r"[,.;:](?=\s|$)|\n")
POWER_IN_WORDS = re.compile(
    rf"e to the power of (?P<left>[−-]?{LITERAL}) is (?P<nearly>about )?"
    rf"(?P<right>{LITERAL}(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)"
)
CHANGE = re.compile(
    rf"(?P<before>{LITERAL} %) → (?P<after>{LITERAL} %), (?P<nearly>about )?"
    rf"(?P<change>[−+]?{LITERAL}) percentage points"
)
SIGNS = re.compile(r"=|≈|\\approx(?![a-z])")
WORDS = {
    r"\sin": "sin",
    r"\cos": "cos",
    r"\ln": "ln",
    r"\Phi": "phi",
    r"\sqrt": "root",
    r"\log_2": "log2",
    "√": "root",
    r"\cdot": "*",
    r"\times": "*",
    "×": "*",
    "·": "*",
    "^": "**",
}


class Between:
    """A number of which only a range is known."""

    def __init__(self, low: float, high: float | None = None) -> None:
        self.low, self.high = low, low if high is None else high

    def of(self, other: "Between | float", does) -> "Between":
        other = other if isinstance(other, Between) else Between(other)
        found = [does(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Between(min(found), max(found))

    def __add__(self, other):
        return self.of(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self.of(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self.of(other, lambda a, b: a * b)

    def __truediv__(self, other):
        if other.low <= 0 <= other.high:
            return Between(-math.inf, math.inf)
        return self.of(other, lambda a, b: a / b)

    def __pow__(self, other):
        return self.of(other, lambda a, b: a**b)

    def __neg__(self):
        return Between(-self.high, -self.low)

    def __pos__(self):
        return self

    def through(self, does) -> "Between":
        """Return what a function, whose slope has one sign here, makes of it."""
        ends = sorted((does(self.low), does(self.high)))
        return Between(*ends)

    def wave(self, does) -> "Between":
        """Return what sine or cosine makes of it: nowhere steeper than 1."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return Between(does(middle) - half, does(middle) + half)

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


def at_least_zero(does):
    return lambda number: does(max(number, 0.0))


FUNCTIONS = {
    "exp": lambda x: x.through(lambda n: math.exp(min(n, 700.0))),
    "root": lambda x: x.through(at_least_zero(math.sqrt)),
    "ln": lambda x: x.through(math.log),
    "log2": lambda x: x.through(math.log2),
    "phi": lambda x: x.through(lambda n: 0.5 * (1 + math.erf(n / math.sqrt(2)))),
    "sin": lambda x: x.wave(math.sin),
    "cos": lambda x: x.wave(math.cos),
}


@dataclass(frozen=True)
class Equation:
    """Two sides next to each other, as they are written, and what stands between."""

    left: str
    is_equal: bool
    right: str

    @property
    def holds(self) -> bool | None:
        """Whether it is true of the shown numbers; None where a side is no number."""
        left, right = self.left, self.right
        if r"\sum" in left and (tops := (numerator(left), numerator(right))) and all(tops):
            left, right = tops  # the sum has terms that are not shown
        exact, near = evaluate(left, 0), evaluate(left, 1)
        shown = evaluate(
            right, 1, is_result=re.fullmatch(LITERAL, right.strip("() %-−")) is not None
        )
        if exact is None or shown is None:
            return None
        slack = 1e-9 * max(abs(exact.middle), abs(shown.high - shown.low)) + 1e-15
        if self.is_equal:
            return shown.low - slack <= exact.middle <= shown.high + slack
        return near.low <= shown.high + slack and shown.low - slack <= near.high


def equations(text: str) -> Iterator[Equation]:
    """Yield the equations of a text: in KaTeX between dollars or whole, in prose elsewhere."""
    for power in POWER_IN_WORDS.finditer(text):
        yield Equation(f"e^{{{power['left']}}}", not power["nearly"], power["right"])
    for one in CHANGE.finditer(text):
        left = f"{one['after']} - {one['before']}"
        yield Equation(left, not one["nearly"], f"{one['change']} %".lstrip("+"))
    for formula in re.findall(r"\$([^$]+)\$", text):
        yield from chain_of(formula)
    plain = re.sub(r"\$[^$]+\$", " , ", text)
    if re.search(r"\\[a-z]", plain):  # KaTeX as a whole
        yield from chain_of(plain)
        return
    plain = re.sub(r"\bln\b", "ℓ", re.sub(r"\be\b(?![+-])", "ε", plain.replace("−", "-")))
    for sign in SIGNS.finditer(plain):
        before, after = plain[max(0, sign.start() - 120) : sign.start()], plain[sign.end() :]
        left = ENDS.split(re.search(SIDE + "$", before)[0])[-1]
        right = ENDS.split(re.match(SIDE, after)[0])[0]
        # a number alone is the end of something that is not written in numbers
        if re.search(r"[^\d.,%\s-]", tidy(left).removeprefix("e")):
            yield Equation(tidy(left), sign[0] == "=", tidy(right))


def tidy(side: str) -> str:
    """Cut what is no part of a side in prose: words' brackets and the sentence's signs."""
    side = side.replace("ℓ", "ln").replace("ε", "e").strip().strip("/×·+ ")
    while side.count("(") > side.count(")"):
        side = side.replace("(", "", 1)
    while side.count(")") > side.count("("):
        side = side[: side.rindex(")")]
    return side.strip()


def chain_of(latex: str) -> Iterator[Equation]:
    """Yield the equations of a piece of KaTeX: a = b = c are two."""
    flat = re.sub(r"\\(begin|end)\{\w+\}|&|\\\\(\[[^\]]*\])?|\\[,;!]", " ", latex)
    flat = re.sub(r"\\(left|right|Big|bigl|bigr)(?![a-z])", "", flat)
    for part in re.split(r"\\qquad|\\to(?![a-z])", flat.replace(r"\quad", " ")):
        # those within braces belong to a sum's limits
        signs = [one for one in SIGNS.finditer(part) if not open_braces(part[: one.start()])]
        edges = [0, *(edge for sign in signs for edge in sign.span()), len(part)]
        sides = [part[a:b].strip(" ,") for a, b in zip(edges[::2], edges[1::2], strict=True)]
        for left, sign, right in zip(sides, signs, sides[1:], strict=False):
            yield Equation(left, sign[0] == "=", right)


def open_braces(text: str) -> int:
    return text.count("{") - text.count("}")


def group(text: str, start: int) -> tuple[str, int]:
    """Return what stands in the braces that open at ``start``, and where they end."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[start + 1 : at], at + 1
    raise ValueError(f"the braces of {text!r} do not match")


def numerator(side: str) -> str:
    """Return what stands above the line of a side that is one fraction; empty for others."""
    if not side.startswith(r"\frac{"):
        return ""
    above, end = group(side, 5)
    return above if group(side, end)[1] == len(side) else ""


def evaluate(side: str, half_units: float, is_result: bool = False) -> Between | None:
    """Return the value of a side; None where it holds more than numbers.

    Args:
        half_units: by how many half units of its last digit each written number may be off; small
            whole numbers are none of them, unless one is the result.
    """
    expression = expression_of(side)
    if expression is None:
        return None

    def number(text: str) -> Between:
        mantissa, _, power = text.replace(",", "").partition("e")
        digits = len(mantissa.partition(".")[2])
        value = float(text.replace(",", ""))
        is_whole = not digits and not power and value < 1000
        unit = 0.0 if is_whole and not is_result else 10.0 ** (int(power or 0) - digits)
        off = 0.5 * half_units * unit
        return Between(value - off, value + off)

    try:
        found = eval(expression, {"__builtins__": {}, "N": number, "percent": 0.01, **FUNCTIONS})
    except (SyntaxError, TypeError, AttributeError, ArithmeticError, ValueError):
        return None
    return found if isinstance(found, Between) else None


def expression_of(side: str) -> str | None:
    """Return a side as Python, with every number as N("…"); None where names are left."""
    text = side.replace("−", "-").replace(r"\%", "%").replace("ln e", "1")
    text = re.sub(r"·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "e" + m[1].translate(SUPERSCRIPTS), text)
    text = re.sub(r"\s*\\cdot 10\^\{(-?\d+)\}", r"e\1", text)
    while (at := text.find(r"\underbrace{")) >= 0:
        inner, end = group(text, at + 11)
        _, end = group(text, end + 1) if text[end : end + 2] == "_{" else ("", end)
        text = f"{text[:at]}({inner}){text[end:]}"
    while (at := text.find(r"\frac{")) >= 0:
        above, end = group(text, at + 5)
        below, end = group(text, end)
        text = f"{text[:at]}(({above})/({below})){text[end:]}"
    text = text.replace("{", "(").replace("}", ")")
    text = re.sub(r"(?<![\w\\])e\^\(", "exp(", text)
    text = re.sub(rf"(?<![\w\\])e\^({LITERAL})", r"exp(\1)", text)
    text = re.sub(r"(?<![\w\\.])e(?![\w^])", " exp(1) ", text)
    for word, python in WORDS.items():
        text = text.replace(word, f" {python} ")
    text = re.sub(r"(root|ln|log2)\s*(\d[\d.]*)", r"\1(\2)", text)
    text = re.sub(r"(?<=\d)\s*(?=(exp|root|sin|cos|phi)\b)", "*", text)
    text = re.sub(rf"({LITERAL})\s*%", r"(\1*percent)", text)
    left = re.sub(rf"{LITERAL}|exp|root|ln|log2|phi|sin|cos|percent|[-+*/() ]", "", text)
    if left.strip() or not re.search(r"\d", text):
        return None
    return (
        re.sub(LITERAL, lambda m: f'N("{m[0]}")', re.sub("log2", "LOG", text))
        .replace("LOG", "log2")
        .strip()
    )


def stated(app: AppTest) -> Iterator[str]:
    """Yield every text of the page: words, formulas, tables, numbers and what pictures say."""
    for element in (*app.markdown, *app.latex, *app.caption):
        is_table = element.value.startswith("| ")
        yield element.value.replace("|", "\n") if is_table else element.value
    for element in app.get("html"):
        if 'class="source"' in element.proto.body:  # code is no statement about numbers
            continue
        body = re.sub(r"<style>.*?</style>", " ", element.proto.body, flags=re.DOTALL)
        yield from re.findall(r'alt="([^"]*)"', body)
        yield re.sub(r"<[^>]+>", " \n ", body)
    for metric in app.metric:
        yield metric.value


def wrong_in(texts: Iterator[str]) -> tuple[list[Equation], int]:
    """Return the equations that do not hold as they are shown, and how many were computed."""
    wrong, count = [], 0
    for text in texts:
        for one in equations(text):
            if one.holds is not None:
                count += 1
                if not one.holds:
                    wrong.append(one)
    return wrong, count


def check(question: Question) -> None:
    """Hold a question to what it shows: its equations, and no option with the answer's number."""
    wrong, _ = wrong_in(iter((question.text, question.why)))
    assert not wrong, question
    right = question.options[question.answer]
    shown = dict(re.findall(r"([\w ,\[\]]+?) ([−+]?[\d.,]+(?: %)?)(?=[,.]? |[,.]?$)", question.why))
    listed = {option: shown[option] for option in question.options if option in shown}
    if right in listed:
        others = [number for option, number in listed.items() if option != right]
        assert listed[right] not in others, question
