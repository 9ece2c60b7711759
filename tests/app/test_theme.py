"""Colours can be told apart and read; the configuration says the same everywhere."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from explainer.figures import theme
from explainer.figures.theme import Shade

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "explainer" / ".streamlit" / "config.toml"
MEANINGS = {
    name: shade
    for name, shade in vars(theme).items()
    if isinstance(shade, Shade) and name not in ("BACKGROUND", "SURFACE", "LINE")
}


def channels(colour: str) -> np.ndarray:
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    return float(channels(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lightness(colour: str) -> float:
    """OKLab's L."""
    to_cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    cones = np.cbrt(np.array(to_cones) @ channels(colour))
    return float(cones @ [0.2104542553, 0.7936177850, -0.0040720468])


@pytest.mark.parametrize("name", sorted(MEANINGS))
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_colour_can_be_text_on_both_surfaces(name, mode):
    for surface in (theme.BACKGROUND, theme.SURFACE):
        assert contrast(MEANINGS[name].for_mode(mode), surface.for_mode(mode)) >= 4.5


def test_the_sequential_map_rises_evenly_in_lightness():
    steps = np.diff([lightness(stop) for stop in theme.SEQUENTIAL])
    assert (steps > 0.04).all() and steps.max() < 1.5 * steps.min()


def test_the_diverging_map_is_lightest_in_its_middle_and_alike_on_both_sides():
    levels = np.array([lightness(stop) for stop in theme.DIVERGING])
    assert len(levels) % 2 == 1
    np.testing.assert_allclose(levels, levels[::-1], atol=0.02)
    assert (np.diff(levels[: len(levels) // 2 + 1]) > 0).all()


def test_on_a_dark_surface_the_diverging_map_is_darkest_in_its_middle():
    levels = np.array([lightness(stop) for stop in theme.DIVERGING_DARK])
    assert len(levels) == len(theme.DIVERGING)
    np.testing.assert_allclose(levels, levels[::-1], atol=0.02)
    assert (np.diff(levels[: len(levels) // 2 + 1]) < 0).all()
    assert abs(levels.min() - lightness(theme.SURFACE.dark)) < 0.06, "no glare, and no hole"


def test_the_configuration_is_the_same_from_any_directory():
    assert CONFIG.read_bytes() == (ROOT / ".streamlit" / "config.toml").read_bytes()


def test_the_configuration_agrees_with_the_theme():
    settings = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    for mode in ("light", "dark"):
        shown = settings["theme"][mode]
        assert shown["primaryColor"] == theme.ACCENT.for_mode(mode)
        assert shown["backgroundColor"] == theme.BACKGROUND.for_mode(mode)
        assert shown["sidebar"]["backgroundColor"] == theme.SURFACE.for_mode(mode)
        assert shown["textColor"] == theme.TEXT.for_mode(mode)
        assert shown["borderColor"] == theme.LINE.for_mode(mode)
        assert len(set(shown["chartCategoricalColors"])) == 10
    assert settings["browser"]["gatherUsageStats"] is False


def test_the_fonts_are_shipped_with_their_licence():
    settings = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    for face in settings["theme"]["fontFaces"]:
        file = ROOT / "explainer" / face["url"].removeprefix("app/")
        assert file.read_bytes()[:4] == b"wOF2"
        assert face["family"] in theme.FONT + theme.FONT_MONO
    licence = ROOT / "explainer" / "static" / "fonts" / "OFL.txt"
    assert "SIL Open Font License" in licence.read_text(encoding="utf-8")
