"""Tables in Markdown: each cell stays in its own, whoever wrote it."""

import pytest

from explainer.content.strangers_words import strangers_word
from explainer.shell.table import table_text


def test_headings_cells_and_the_side_on_which_numbers_stand():
    columns = {"Page": ["Patches", "**Head**"], "Right": [3, ""], "Loss": ["−1,234.5", "2.5e−3"]}
    assert table_text(columns).splitlines() == [
        "| Page | Right | Loss |",
        "| --- | ---: | ---: |",
        "| Patches | 3 | −1,234.5 |",
        "| **Head** |  | 2.5e−3 |",
    ]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\|b"),
        ("two\nlines", "two lines"),
        (strangers_word("a|b"), r"a\|b"),
        (strangers_word("**Mia**\n| 9 |"), r"\*\*Mia\*\*␊\| 9 \|"),
    ],
)
def test_nothing_in_a_cell_ends_it(cell, shown):
    assert table_text({"": [cell, "next"]}).splitlines()[2:] == [f"| {shown} |", "| next |"]


def test_columns_of_different_lengths_are_no_table():
    with pytest.raises(ValueError, match="argument 2"):
        table_text({"a": [1, 2], "b": [1]})
