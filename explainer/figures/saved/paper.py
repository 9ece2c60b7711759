"""A sheet on which pictures are drawn in CSS pixels from its top left corner, and its two formats.

matplotlib is imported when the first picture is made, and used without ``pyplot``, whose figures
belong to the whole process. Sessions are threads, and what matplotlib reads of its fonts and
settings is not: so one lock stands around everything that draws.
"""

import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, Literal

import numpy as np

from explainer.figures.saved import letters

LOCK = RLock()
ZOOM = 2  # pixels of a PNG for each CSS pixel
INCH = 96  # CSS pixels
MOST_VECTORS = 6_000  # cells that are drawn one by one; more are a picture of a pixel for each
SETTINGS: Any = {
    "font.family": list(letters.FAMILY),
    "font.sans-serif": [letters.FAMILY[0]],
    "svg.fonttype": "none",  # words stay words: they can be found, copied and read aloud
    "svg.hashsalt": "vit-explainer",  # the same picture is the same file
    "path.simplify": False,
    "text.parse_math": False,
}
Anchor = Literal["left", "center", "right"]


@contextmanager
def drawing() -> Iterator[None]:
    """Let one thread draw, in the settings of saved pictures."""
    import matplotlib

    with LOCK, matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        # a stranger's letters may be in no typeface; a box stands for them
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        yield


class Paper:
    """Collects what is drawn, in the order in which it lies on one another."""

    def __init__(self) -> None:
        self._drawn: list[Callable[[Any, int], None]] = []

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str | None = None,
        edge: str | None = None,
        thick: float = 1.0,
        alpha: float = 1.0,
        dash: tuple[float, ...] | None = None,
    ) -> None:
        """Draw a rectangle; its edge lies on its sides, half of it outside."""

        def draw(axes: Any, order: int) -> None:
            from matplotlib.patches import Rectangle

            axes.add_artist(
                Rectangle(
                    (x, y),
                    width,
                    height,
                    facecolor=fill or "none",
                    edgecolor=edge or "none",
                    linewidth=thick if edge else 0,
                    linestyle=(0, dash) if dash else "solid",
                    alpha=None if alpha == 1 else alpha,
                    zorder=order,
                    clip_on=False,
                )
            )

        self._drawn.append(draw)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        colour: str,
        *,
        thick: float = 1.0,
        alpha: float = 1.0,
        dash: tuple[float, ...] | None = None,
    ) -> None:
        """Draw a line through points."""

        def draw(axes: Any, order: int) -> None:
            from matplotlib.lines import Line2D

            across, down = zip(*points, strict=True)
            axes.add_artist(
                Line2D(
                    across,
                    down,
                    color=colour,
                    linewidth=thick,
                    linestyle=(0, dash) if dash else "solid",
                    alpha=None if alpha == 1 else alpha,
                    zorder=order,
                    clip_on=False,
                )
            )

        if len(points) > 1:
            self._drawn.append(draw)

    def dot(
        self, x: float, y: float, size: float, colour: str, alpha: float = 1.0, sides: int = 0
    ) -> None:
        """Draw a dot of so many pixels across: round, or with so many corners."""

        def draw(axes: Any, order: int) -> None:
            from matplotlib.patches import Circle, RegularPolygon

            how = {
                "facecolor": colour,
                "edgecolor": "none",
                "linewidth": 0,
                "alpha": None if alpha == 1 else alpha,
                "zorder": order,
                "clip_on": False,
            }
            turned = 0 if sides == 4 else np.pi  # the y axis points down
            axes.add_artist(
                RegularPolygon((x, y), sides, radius=size / 2, orientation=turned, **how)
                if sides
                else Circle((x, y), size / 2, **how)
            )

        self._drawn.append(draw)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        anchor: Anchor = "left",
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write a line; ``y`` is its middle.

        Args:
            turned: whether it runs upwards, with its anchor on ``y`` and its middle on ``x``.
        """
        text = letters.plain(text)

        def draw(axes: Any, order: int) -> None:
            from matplotlib.font_manager import FontProperties

            # 0.36: half the height of a capital letter
            at = (x + 0.36 * size, y) if turned else (x, y + 0.36 * size)
            properties = FontProperties(
                family=list(letters.FAMILY),
                weight="bold" if bold else "normal",
                size=size,
                fname=str(letters.path_of(bold)),
            )
            axes.text(
                *at,
                text,
                color=colour,
                fontproperties=properties,
                ha=anchor,
                va="baseline",
                rotation=90 if turned else 0,
                rotation_mode="anchor",
                parse_math=False,
                zorder=order,
                clip_on=False,
            )

        if text:
            self._drawn.append(draw)

    def image(
        self, x: float, y: float, width: float, height: float, pixels: np.ndarray, *, smooth: bool
    ) -> None:
        """Draw (rows, columns, 3 or 4) uint8; a smooth one is a photograph, others show pixels."""

        def draw(axes: Any, order: int) -> None:
            axes.imshow(
                resized(pixels, ZOOM * width, ZOOM * height) if smooth else pixels,
                extent=(x, x + width, y + height, y),
                aspect="auto",
                interpolation="none",
                zorder=order,
                clip_on=False,
            )

        self._drawn.append(draw)

    def cells(
        self, x: float, y: float, across: float, down: float, colours: np.ndarray, name: str
    ) -> None:
        """Draw coloured cells, (rows, columns, 3) uint8, each of ``across`` × ``down`` pixels.

        Args:
            name: of the group of cells in an SVG.
        """
        rows, columns = colours.shape[:2]
        if rows * columns > MOST_VECTORS:
            self.image(x, y, across * columns, down * rows, colours, smooth=False)
            return

        def draw(axes: Any, order: int) -> None:
            from matplotlib.collections import QuadMesh

            corners = np.stack(
                np.meshgrid(x + across * np.arange(columns + 1), y + down * np.arange(rows + 1)),
                axis=-1,
            )
            mesh = QuadMesh(
                corners,
                antialiased=False,
                facecolors=colours.reshape(-1, 3) / 255,
                linewidths=0,
                edgecolors="none",
                zorder=order,
            )
            mesh.set_clip_on(False)
            mesh.set_gid(f"cells-{name}")
            axes.add_collection(mesh, autolim=False)

        self._drawn.append(draw)

    def figure(self, width: float, height: float) -> Any:
        """Return all of it as a matplotlib figure of so many pixels; one pixel is one point."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        for order, draw in enumerate(self._drawn, start=1):
            draw(axes, order)
        # imshow has chosen its own
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        return figure


