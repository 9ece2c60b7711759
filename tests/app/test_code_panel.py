"""Panels show the real source, with its real line numbers and the right lines marked."""

import html
import inspect
import re
from pathlib import Path

import pytest

from explainer.figures import theme
from explainer.shell import look
from explainer.shell.code_panel import location, panel
from vit_core.model import Mlp, SelfAttention, patchify

SOURCES = [SelfAttention.forward, SelfAttention.spelled_out, Mlp, patchify]
LINE = re.compile(
    r'<(span|mark) class="line"><i aria-hidden="true">(\d+)</i>(.*?)</\1>(?=\n<|</code>)'
)


def lines(page: str) -> list[tuple[bool, int, str]]:
    """Return each line of a panel: marked, number, text."""
    return [
        (tag == "mark", int(number), html.unescape(re.sub(r"<[^>]*>", "", text)))
        for tag, number, text in LINE.findall(page)
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_a_panel_has_every_line_of_the_file_under_its_number(source: object) -> None:
    file = Path(inspect.getsourcefile(source)).read_text(encoding="utf-8").split("\n")
    found = lines(panel(source, (), "Source of {where}"))
    assert len(found) == len(inspect.getsourcelines(source)[0])
    # the first line stands at the left, the others as far in from it as they were
    indent = " " * (len(file[found[0][1] - 1]) - len(found[0][2]))
    for _, number, text in found:
        assert file[number - 1].removeprefix(indent).rstrip() == text.rstrip()


def test_only_the_lines_that_begin_with_a_mark_are_marked() -> None:
    marked = [
        text.strip()
        for is_marked, _, text in lines(panel(SelfAttention.forward, ("qkv =", "return"), "x"))
        if is_marked
    ]
    assert len(marked) == 2
    assert marked[0].startswith("qkv = self.qkv") and marked[1].startswith("return self.proj")


def test_a_mark_that_begins_no_line_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no line of vit_core/model\.py, Mlp begins with 'x = 1'"):
        panel(Mlp, ("x = 1",), "x")


def test_a_panel_can_be_scrolled_by_keyboard_and_has_a_name() -> None:
    page = panel(patchify, (), "Source <of> {where}")
    assert 'role="group" tabindex="0" aria-label="Source &lt;of&gt; vit_core/model.py, pat' in page


def test_the_place_of_a_method_names_its_class() -> None:
    assert location(SelfAttention.forward) == "vit_core/model.py, SelfAttention.forward"
    assert location(patchify) == "vit_core/model.py, patchify"


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_code_can_be_read_on_every_ground_it_stands_on(place: int) -> None:
    pairs = re.findall(
        r"(color|background): light-dark\((#\w{6}), (#\w{6})\)", look.RULES.split(".source {")[1]
    )
    inks = [pair[1:][place] for pair in pairs if pair[0] == "color"]
    grounds = [pair[1:][place] for pair in pairs if pair[0] == "background"]
    mode = ("light", "dark")[place]
    inks += [theme.MUTED.for_mode(mode), theme.TEXT.for_mode(mode)]
    grounds += [theme.BACKGROUND.for_mode(mode), theme.SURFACE.for_mode(mode)]
    assert len(inks) >= 5 and len(grounds) == 3
    for ink in inks:
        for ground in grounds:
            assert contrast(ink, ground) >= 4.5, (ink, ground)
