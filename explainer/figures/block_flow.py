"""One encoder block as a stream with two inflows, as wide as a token's rows are long."""

from collections.abc import Mapping
from html import escape

from explainer.figures import theme

ROW = 68  # pixels of height of each of the five rows
STREAM_X, EDGE = 34, 150  # pixels: the middle of the stream, and where its picture ends
WIDEST, NARROWEST = 52, 3  # pixels of the stream
MEETS = (ROW + ROW // 2, 3 * ROW + ROW // 2)  # pixels from the top: where the inflows arrive
# the water moves for five seconds, then only while somebody points at it
STYLE = f"""
.block-flow {{ display: grid; grid-template-columns: {EDGE}px minmax(0, 1fr); max-width: 36rem;
  font-size: 0.9375rem; line-height: 1.3; }}
.block-flow .river {{ position: relative; height: {5 * ROW}px; }}
.block-flow .river > * {{ position: absolute; }}
.block-flow .water {{ background: color-mix(in srgb, {theme.ACCENT.css} 30%, transparent); }}
.block-flow .inflow {{ border-radius: 0 4px 4px 0; }}
.block-flow .copy {{ border: solid {theme.MUTED.css}; border-width: 1.5px 1.5px 0 0;
  border-top-right-radius: 0.75rem; }}
.block-flow .reads {{ color: {theme.MUTED.css}; }}
.block-flow .drops {{ animation: block-flow-down 1s linear 5;
  background: radial-gradient(circle, {theme.ACCENT.css} 1.75px, transparent 2.25px) 0 0 / 6px 16px;
  }}
.block-flow .inflow.drops {{ animation-name: block-flow-in; background-size: 16px 6px; }}
.block-flow:hover .drops, .block-flow:focus .drops {{ animation-iteration-count: infinite; }}
.block-flow .node {{ display: grid; place-items: center; width: 1.5rem; height: 1.5rem;
  border: 2px solid {theme.ACCENT.css}; border-radius: 50%; font-size: 1.125rem; line-height: 1;
  background: {theme.BACKGROUND.css}; }}
.block-flow .replaces {{ border-color: {theme.BAD.css}; color: {theme.BAD.css}; }}
.block-flow .row {{ height: {ROW}px; display: flex; flex-direction: column;
  justify-content: center; gap: 0.125rem; }}
.block-flow .row > span {{ white-space: nowrap; }}
.block-flow .box {{ display: inline-block; padding: 0.125rem 0.5rem;
  border: 1px solid {theme.LINE.css}; border-radius: 0.5rem; background: {theme.SURFACE.css}; }}
.block-flow .off {{ border-style: dashed; color: {theme.MUTED.css};
  text-decoration: line-through; }}
.block-flow .number {{ color: {theme.MUTED.css}; font-variant-numeric: tabular-nums; }}
.block-flow b {{ font-weight: 600; }}
@keyframes block-flow-down {{ to {{ background-position: 0 16px; }} }}
@keyframes block-flow-in {{ to {{ background-position: -16px 0; }} }}
@media (prefers-reduced-motion: reduce) {{ .block-flow .drops {{ animation: none; }} }}
@media (max-width: 30rem) {{ .block-flow {{ font-size: 0.8125rem; }} }}
"""


def block_flow(
    lengths: Mapping[str, float],
    texts: Mapping[str, str],
    alt: str,
    *,
    residual: bool = True,
    layer_norm: bool = True,
    layer_scale: bool = False,
    widest: float | None = None,
) -> str:
    """Return the block as a picture that reads from top to bottom.

    Args:
        lengths: of "before", "attention", "middle", "mlp" and "after".
        texts: words beginning with ``diagram_``.
        alt: what a screen reader says of it.
        residual: whether branches add to the stream; else it is cut, and they replace it.
        layer_norm: whether the LayerNorms run; else they are struck out.
        layer_scale: whether LayerScale multiplies what is added.
        widest: the length that is drawn widest; the largest one if None.
    """
    norm = f'<span class="{"box" if layer_norm else "box off"}">{escape(texts["diagram_norm"])}'
    scaled = f" {texts['diagram_scaled']}" if layer_scale else ""
    rows = []
    for name, words in (
        ("before", texts["diagram_in"]),
        ("attention", ""),
        ("middle", texts["diagram_middle"]),
        ("mlp", ""),
        ("after", texts["diagram_out"]),
    ):
        part = escape(texts.get(f"diagram_{name}", "") + scaled)
        title = (
            f"<b>{escape(words)}</b>"
            if words
            else f'<span>{norm}</span> → <span class="box">{part}</span></span>'
        )
        rows.append(f'<div class="row">{title}{number(texts, lengths[name])}</div>')
    return (
        f'<style>{STYLE}</style><div class="block-flow" tabindex="0" role="img" '
        f'aria-label="{escape(alt)}">{river(lengths, residual, widest)}'
        f'<div aria-hidden="true">{"".join(rows)}</div></div>'
    )


def number(texts: Mapping[str, str], length: float) -> str:
    written = texts["diagram_length"].format(length=f"{length:.2f}")
    return f'<span class="number">{escape(written)}</span>'


def river(lengths: Mapping[str, float], residual: bool, widest: float | None) -> str:
    """Draw the stream, its two inflows, and the copies that are read."""
    largest = (max(lengths.values()) if widest is None else widest) or 1.0
    widths = {name: max(WIDEST * length / largest, NARROWEST) for name, length in lengths.items()}
    parts = []
    for name, top, bottom in (
        ("before", 0, MEETS[0]),
        ("middle", MEETS[0], MEETS[1]),
        ("after", MEETS[1], 5 * ROW),
    ):
        # what is replaced ends before
        end = bottom if residual or name == "after" else bottom - ROW // 2
        left = STREAM_X - widths[name] / 2
        parts.append(bar("water", left, top, widths[name], end - top))
        parts.append(bar("drops", STREAM_X - 3, top, 6, end - top))
    for name, meets in zip(("attention", "mlp"), MEETS, strict=True):
        reads = meets - ROW - ROW // 4
        arrow = EDGE - 28
        parts.append(bar("copy", STREAM_X, reads, arrow - STREAM_X, meets - 12 - reads))
        style = f"left:{arrow - 2}px;top:{meets - 12}px;transform:translateY(-55%)"
        parts.append(f'<span class="reads" style="{style}">→</span>')
        width = EDGE - STREAM_X - 8
        parts.append(bar("water inflow", STREAM_X, meets - widths[name] / 2, width, widths[name]))
        parts.append(bar("drops inflow", STREAM_X, meets - 3, width, 6))
    sign, kind = ("+", "node") if residual else ("→", "node replaces")
    for meets in MEETS:
        style = f"left:{STREAM_X}px;top:{meets}px;transform:translate(-50%,-50%)"
        parts.append(f'<span class="{kind}" style="{style}">{sign}</span>')
    return f'<div class="river" aria-hidden="true">{"".join(parts)}</div>'


def bar(kind: str, left: float, top: float, width: float, height: float) -> str:
    return (
        f'<span class="{kind}" style="left:{left:.1f}px;top:{top:.1f}px;'
        f'width:{width:.1f}px;height:{height:.1f}px"></span>'
    )
