"""Tiny pictures of the words of the glossary, as inline SVG that follows the theme.

Each is a drawing of an idea, 48 × 32, and no measurement. Colours mean what they mean on the pages.
"""

from collections.abc import Callable, Sequence
from math import erf, exp, log, sqrt

from explainer.figures import theme
from explainer.figures.theme import Shade

WIDTH, HEIGHT = 48, 32
SHADES = (0.25, 0.8, 0.45, 1.0, 0.35, 0.65, 0.2, 0.9)  # of the cells of a row, to look like numbers


PAINTS = {  # the names of the colours in a picture
    "patch": theme.PATCH,
    "class": theme.CLASS_TOKEN,
    "query": theme.QUERY,
    "key": theme.KEY,
    "value": theme.VALUE,
    "accent": theme.ACCENT,
    "good": theme.GOOD,
    "bad": theme.BAD,
    "text": theme.TEXT,
    "muted": theme.MUTED,
    "line": theme.LINE,
    "paper": theme.BACKGROUND,
}
# what a style sheet says of the element around a picture
COLOURS = "".join(f"--tiny-{name}:{shade.css};" for name, shade in PAINTS.items())
NAMES = {shade: name for name, shade in PAINTS.items()}


def svg(*parts: str) -> str:
    """Return a picture that assistive technology passes over; its words stand beside it."""
    drawn = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )
    return drawn.replace('"', "'")  # which JSON would write as two signs


def paint(shade: Shade) -> str:
    return f"var(--tiny-{NAMES[shade]})"


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    shade: Shade,
    *,
    opacity: float = 1,
    hollow: bool = False,
    round: float = 1,
) -> str:
    paints = f'fill="{paint(shade)}"'
    if hollow:
        paints = f'fill="none" stroke="{paint(shade)}" stroke-width="1.5" rx="{round:g}"'
    elif opacity < 1:
        paints += f' opacity="{opacity:g}"'
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f"{paints}/>"
    )


def cells(x: float, y: float, count: int, shade: Shade, *, size: float = 5, start: int = 0) -> str:
    """Return a row of numbers as cells side by side."""
    side = number(size - 0.8)
    drawn = (
        f'<path d="M{number(x + at * size)} {number(y)}h{side}v{side}h-{side}z" '
        f'opacity="{SHADES[(start + at) % 8]:g}"/>'
        for at in range(count)
    )
    return f'<g fill="{paint(shade)}">{"".join(drawn)}</g>'


def line(points: Sequence[tuple[float, float]], shade: Shade, width: float = 1.5) -> str:
    path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{paint(shade)}" stroke-width="{width:g}"/>'
    )


def arrow(x1: float, y1: float, x2: float, y2: float, shade: Shade, width: float = 1.5) -> str:
    length = sqrt((x2 - x1) ** 2 + (y2 - y1) ** 2)
    dx, dy = (x2 - x1) / length * 3, (y2 - y1) / length * 3
    one, other = ((x2 - dx - side * dy * 0.8, y2 - dy + side * dx * 0.8) for side in (1, -1))
    return line([(x1, y1), (x2, y2), one, (x2, y2), other], shade, width)


def bars(
    heights: Sequence[float], shades: Sequence[Shade], x: float = 6, bottom: float = 28
) -> str:
    """Return bars side by side on a line, 24 high at a height of 1."""
    step = (WIDTH - 2 * x) / len(heights)
    drawn = (
        box(x + at * step, bottom - 24 * height, step - 2, 24 * height, shade)
        for at, (height, shade) in enumerate(zip(heights, shades, strict=True))
    )
    return "".join(drawn) + line([(x - 2, bottom), (WIDTH - x, bottom)], theme.MUTED, 1)


def sign(x: float, y: float, text: str, shade: Shade = theme.TEXT, size: float = 11) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="{size:g}" font-weight="600" '
        f'fill="{paint(shade)}">{text}</text>'
    )


