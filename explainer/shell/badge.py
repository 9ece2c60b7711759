"""The badge "Equals PyTorch": it compares a block with PyTorch's own module on the same weights."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import streamlit as st
import torch
from torch import Tensor

from explainer.caching import remember
from explainer.content import load_texts
from explainer.figures import theme
from explainer.inputs.models import load, memory
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.state.choice import Choice
from vit_core.mistakes import Flaws
from vit_core.reference import TOLERANCE, Difference, attention_difference, block_difference
from vit_core.trace import Edit, output_with

STYLE = f"""
.equals {{ display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem;
  font-size: 0.9375rem; line-height: 1.5; color: {theme.MUTED.css}; }}
.equals b {{ padding: 0.0625rem 0.625rem; border: 1px solid currentColor; border-radius: 1rem;
  font-weight: 600; white-space: nowrap; }}
.equals code {{ font-size: 0.875rem; color: inherit; background: none; padding: 0; }}
"""

COMPARISONS = {  # what is compared → function, trace key of its input, trace key of its output
    "attention": (attention_difference, "norm1", "attn_out"),
    "block": (block_difference, "resid_pre", "resid_post"),
}
COMPARED_PARTS = {
    "attention": ("scale_scores",),
    "block": ("residual", "layer_norm", "scale_scores"),
}


def equals_pytorch(module: str, choice: Choice, seen: Observation, block: int) -> None:
    """Draw the badge of one block's ``"attention"`` or of the whole ``"block"``."""
    show_badge(
        remember(("equals", module, choice, block), lambda: compare(module, choice, seen, block)),
        reason(module, flaws(choice)),
        load_texts("badge")["heads_on"] if are_heads_off(choice, block) else "",
    )


def are_heads_off(choice: Choice, block: int) -> bool:
    return any(head.block == block for head in choice.edits.heads_off)


def compare(module: str, choice: Choice, seen: Observation, block: int) -> Difference:
    """Run PyTorch's module on the block's weights, and return how far its output differs.

    PyTorch's module has all its heads. So a block with heads that are off runs once more with all
    of them.
    """
    measure, input_key, output_key = COMPARISONS[module]
    keys = f"blocks.{block}.{input_key}", f"blocks.{block}.{output_key}"
    source = load.source_of(choice)
    if are_heads_off(choice, block):
        before, after = tensors_with_heads(choice, seen, block, keys)
    else:
        before, after = (torch.tensor(seen.tensors[key])[None] for key in keys)
    return measure(source.model, block, before, after)


def tensors_with_heads(
    choice: Choice, seen: Observation, block: int, keys: Sequence[str]
) -> list[Tensor]:
    """Return tensors of the choice's pass with all heads of a block on."""
    off = tuple(head for head in choice.edits.heads_off if head.block != block)
    source = load.source_of(replace(choice, edits=replace(choice.edits, heads_off=off)))
    kept: dict[str, Tensor] = {}

    def keep(key: str) -> Edit:
        def edit(tensor: Tensor) -> Tensor:
            kept[key] = tensor
            return tensor

        return edit

    with memory.forward_lock(seen.config):
        output_with(source.model, source.batch(seen.pixels), {k: keep(k) for k in keys})
    return [kept[key] for key in keys]


def reason(module: str, flaws_of_model: Flaws) -> str:
    """Return why a model that was trained with mistakes differs; empty if it need not differ."""
    texts = load_texts("badge")["left_out"]
    parts = [name for name in COMPARED_PARTS[module] if not getattr(flaws_of_model, name)]
    if not parts:
        return ""
    return texts["why"].format(parts=texts["and"].join(texts[name] for name in parts))


def show_badge(difference: Difference, why: str = "", how: str = "") -> None:
    """Draw the badge, equal or not.

    Args:
        why: a difference is expected; empty if none is.
        how: what is to be said about the comparison in any case.
    """
    st.html(badge(difference, why, how))


def badge(difference: Difference, why: str = "", how: str = "") -> str:
    texts = load_texts("badge")
    measured = texts["measured"].format(
        module=escape(difference.module),
        largest=f"{difference.largest:.1e}" if difference.largest else "0",
    )
    tolerance = texts["tolerance"].format(
        tolerance=f"{TOLERANCE:.0e}", limit=f"{TOLERANCE * difference.scale:.1e}"
    )
    details = [measured, tolerance]
    if difference.has_layer_scale:
        details.insert(1, texts["layer_scale"])
    if how:
        details.insert(0, escape(how))
    if difference.equal:
        return framed(theme.GOOD, f"✓ {texts['equal']}", *details)
    if why:
        details.insert(0, escape(why))
    return framed(theme.BAD, f"✗ {texts['unequal']}", *details)


def framed(shade: theme.Shade, verdict: str, *details: str) -> str:
    spans = "".join(f"<span>{detail}</span>" for detail in details)
    return (
        f"<style>{STYLE}</style><div class='equals'>"
        f"<b style='color:{shade.css}'>{verdict}</b>{spans}</div>"
    )
