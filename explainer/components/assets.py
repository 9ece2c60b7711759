"""Joins the files of a component; there is no build step."""

from pathlib import Path

HERE = Path(__file__).parent


def javascript(*names: str) -> str:
    return read(*names, suffix=".js")


def stylesheet(*names: str) -> str:
    return read(*names, suffix=".css")


def read(*names: str, suffix: str) -> str:
    """Join ``<folder>/<file>`` names; shared files first, since the later ones call them."""
    return "\n".join((HERE / f"{name}{suffix}").read_text(encoding="utf-8") for name in names)
