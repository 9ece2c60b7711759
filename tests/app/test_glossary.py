"""The glossary: every word that a text marks has its entry, and only Markdown marks words."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from reading import sent_to, state_of, texts_of
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from explainer.content import HERE, load_texts
from explainer.content.term_links import ADDRESS, key_of, with_links, without_links, written_in
from explainer.content.terms import gloss, glossary
from explainer.figures.tiny_pictures import PICTURES, WIDTH
from explainer.shell import routes

FILES = sorted((HERE / "en").glob("*.toml"))
# names of texts that no page draws as Markdown: labels, axes, what a screen reader says, files
PLAIN = re.compile(
    r"(^|_)(title|label|alt|axis|hover|help|caption|csv|columns|download|latex|formula|aria|"
    r"copy|copied|name|placeholder|format|chart|region)(_|$)"
)


def strings(texts: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text of a file with the path of its name."""
    if isinstance(texts, str):
        yield where, texts
    elif isinstance(texts, dict):
        for name, one in texts.items():
            yield from strings(one, f"{where}.{name}")
    elif isinstance(texts, list):
        for one in texts:
            yield from strings(one, where)


def raw(path: Path) -> list[tuple[str, str]]:
    return list(strings(tomllib.loads(path.read_text(encoding="utf-8"))))


def test_a_marked_word_is_a_link_to_the_glossary() -> None:
    text = "A [[head]] of **[[class token|class tokens]]**, `x[[0]]`"
    linked = with_links("A [[head]] of **[[class token|{count} class tokens]]**")
    assert (
        linked == f"A [head]({ADDRESS}#head) of **[{{count}} class tokens]({ADDRESS}#class-token)**"
    )
    assert without_links(linked) == "A head of **{count} class tokens**"
    assert written_in(text)[:2] == ["head", "class-token"]


def test_texts_are_loaded_with_links(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "x.toml").write_text('a = "[[MLP]]"\n[[list]]\nb = ["[[head|heads]]"]\n')
    monkeypatch.setattr("explainer.content.HERE", tmp_path)
    texts = load_texts.__wrapped__("x")
    assert texts["a"] == f"[MLP]({ADDRESS}#mlp)"
    assert texts["list"][0]["b"] == [f"[heads]({ADDRESS}#head)"]


def test_the_words_are_in_order_and_each_has_a_picture_and_a_page() -> None:
    words = glossary()
    assert set(words) == set(PICTURES)
    assert [one.word.lower() for one in words.values()] == sorted(
        one.word.lower() for one in words.values()
    )
    for one in words.values():
        assert one.view in routes.VIEWS
        assert not re.search(r"[\[\]$*_<>{}`\\]", one.text), "it is plain text"
        assert one.text.endswith(".") or one.text.endswith("?")
        assert len(one.text.split()) <= 32


def test_a_word_is_found_as_texts_write_it() -> None:
    assert gloss("Class token").key == key_of("class token") == "class-token"
    with pytest.raises(KeyError):
        gloss("nonsense")


@pytest.mark.parametrize("key", PICTURES)
def test_a_picture_is_small_drawn_by_us_alone_and_follows_the_theme(key: str) -> None:
    picture = PICTURES[key]
    assert picture.startswith(f"<svg viewBox='0 0 {WIDTH} ") and picture.endswith("</svg>")
    assert len(picture) < 2_500
    assert "#" not in picture and "var(--tiny-" in picture
    assert "aria-hidden='true'" in picture and '"' not in picture


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_texts_in_markdown_mark_words_and_each_has_its_entry(path: Path) -> None:
    for where, text in raw(path):
        for key in written_in(text):
            assert key in glossary(), f"{where} marks {key}, which glossary.toml lacks"
            assert not PLAIN.search(where.rpartition(".")[2]), f"{where} is no Markdown"
        assert "[[" not in with_links(text), f"{where} has brackets that mark no word"


def nodes(block: Any) -> Iterator[Element | Block]:
    yield block
    if isinstance(block, Block):
        for child in block.children.values():
            yield from nodes(child)


def marked_outside_of_markdown(app: AppTest) -> list[str]:
    """Return the elements with a link to the glossary that would be read as its letters."""
    return [
        f"{node.type}: {str(node.proto)[:200]}"
        for node in nodes(app._tree)
        if f"]({ADDRESS}#" in str(getattr(node, "proto", "")) and node.type != "markdown"
    ]


