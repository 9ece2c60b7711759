"""How a text points to a word of the glossary.

A text that is drawn as Markdown writes a word as ``[[head]]``, or as ``[[head|heads]]`` where it
reads otherwise there. It becomes a link to the glossary, and in the browser a dotted word that
opens its explanation in place (``explainer.components.terms``).
"""

import re

ADDRESS = "glossary"
WRITTEN = re.compile(r"\[\[([^\[\]|]+)(?:\|([^\[\]|]+))?\]\]")
LINKED = re.compile(rf"\[([^\[\]]+)\]\({ADDRESS}#([a-z-]+)\)")


def key_of(word: str) -> str:
    """Return the key of a word as a text writes it: ``class token`` → ``class-token``."""
    return word.strip().lower().replace(" ", "-")


def written_in(text: str) -> list[str]:
    """Return the keys of the words that a text marks, in its order."""
    return [key_of(match[1]) for match in WRITTEN.finditer(text)]


def with_links(text: str) -> str:
    """Return a text with the words that it marks as links to the glossary."""
    return WRITTEN.sub(lambda m: f"[{m[2] or m[1]}]({ADDRESS}#{key_of(m[1])})", text)


def links_in(markdown: str) -> list[tuple[str, str]]:
    """Return the words that are links to the glossary, in order: how each reads, and its key."""
    return [(match[1], match[2]) for match in LINKED.finditer(markdown)]


def without_links(markdown: str) -> str:
    """Return a text of Markdown without its links to the glossary, to be no markup."""
    return LINKED.sub(r"\1", markdown)
