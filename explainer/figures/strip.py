"""Some digits in a row, and under each what a model says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from explainer import theme

STYLE = f"""
.strip {{ display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
  gap: 0.75rem 0.5rem; margin: 0; padding: 0; list-style: none; }}
.strip li {{ margin: 0; padding: 0; text-align: center; font-variant-numeric: tabular-nums; }}
.strip img {{ display: block; width: 100%; margin: 0; border-radius: 4px;
  image-rendering: pixelated; }}
.strip b {{ display: block; margin-top: 0.25rem; font-size: 1.375rem; line-height: 1.2;
  font-weight: 650; }}
.strip span {{ display: block; font-size: 0.8125rem; line-height: 1.35; white-space: nowrap;
  color: {theme.MUTED.css}; }}
.strip .right span {{ color: {theme.GOOD.css}; }}
.strip .wrong span {{ color: {theme.BAD.css}; }}
.strip .wrong b {{ color: {theme.BAD.css}; }}
.strip .wrong img {{ box-shadow: 0 0 0 2px {theme.BACKGROUND.css}, 0 0 0 4px {theme.BAD.css}; }}
@media (max-width: 1100px) {{ .strip {{ --columns: 8 !important; }} }}
@media (max-width: 560px) {{ .strip {{ --columns: 4 !important; }} }}
"""


@dataclass(frozen=True)
class Answer:
    """A digit and what is said of it.

    Attributes:
        picture: its address.
        truth: the true class.
        said: the predicted one; None while nothing is.
        share: its probability, as it is written.
    """

    picture: str
    truth: str
    said: str | None = None
    share: str = ""


def strip(answers: Sequence[Answer], texts: Mapping[str, str], columns: int | None = None) -> str:
    """Return the digits as a list, right and wrong told by a sign, a word and a colour.

    Args:
        texts: ``right``, ``wrong`` with ``truth``, ``waiting``, and ``alt`` with ``truth``.
        columns: in a wide window; all in one row if None.
    """
    items = "".join(item(answer, texts) for answer in answers)
    return (
        f"<style>{STYLE}</style>"
        f'<ul class="strip" style="--columns:{columns or len(answers)}">{items}</ul>'
    )


def item(answer: Answer, texts: Mapping[str, str]) -> str:
    picture = (
        f'<img src="{answer.picture}" alt="{escape(texts["alt"].format(truth=answer.truth))}">'
    )
    if answer.said is None:
        return f"<li>{picture}<b>?</b><span>{escape(texts['waiting'])}</span></li>"
    verdict = "right" if answer.said == answer.truth else "wrong"
    words = texts[verdict].format(truth=answer.truth)
    share = f"<span>{escape(answer.share)}</span>" if answer.share else ""
    return (
        f'<li class="{verdict}">{picture}<b>{escape(answer.said)}</b>'
        f"<span>{escape(words)}</span>{share}</li>"
    )
