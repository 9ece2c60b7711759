"""An equals sign stands only between numbers that are equal as they are shown."""

import math

import numpy as np
import pytest
from stated import equations

from explainer.content.equality import holds, latex_sign, number_of, sign
from explainer.content.numbers import percent, rest_percent
from explainer.observation.derivation import Factor, dot, gelu, layer_norm, mean, softmax, total
from explainer.shell.worked_line import worked_line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("37,468", 37468.0),
        ("−1.500·10⁻⁵", -1.5e-5),
        (r"-2.500 \cdot 10^{-9}", -2.5e-9),
        (r"92.49 \%", 0.9249),
        ("38.2 %", 0.382),
        ("(−0.25)", -0.25),
        ("0", 0.0),
        ("1e-06", 1e-6),
    ],
)
def test_a_shown_number_is_read(text: str, value: float) -> None:
    assert number_of(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("text", ["", "about 3", "1.2.3", "–"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        number_of(text)


def test_the_sign_depends_on_the_shown_numbers_alone() -> None:
    assert sign(math.exp(10.53), "37,468") == "≈"
    assert sign(math.exp(10.53), "37,421") == "="
    assert latex_sign(8**0.5, "2.828") == "="
    assert latex_sign(8**0.5, "2.829") == r"\approx"
    assert holds(0.125, "0.12") and holds(0.125, "0.13")  # either is a half unit away
    assert not holds(0.1251, "0.12")
    assert holds(0.92494, "92.49 %") and not holds(0.92496, "92.49 %")
    assert not holds(math.nan, "1")


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (total([("a", 1.23449), ("b", -2.34549)], 0.0), r"1.234 + (-2.345) = -1.111"),
        (total([("a", 1.23446), ("b", 2.34546)], 0.0), r"1.234 + 2.345 \approx 3.580"),
        (
            dot(
                Factor("shares", np.array([0.5])), Factor("values", np.array([-3.0])), 0.0, "token"
            ),
            r"0.5000 \cdot (-3.000) = -1.500",
        ),
    ],
)
def test_a_line_says_nearly_where_rounding_shows(found, line: str) -> None:
    assert worked_line(found) == line


def test_every_kind_of_line_holds_as_it_is_shown() -> None:
    rng, nearly = np.random.default_rng(0), 0
    for _ in range(300):
        row, other = rng.normal(size=(2, 9)) * 10.0 ** rng.integers(-3, 4)
        for found in (
            dot(Factor("query", row), Factor("key", other), 0.0, "number", root=9),
            dot(
                Factor("heads", row),
                Factor("weight_out", other),
                0.0,
                "number",
                bias=-0.3,
                factor=-0.7,
            ),
            softmax(Factor("scores", row), 3, 0.0, "token"),
            layer_norm(row, 2, -1.3, 0.2, 1e-6, 0.0),
            gelu(float(row[0]), 0.0),
            total([("stream", float(row[0])), ("attn_out", float(other[0]))], 0.0),
            mean(row, 0.0),
        ):
            line = worked_line(found)
            nearly += r"\approx" in line
            stated = [one for one in equations(line) if one.holds is not None]
            assert stated and all(one.holds for one in stated), line
    assert nearly > 100


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.0041, 0.38249, 0.5, 0.98996, 0.99432, 0.999943, 1])
def test_a_share_and_its_rest_add_up_as_they_stand(share: float) -> None:
    text, rest = percent(share), rest_percent(share)
    if text[0] in "<>":
        assert (text, rest) in (("< 0.01 %", "> 99.99 %"), ("> 99.99 %", "< 0.01 %"))
    else:
        assert number_of(text) + number_of(rest) == pytest.approx(1, abs=1e-12)
    assert (text == "100.0 %") == (share == 1)
