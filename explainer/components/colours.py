"""The theme's colours as components read them; they follow light and dark without a rerun."""

from explainer.figures import theme


def component_colours() -> dict[str, dict[str, str] | list[str]]:
    """Return the colour of each mark as CSS, and the stops of the maps."""
    return {
        "marks": {name: shade.css for name, shade in theme.MARKS.items()},
        "sequential": theme.SEQUENTIAL,
        "diverging": theme.DIVERGING,
        "diverging_dark": theme.DIVERGING_DARK,
    }