def resized(pixels: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return a photograph in the size in which it is shown, smoothly."""
    from PIL import Image

    size = max(1, round(width)), max(1, round(height))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def png(figure: Any, about: Mapping[str, str]) -> bytes:
    """Return a figure as a PNG of twice its size, with words about it in its text chunks."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(
        content,
        format="png",
        dpi=72 * ZOOM,
        metadata=dict(about),
        pil_kwargs={"dpi": (INCH * ZOOM, INCH * ZOOM)},
    )
    return content.getvalue()


def svg(figure: Any, about: Mapping[str, str | None]) -> bytes:
    """Return a figure as an SVG that is one CSS pixel large for each of its own.

    Args:
        about: words for its metadata, under the names that matplotlib knows.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    content = io.StringIO()
    FigureCanvasSVG(figure)
    figure.savefig(content, format="svg", metadata=dict(about))
    text = content.getvalue()
    text = re.sub(
        r'width="([\d.]+)pt" height="([\d.]+)pt"', r'width="\1" height="\2"', text, count=1
    )
    # no light between two cells, whatever the size
    text = re.sub(r'<g id="cells-[^"]*"', r'\g<0> shape-rendering="crispEdges"', text)
    return without_copies(text).encode()


def without_copies(text: str) -> str:
    """Return an SVG in which a picture that stands in several places is there once."""
    found = re.compile(
        r'<image xlink:href="(data:[^"]*)" id="[^"]*" (width="[^"]*" height="[^"]*") '
        r'(transform="[^"]*")( style="[^"]*")?/>'
    )
    counts = Counter((one[1], one[2], one[4] or "") for one in found.finditer(text))
    names = {key: f"shared-{index}" for index, key in enumerate(counts) if counts[key] > 1}

    def used(one: re.Match[str]) -> str:
        name = names.get((one[1], one[2], one[4] or ""))
        return f'<use xlink:href="#{name}" {one[3]}/>' if name else one[0]

    kept = "".join(
        f'<image id="{name}" xlink:href="{address}" {size}{style}/>'
        for (address, size, style), name in names.items()
    )
    text = found.sub(used, text)
    return text.replace("</defs>", f"{kept}</defs>", 1) if kept else text


def pixels_of(figure: Any, zoom: float = ZOOM) -> np.ndarray:
    """Return a figure as (height, width, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(72 * zoom)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
