"""Every callback of a part that changes the state has the other parts in sight drawn again."""

import ast
from pathlib import Path

import pytest

from explainer.components import sight as parts
from explainer.state import sight

ROOT = Path(__file__).parents[2] / "explainer"
# pages that are drawn whole, and components of theirs; and what changes nothing but its own part
WHOLE = ("views/train", "views/home", "views/story", "views/glossary", "shell/sidebar")
WHOLE += ("shell/picker", "components/story", "components/home", "components/drawing_pad")


def callbacks(path: Path) -> list[str]:
    """Return the callbacks of a file that change the state without ``repaints``."""
    found = []
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for keyword in getattr(call, "keywords", ()):
            name = keyword.arg or ""
            if name == "on_click" or (name.startswith("on_") and name.endswith("change")):
                text = ast.unparse(keyword.value)
                if "session." in text or "on_choose(" in text or "choose" in text:
                    found.append(text)
    return [text for text in found if not text.startswith("repaints(")]


FILES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not path.relative_to(ROOT).as_posix().startswith(WHOLE)
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_callback_that_changes_the_state_repaints(path: Path) -> None:
    assert callbacks(path) == []


def test_outside_of_parts_a_callback_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def callback() -> None:
        """Change nothing."""

    monkeypatch.setattr(sight, "current", lambda: None)
    assert parts.repaints(callback) is callback
