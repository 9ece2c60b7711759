"""The theme's colours as components read them; they follow light and dark without a rerun."""

from explainer import theme


def component_colours() -> dict[str, dict[str, str] | list[str]]:
    """Return the colour of each mark as CSS, and the stops of the two maps."""
    return {
        "marks": {
            "patch": theme.PATCH.css,
            "class-token": theme.CLASS_TOKEN.css,
            "query": theme.QUERY.css,
            "key": theme.KEY.css,
        },
        "sequential": theme.SEQUENTIAL,
        "diverging": theme.DIVERGING,
    }
