"""All exceptions of the package form one family."""

import ast
from pathlib import Path

import pytest

import vit_core
from vit_core import VitError
from vit_core.data.file_list import ImageFolderError
from vit_core.runs.directory import RunError
from vit_core.training.events import TrainingDivergedError

# they end something on request, as KeyboardInterrupt does, and report no failure
SIGNALS = {"StopRequested", "Terminated", "Cancelled"}
PYTHONS = {"Exception", "ValueError", "RuntimeError", "OSError", "KeyError", "TypeError"}


def exception_classes() -> dict[str, list[str]]:
    """Return each exception class of the package with the names of its bases."""
    classes = {}
    for path in Path(vit_core.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = [ast.unparse(base) for base in node.bases]
    is_exception = PYTHONS | {"BaseException", "KeyboardInterrupt", "VitError"}
    is_exception |= {name for name in classes if name.endswith("Error")}
    return {name: bases for name, bases in classes.items() if is_exception.intersection(bases)}


def test_every_exception_ends_in_error_and_has_the_common_base():
    found = exception_classes()
    assert len(found) > 10
    for name, bases in found.items():
        if name in SIGNALS or name == "VitError":
            continue
        assert name.endswith("Error")
        assert any(base.endswith("Error") and base not in PYTHONS for base in bases), name


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (vit_core.CheckpointError, ValueError),
        (RunError, ValueError),
        (ImageFolderError, ValueError),
        (TrainingDivergedError, RuntimeError),
    ],
)
def test_callers_may_catch_the_family_or_pythons_kind(kind, also):
    with pytest.raises(VitError, match="why"):
        raise kind("why")
    with pytest.raises(also, match="why"):
        raise kind("why")
