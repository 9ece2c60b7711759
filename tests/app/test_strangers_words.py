"""What strangers wrote is shown letter by letter, on every page and in every kind of text."""

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import numpy as np
import pytest
import torch
from reading import unfold
from strangers import FOLDER, HOSTILE, NAMES, UNSEEN, a_model_folder
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer import training
from explainer.content.numbers import latex_name, with_article
from explainer.content.strangers_words import (
    LONGEST_SENTENCE,
    StrangersWord,
    distinct,
    in_latex,
    in_markdown,
    plain_format,
    strangers_word,
    without_escapes,
)
from explainer.figures.class_bars import class_bars, shortened
from explainer.figures.plotly_text import in_plotly
from explainer.inputs.models import pretrained
from explainer.inputs.models.upload import add_upload
from explainer.shell import routes
from explainer.shell.downloads import matrix_csv, table_csv
from explainer.shell.picker.preview import bold
from explainer.training import Manager, Run, load_limits
from vit_core import TrainConfig, ViTConfig, build, save_checkpoint
from vit_core.data import mnist_info

Open = Callable[..., AppTest]
ANNA = "a" * 32
HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
PLAIN = {  # what Streamlit and our components show letter by letter, as a browser's test proves
    *("selectbox.options", "selectbox.raw_value", "multiselect.options", "multiselect.raw_values"),
    "plotly_chart.alt",
}
AROUND = ("selectbox.options", "selectbox.raw_value", "page_link.query_string")
MARKUP = {"html.body": html.escape, "latex.body": in_latex}


