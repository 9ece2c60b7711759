"""All words of the pages in alphabetical order, and all letters of their formulas."""

from urllib.parse import urlencode

import streamlit as st

from explainer.components.word_list import show_word_list
from explainer.content import load_texts
from explainer.content.terms import glossary
from explainer.figures.word_list import Word, word_list
from explainer.shell import routes
from explainer.state import session

TEXTS = load_texts("glossary")


def render() -> None:
    """Draw the page."""
    st.title(TEXTS["title"], anchor=False)
    with st.container(key="lead"):
        st.markdown(TEXTS["lead"])
    if view := show_word_list(word_list(words(), TEXTS["taught"]), key="words"):
        routes.go(view)
    st.header(TEXTS["symbols_title"], anchor=False)
    st.markdown(TEXTS["symbols_lead"])
    st.markdown(table(TEXTS["symbols"]))
    st.markdown(TEXTS["papers_lead"])
    st.markdown(table(TEXTS["papers"]))


def words() -> list[Word]:
    """Return all words in alphabetical order, with links that keep what is chosen."""
    query = urlencode(session.link())
    return [
        Word(
            one.key,
            one.word,
            one.text,
            one.view,
            routes.TITLES[one.view],
            f"{routes.address(one.view) if one.view != 'home' else './'}?{query}".rstrip("?"),
        )
        for one in glossary().values()
    ]


def table(meanings: dict[str, str]) -> str:
    """Return letters and their meanings as a table in Markdown."""
    head, meaning = TEXTS["symbols_columns"]
    lines = [f"| {head} | {meaning} |", "|---|---|"]
    return "\n".join(lines + [f"| ${letter}$ | {text} |" for letter, text in meanings.items()])
