"""The words of the glossary and what each means, for the pages and for components."""

from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from explainer.content import load_texts
from explainer.content.term_links import key_of


class Gloss(NamedTuple):
    """One word of the glossary.

    Attributes:
        key: names it in a link, as ``class-token`` does, and its picture
            (``explainer.figures.tiny_pictures``).
        word: as the glossary lists it.
        text: what it means, in plain text without markup.
        view: the page that teaches it.
    """

    key: str
    word: str
    text: str
    view: str


@cache
def glossary() -> MappingProxyType[str, Gloss]:
    """Return all words by their keys, in alphabetical order."""
    entries = load_texts("glossary")["words"]
    glosses = [Gloss(key_of(word), word, one["text"], one["view"]) for word, one in entries.items()]
    glosses.sort(key=lambda one: one.word.lower())
    return MappingProxyType({one.key: one for one in glosses})


def gloss(word: str) -> Gloss:
    """Return a word of the glossary.

    Raises:
        KeyError: the glossary has no such word.
    """
    return glossary()[key_of(word)]
