"""A link for a class: what it leaves out, and its QR code, which is drawn here."""

import base64
import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explainer.shell import share
from explainer.state.link import LONGEST_PICTURE, State, link_of, read_link

PAGE = "https://example.org/vit/multi-head"


def test_a_link_is_that_of_its_page_without_what_the_page_was_opened_with() -> None:
    assert link_of(State(), f"{PAGE}?digit=3") == PAGE
    assert link_of(State(digit=4, block=1), PAGE) == f"{PAGE}?digit=4&block=1"


@pytest.mark.parametrize("hidden", [(), ("controls",), ("controls", "code")])
def test_a_link_for_a_class_hides_what_was_chosen(hidden: tuple[str, ...]) -> None:
    parts = urlsplit(link_of(State(digit=4, code="open"), PAGE, hidden))
    state, refused = read_link({name: value for name, (value,) in parse_qs(parts.query).items()})
    assert not refused and state.digit == 4
    assert state.controls == ("hide" if "controls" in hidden else "show")
    assert state.code == ("hide" if "code" in hidden else "open")


def modules_of(address: str) -> np.ndarray:
    """Return which squares of a QR code are dark, with its border, from its drawing."""
    kind, _, text = address.partition(",")
    svg = base64.b64decode(text).decode() if kind.endswith("base64") else unquote(text)
    root = ElementTree.fromstring(svg)
    side = int(float(root.get("viewBox").split()[2]))
    dark = np.zeros((side, side), bool)
    path = next(e for e in root.iter() if e.get("stroke"))
    row, column = 0.0, 0.0
    for name, numbers in re.findall(r"([Mmh])([-\d. ]+)", path.get("d")):
        values = [float(number) for number in numbers.split()]
        if name == "M":
            column, row = values
        elif name == "m":
            column, row = column + values[0], row + values[1]
        else:
            dark[int(row), int(column) : int(column + values[0])] = True
            column += values[0]
    return dark


def test_the_code_has_its_three_corners_and_a_quiet_border() -> None:
    dark = modules_of(share.qr_code(f"{PAGE}?digit=3"))
    border = 4
    assert not dark[:border].any() and not dark[:, :border].any()
    inside = dark[border:-border, border:-border]
    corner = np.ones((7, 7), bool)
    corner[1:6, 1:6] = False
    corner[2:5, 2:5] = True
    for one in (inside[:7, :7], inside[:7, -7:], inside[-7:, :7]):
        np.testing.assert_array_equal(one, corner)


def test_a_link_with_the_longest_drawing_has_a_code() -> None:
    state = State(picture="A" * LONGEST_PICTURE, source="untrained", position="sincos2d", seed=9999)
    assert share.qr_code(link_of(state, PAGE, share.HIDEABLE)).startswith("data:image/svg+xml")


def test_the_button_makes_the_link_and_its_code(
    shipped: object, open_page: Callable[..., AppTest]
) -> None:
    app = open_page("multi-head", digit=4)
    assert not app.checkbox
    app.session_state["share"] = True
    app.run()
    assert not app.exception
    assert app.checkbox(key="share-controls").value and not app.checkbox(key="share-code").value
    assert app.code[0].value == "?digit=4&controls=hide"
    assert any('class="qr-code"' in element.proto.body for element in app.get("html"))
    app.checkbox(key="share-code").check().run()
    assert app.code[0].value == "?digit=4&code=hide&controls=hide"
    app.checkbox(key="share-controls").uncheck().run()
    assert app.code[0].value == "?digit=4&code=hide"
