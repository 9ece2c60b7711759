"""The place that a part of a page is drawn for, and that parts ask for nothing else."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from reading import unfold
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.inputs.models import load
from explainer.observation import tasks
from explainer.observation.observe import observe
from explainer.shell.routes import PIPELINE
from explainer.state.choice import Choice
from explainer.state.link import State
from explainer.state.place import Cell, Place
from vit_core import ViTConfig
from vit_core.interpret.heads import Head

ROOT = Path(__file__).parents[2]
SMALL = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, pos_embed="sincos")
WIDE = replace(SMALL, embed_dim=32)
NO_CLASS = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2, pool="mean")
FEATURES = "classification_head.features"
PAGES = (*PIPELINE, FEATURES)
TABLES = ("confusions",)  # of the page's own HTML; test_confusions tries their cells

# what a place holds


@pytest.mark.parametrize("config", [SMALL, NO_CLASS])
def test_a_place_of_a_state_has_only_what_the_model_has(config: ViTConfig) -> None:
    state = State(block=7, head=7, query=999, off="0.1_1.7_5.0_1.0", cell="scores.3.4")
    place = Place.from_state(state, config, prefix="left-")
    assert (place.block, place.head, place.query) == (1, 1, config.num_tokens - 1)
    assert place.off == (Head(0, 1), Head(1, 0))
    assert place.cell == Cell("scores", 3, 4)
    assert place.key("temperature") == "left-temperature"


def test_a_place_of_an_empty_state_is_the_start() -> None:
    assert Place.from_state(State(), SMALL) == Place(SMALL)
    assert Place(SMALL).kind == "sincos" and Place(SMALL, kind="learned").kind == "learned"
    assert Place(SMALL).key("x") == "x"


def test_code_stands_under_the_parts_only_where_it_was_switched_on() -> None:
    assert Place.from_state(State(code="open"), SMALL).shows_code
    assert not Place.from_state(State(), SMALL).shows_code
    assert not Place.from_state(State(code="hide"), SMALL).shows_code


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("block", 2),
        ("block", -1),
        ("head", 2),
        ("query", 17),
        ("query", -1),
        ("off", (Head(0, 2),)),
    ],
)
def test_a_place_that_the_model_does_not_have_is_an_error(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="off" if name == "off" else name):
        Place(SMALL, **{name: value})


def test_the_followed_token_is_that_of_a_patch_until_somebody_chooses() -> None:
    assert Place(SMALL).token(5) == 6 and Place(NO_CLASS).token(5) == 5
    assert Place(SMALL, query=3).token(5) == 3
    assert Place(SMALL).patch(5) == 5 and Place(SMALL, query=0).patch(5) == 5
    assert Place(SMALL, query=3).patch(5) == 2 and Place(NO_CLASS, query=3).patch(5) == 3


@pytest.mark.parametrize(
    ("cell", "is_there"),
    [("scores.3.2", True), ("scores.4.0", False), ("scores.0.3", False), ("q.0.0", False)],
)
def test_a_cell_counts_only_where_a_matrix_has_it(cell: str, is_there: bool) -> None:
    place = Place.from_state(State(cell=cell), SMALL)
    assert (place.cell_in({"scores": (4, 3)}) is not None) == is_there
    assert str(place.cell) == cell
    assert Place(SMALL).cell_in({"scores": (4, 3)}) is None


# parts that are drawn twice


def draw(page, drawn) -> None:  # run as a script of its own, where no name of this file is known
    """Draw all parts and questions of a page for each choice, in that order."""
    import importlib

    from explainer.observation.observe import observe
    from explainer.shell import quiz

    module = importlib.import_module(f"explainer.views.{page}")
    for choice, place in drawn:
        seen = observe(choice)
        for draw in module.PARTS.values():
            draw(choice, seen, place)
        quiz.show(page, module.questions(choice, seen, place), place)


def trained() -> Choice:
    return Choice("default", load.load_source("default").model.config, 0, 7, 0)


def untrained(config: ViTConfig = SMALL) -> Choice:
    return Choice("untrained", config, 3, 7, 0)


def without_head(config: ViTConfig = SMALL) -> Choice:
    return untrained(replace(config, num_classes=0))


def place_for(choice: Choice, prefix: str) -> Place:
    """Return a place that differs from where a session would start."""
    config = choice.config
    return Place(
        config, block=1, head=1, query=4, off=(Head(0, 1),), shuffle=2, temperature="2", unit=3,
        prefix=prefix,
    )  # fmt: skip


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be computed beside the pages, which would differ from one drawing to the next."""
    monkeypatch.setattr(tasks, "standing", lambda key, make, **_: tasks.Standing())


def drawn_for(page: str, *which: tuple[Choice, str]) -> AppTest:
    drawn = [(choice, place_for(choice, prefix)) for choice, prefix in which]
    app = AppTest.from_function(draw, default_timeout=60, args=(page, drawn)).run()
    assert not app.exception, app.exception[0].message
    return app


