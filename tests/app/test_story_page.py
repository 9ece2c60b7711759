"""The story: its texts on unlike models, what is packed for the browser, and what comes back."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import choice_and_observation, parameter_of, state_of
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer import components
from explainer.components.drawing_pad import SIDE
from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.content.terms import glossary
from explainer.inputs.models import load
from explainer.observation.lens import lens
from explainer.shell import quiz
from explainer.shell.story.packed import coded, some
from explainer.shell.story_screens import NUMBERS, ORDER, screen_about
from explainer.state.link import SCREENS

MOST_WORDS = 60
BRACES = re.compile(r"\{(\w+)\}")
STANDING = ("title", "text", "task", "question")  # texts of a screen before anybody does anything


def sent(app: AppTest, find_component: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and arrays of what the browser was sent."""
    assert not app.exception, app.exception[0].message
    return unpack(find_component(app, "story").bytes)


@pytest.fixture
def unlike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what puts one of the unlike models where the default one is."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    return lambda name: put(tmp_path, UNLIKE[name])


@pytest.mark.parametrize("name", UNLIKE)
def test_every_screen_is_short_and_every_name_in_braces_has_a_value(
    unlike: Callable[[str], None],
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    name: str,
):
    unlike(name)
    header, _ = sent(open_page("story"), find_component)
    assert [screen["name"] for screen in header["screens"]] == list(ORDER)
    values = {**header["facts"], "answer": "7", "block": 1}
    for screen in header["screens"]:
        texts = [screen[key] for key in STANDING if key in screen]
        named = {found for text in texts for found in BRACES.findall(text)}
        assert named <= values.keys(), screen["name"]
        filled = " ".join(
            BRACES.sub(lambda match: str(values[match[1]]), text) for text in texts[1:]
        )
        assert len(filled.split()) <= MOST_WORDS, (screen["name"], filled)


def test_each_screen_has_its_numbers_and_a_view_finds_its_screen():
    assert len(ORDER) == SCREENS
    assert screen_about("patches") == ORDER.index("patches") + 1
    assert screen_about("classification_head") == ORDER.index("answer") + 1
    assert screen_about("nowhere") is None
    assert NUMBERS["learn"] == "train" and NUMBERS["loss"] == NUMBERS["step"] == "learning"


def test_a_teachers_window_can_be_told_of_every_screen():
    source = (Path(components.__file__).parent / "shared/class_line.js").read_text(encoding="utf-8")
    assert re.search(r"CLASS_SCREENS = (\d+);", source)[1] == str(SCREENS)


def test_the_browser_gets_the_tensors_of_the_trace(
    shipped: Path, open_page: Callable[..., AppTest], find_component: Callable[..., Any]
):
    choice, seen = choice_and_observation("default")
    page = open_page("story", digit=choice.digit, index=choice.index)
    header, arrays = sent(page, find_component)
    assert header["label"] == choice.digit
    for name, shape in header["shapes"].items():
        assert arrays[name].shape == tuple(shape)
    for name in ("patches", "tokens", "blocks.3.resid_post", "blocks.0.attn.pattern", "pooled"):
        np.testing.assert_array_equal(arrays[name], seen.tensors[name])
    np.testing.assert_allclose(arrays["lens"], lens(choice, seen).probabilities, atol=1e-6)
    assert arrays["learned_shares"].argmax(axis=-1).shape == (header["learned"]["stops"], 16)
    assert header["learned"]["right"][0] < header["learned"]["right"][-1]


def test_tensors_of_a_large_model_come_in_fewer_bytes_and_nearly_equal():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, 5, 7)).astype(np.float32)
    packed = coded({"x": rows, "one": rows[0, 0], "none": np.zeros((2, 2), np.float32)})
    assert packed["x"].dtype == np.uint8 and packed["one"] is not None
    steps = packed["x"].astype(np.float32) - 128
    read = steps / 127 * packed["x/scale"][..., None]
    assert np.abs(read - rows).max() <= np.abs(rows).max() / 254 + 1e-6
    assert (packed["none"] == 128).all()
    assert some(range(25), 3) == [0, 12, 24] and some("ab", 3) == ["a", "b"]


def test_what_a_visitor_does_comes_back(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
):
    app = open_page("story", digit=3)
    click_in(app, "story", {"heard": {"screen": 6, "patch": 10}})
    assert parameter_of(app, "screen") == "6" and parameter_of(app, "query") == "11"
    click_in(app, "story", {"heard": {"screen": 6, "sample": 8}})
    assert parameter_of(app, "digit") == "8"
    ink = np.zeros((SIDE, SIDE), np.uint8)
    ink[30:80, 50:60] = 255
    drawing = {"name": "mine", "ink": base64.b64encode(ink.tobytes()).decode()}
    click_in(app, "story", {"heard": {"screen": 1, "drawing": drawing}})
    assert parameter_of(app, "picture")


def test_a_presentation_stands_in_the_link_until_it_is_left(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
):
    app = open_page("story", digit=3)
    click_in(app, "story", {"heard": {"screen": 2, "present": True}})
    assert parameter_of(app, "present") == "1" and parameter_of(app, "screen") == "2"
    click_in(app, "story", {"heard": {"screen": 2, "present": False}})
    assert parameter_of(app, "present") is None


def test_no_other_page_leads_to_a_presentation(shipped: Path, open_page: Callable[..., AppTest]):
    app = open_page("position", present=1, digit=3)
    assert not app.exception
    assert parameter_of(app, "present") is None and parameter_of(app, "digit") == "3"


