"""Prose and captions, as Markdown and TOML in one folder for each language."""

import tomllib
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

HERE = Path(__file__).parent


@cache
def load_texts(page: str, language: str = "en") -> MappingProxyType[str, Any]:
    """Return the named texts of ``<language>/<page>.toml``, read-only."""
    text = (HERE / language / f"{page}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


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