@pytest.fixture
def of_a_stranger(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a link says to look at a stranger's model."""
    models = tmp_path / "models"
    models.mkdir()
    a_model_folder(models / FOLDER, NAMES)
    monkeypatch.setenv(pretrained.FOLDER, str(models))
    return {"source": "pretrained", "pretrained": f"local/{FOLDER}"}


def strings(message: Any) -> Iterator[tuple[str, str]]:
    """Yield every text that an element sends to the browser, and the name of its field."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if hasattr(one, "ListFields"):
                yield from strings(one)
            elif isinstance(one, str):
                yield field.name, one


def texts(block: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of all elements of a page: kind of element and field, and the text."""
    for child in block.children.values():
        if getattr(child, "proto", None) is not None:
            yield from ((f"{child.type}.{name}", text) for name, text in strings(child.proto))
        if hasattr(child, "children"):
            yield from texts(child)


def unescaped(kind: str, text: str, words: tuple[str, ...]) -> str:
    """Return what of a text is left without the words as they are escaped in such a text."""
    for word in words:
        text = text.replace(quote_plus(word), "")  # in addresses
        if kind in PLAIN:
            text = text.replace(word, "")
        elif kind == "bidi_component.json":  # the pipeline is HTML, others get their letters
            text = text.replace(json.dumps(html.escape(word))[1:-1], "")
            text = text.replace(json.dumps(word)[1:-1], "")
        elif kind == "plotly_chart.spec":
            for name in (word, shortened(word)):
                text = text.replace(json.dumps(in_plotly(name))[1:-1].replace("/", "\\u002f"), "")
        elif escape := MARKUP.get(kind):
            text = text.replace(escape(word), "").replace(escape(shortened(word)), "")
        else:
            # inside a sentence of ours the first sign begins no line
            text = text.replace(in_markdown(word), "").replace(in_markdown(f"a{word}")[1:], "")
    return text


def live(app: AppTest, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the texts of a page in which a stranger's word is not as it has to be."""
    found = [(kind, text) for kind, text in texts(app._tree) if "q.z" in text]
    return [one for one in found if "q.z" in unescaped(*one, words)]


@pytest.mark.parametrize("view", routes.WALK)
def test_names_of_classes_and_models_are_letters_on_every_page(
    of_a_stranger: dict[str, str], open_page: Open, view: str
) -> None:
    address = "home" if view == "home" else routes.address(view)
    app = unfold(open_page(address, **of_a_stranger))
    assert not app.exception
    words = (*map(strangers_word, NAMES), f"on this server: {FOLDER}", FOLDER)
    assert live(app, words) == []
    # the names in Home's picture travel as data, which its script shows as text
    least = {"home": 1, "classification_head": 8, "multi_head": 2}.get(view, 0)
    assert sum("q.z" in text for kind, text in texts(app._tree) if kind not in AROUND) >= least


@pytest.mark.parametrize("view", ["classification_head", "multi_head", "position"])
def test_answered_questions_say_them_once_escaped(
    of_a_stranger: dict[str, str], open_page: Open, view: str
) -> None:
    words = (*map(strangers_word, NAMES), f"on this server: {FOLDER}", FOLDER)
    address = routes.address(view)
    app = open_page(address, **of_a_stranger)
    for radio in list(app.radio):
        app.radio(key=radio.key).set_value(radio.options[-1])
        name = radio.key.removeprefix("answer-")
        sent = next(one for one in app.button if one.form_id == f"form-{name}")
        app = sent.click().run()
    assert not app.radio
    assert not app.exception
    assert live(app, words) == []


def test_what_a_run_says_of_itself_is_letters_on_every_page(
    shipped: Path, known_runs: Any, make_run: Callable[..., Run], open_page: Open
) -> None:
    title = NAMES[0]
    run = make_run(title=title, status="finished")
    for address in ("home", "patches"):
        app = unfold(open_page(address, source="run", run=run.id))
        assert not app.exception
        assert live(app, (strangers_word(title),)) == []
        assert address != "home" or any("q.z" in block.value for block in app.markdown)
    app = open_page("home", source="run", run=run.id, epoch=99)  # a sentence about the link
    assert live(app, (strangers_word(title),)) == []
    assert any("q.z" in element.proto.body for element in app.get("html"))


def test_the_training_page_shows_a_damaged_folders_words(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look at a run whose note and settings somebody has written by hand, as owner and guest."""
    words = (strangers_word(NAMES[0]), strangers_word(NAMES[1]))
    manager = Manager(tmp_path / "runs", load_limits(), recorded=tmp_path / "none")
    monkeypatch.setattr(training, "the_manager", lambda: manager)
    path = tmp_path / "model.safetensors"
    config = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
    names = (*NAMES, *"456789")
    data = replace(mnist_info(), class_names=names)
    save_checkpoint(build(config, 0), path, train_config=TrainConfig(), data=data)
    run = add_upload(manager, ANNA, path.read_bytes(), "model.safetensors")
    settings = run.history.path / "config.json"
    settings.write_text(
        json.dumps(json.loads(settings.read_text()) | {"dataset": NAMES[2], "command": NAMES[3]})
    )
    manager.store.change(run.id, title=NAMES[0], message=NAMES[1], state="failed")
    for visitor in (ANNA, "b" * 32):
        for address in ("train", "home", "classification-head", "multi-head", "position"):
            app = AppTest.from_file(HOME, default_timeout=60)
            app.session_state["visitor"] = visitor
            app.query_params["source"], app.query_params["run"] = "run", run.id
            app._page_hash = calc_hash("" if address == "home" else address)
            unfold(app.run())
            assert not app.exception
            assert live(app, (*words, *map(strangers_word, NAMES))) == []
            if address in ("train", "home"):
                assert any("q.z" in text for kind, text in texts(app._tree) if kind not in AROUND)
    manager.close()


def test_a_runs_words_are_a_strangers(make_run: Callable[..., Run]) -> None:
    run = make_run(title="[t](http://e.invalid)\n", status="*s*")
    run = replace(run, message="www.x.com " + "y" * 1000)
    assert f"{run.title} {run.status}" == r"\[t\]\(http\::gray[]//e.invalid) \*s\*"
    assert f"{run.message}".startswith("www:gray[].x.com yyy")
    assert len(run.message) == LONGEST_SENTENCE


def test_names_mean_nothing_in_bold_words_beside_a_picture() -> None:
    line = bold("It says **{answer}** ({share}).", answer=strangers_word("a**b**<i>"), share="5 %")
    assert line == "It says <b>a**b**&lt;i&gt;</b> (5 %)."


@pytest.mark.parametrize("word", HOSTILE)
def test_a_word_is_escaped_once_and_comes_back(word: str) -> None:
    named = strangers_word(word)
    assert named == str(named) == word
    said = f"**{named}** and {with_article(named)}"
    assert without_escapes(said) == f"**{word}** and " + str(with_article(word))
    assert "{0} {name}".format(f"{named}", name=named) == f"{in_markdown(word)} {in_markdown(word)}"
    assert plain_format("<{name}>", name=named) == f"<{word}>"


@pytest.mark.parametrize(("raw", "shown"), UNSEEN.items())
def test_what_cannot_be_seen_is_shown_as_a_sign(raw: str, shown: str) -> None:
    assert strangers_word(raw) == shown
    assert strangers_word(strangers_word(raw)) == shown


def test_names_that_were_shortened_stay_apart() -> None:
    long = "x" * 200
    found = distinct([long + "a", "cat", long + "b", long + "a", " ", "cat"], "(no name)")
    start = "x" * 159 + "…"
    assert found == (start, "cat", f"{start} (2)", start, "(no name)", "cat")
    assert all(isinstance(name, StrangersWord) for name in found)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://e.invalid")', '\'=HYPERLINK("http://e.invalid")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\n=1"),
        ("a=1", "a=1"),
        ('R&D, "x"', 'R&D, "x"'),
        ("", ""),
    ],
)
def test_a_spreadsheet_runs_nothing(text: str, cell: str) -> None:
    table = table_csv((text, "n"), [(text, -1.5), (strangers_word("=1"), -2)])
    header, first, second = csv.reader(io.StringIO(table, newline=""))
    assert header == [cell, "n"]
    assert first == [cell, "-1.5"]  # a number stays a number
    assert second == ["'=1", "-2"]


def test_names_of_classes_are_guarded_in_matrices() -> None:
    text = matrix_csv(torch.ones(1, 2).numpy(), ["=a"], ["@b", "c"], "class")
    assert list(csv.reader(io.StringIO(text))) == [["class", "'@b", "c"], ["'=a", "1", "1"]]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("7", "7"),
        ("cat", r"\text{cat}"),
        ("a_b{c}", r"\text{a\_b\{c\}}"),
        ("\\", r"\text{\textbackslash{}}"),
        ("$5$", r"\text{\textdollar{}5\textdollar{}}"),
        ("}\\href{http://e}{x}", r"\text{\}\textbackslash{}href\{http:{}//e\}\{x\}}"),
        ("a--b", r"\text{a-{}-b}"),
    ],
)
def test_a_formula_sets_the_letters(name: str, formula: str) -> None:
    assert latex_name(name) == formula


def test_a_long_name_leaves_the_bars_their_place() -> None:
    names = ["cat", "great white shark, man-eater", "<b>" * 30]
    html = class_bars(np.full(3, 1 / 3), names, None, ["", "", ""], "", "")
    shown = re.findall(r"<th[^>]*>(.*?)</th>", html)
    assert shown == ["cat", "great white shark…", "&lt;b&gt;" * 5 + "&lt;b…"]
    told = re.findall(r'title="(.*?)"', html)
    assert told == ["cat", names[1], "&lt;b&gt;" * 30]


def test_plotly_finds_no_markup_formula_or_template() -> None:
    assert in_plotly("<b>$x$</b> %{y} &lt;") == ("&lt;b&gt;&#36;x&#36;&lt;/b&gt; &#37;{y} &amp;lt;")
