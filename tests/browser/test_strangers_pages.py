"""What Streamlit makes of strangers' words: nothing but their letters, in every kind of element."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from browser_helpers import HOME, ROOT, Visit
from playwright.sync_api import expect
from strangers import FOLDER, HOSTILE, NAMES, UNSEEN, a_model_folder

from explainer.figures.class_bars import shortened

pytestmark = pytest.mark.browser

SCRIPT = """\
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from explainer.content.numbers import latex_name
from explainer.content.strangers_words import strangers_word
from explainer.shell.table import show_table

KINDS = {{
    "markdown": lambda word, key: st.markdown(f"({{word}}) **{{word}}**"),
    "sentence": lambda word, key: st.markdown(f"It is {{word}}. {{word}}, {{word}}: yes"),
    "alone": lambda word, key: st.markdown(f"{{word}}"),
    "caption": lambda word, key: st.caption(f"{{word}}"),
    "small": lambda word, key: st.markdown(f":small[{{word}}]"),
    "header": lambda word, key: st.header(f"{{word}}", anchor=False),
    "error": lambda word, key: st.error(f"{{word}}"),
    "button": lambda word, key: st.button(f"{{word}}", key=key),
    "metric": lambda word, key: st.metric(f"{{word}}", 1),
    "radio": lambda word, key: st.radio("label", [f"{{word}}"], key=key),
    "pills": lambda word, key: st.pills("label", [f"{{word}}"], key=key),
    "progress": lambda word, key: st.progress(0.5, f"{{word}}"),
    "expander": lambda word, key: st.expander(f"{{word}}", key=key).markdown("inside"),
    "table": lambda word, key: show_table({{"c": [word]}}),
    "selectbox": lambda word, key: st.selectbox("label", [str(word)], key=key),
    "multiselect": lambda word, key: st.multiselect("label", [w := str(word)], [w], key=key),
}}
for number, raw in enumerate({words!r}):
    for kind, show in KINDS.items():
        with st.container(key=f"{{kind}}-{{number}}"):
            show(strangers_word(raw), f"w-{{kind}}-{{number}}")
    with st.container(key=f"latex-{{number}}"):
        st.latex(latex_name(strangers_word(raw)))
st.markdown("the end")
"""
WHERE = {  # kind of element → where its words stand
    "markdown": "p",
    "sentence": "p",
    "alone": "[data-testid=stMarkdownContainer]",
    "caption": "[data-testid=stCaptionContainer]",
    "small": "p",
    "header": "h2",
    "error": "[data-testid=stMarkdownContainer]",
    "button": "button",
    "metric": "label",
    "radio": "[role=radiogroup] label",
    "pills": "[data-testid=stButtonGroup] button",
    "progress": "[data-testid=stMarkdownContainer]",
    "expander": "summary [data-testid=stMarkdownContainer]",
    "table": "td",
    "selectbox": "input",
    "multiselect": "[data-tag] > span",
    "latex": "mrow, .katex-error, p",
}
READ = """where => Object.fromEntries(Object.entries(where).map(([kind, selector]) => [kind,
    [...document.querySelectorAll(`[class*=st-key-${kind}-]`)].map(box =>
        (box.querySelector(selector) || {textContent: null})).map(one =>
            one.value || one.textContent)]))"""
DRAWN = f"where => Object.values(({READ})(where)).flat().every(text => text !== null)"
EXPECTED = {"markdown": "({0}) {0}", "sentence": "It is {0}. {0}, {0}: yes"}
TYPESET = {"\xa0": " ", "’": "'", "ˋ": "`", "e¨": "ë"}
LIVE = """[...document.querySelectorAll('[data-testid=stMain] *')].filter(one => one.matches(
    'a, img, s, del, em, code, blockquote, li, h1, [role=img], script, '
    + '.stMarkdownBadge, [class*=stMarkdownColored]:not(:empty)')).map(one => one.outerHTML)"""


def test_streamlit_shows_the_letters_and_nothing_else(
    visit: Callable[..., Visit], serve: Callable[..., str], tmp_path: Path
) -> None:
    words = dict(zip(HOSTILE, HOSTILE, strict=True)) | UNSEEN
    script = tmp_path / "words.py"
    script.write_text(SCRIPT.format(root=str(ROOT), words=list(words)), encoding="utf-8")
    # this folder has none of the app's settings, and Streamlit would ask its own host for more
    url = serve(script, tmp_path, STREAMLIT_BROWSER_GATHER_USAGE_STATS="false")
    one = visit(url=url)
    one.page.goto(url)
    one.page.get_by_text("the end").wait_for()
    # tables, formulas and chosen tags are drawn last
    one.page.wait_for_function(DRAWN, arg=WHERE)
    found = one.page.evaluate(READ, WHERE)
    live = one.page.evaluate(LIVE)
    assert live == []
    for kind, texts in found.items():
        form = EXPECTED.get(kind, "{0}")
        wrong = {
            word: text
            for word, text in zip(words.values(), texts, strict=True)
            if (typed(text) if kind == "latex" else text) != form.format(word)
        }
        assert wrong == {}, kind


def typed(text: str) -> str:
    """Return the letters of a formula as they were typed, which KaTeX sets as books do."""
    for drawn, letter in TYPESET.items():
        text = text.replace(drawn, letter)
    return text


# but for formulas, which KaTeX keeps for copying, and what Streamlit calls a group of options
SAID = """[...document.querySelectorAll('.stApp *:not(annotation)')].flatMap(one => [
    ...[...one.childNodes].filter(node => node.nodeType === 3).map(node => node.data),
    one.matches('[role=radiogroup]') ? '' : one.getAttribute('aria-label') || '',
    one.getAttribute('alt') || '', one.title || ''])"""
LED = """[...document.querySelectorAll('[href], [src], [action]')].map(one =>
    one.getAttribute('href') || one.getAttribute('src') || one.getAttribute('action'))"""


def test_a_strangers_model_is_only_shown(
    visit: Callable[..., Visit],
    subtests: pytest.Subtests,
    serve: Callable[..., str],
    tmp_path: Path,
) -> None:
    (tmp_path / "models").mkdir()
    a_model_folder(tmp_path / "models" / FOLDER, NAMES)
    model = f"source=pretrained&pretrained={quote(f'local/{FOLDER}', '')}"
    url = serve(HOME, tmp_path, VIT_EXPLAINER_PRETRAINED=str(tmp_path / "models"))
    one = visit(url=url)
    for view, last in (
        ("", ".home .bar .name"),
        ("classification-head", ".class-bars th"),
        ("multi-head", "h2"),
    ):
        with subtests.test(view):
            one.open(f"{view}?{model}")
            one.page.locator(last).first.wait_for()
            names = one.page.locator(last)
            if view != "multi-head":
                expect(names).to_have_count(len(NAMES))
                assert names.locator("*").count() == 0, "no markup"
            if view == "classification-head":
                assert sorted(names.all_text_contents()) == sorted(map(shortened, NAMES))
            said, led = one.page.evaluate(SAID), one.page.evaluate(LED)
            assert not view or any("q.z" in text for text in said)
            assert not [link for link in led if "e.invalid" in link.split("?")[0]]
            for text in said:
                assert "q.z" not in text or (":gray" not in text and "\\[" not in text)
                assert "&lt;b" not in text and "&#3" not in text
