"""Some digits in a row, and under each the class that a model predicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from explainer.figures import theme

STYLE = f"""
.strip.strip {{ display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
  gap: 0.75rem 0.5rem; margin: 0; padding: 4px; list-style: none; }}
.strip li {{ margin: 0 !important; padding: 0; text-align: center;
  font-variant-numeric: tabular-nums; }}
.strip img {{ display: block; width: 100%; max-width: 7rem; margin: 0 auto; border-radius: 4px;
  image-rendering: pixelated; }}
.strip b {{ display: block; margin-top: 0.375rem; font-size: 1.375rem; line-height: 1.2;
  font-weight: 650; }}
.strip span {{ display: block; font-size: 0.8125rem; line-height: 1.35; white-space: nowrap;
  color: {theme.MUTED.css}; }}
.strip .right .verdict {{ color: {theme.GOOD.css}; }}
.strip .wrong :is(.verdict, b) {{ color: {theme.BAD.css}; }}
.strip.marked .wrong img {{
  box-shadow: 0 0 0 2px {theme.BACKGROUND.css}, 0 0 0 4px {theme.BAD.css}; }}
.strip.worded b {{ font-size: 1rem; hyphens: auto; overflow-wrap: anywhere; }}
.strip.worded span {{ white-space: normal; overflow-wrap: anywhere; }}
@media (max-width: 1100px) {{ .strip.row {{ --columns: 8 !important; }} }}
@media (max-width: 640px) {{ .strip.row {{ --columns: 4 !important; }} }}
"""


SHORT = 2  # letters of a class's name that is written as large as a digit


@dataclass(frozen=True)
class Answer:
    """A picture and what a model predicts for it.

    Attributes:
        picture: its address.
        truth: the true class.
        predicted: the predicted class; None while nothing is predicted.
        share: its probability, as it is written; what else stands below while nothing is predicted.
    """

    picture: str
    truth: str
    predicted: str | None = None
    share: str = ""


def strip(
    answers: Sequence[Answer], texts: Mapping[str, str], *, columns: int = 0, marked: bool = False
) -> str:
    """Return the digits as a list, with a sign, a word and a colour for right and wrong.

    Args:
        texts: ``right``, ``wrong`` with ``truth``, and ``alt`` with ``truth``.
        columns: fixed ones; 0 for one row where the window is wide enough.
        marked: whether a frame makes the wrong ones stand out.
    """
    items = "".join(item(answer, texts) for answer in answers)
    is_worded = any(len(answer.truth) > SHORT for answer in answers)
    kind = "strip" + "".join(
        f" {name}"
        for name, is_so in (("row", not columns), ("marked", marked), ("worded", is_worded))
        if is_so
    )
    return (
        f"<style>{STYLE}</style>"
        f'<ul class="{kind}" style="--columns:{columns or len(answers)}">{items}</ul>'
    )


def item(answer: Answer, texts: Mapping[str, str]) -> str:
    alt = escape(texts["alt"].format(truth=answer.truth))
    picture = f'<img src="{answer.picture}" alt="{alt}">'
    share = f"<span>{escape(answer.share)}</span>" if answer.share else ""
    if answer.predicted is None:
        return f"<li>{picture}<b>?</b>{share}</li>"
    verdict = "right" if answer.predicted == answer.truth else "wrong"
    verdict_text = texts[verdict].format(truth=answer.truth)
    return (
        f'<li class="{verdict}">{picture}<b>{escape(answer.predicted)}</b>'
        f'<span class="verdict">{escape(verdict_text)}</span>{share}</li>'
    )
