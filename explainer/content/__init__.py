"""Prose and captions, as Markdown and TOML in one folder for each language."""

import tomllib
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from explainer.content.term_links import with_links

HERE = Path(__file__).parent


@cache
def load_texts(page: str, language: str = "en") -> MappingProxyType[str, Any]:
    """Return the named texts of ``<language>/<page>.toml``, read-only.

    Words that a text marks are links to the glossary, as ``explainer.content.term_links`` says.
    """
    text = (HERE / language / f"{page}.toml").read_text(encoding="utf-8")
    return MappingProxyType(linked(tomllib.loads(text)))


def linked(texts: Any) -> Any:
    if isinstance(texts, str):
        return with_links(texts)
    if isinstance(texts, list):
        return [linked(one) for one in texts]
    return {name: linked(one) for name, one in texts.items()} if isinstance(texts, dict) else texts


@cache
def load_variant(
    page: str, endings: tuple[str, ...], language: str = "en"
) -> MappingProxyType[str, Any]:
    """Return the named texts with those put in that are meant for other pictures.

    Args:
        endings: where a text stands beside another whose name it has with one of these endings, it
            takes its place; the first that is found counts.
    """
    return MappingProxyType(vary(load_texts(page, language), endings))


def vary(told: Any, endings: tuple[str, ...]) -> Any:
    if isinstance(told, list):
        return [vary(one, endings) for one in told]
    if not isinstance(told, dict | MappingProxyType):
        return told
    return {
        name: vary(next((told[name + end] for end in endings if name + end in told), one), endings)
        for name, one in told.items()
    }
