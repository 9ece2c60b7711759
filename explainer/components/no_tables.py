"""Keeps pandas and Arrow out of the server, which take 80 MB of memory.

Before Streamlit sends a component's data, it looks in each value for a table of any library, and
imports pandas and Arrow for this look. Our components are sent numbers and texts, or packed arrays
(``packing``), and never such a table.
"""

from functools import cache


@cache
def look_for_no_tables() -> None:
    """Change this place of Streamlit, where it is known; called before pages are drawn."""
    try:
        from streamlit.components.v2.bidi_component import serialization
    except ImportError:
        return
    name = "is_dataframe_like"
    if hasattr(serialization, name):
        setattr(serialization, name, is_no_table)


def is_no_table(_: object) -> bool:
    return False
