"""All words of the glossary as a list, each with its tiny picture and the page that teaches it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from explainer.figures.tiny_pictures import COLOURS, PICTURES

STYLE = f".words {{ {COLOURS} }}"


@dataclass(frozen=True)
class Word:
    """One word as the list shows it.

    Attributes:
        key: of its picture, and of the link that leads to it.
        view, page, address: the page that teaches it, its title and its relative address.
    """

    key: str
    word: str
    text: str
    view: str
    page: str
    address: str


def word_list(words: Sequence[Word], taught: str) -> str:
    """Return the words as HTML.

    Args:
        taught: stands before the link to the page of a word.
    """
    rows = "".join(
        f'<div id="{escape(one.key)}" tabindex="-1"><dt>{PICTURES[one.key]}{escape(one.word)}</dt>'
        f"<dd>{escape(one.text)} <span>{escape(taught)} "
        f'<a href="{escape(one.address)}" data-view="{escape(one.view)}">{escape(one.page)}</a>'
        f"</span></dd></div>"
        for one in words
    )
    return f'<dl class="words">{rows}</dl>'
