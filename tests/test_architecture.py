"""Imports point in one direction, and only the pages and what serves them know Streamlit."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DRAWING_FREE = {"query_params", "session_state"}  # all that the state may use of Streamlit


def modules(folder: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py"))


def imports(source: str) -> set[str]:
    """Return the full names of everything that a module imports, at its top or later."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in allowed)


def offending(source: str, folder: str) -> set[str]:
    """Return the imports of a module that its place in the project does not allow."""
    found = imports(source)
    if folder == "vit_core":
        return {n for n in found if within(n, ("streamlit", "plotly", "explainer"))}
    if folder == "explainer/figures":
        standard = ("base64", "collections", "dataclasses", "html", "math", "struct", "typing")
        allowed = ("numpy", "plotly", "explainer.theme", "explainer.figures", "zlib", *standard)
        return {n for n in found if not within(n, allowed) and n != "explainer.theme"}
    raise ValueError(folder)


@pytest.mark.parametrize("module", modules("vit_core"))
def test_the_model_knows_nothing_of_the_app(module):
    assert not offending((ROOT / module).read_text(encoding="utf-8"), "vit_core")


@pytest.mark.parametrize("module", modules("explainer/figures"))
def test_figures_know_arrays_plotly_and_the_theme_alone(module):
    assert not offending((ROOT / module).read_text(encoding="utf-8"), "explainer/figures")


def test_the_state_draws_nothing():
    tree = ast.parse((ROOT / "explainer" / "state.py").read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "st"
    }
    assert used <= DRAWING_FREE
    assert not {n for n in imports(ast.unparse(tree)) if within(n, ("explainer", "plotly"))}


@pytest.mark.parametrize("module", ["explainer/services.py", "explainer/state.py"])
def test_what_serves_the_pages_does_not_import_them(module):
    found = imports((ROOT / module).read_text(encoding="utf-8"))
    upper = ("explainer.views", "explainer.sidebar", "explainer.navigation", "explainer.figures")
    assert not {n for n in found if within(n, upper)}


def foreign_pages(source: str, module: str) -> set[str]:
    """Return what a module of the views imports from them, other than from its own page's package.

    Args:
        module: its path, as ``modules`` returns it.
    """
    package = Path(module).parent.relative_to("explainer/views").parts[:1]
    own = tuple(f"explainer.views.{page}" for page in package)
    views = {n for n in imports(source) if within(n, ("explainer.views",))}
    return {n for n in views if not within(n, own)}


@pytest.mark.parametrize("module", modules("explainer/views"))
def test_pages_do_not_import_each_other(module):
    source = (ROOT / module).read_text(encoding="utf-8")
    assert not foreign_pages(source, module)


@pytest.mark.parametrize(
    ("source", "module", "is_foreign"),
    [
        ("from explainer.views.position.places import names_of", "position/add.py", False),
        ("from explainer.views.position.add import show_add", "position/__init__.py", False),
        ("from explainer.views.position import places", "position/add.py", False),
        ("from explainer.views.position.places import names_of", "patches.py", True),
        ("from explainer.views import position", "patches.py", True),
        ("from explainer.views import position", "patch_embedding/choose.py", True),
        ("from explainer.views.positions import table", "position/table.py", True),
        ("from explainer.views import home", "__init__.py", True),
    ],
)
def test_only_modules_of_one_page_know_each_other(source, module, is_foreign):
    assert bool(foreign_pages(source, f"explainer/views/{module}")) == is_foreign


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("import streamlit as st", "vit_core"),
        ("def f():\n    from explainer import theme", "vit_core"),
        ("from plotly import graph_objects", "vit_core"),
        ("import torch", "explainer/figures"),
        ("import streamlit", "explainer/figures"),
        ("from explainer import services", "explainer/figures"),
        ("from vit_core import ViTConfig", "explainer/figures"),
    ],
)
def test_a_wrong_arrow_is_found(source, folder):
    assert offending(source, folder)
