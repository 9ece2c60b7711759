"""Words that are no markup for plotly, whose texts know some HTML, formulas and templates."""

SIGNS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;"})


def in_plotly(text: str) -> str:
    """Escape a stranger's words for plotly, which then shows their letters."""
    return str(text).translate(SIGNS)
