"""Notes in small type: one paragraph, whose line breaks are those of its text."""

from streamlit.testing.v1 import AppTest


def drawn(text: str) -> str:
    def page(text: str) -> None:
        from explainer.shell.notes import note

        note(text)

    return AppTest.from_function(page, args=(text,)).run().markdown[0].value


def test_wrapped_lines_become_one() -> None:
    assert drawn("\nOne sentence\nover two lines.\n") == ":small[One sentence over two lines.]"


def test_a_line_break_of_markdown_stays() -> None:
    assert drawn("The size.  \nThe data,\nand more.") == ":small[The size.  \nThe data, and more.]"
