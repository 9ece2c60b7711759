"""All sentences that a visitor can read stand in content/, where they can be changed together."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "explainer"
SPOKEN = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,}")  # two words in a row
MARKUP = re.compile(r"<[^<>]*>?|\w+=\"[^\"]*\"?")  # tags and attributes
DEVELOPERS = {  # errors whose message no page shows
    "InUseError": "every caller catches it and says something of its own",
    "KeyError": "a mistake in the code",
    "RuntimeError": "a mistake in the code",
    "TypeError": "a mistake in the code",
    "ValueError": "a mistake in the code",
}
NO_SPEECH = {  # variables whose texts no page shows
    "HIGHLIGHT": "a style sheet",
    "RESULT": "a comment in the script that a run is saved as",
    "SCRIPT": "the script that a run is saved as",
    "STYLE": "a style sheet",
    "TEXT": "the file that marks a folder as the app's",
    "key": "the name of a widget, or of a value in the cache",
}
NO_TEXT = {  # calls whose texts nobody reads
    "common_limits": "the name of a value in the cache",
    "is_remembered": "the name of a value in the cache",
    "remember": "the name of a value in the cache",
    "Snippet": "the beginning of a line of source code",
}
NAMES = {  # file → the texts in it that are names for programs, and what they name
    "Home.py": {"ViT Explainer": "the app, before it has checked that it can read its files"},
    "classroom/database.py": {
        "BEGIN IMMEDIATE": "a command to SQLite",
        "REPEATABLE READ": "what a transaction of PostgreSQL sees",
    },
    "components/paper/__init__.py": {"allow-same-origin allow-modals": "rights of a frame"},
    "components/live/__init__.py": {"const LIVE_WORKER = ": "a declaration in JavaScript"},
    "figures/block_flow.py": {
        name: "CSS classes" for name in ("box off", "water inflow", "drops inflow", "node replaces")
    },
    "figures/products.py": {"tile signed": "CSS classes"},
    "figures/saved/letters.py": {"DejaVu Sans": "a font"},
    "figures/saved/matrices.py": {"patch as key": "an axis, as marks.js names it"},
    "figures/theme.py": {
        "Atkinson Hyperlegible Next, sans-serif": "a font",
        "Atkinson Hyperlegible Mono, monospace": "a font",
    },
    "inputs/uploads/requests.py": {"Not Found": "the standard's phrase for the status 404"},
    "inputs/pictures/link_code.py": {
        "this text is not a picture that this app has written": "an error that every caller catches"
    },
    "training/scheduler.py": {"go on": "a command to the process of a run"},
    "training/root.py": {"Application Support": "a folder of macOS"},
}


def name_of(node: ast.expr) -> str:
    """Return the last part of a name: ``markdown`` of ``st.markdown``."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def is_unread(node: ast.AST) -> bool:
    """Return whether ``node`` is a docstring, an error for developers, a name or a style sheet."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return name_of(node.exc.func) in DEVELOPERS
    if isinstance(node, ast.Call):
        return name_of(node.func) in NO_TEXT
    if isinstance(node, ast.Assign):
        return any(name_of(target) in NO_SPEECH for target in node.targets)
    return isinstance(node, ast.Assert)


def spoken(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each literal that has two words in a row and may be read."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if is_unread(node):
            continue
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and SPOKEN.search(MARKUP.sub("\n", text)):
            yield node.lineno, text
        waiting += ast.iter_child_nodes(node)


def modules() -> list[str]:
    paths = (path.relative_to(APP).as_posix() for path in APP.rglob("*.py"))
    return sorted(path for path in paths if not path.startswith("content/"))


@pytest.mark.parametrize("module", modules())
def test_no_module_outside_content_speaks_to_a_visitor(module: str) -> None:
    source = (APP / module).read_text(encoding="utf-8")
    found = [(line, text) for line, text in spoken(source) if text not in NAMES.get(module, {})]
    assert not found, f"move these texts of {module} into content/en"


def test_every_exception_is_still_needed() -> None:
    for module, names in NAMES.items():
        source = (APP / module).read_text(encoding="utf-8")
        assert names.keys() <= {text for _, text in spoken(source)}, module


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('st.title("Two words")', ["Two words"]),
        ('show(label=f"Image of a {digit}")', ["Image of a "]),
        ("html = \"<p class='a b'>Two words</p>\"", ["<p class='a b'>Two words</p>"]),
        ('raise RefusedError("not that one")', ["not that one"]),
        ('raise ValueError("not that one")', []),
        ('remember(("known features", 1), make)', []),
        ('"""Two words."""\nst.title("One")', []),
    ],
)
def test_only_what_a_visitor_may_read_counts(source: str, texts: list[str]) -> None:
    assert [text for _, text in spoken(source)] == texts