@pytest.mark.parametrize("name", UNLIKE)
def test_before_a_class_every_screen_has_one_short_sentence(
    unlike: Callable[[str], None],
    open_page: Callable[..., AppTest],
    find_component: Callable[..., Any],
    name: str,
):
    unlike(name)
    header, _ = sent(open_page("story"), find_component)
    for screen in header["screens"]:
        named = set(BRACES.findall(screen["short"]))
        assert named <= header["facts"].keys(), screen["name"]
        assert 4 <= len(screen["short"].split()) <= 18, screen["short"]


def test_every_word_of_a_presentation_is_there():
    folder = Path(components.__file__).parent / "story"
    source = (folder / "present.js").read_text(encoding="utf-8")
    texts = load_texts("present")["frame"]
    used = set(re.findall(r"texts\.(\w+)", source)) | set(re.findall(r'button\("(\w+)"', source))
    assert used == texts.keys()


@pytest.mark.parametrize(
    "heard",
    [
        {"screen": 99},
        {"present": "1"},
        {"present": 1},
        {"screen": "2"},
        {"patch": 4_000},
        {"patch": -1},
        {"sample": 77},
        {"drawing": "x"},
        {"answer": {"name": "nobody", "question": "a", "given": "b", "right": "c"}},
        {"answer": {"name": "cover", "question": "a", "given": 4, "right": "c"}},
        {"answer": {"name": "cover", "question": "a" * 10_000, "given": "b", "right": "c"}},
        [],
        None,
    ],
)
def test_what_no_browser_of_ours_says_changes_nothing(
    shipped: Path,
    open_page: Callable[..., AppTest],
    click_in: Callable[..., AppTest],
    heard: object,
):
    app = open_page("story", digit=3)
    before = state_of(app)
    click_in(app, "story", {"heard": heard})
    assert not app.exception and state_of(app) == before
    assert (
        not app.session_state[quiz.ANSWERS_KEY] if quiz.ANSWERS_KEY in app.session_state else True
    )


def test_a_prediction_is_an_answer_as_all_others(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
):
    app = open_page("story")
    told = {"name": "cover", "question": "Which?", "given": "row 1", "right": "row 2"}
    click_in(app, "story", {"heard": {"screen": 10, "answer": told}})
    click_in(app, "story", {"heard": {"screen": 10, "answer": told | {"given": "row 2"}}})
    (answer,) = app.session_state[quiz.ANSWERS_KEY].values()
    assert (answer.view, answer.given, answer.is_right) == ("story", "row 1", False)
    table = quiz.as_csv([answer], {"story": "Story"}, {"story": "http://here/story"})
    assert "Which?,row 1,row 2" in table and "screen=10" in table


def test_a_page_with_numbers_is_opened_from_its_screen(
    shipped: Path, open_page: Callable[..., AppTest], click_in: Callable[..., AppTest]
):
    app = open_page("story")
    click_in(app, "story", {"opened": {"view": "position", "screen": 5}})
    assert not app.exception
    assert app.session_state["own"]["story"]["screen"] == 5


def test_every_text_that_a_screen_shows_is_there():
    folder = Path(components.__file__).parent / "story"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js")))
    name_of = {
        screen: name for name, screen in re.findall(r"^  (\w+): (\w+Screen),$", source, re.M)
    }
    texts = load_texts("story")
    assert sorted(name_of.values()) == sorted(ORDER)
    for screen, body in re.findall(
        r"^class (\w+Screen) extends .*?{$(.*?)^}$", source, re.M | re.S
    ):
        used = re.findall(r"""this\.(?:text|task)\(\s*"(\w+)\"""", body)
        used += re.findall(r"""this\.button\(\w+(?:\.\w+)?, "(\w+)\"""", body)
        used += re.findall(r"texts\.(\w+)", body)
        assert set(used) <= texts["screens"][name_of[screen]].keys(), screen
    assert set(re.findall(r"frame\.(\w+)", source)) <= texts["frame"].keys()


@pytest.mark.parametrize("screen", ORDER)
def test_every_variant_of_a_text_stands_beside_the_text(screen: str):
    texts = load_texts("story")["screens"][screen]
    endings = re.compile(
        "_(single|features|one_block|no_residual|one_head|one_number|no_position|mean|untrained"
        "|asked|pictures)$"
    )
    for name in texts:
        base = name
        while endings.search(base):
            base = endings.sub("", base)
        assert base in texts, name


def test_words_of_the_glossary_are_named_beside_the_text_that_has_them(open_page, find_component):
    header, _ = sent(open_page("story", source="default"), find_component)
    words = {screen["name"]: screen["words"] for screen in header["screens"]}
    assert words["patches"] == [["pixels", "pixel"], ["patches", "patch"]]
    assert words["position"] == [["position", "position"]]
    assert {key for pairs in words.values() for _, key in pairs} <= set(glossary())
    for screen in header["screens"]:
        rest = screen["text"]  # the browser looks for each after the one before
        for word, _ in screen["words"]:
            assert word in rest and "[" not in screen["text"]
            rest = rest.partition(word)[2]


@pytest.mark.parametrize(
    ("edits", "kept"), [("k3_k4", "k3_k4"), ("", ""), ("no edits", ""), (["k3"], ""), (None, "")]
)
def test_what_is_covered_goes_along_to_the_page_for_it(
    shipped: Path,
    open_page: Callable[..., AppTest],
    click_in: Callable[..., AppTest],
    edits: object,
    kept: str,
):
    app = open_page("story")
    click_in(app, "story", {"opened": {"view": "fool", "screen": 10, "edits": edits}})
    assert not app.exception
    assert app.session_state["own"].get("fool", {}).get("edits", "") == kept
