"""The margin around a saved picture: what it is, of which model and picture, whence, whose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainer.figures.saved import letters, paper
from explainer.figures.saved.body import LINE, MUTED, TEXT, Body
from explainer.figures.saved.paper import Paper

EDGE = 24  # pixels of white around everything
LEAST = 480  # pixels of width for the words
TITLE, WHERE, WORDS = 17, 12, 11  # pixels of the letters


@dataclass(frozen=True)
class About:
    """What is said of a picture.

    Attributes:
        title: of the picture.
        where: the page and the part on which it stands.
        model: its name, epoch and seed, as a line.
        picture: what was looked at, as a line.
        link: to the same picture in the app.
        licence: of the data in the picture, and of the app.
        made_with: the app's name.
    """

    title: str
    where: str = ""
    model: str = ""
    picture: str = ""
    link: str = ""
    licence: str = ""
    made_with: str = ""

    @property
    def words(self) -> Sequence[str]:
        """The lines below the picture."""
        return [text for text in (self.model, self.picture, self.link, self.licence) if text]

    def for_png(self) -> dict[str, str]:
        """Return what a PNG says of itself."""
        said = {
            "Title": self.title,
            "Description": " ".join(filter(None, (self.where, self.model, self.picture))),
            "Source": self.link,
            "Copyright": self.licence,
            "Software": self.made_with,
        }
        return {name: letters.plain(text) for name, text in said.items() if text}

    def for_svg(self) -> dict[str, str | None]:
        """Return what an SVG says of itself, in the words of Dublin Core; it has no date."""
        names = {"Copyright": "Rights", "Software": "Creator"}
        said = {names.get(name, name): text for name, text in self.for_png().items()}
        return {**said, "Date": None}


def framed(body: Body, about: About) -> Any:
    """Return a body in its margin, as a matplotlib figure."""
    sheet, inner = Paper(), max(body.width, LEAST)
    y = float(EDGE)
    y = written(sheet, about.title, EDGE, y, inner, TITLE, TEXT, bold=True)
    y = written(sheet, about.where, EDGE, y + 2, inner, WHERE, MUTED) + 16
    body.draw(sheet, EDGE, y)
    y += body.height + 20
    if about.words:
        sheet.line([(EDGE, y), (EDGE + inner, y)], LINE)
        y += 10
    for words in about.words:
        y = written(sheet, words, EDGE, y, inner, WORDS, MUTED) + 2
    return sheet.figure(np.ceil(inner + 2 * EDGE), np.ceil(y + EDGE - 4))


def below_film(about: About, width: int, zoom: float = 1) -> np.ndarray:
    """Return the words alone, as (height, ``width``, 3) uint8 to stand below a film's frames.

    Args:
        width: pixels of the frames.
        zoom: pixels of the frames for each CSS pixel.
    """
    with paper.drawing():
        sheet, across = Paper(), width / zoom
        room = across - 2 * EDGE
        y = written(sheet, about.title, EDGE, 12, room, TITLE, TEXT, bold=True)
        y = written(sheet, about.where, EDGE, y + 2, room, WHERE, MUTED) + 4
        for words in about.words:
            y = written(sheet, words, EDGE, y, room, WORDS, MUTED) + 2
        pixels = paper.pixels_of(sheet.figure(across, np.ceil(y + 14)), zoom)
    wide = np.full((pixels.shape[0], width, 3), 255, np.uint8)
    wide[:, : min(width, pixels.shape[1])] = pixels[:, :width]
    return wide


def written(
    sheet: Paper,
    text: str,
    x: float,
    y: float,
    room: float,
    size: float,
    colour: str,
    bold: bool = False,
) -> float:
    """Write a text in lines, and return where the next begins."""
    step = round(1.4 * size)
    for line in letters.lines(text, room, size, bold) if text else ():
        sheet.text(x, y + step / 2, line, size, colour, bold=bold)
        y += step
    return y