@pytest.mark.parametrize("model", [{}, {"source": "untrained", "width": 16}, {"source": "cifar10"}])
@pytest.mark.parametrize("view", [view for view in routes.VIEWS if view != "train"])
def test_a_page_shows_no_marks_as_letters(
    shipped: object, open_page: Callable[..., AppTest], view: str, model: dict
) -> None:
    app = open_page(routes.address(view), **model)
    assert not app.exception
    assert marked_outside_of_markdown(app) == []
    assert "[[" not in texts_of(app)
    assert len(sent_to(app, "terms")) == 1


def test_a_mark_outside_of_markdown_is_found() -> None:
    def page() -> None:
        import streamlit as st

        with st.expander("A [head](glossary#head)"):
            st.html("<p>A [head](glossary#head)</p>")
        st.markdown("A [head](glossary#head)")

    found = marked_outside_of_markdown(AppTest.from_function(page).run())
    assert len(found) == 2


# the page


def test_the_page_lists_all_words_with_the_pages_that_teach_them(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page("glossary", digit=3)
    assert not app.exception
    (listed,) = sent_to(app, "word_list")
    html = listed.json
    for one in glossary().values():
        assert f'id=\\"{one.key}\\"' in html
    assert "multi-head?digit=3" in html
    assert state_of(app).digit == 3
    assert not app.sidebar.children


def test_the_page_has_the_letters_of_all_formulas(open_page: Callable[..., AppTest]) -> None:
    text = texts_of(open_page("glossary"))
    for letter in load_texts("glossary")["symbols"]:
        assert f"| ${letter}$ |" in text


def test_no_letter_stands_for_two_things() -> None:
    letters = [
        letter
        for group in load_texts("glossary")["symbols"]
        for letter in re.split(r",\\,\s*", group)
    ]
    assert len(letters) == len(set(letters))


FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
NO_LETTERS = re.compile(  # words, environments, and the values that a page puts in
    r"\\(?:text|mathrm|mathbb|operatorname|begin|end)\*?\{(?:[^{}]|\{[^{}]*\})*\}"
    r"|\[[\d.]+em\]|%[.\d]*[sdf]|\\prime|(?<![\\A-Za-z])[a-z]{3,}"
)
LETTER = re.compile(r"\\[a-zA-Z]+|[A-Za-z]")
GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "theta", "lambda", "mu",
         "rho", "sigma", "tau", "phi", "omega", "Phi", "Sigma")  # fmt: skip


def formulas(name: str, text: str) -> list[str]:
    """Return the formulas in a text, which may be one as a whole."""
    found = [block or inline for block, inline in FORMULA.findall(text)]
    return found or ([text] if "\\" in text and "$" not in text else [])


def letters_of(formula: str) -> set[str]:
    """Return the letters of a formula that stand for something, without their indices."""
    filled = re.sub(r"(?<!\{)\{[a-z_]+\}|(?<=\{\{)\{[a-z_]+\}", "", formula)
    bare = NO_LETTERS.sub("", filled).replace("{{", "{").replace("}}", "}")
    bare = re.sub(r"_(\{[^{}]*\}|\\?\w)", "", bare)
    found = {letter.removeprefix("\\") for letter in LETTER.findall(bare)}
    return {letter for letter in found if len(letter) == 1 or letter in GREEK}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_letter_of_a_formula_is_in_the_table_of_letters(path: Path) -> None:
    known = set().union(*(letters_of(letter) for letter in load_texts("glossary")["symbols"]))
    for where, text in raw(path):
        if re.search(r"[._]paper", where) or path.stem == "glossary":
            continue  # a paper's own letters
        for formula in formulas(where, text):
            letters = letters_of(formula)
            assert letters <= known, f"{where}: {sorted(letters - known)} in {formula}"
            # K is the keys, beside the queries Q, and not the width of a head, which is d_h
            assert "K" not in letters or "Q" in text, f"{where}: {formula}"
            # the factor of LayerScale has another letter than that of a LayerNorm
            if "LayerScale" in text or "layer_scale" in where:
                assert "gamma" not in letters, f"{where}: {formula}"


def test_letters_of_formulas_are_read() -> None:
    assert letters_of(r"\frac{x/255 - \mu}{\sigma} = \text{that} + {head_dim} W_q") == {
        "x", "mu", "sigma", "W",
    }  # fmt: skip
    assert letters_of(r"\sqrt{{d_h}} \cdot %s z_{{l-1}}") == {"d", "z"}


def test_the_bar_leaves_the_glossary_to_links_on_the_pages(
    shipped: object, open_page: Callable[..., AppTest]
) -> None:
    assert "glossary" in routes.UNLISTED
    links = {link.proto.page for link in open_page("position").get("page_link")}
    assert "glossary" in links
