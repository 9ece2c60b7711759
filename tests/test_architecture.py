"""Every import points down the order of the rooms, and no circle of files is left."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# from the top to the bottom: a room may import itself and what stands below it. A name is a folder,
# or one loose module.
APP_ROOMS = (
    "explainer.__main__",
    "explainer.Home",
    "explainer.server",
    "explainer.metrics",
    "explainer.worksheet",
    "explainer.picture",
    "explainer.app",
    "explainer.startup",
    "explainer.views",
    "explainer.shell",
    "explainer.observation",
    "explainer.inputs",
    "explainer.classroom",
    "explainer.training",
    "explainer.components",
    "explainer.figures",
    "explainer.state",
    "explainer.content",
    "explainer.caching",
    "explainer.measuring",
)
CORE_ROOMS = (
    "vit_core.train",
    "vit_core.evaluate",
    "vit_core.worker",
    "vit_core.probe",
    "vit_core.pretrained",
    "vit_core.runs",
    "vit_core.learning",
    "vit_core.training",
    "vit_core.interpret",
    "vit_core.presets",
    "vit_core.checkpoint",
    "vit_core.data",
    "vit_core.torchvision_import",
    "vit_core.mistakes",
    "vit_core.reference",
    "vit_core.trace",
    "vit_core.kept_memory",
    "vit_core.lean",
    "vit_core.model",
    "vit_core.tap",
    "vit_core.config",
    "vit_core.json_config",
    "vit_core.checks",
    "vit_core.storage",
    "vit_core.errors",
)
ROOMS = (*APP_ROOMS, *CORE_ROOMS)
MOST_LOOSE = {"explainer": 10, "vit_core": 18}  # modules that stand in no room
DRAWING_FREE = {"query_params", "session_state"}  # all that the state may use of Streamlit


def name_of(path: Path) -> str:
    """Return a module's full name; a package has the name of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, str]:
    """Return the source of each module of both packages by its full name."""
    paths = (path for folder in MOST_LOOSE for path in (ROOT / folder).rglob("*.py"))
    return {name_of(path): path.read_text(encoding="utf-8") for path in sorted(paths)}


SOURCES = sources()