def dot(x: float, y: float, radius: float, shade: Shade) -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{radius:g}" fill="{paint(shade)}"/>'


def grid(x: float, y: float, count: int, size: float, shades: dict[int, float]) -> str:
    """Return count × count squares; ``shades`` has the opacities of those that are filled."""
    return "".join(
        box(
            x + at % count * size,
            y + at // count * size,
            size - 1,
            size - 1,
            theme.PATCH if at in shades else theme.LINE,
            opacity=shades.get(at, 1),
        )
        for at in range(count * count)
    )


def curve(
    function: Callable[[float], float],
    shade: Shade = theme.ACCENT,
    *,
    top: float = 4,
    bottom: float = 28,
) -> str:
    """Return a function from 0..1 to 0..1 as a curve over the whole width."""
    return line(
        [(4 + 2.5 * at, bottom - (bottom - top) * function(at / 16)) for at in range(17)],
        shade,
        2,
    )


def axes() -> str:
    return line([(4, 3), (4, 28), (45, 28)], theme.MUTED, 1)


def gelu(x: float) -> float:
    return x * (1 + erf(x / sqrt(2))) / 2


def tokens(shade: Shade = theme.PATCH, rows: int = 3) -> str:
    return "".join(cells(7, 5 + 8 * at, 7, shade, start=3 * at) for at in range(rows))


def fan(shade: Shade, ends: Sequence[tuple[float, float]]) -> str:
    """Return lines from one token at the left to three at the right, as thick as their weights."""
    drawn = "".join(line([(9, 16), (38, y)], shade, width) for y, width in ends)
    return drawn + dot(8, 16, 4, theme.QUERY) + "".join(dot(40, y, 3, theme.PATCH) for y, _ in ends)


