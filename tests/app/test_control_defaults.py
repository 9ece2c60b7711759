"""A control has its value as its default, too.

A browser that has only begun to draw a control sends the control's default along with whatever else
is clicked, and Streamlit takes that for a choice.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import explainer

ROOT = Path(explainer.__file__).parent
# a widget → the argument that holds its default, and which one that is by its place (from 0)
DEFAULTS = {
    "selectbox": ("index", 2),
    "segmented_control": ("default", None),
    "pills": ("default", None),
    "multiselect": ("default", 2),
    "number_input": ("value", 3),
    "slider": ("value", 3),
    "select_slider": ("value", 2),
    "toggle": ("value", 1),
    "checkbox": ("value", 1),
    "radio": ("index", 2),
    "text_input": ("value", 1),
}


def told_values() -> Iterator[tuple[str, ast.Call]]:
    """Yield every widget of the app in whose function ``sync_widget`` sets a value."""
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text("utf-8")
        if "sync_widget" not in text:
            continue  # to read the syntax of all files takes each test process seconds
        for function in ast.walk(ast.parse(text)):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            if not any(name_of(call).endswith("sync_widget") for call in calls):
                continue
            for call in calls:
                if name_of(call).removeprefix("st.") in DEFAULTS:
                    yield f"{path.relative_to(ROOT)}:{call.lineno}", call


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func)


WIDGETS = dict(told_values())


def test_there_are_widgets() -> None:
    assert len(WIDGETS) > 12


@pytest.mark.parametrize("where", WIDGETS)
def test_the_browser_knows_the_value_from_the_start(where: str) -> None:
    call = WIDGETS[where]
    name, place = DEFAULTS[name_of(call).removeprefix("st.")]
    is_named = any(keyword.arg == name for keyword in call.keywords)
    assert is_named or (place is not None and len(call.args) > place)
