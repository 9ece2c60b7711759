"""What a saved picture consists of, before its margin: a size, and how it is drawn there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from explainer.figures import theme
from explainer.figures.saved.paper import Paper

GAP = 24  # pixels between two bodies
WIDEST = 960  # pixels that bodies beside one another take at most, where they can be wrapped
TEXT, MUTED, LINE = theme.TEXT.light, theme.MUTED.light, theme.LINE.light


@dataclass(frozen=True)
class Body:
    """A picture of some size in pixels.

    Attributes:
        draw: draws it on a paper, with its top left corner at x and y.
    """

    width: float
    height: float
    draw: Callable[[Paper, float, float], None]


NOTHING = Body(0, 0, lambda paper, x, y: None)


def below(bodies: Sequence[Body], gap: float = GAP) -> Body:
    """Return bodies below one another."""
    bodies = [body for body in bodies if body.height]

    def draw(paper: Paper, x: float, y: float) -> None:
        for body in bodies:
            body.draw(paper, x, y)
            y += body.height + gap

    height = sum(body.height + gap for body in bodies) - gap if bodies else 0
    return Body(max((body.width for body in bodies), default=0), height, draw)


def beside(bodies: Sequence[Body], gap: float = GAP) -> Body:
    """Return bodies in one row."""

    def draw(paper: Paper, x: float, y: float) -> None:
        for body in bodies:
            body.draw(paper, x, y)
            x += body.width + gap

    width = sum(body.width + gap for body in bodies) - gap if bodies else 0
    return Body(width, max((body.height for body in bodies), default=0), draw)


def flow(bodies: Sequence[Body], gap: float = GAP, widest: float = WIDEST) -> Body:
    """Return bodies in rows, as words stand in lines."""
    rows: list[list[Body]] = []
    taken = 0.0
    for body in bodies:
        if not rows or taken + gap + body.width > widest:
            rows.append([])
            taken = -gap
        rows[-1].append(body)
        taken += gap + body.width
    return below([beside(row, gap) for row in rows], gap)


def titled(title: str, body: Body, size: float = 14) -> Body:
    """Return a body under a bold line."""
    from explainer.figures.saved import letters

    written = letters.lines(title, max(body.width, 160), size, bold=True)
    step = round(1.35 * size)

    def draw(paper: Paper, x: float, y: float) -> None:
        for line in written:
            paper.text(x, y + step / 2, line, size, TEXT, bold=True)
            y += step
        body.draw(paper, x, y + 6)

    wide = max([body.width, *(letters.width(line, size, bold=True) for line in written)])
    return Body(wide, body.height + step * len(written) + 6, draw)
