"""Prose and captions, as Markdown and TOML in one folder for each language."""

import tomllib
from functools import cache
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).parent


@cache
def load_texts(page: str, language: str = "en") -> MappingProxyType[str, str]:
    """Return the named texts of ``<language>/<page>.toml``, read-only."""
    text = (HERE / language / f"{page}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))
