"""What every frame of a saved film has: a title, a picture, some lines, and how far the film is."""

from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from explainer.figures import theme
from explainer.figures.saved import letters

WIDTH = 720  # pixels
ZOOM = 1.5  # pixels for each CSS pixel
EDGE = 36  # pixels at the left and right
INSIDE = WIDTH - 2 * EDGE
SCREEN = theme.BACKGROUND.dark  # arcs are as easy to see over every picture
PAPER = "#ffffff"
TITLES = (27, 25, 23, 21, 19)  # pixels of a title's letters, which becomes as small as it must
LINE = 18  # pixels of the letters of a line
BAR = 8  # pixels of the bar that says how far the film is


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(letters.path_of(bold)), size)


def sheet(
    title: str, picture: Image.Image, lines: Sequence[str], progress: float, *, dark: bool
) -> Image.Image:
    """Return a frame of ``WIDTH`` pixels.

    Args:
        picture: at most ``WIDTH`` wide.
        lines: below it, each with room for one line; a longer one is cut.
        progress: how far the film is, 0 to 1.
        dark: whether the frame is as a page in the dark theme.
    """
    ground = SCREEN if dark else PAPER
    ink = theme.TEXT.dark if dark else theme.TEXT.light
    quiet = theme.MUTED.dark if dark else theme.MUTED.light
    step = round(1.5 * LINE)
    top = 20 + round(1.4 * TITLES[0])
    height = top + picture.height + 14 + step * len(lines) + 2 * BAR
    made = Image.new("RGB", (WIDTH, height), ground)
    pen = ImageDraw.Draw(made)
    fitting = (size for size in TITLES if font(size, True).getlength(title) <= INSIDE)
    size = next(fitting, TITLES[-1])
    write(pen, (EDGE, 16 + (TITLES[0] - size) / 2), title, size, ink, bold=True)
    made.paste(picture, ((WIDTH - picture.width) // 2, top))
    y = top + picture.height + 14
    for line in lines:
        write(pen, (EDGE, y), line, LINE, quiet)
        y += step
    along = round(WIDTH * min(1.0, max(0.0, progress)))
    pen.rectangle((0, height - BAR, WIDTH, height), fill=theme.LINE.dark if dark else "#dedad0")
    if along:
        pen.rectangle(
            (0, height - BAR, along, height), fill=theme.ACCENT.dark if dark else theme.ACCENT.light
        )
    return made


def write(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: str,
    *,
    bold: bool = False,
    room: float = INSIDE,
) -> None:
    """Write one line, as much of it as fits."""
    face, shown = font(size, bold), letters.plain(text)
    if face.getlength(shown) > room:
        while shown and face.getlength(shown + "…") > room:
            shown = shown[:-1]
        shown = shown.rstrip() + "…"
    pen.text(at, shown, font=face, fill=colour)


def wrapped(text: str, size: int = LINE, room: float = INSIDE) -> list[str]:
    """Return a text in lines that fit."""
    face, lines = font(size), [""]
    for word in letters.plain(text).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if face.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]