def imports(source: str) -> Iterator[str]:
    """Yield the full name of everything that a module imports, at its top or later.

    A call of ``import_module`` with a literal counts; of one with a formatted text its literal
    beginning does.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            first = node.args[0]
            if isinstance(first, ast.JoinedStr):
                first = first.values[0]
            if isinstance(first, ast.Constant):
                yield str(first.value).rstrip(".")


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def room_of(name: str) -> str | None:
    """Return the room in which a module is; None for the two packages themselves."""
    return next((room for room in ROOMS if within(name, room)), None)


def arrows(source: str) -> set[str]:
    """Return the modules of this project that a source imports."""
    found = set()
    for name in imports(source):
        while name and name not in SOURCES and "." in name:
            name = name.rpartition(".")[0]
        if name in SOURCES:
            found.add(name)
    return found


def upward(module: str, source: str) -> set[str]:
    """Return the imports of a module that do not point down the order of the rooms."""
    here = room_of(module)
    wrong = set()
    for name in imports(source):
        there = room_of(name)
        if there is None or there == here or here is None:
            continue
        if ROOMS.index(there) < ROOMS.index(here):
            wrong.add(name)
    return wrong


@pytest.mark.parametrize("module", [name for name in SOURCES if "." in name])
def test_every_module_has_a_room_and_imports_only_what_is_below(module: str) -> None:
    assert room_of(module), "a module outside of the rooms"
    assert not upward(module, SOURCES[module])


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = {name: arrows(source) - {name} for name, source in SOURCES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("package", MOST_LOOSE)
def test_few_modules_stand_outside_of_the_rooms(package: str) -> None:
    loose = sorted(path.name for path in (ROOT / package).glob("*.py"))
    assert len(loose) <= MOST_LOOSE[package], loose


def test_every_room_is_there() -> None:
    assert {room for room in ROOMS if room not in SOURCES} == set()


def test_the_app_alone_knows_streamlit_and_plotly() -> None:
    core = {name: source for name, source in SOURCES.items() if within(name, "vit_core")}
    wrong = {
        name: {found for found in imports(source) if within(found, "streamlit", "plotly")}
        for name, source in core.items()
    }
    assert not {name: found for name, found in wrong.items() if found}


def foreign_to_figures(source: str) -> set[str]:
    """Return what a figure imports beside arrays, plotly, the theme and a little of the library."""
    standard = (
        *("base64", "collections", "contextlib", "contextvars", "dataclasses", "functools", "html"),
        *("math", "re", "struct", "typing", "zlib"),
    )
    allowed = ("numpy", "plotly", "explainer.figures", *standard)
    return {name for name in imports(source) if not within(name, *allowed)}


# what makes files of figures for paper, and writes numbers as the page's components do
FOR_PAPER = (
    *("io", "pathlib", "threading", "warnings", "PIL", "matplotlib"),
    "explainer.content.numbers",
)
FOR_FILMS = ("io", "PIL")  # what makes films of figures


@pytest.mark.parametrize("module", [n for n in SOURCES if within(n, "explainer.figures")])
def test_figures_know_arrays_plotly_and_the_theme_alone(module: str) -> None:
    foreign = foreign_to_figures(SOURCES[module])
    if within(module, "explainer.figures.saved"):
        foreign = {name for name in foreign if not within(name, *FOR_PAPER)}
    if within(module, "explainer.figures.films"):
        foreign = {name for name in foreign if not within(name, *FOR_FILMS)}
    assert not foreign


@pytest.mark.parametrize("module", [n for n in SOURCES if within(n, "explainer.state")])
def test_the_state_draws_nothing(module: str) -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(SOURCES[module]))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "st"
    }
    assert used <= DRAWING_FREE


def foreign_pages(module: str, source: str) -> set[str]:
    """Return what a module of the views imports from another page than its own."""
    own = ".".join(module.split(".")[:3])
    return {
        name
        for name in imports(source)
        if within(name, "explainer.views") and not within(name, own)
    }


@pytest.mark.parametrize("module", [n for n in SOURCES if within(n, "explainer.views")])
def test_pages_do_not_import_each_other(module: str) -> None:
    assert not foreign_pages(module, SOURCES[module])


@pytest.mark.parametrize(
    ("module", "source", "is_foreign"),
    [
        ("position.add", "from explainer.views.position.places import names_of", False),
        ("position", "from explainer.views.position.add import show_add", False),
        ("position.add", "from explainer.views.position import places", False),
        ("patches", "from explainer.views.position.places import names_of", True),
        ("patches", "from explainer.views import position", True),
        ("patch_embedding.choose", "from explainer.views import position", True),
        ("position.table", "from explainer.views.positions import table", True),
    ],
)
def test_only_modules_of_one_page_know_each_other(
    module: str, source: str, is_foreign: bool
) -> None:
    assert bool(foreign_pages(f"explainer.views.{module}", source)) == is_foreign


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("vit_core.model", "def f():\n    from explainer.figures import theme"),
        ("vit_core.model", "from vit_core import trace"),
        ("vit_core.data.sets", "from vit_core.runs.directory import RunDirectory"),
        ("explainer.state.link", "from explainer.figures import theme"),
        ("explainer.training.manager", "from explainer.inputs.models import load"),
        ("explainer.shell.frame", "import importlib\nimportlib.import_module('explainer.app')"),
        (
            "explainer.shell.frame",
            "import importlib\nimportlib.import_module(f'explainer.views.{v}')",
        ),
        ("explainer.observation.observe", "import explainer.shell.quiz"),
    ],
)
def test_a_wrong_arrow_is_found(module: str, source: str) -> None:
    assert upward(module, source)


@pytest.mark.parametrize(
    "source",
    ["import torch", "import streamlit", "from vit_core import ViTConfig", "import importlib"],
)
def test_a_figure_that_knows_too_much_is_found(source: str) -> None:
    assert foreign_to_figures(source)
