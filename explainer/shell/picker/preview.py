"""A small preview of what the model gets, and its answer for a visitor's own picture."""

from html import escape

import streamlit as st

from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.content.strangers_words import in_html
from explainer.figures.pixels import image_address
from explainer.inputs.pictures import chosen
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.observation import observe
from explainer.observation.naming import sample_name
from explainer.state.choice import Choice
from explainer.state.link import State

TEXTS = load_texts("picker")

PIXELATED = 96  # pixels up to which an enlarged picture shows what it consists of
STYLE = """<style>
.picked { display: flex; gap: 0.75rem; align-items: center; }
.picked img {
  width: 72px; height: 72px; flex: none; border-radius: 4px; image-rendering: pixelated;
}
.picked img.smooth { image-rendering: auto; }
.picked p { margin: 0; font-size: 0.875rem; line-height: 1.4; }
.picked p + p { margin-top: 0.25rem; }
ol.picture-steps.picture-steps {
  margin: 0; padding: 0; list-style: none; display: grid; gap: 0.5rem;
}
.picture-steps.picture-steps li {
  display: flex; gap: 0.75rem; align-items: center; margin: 0; padding: 0;
}
.picture-steps img {
  width: 72px; height: 72px; flex: none; object-fit: contain; border-radius: 4px;
  background: light-dark(#dedad0, #343944);
}
.picture-steps li:last-child img { image-rendering: pixelated; }
.picture-steps span { font-size: 0.8125rem; line-height: 1.35; }
</style>"""


def preview_own(now: State, choice: Choice) -> None:
    """Show a visitor's picture and the model's answer; without one, what the model sees."""
    is_digits = choice.gallery == DIGITS
    if not choice.is_own:
        none = TEXTS["own_none"] if is_digits else TEXTS["photo"]["none"]
        preview(choice, none, digit=now.digit, index=now.index)
        return
    height, width = choice.config.image_hw
    note = TEXTS["own_note"] if choice.takes_drawings else TEXTS["photo"]["note"]
    seen, lines = observe.observe(choice), [note]
    facts: dict[str, object] = {"height": height, "width": width}
    if seen.has_head:
        lines.insert(0, TEXTS["preview_own" if choice.trained else "preview_guess"])
        share = percent(seen.probabilities[seen.prediction])
        facts |= {"answer": seen.class_names[seen.prediction], "share": share}
    preview(choice, *lines, **facts)


def preview(choice: Choice, *lines: str, **facts: object) -> None:
    """Show the pixels that the model gets, and lines of Markdown's bold beside them.

    Args:
        facts: values for the names in braces; strangers' words are escaped.
    """
    height, width = choice.config.image_hw
    kind = "preview_alt" if choice.config.in_channels == 1 else "preview_alt_colour"
    alt = escape(TEXTS[kind].format(what=what_is_shown(choice), height=height, width=width))
    paragraphs = "".join(f"<p>{bold(line, **facts)}</p>" for line in lines)
    smooth = ' class="smooth"' if width > PIXELATED else ""
    st.html(
        f'<div class="picked"><img{smooth} src="{image_address(chosen.picture(choice))}" '
        f'alt="{alt}">'
        f'<div role="status">{paragraphs}</div></div>'
    )


def what_is_shown(choice: Choice) -> str:
    """Say what the picture shows, where that is known."""
    if choice.is_own:
        return TEXTS["own_alt"]
    if choice.gallery == DIGITS:
        return TEXTS["digit_alt"].format(digit=choice.digit)
    return f"{sample_name(samples(choice.gallery)[choice.sample])}."


def bold(line: str, **facts: object) -> str:
    """Return a line as HTML with its ``**bold**`` words; the facts in it are escaped."""
    pieces = escape(line).split("**")
    html = "".join(f"<b>{piece}</b>" if index % 2 else piece for index, piece in enumerate(pieces))
    return html.format(**{name: in_html(fact) for name, fact in facts.items()})
