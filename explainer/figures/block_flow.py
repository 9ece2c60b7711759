"""One encoder block as a stream with two branches, and the lengths of a token's rows on it."""

from collections.abc import Mapping
from html import escape

from explainer.figures import theme

STYLE = f"""
.block-flow {{ max-width: 56rem; overflow-x: auto; padding: 0.125rem; }}
.block-flow > div {{ display: grid; grid-template-columns: 3.5rem 1fr 3.5rem 1fr 3.5rem;
  min-width: 34rem; padding-top: 1.25rem; font-size: 0.9375rem; line-height: 1.3; }}
.block-flow .branch {{ display: flex; justify-content: space-evenly; height: 4.25rem;
  border: 1.5px solid {theme.MUTED.css}; border-bottom: 0; border-radius: 0.75rem 0.75rem 0 0;
  position: relative; }}
.block-flow .box {{ align-self: start; transform: translateY(-50%); padding: 0.375rem 0.875rem;
  border: 1px solid {theme.LINE.css}; border-radius: 0.5rem; background: {theme.SURFACE.css}; }}
.block-flow .added {{ position: absolute; right: 0.625rem; bottom: 0.5rem; }}
.block-flow .plus {{ position: absolute; right: -0.8125rem; bottom: -0.9375rem; width: 1.625rem;
  height: 1.625rem; border: 2px solid {theme.ACCENT.css}; border-radius: 50%; text-align: center;
  line-height: 1.375rem; font-size: 1.125rem; background: {theme.BACKGROUND.css}; }}
.block-flow .stream {{ grid-column: 1 / -1; height: 5px; border-radius: 3px;
  background: {theme.ACCENT.css}; }}
.block-flow .cut {{ display: grid; grid-template-columns: 3.5rem 1fr 3.5rem 1fr 3.5rem;
  background: none; }}
.block-flow .cut > :nth-child(odd) {{ border-radius: 3px; background: {theme.ACCENT.css}; }}
.block-flow .replaces {{ border-color: {theme.BAD.css}; color: {theme.BAD.css}; }}
.block-flow .off {{ border-style: dashed; color: {theme.MUTED.css};
  text-decoration: line-through; }}
.block-flow .below {{ grid-column: 1 / -1; display: flex; justify-content: space-between;
  padding-top: 0.875rem; }}
.block-flow .below > * + * {{ text-align: center; }}
.block-flow .below > :last-child {{ text-align: end; }}
.block-flow .number {{ color: {theme.MUTED.css}; font-variant-numeric: tabular-nums;
  white-space: nowrap; }}
.block-flow b {{ display: block; font-weight: 600; }}
"""


def block_flow(
    lengths: Mapping[str, str],
    texts: Mapping[str, str],
    alt: str,
    *,
    residual: bool = True,
    layer_norm: bool = True,
) -> str:
    """Return the block as a picture that reads from left to right.

    Args:
        lengths: of "before", "attention", "middle", "mlp" and "after", as they are written.
        texts: words beginning with ``diagram_``.
        alt: what a screen reader says of it.
        residual: whether branches add to the stream; else it is cut, and they replace it.
        layer_norm: whether the LayerNorms run; else they are struck out.
    """
    node = '<span class="plus">+</span>' if residual else '<span class="plus replaces">→</span>'
    norm_box = f'<span class="{"box" if layer_norm else "box off"}">'
    stream = '<div class="stream"></div>'
    if not residual:
        stream = f'<div class="stream cut">{"<span></span>" * 5}</div>'
    branches = "".join(
        f'<span></span><div class="branch">{norm_box}{escape(texts["diagram_norm"])}</span>'
        f'<span class="box">{escape(texts[f"diagram_{name}"])}</span>'
        f'<span class="added number">{written(texts, lengths[name])}</span>'
        f"{node}</div>"
        for name in ("attention", "mlp")
    )
    ends = "".join(
        f"<span><b>{escape(words)}</b>"
        f'<span class="number">{written(texts, lengths[name])}</span></span>'
        for name, words in (
            ("before", texts["diagram_in"]),
            ("middle", texts["diagram_middle"]),
            ("after", texts["diagram_out"]),
        )
    )
    return (
        f'<style>{STYLE}</style><div class="block-flow" tabindex="0" role="img" '
        f'aria-label="{escape(alt)}"><div aria-hidden="true">{branches}<span></span>'
        f'{stream}<div class="below">{ends}</div></div></div>'
    )


def written(texts: Mapping[str, str], length: str) -> str:
    return escape(texts["diagram_length"].format(length=length))