def elements(app: AppTest) -> list[str]:
    """Return everything that stands on the page, as the browser gets it."""
    _, *drawn = app.main  # the first is what holds all the others
    # without the names of files, which Streamlit makes up anew
    return [re.sub(r"[0-9a-f]{32,}", "…", str(element.proto)) for element in drawn]


@pytest.mark.usefixtures("shipped", "still")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_drawn_twice_shows_each_choice_as_if_it_were_alone(page: str) -> None:
    choices = trained(), untrained()
    if page == FEATURES:
        choices = without_head(), without_head(WIDE)
    left, right = zip(choices, ("left-", "right-"), strict=True)
    both = elements(drawn_for(page, left, right))
    one, other = elements(drawn_for(page, left)), elements(drawn_for(page, right))
    assert both == one + other
    assert len(one) > 5 and len(other) > 5
    assert not set(element for element in one if "left-" in element) & set(other)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("page", PAGES)
def test_the_parts_ask_no_session_and_write_none(page: str) -> None:
    choice = without_head() if page == FEATURES else untrained()
    app = drawn_for(page, (choice, ""))
    assert "state" not in app.session_state and not app.query_params


@pytest.mark.usefixtures("shipped")
def test_pointing_marks_the_matrices_of_one_group_alone() -> None:
    app = drawn_for("self_attention", (trained(), "left-"), (untrained(), "right-"))
    groups = [header["group"] for header in headers(app) if "group" in header]
    assert groups == sorted(groups) and set(groups) == {"left-", "right-"}
    assert all(header["channel"].startswith(header["group"]) for header in headers(app))


def headers(app: AppTest) -> Iterator[dict]:
    for element in app.get("bidi_component"):
        if content := element.proto.bytes:
            yield unpack(content)[0]


# matrices


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("config", [SMALL, NO_CLASS], ids=["cls", "mean"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_which_matrices_it_has(page: str, config: ViTConfig) -> None:
    choice = without_head(config) if page == FEATURES else untrained(config)
    app = unfold(drawn_for(page, (choice, "")))
    shapes = {}
    for element in unfold(app).get("bidi_component"):
        if element.proto.component_name == "vit_explainer.matrices":
            header, arrays = unpack(element.proto.bytes)
            shapes |= {item["name"]: arrays[item["name"]].shape for item in header["items"]}
    module = importlib.import_module(f"explainer.views.{page}")
    declare = getattr(module, "matrix_shapes", lambda choice, seen, place: {})
    declared = dict(declare(choice, observe(choice), place_for(choice, "")))
    for name in TABLES:
        declared.pop(name, None)
    older = getattr(module, "shapes_of_old_links", lambda config: {})(choice.config)
    assert declared == shapes | older


# one token is followed


def starts(source: str) -> list[str]:
    """Return what a module gives ``Place.token`` and ``Place.patch`` to start from."""
    return [
        ast.unparse(node.args[0])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("token", "patch")
        and ast.unparse(node.func.value) in ("place", "self.place")
    ]


def test_all_pages_follow_the_same_token_until_somebody_chooses() -> None:
    found = {
        name: starts(source)
        for name, source in modules("explainer/views", "explainer/shell")
        if not name.startswith(FREE)
    }
    assert sum(map(len, found.values())) > 20
    starting = {start.split(".")[-1] for given in found.values() for start in given}
    assert starting == {"telling_patch"}


# nothing else is asked

WRITES = {"change", "set_block", "set_cell", "set_head", "set_off", "set_patch", "set_query"}
ALLOWED = {
    # these have no parts to which the frame gives a place
    "explainer.views.glossary": {"link"},
    "explainer.views.worksheet": {"link", "place"},
    "explainer.views.story": {"keep_for", "link", "load", "place"},
    "explainer.views.story.compared": {"load"},
    # the room of a class has no parts either
    "explainer.views.story.in_room": {"load"},
    "explainer.views.room": {"load"},
    "explainer.views.room.lead": {"link", "load", "refused"},
    "explainer.views.fool": {"link", "load", "refused"},
    "explainer.views.fool.hear": {"load"},
    # it takes over the link of another tab
    "explainer.views.teacher": {"link", "load", "place", "save"},
    "explainer.views.home": {"load", "place"},
    "explainer.views.home.picture": {"place"},
}
FREE = "explainer.views.train"  # shows runs, which have no place in a model


def session_uses(source: str) -> set[str]:
    """Return what a module takes from ``explainer.state.session``."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "session"
    }


def modules(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), path.read_text(encoding="utf-8")


def test_no_page_and_no_observation_asks_the_session() -> None:
    folders = ("explainer/views", "explainer/observation", "explainer/figures")
    found = {
        name: session_uses(source) - WRITES - ALLOWED.get(name, set())
        for name, source in modules(*folders, "explainer/components")
        if not name.startswith(FREE)
    }
    assert len(found) > 80
    assert not {name: uses for name, uses in found.items() if uses}


def test_a_module_that_asks_the_session_is_found() -> None:
    assert session_uses("session.load().block\nsession.set_block(3)") == {"load", "set_block"}
