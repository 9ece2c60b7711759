"""The lines of ``vit_core`` that computed what a part of a page shows."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from explainer.content import load_texts
from explainer.state.place import Place

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Snippet:
    """Source code that stands under one part of a page.

    Attributes:
        part: of the page.
        source: a function, method or class of ``vit_core``.
        marks: beginnings of the relevant lines, without their indentation; each must occur.
    """

    part: str
    source: Callable[..., Any]
    marks: tuple[str, ...] = ()


def show(snippets: Sequence[Snippet], place: Place) -> None:
    """Draw a panel for each snippet, if somebody wants to see code."""
    if not place.shows_code:
        return
    texts = load_texts("frame")
    for snippet in snippets:
        label = texts["code"].format(where=location(snippet.source))
        with st.expander(label, expanded=True):
            st.html(panel(snippet.source, snippet.marks, texts["code_region"]))


def location(source: Callable[..., Any]) -> str:
    """Return the file and the name of a piece of code."""
    file = Path(inspect.getsourcefile(inspect.unwrap(source)) or "").relative_to(ROOT)
    return f"{file.as_posix()}, {source.__qualname__}"


@cache
def panel(source: Callable[..., Any], marks: tuple[str, ...], label: str) -> str:
    """Return the source as HTML with its line numbers in the file; relevant lines are marked.

    Args:
        label: of the scrolled group, with ``{where}`` for the file and the name.

    Raises:
        ValueError: a mark begins no line of the source.
    """
    lines, first = inspect.getsourcelines(source)
    lines = [line.rstrip("\n") for line in lines]
    indent = len(lines[0]) - len(lines[0].lstrip())
    plain = [line[indent:] for line in lines]
    for mark in marks:
        if not any(line.lstrip().startswith(mark) for line in plain):
            raise ValueError(f"no line of {location(source)} begins with {mark!r}")
    formatter = HtmlFormatter(nowrap=True, classprefix="tok-")
    coloured = highlight("\n".join(plain), PythonLexer(stripnl=False), formatter).split("\n")
    rows = []
    for number, (line, html) in enumerate(zip(plain, coloured, strict=False), start=first):
        marked = any(line.lstrip().startswith(mark) for mark in marks)
        tag = "mark" if marked else "span"
        rows.append(f'<{tag} class="line"><i aria-hidden="true">{number}</i>{html or " "}</{tag}>')
    aria_label = escape(label.format(where=location(source)))
    return (
        f'<div class="source" role="group" tabindex="0" aria-label="{aria_label}">'
        f"<pre><code>{chr(10).join(rows)}</code></pre></div>"
    )