PICTURES = {
    "accuracy": svg(
        *(
            sign(
                8 + 8 * (at % 5),
                14 + 13 * (at // 5),
                mark,
                theme.GOOD if mark == "✓" else theme.BAD,
            )
            for at, mark in enumerate("✓✓✓✗✓✓✓✓✓✗")
        )
    ),
    "attention": svg(fan(theme.ACCENT, [(5, 1), (16, 3.5), (27, 2)])),
    "attention-pattern": svg(
        *(
            box(
                11 + 5.2 * x,
                3 + 5.2 * y,
                4.4,
                4.4,
                theme.ACCENT,
                opacity=SHADES[(3 * x + 5 * y) % 8],
            )
            for x in range(5)
            for y in range(5)
        )
    ),
    "attention-weight": svg(
        fan(theme.LINE, [(5, 1.5), (16, 1.5), (27, 1.5)]), line([(9, 16), (38, 5)], theme.ACCENT, 4)
    ),
    "backbone": svg(
        *(box(4 + 9 * at, 5, 7, 22, theme.ACCENT, hollow=True) for at in range(3)),
        cells(32, 8, 3, theme.PATCH),
        cells(32, 14, 3, theme.PATCH, start=3),
        cells(32, 20, 3, theme.PATCH, start=5),
    ),
    "batch": svg(
        *(box(6 + 6 * at, 3 + 3 * at, 16, 16, theme.LINE) for at in range(3)),
        box(24, 12, 16, 16, theme.PATCH, hollow=True),
    ),
    "bias": svg(
        cells(6, 6, 5, theme.PATCH), sign(38, 14, "+"), cells(6, 20, 5, theme.ACCENT, start=2)
    ),
    "block": svg(
        line([(3, 25), (45, 25)], theme.ACCENT, 2.5),
        box(8, 6, 13, 11, theme.PATCH, hollow=True, round=2),
        box(27, 6, 13, 11, theme.VALUE, hollow=True, round=2),
        arrow(21, 11, 24, 22, theme.MUTED, 1),
        arrow(40, 11, 43, 22, theme.MUTED, 1),
    ),
    "channel": svg(
        box(6, 4, 16, 16, theme.BAD, hollow=True),
        box(13, 8, 16, 16, theme.GOOD, hollow=True),
        box(20, 12, 16, 16, theme.KEY, hollow=True),
    ),
    "class-token": svg(
        cells(7, 4, 7, theme.CLASS_TOKEN, start=2),
        cells(7, 13, 7, theme.PATCH),
        cells(7, 20, 7, theme.PATCH, start=4),
    ),
    "classification-head": svg(
        cells(5, 4, 7, theme.CLASS_TOKEN),
        arrow(22, 11, 22, 16, theme.MUTED),
        bars([0.1, 0.4, 0.15, 0.2], [theme.MUTED, theme.ACCENT, theme.MUTED, theme.MUTED], x=10),
    ),
    "cosine": svg(
        arrow(8, 27, 40, 20, theme.QUERY, 2),
        arrow(8, 27, 26, 4, theme.KEY, 2),
        line([(21, 24.2), (20.3, 19), (17, 15.5)], theme.MUTED, 1.25),
    ),
    "dimension": svg(
        cells(7, 12, 7, theme.LINE),
        box(21.25, 10.5, 7, 7, theme.ACCENT, hollow=True),
        cells(22, 12, 1, theme.PATCH, start=3),
    ),
    "dot-product": svg(
        cells(6, 4, 5, theme.QUERY),
        cells(6, 13, 5, theme.KEY, start=3),
        sign(17, 29, "+  +  +  +", theme.MUTED, 8),
        arrow(32, 12, 38, 12, theme.MUTED),
        dot(43, 12, 3, theme.ACCENT),
    ),
    "embedding": svg(
        box(4, 9, 13, 13, theme.PATCH, hollow=True),
        arrow(20, 15.5, 25, 15.5, theme.MUTED),
        cells(28, 13, 4, theme.PATCH, size=4.5),
    ),
    "entropy": svg(
        bars(
            [0.95, 0.08, 0.08, 0.0, 0.35, 0.35, 0.35],
            [theme.ACCENT] * 3 + [theme.LINE] + [theme.KEY] * 3,
        )
    ),
    "epoch": svg(
        *(box(9 + 6 * (at % 5), 5 + 6 * (at // 5), 5, 5, theme.LINE) for at in range(15)),
        arrow(6, 26, 42, 26, theme.ACCENT),
    ),
    "features": svg(tokens(theme.VALUE)),
    "gelu": svg(
        line([(4, 22), (44, 22)], theme.MUTED, 1),
        line([(24, 3), (24, 29)], theme.MUTED, 1),
        line([(24 + 6.4 * x / 8, 22 - 6.2 * gelu(x / 8)) for x in range(-24, 23)], theme.ACCENT, 2),
    ),
    "gradient": svg(
        axes(),
        curve(lambda x: 0.9 * (2 * x - 1) ** 2 + 0.05, theme.MUTED),
        dot(13, 15.5, 2.5, theme.ACCENT),
        arrow(15, 18, 21, 24.5, theme.ACCENT),
    ),
    "head": svg(
        *(
            box(5 + 14 * at, 5, 10, 22, shade, hollow=True, round=2)
            for at, shade in enumerate((theme.QUERY, theme.KEY, theme.VALUE))
        ),
        *(
            line([(10 + 14 * at, 10), (10 + 14 * at + slant, 22)], theme.MUTED, 1.25)
            for at, slant in enumerate((-2, 0, 2.5))
        ),
    ),
    "key": svg(sign(10, 21, "k", theme.KEY, 15), cells(20, 13, 5, theme.KEY)),
    "layernorm": svg(
        line([(25, 4), (25, 28)], theme.MUTED, 1),
        *(dot(x, 9, 2, theme.MUTED) for x in (28, 34, 43)),
        arrow(25, 13, 25, 18, theme.MUTED),
        *(dot(x, 24, 2, theme.ACCENT) for x in (19, 24, 32)),
    ),
    "layerscale": svg(
        cells(6, 7, 7, theme.PATCH),
        sign(24, 21, "×", theme.MUTED),
        cells(6, 23, 7, theme.ACCENT, start=5),
    ),
    "learning-rate": svg(
        axes(),
        curve(lambda x: 0.9 * (1 - x) ** 2 + 0.05, theme.MUTED),
        *(
            dot(6 + 10 * at, 7 + 21 * (1 - (1 - at / 4) ** 2) - 1, 2.2, theme.ACCENT)
            for at in range(4)
        ),
    ),
    "logit": svg(
        line([(6, 18), (42, 18)], theme.MUTED, 1),
        box(9, 5, 6, 13, theme.ACCENT),
        box(18, 18, 6, 8, theme.BAD),
        box(27, 11, 6, 7, theme.ACCENT),
        box(36, 18, 5, 5, theme.BAD),
    ),
    "logit-lens": svg(
        *(box(4 + 9 * at, 5, 6, 10, theme.ACCENT, hollow=True) for at in range(4)),
        *(box(4 + 9 * at, 29 - h, 6, h, theme.GOOD) for at, h in enumerate((2, 4, 7, 11))),
    ),
    "loss": svg(axes(), curve(lambda x: exp(-3.2 * x) * 0.92 + 0.05, theme.BAD)),
    "mean-pooling": svg(
        cells(5, 5, 4, theme.PATCH),
        cells(5, 13, 4, theme.PATCH, start=2),
        cells(5, 21, 4, theme.PATCH, start=5),
        arrow(26, 15, 31, 15, theme.MUTED),
        cells(33, 13, 3, theme.ACCENT, size=4.5),
    ),
    "mlp": svg(
        *(line([(8, y), (24, z)], theme.LINE, 1) for y in (10, 22) for z in (5, 12, 20, 27)),
        *(line([(24, z), (40, y)], theme.LINE, 1) for y in (10, 22) for z in (5, 12, 20, 27)),
        *(dot(8, y, 2.6, theme.PATCH) for y in (10, 22)),
        *(dot(24, z, 2.6, theme.VALUE) for z in (5, 12, 20, 27)),
        *(dot(40, y, 2.6, theme.PATCH) for y in (10, 22)),
    ),
    "nat": svg(axes(), curve(lambda x: min(1.0, -0.26 * log(x + 0.02)), theme.BAD)),
    "optimiser": svg(
        arrow(12, 16, 38, 6, theme.QUERY),
        arrow(12, 16, 40, 16, theme.KEY),
        arrow(12, 16, 38, 26, theme.VALUE),
        dot(10, 16, 3, theme.ACCENT),
    ),
    "overfitting": svg(
        axes(),
        curve(lambda x: exp(-3 * x) * 0.85 + 0.05, theme.KEY),
        curve(lambda x: exp(-4 * x) * 0.7 + 0.2 + 0.5 * x * x, theme.BAD),
    ),
    "parameter": svg(*(cells(7, 4 + 6.5 * at, 7, theme.ACCENT, start=3 * at) for at in range(4))),
    "patch": svg(grid(11, 3, 3, 9, {4: 1.0})),
    "pixel": svg(grid(11, 3, 5, 5.4, {7: 0.6, 12: 1.0, 17: 0.6})),
    "position": svg(
        grid(4, 6, 3, 7, {5: 1.0}),
        sign(37, 14, "2, 3", theme.PATCH, 9),
        cells(27, 20, 4, theme.PATCH, size=4.5),
    ),
    "principal-component": svg(
        *(
            dot(x, y, 1.6, theme.PATCH)
            for x, y in (
                (10, 24),
                (15, 19),
                (18, 22),
                (22, 15),
                (26, 17),
                (30, 11),
                (34, 12),
                (38, 7),
            )
        ),
        arrow(6, 28, 43, 4, theme.ACCENT),
    ),
    "probability": svg(
        bars([0.12, 0.9, 0.2, 0.06], [theme.MUTED, theme.ACCENT, theme.MUTED, theme.MUTED])
    ),
    "query": svg(sign(10, 21, "q", theme.QUERY, 15), cells(20, 13, 5, theme.QUERY, start=2)),
    "register": svg(
        cells(7, 4, 7, theme.MUTED, start=1),
        cells(7, 13, 7, theme.PATCH),
        cells(7, 20, 7, theme.PATCH, start=4),
    ),
    "residual-stream": svg(
        line([(3, 22), (45, 22)], theme.ACCENT, 3),
        arrow(12, 6, 16, 18, theme.PATCH),
        arrow(30, 6, 34, 18, theme.VALUE),
        sign(20, 13, "+", theme.MUTED, 9),
        sign(38, 13, "+", theme.MUTED, 9),
    ),
    "score": svg(
        cells(3, 7, 4, theme.QUERY),
        sign(26, 14, "·", theme.MUTED),
        cells(28, 7, 4, theme.KEY, start=3),
        sign(24, 28, "2.7", theme.TEXT, 11),
    ),
    "sgd": svg(
        axes(),
        curve(lambda x: 0.9 * (2 * x - 1) ** 2 + 0.05, theme.MUTED),
        arrow(9, 10, 16, 22, theme.ACCENT),
        arrow(17, 23, 23, 27, theme.ACCENT),
    ),
    "softmax": svg(
        *(box(4 + 5 * at, 28 - h, 4, h, theme.MUTED) for at, h in enumerate((8, 13, 5))),
        arrow(21, 16, 26, 16, theme.ACCENT),
        *(box(30 + 5 * at, 28 - h, 4, h, theme.ACCENT) for at, h in enumerate((4, 20, 2))),
    ),
    "standard-deviation": svg(
        curve(lambda x: exp(-18 * (x - 0.5) ** 2), theme.MUTED),
        line([(24, 5), (24, 28)], theme.MUTED, 1),
        arrow(24, 17, 31, 17, theme.ACCENT),
        arrow(24, 17, 17, 17, theme.ACCENT),
    ),
    "step": svg(
        axes(),
        line(
            [(6, 8), (14, 8), (14, 14), (23, 14), (23, 19), (32, 19), (32, 23), (42, 23)],
            theme.ACCENT,
        ),
    ),
    "temperature": svg(
        curve(lambda x: 0.95 * exp(-90 * (x - 0.5) ** 2), theme.BAD),
        curve(lambda x: 0.45 * exp(-9 * (x - 0.5) ** 2), theme.KEY),
    ),
    "test-set": svg(
        *(box(5 + 6 * at, 8, 5, 16, theme.LINE) for at in range(5)),
        box(36, 8, 7, 16, theme.GOOD, hollow=True),
    ),
    "token": svg(cells(7, 13, 7, theme.PATCH)),
    "training": svg(axes(), curve(lambda x: 0.95 * (1 - exp(-3.5 * x)), theme.GOOD)),
    "validation": svg(
        *(box(5 + 6 * at, 8, 5, 16, theme.LINE) for at in range(5)),
        box(35, 8, 8, 16, theme.KEY),
        sign(39, 20, "?", theme.BACKGROUND, 9),
    ),
    "value": svg(sign(10, 21, "v", theme.VALUE, 15), cells(20, 13, 5, theme.VALUE, start=4)),
    "weight": svg(
        dot(8, 16, 3, theme.PATCH),
        line([(11, 16), (37, 16)], theme.ACCENT, 3),
        dot(40, 16, 3, theme.PATCH),
        sign(24, 11, "× 0.7", theme.TEXT, 9),
    ),
    "width": svg(
        cells(7, 13, 7, theme.PATCH),
        line([(7, 23), (41, 23)], theme.MUTED, 1),
        line([(7, 21), (7, 25)], theme.MUTED, 1),
        line([(41, 21), (41, 25)], theme.MUTED, 1),
    ),
}
