"""The app's exceptions belong to the same family as those of ``vit_core``."""

import ast
from pathlib import Path

import pytest

import explainer
from explainer.content import load_texts
from explainer.inputs.pictures.prepare import UnusablePictureError
from explainer.training.limits import LimitsError, RefusedError
from explainer.training.run_folder import InUseError
from vit_core import VitError


def exception_classes() -> dict[str, list[str]]:
    """Return each exception class of the app with the names of its bases."""
    classes = {}
    for path in Path(explainer.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = [ast.unparse(base) for base in getattr(node, "bases", ())]
            if any(base.endswith(("Error", "Exception")) for base in bases):
                classes[node.name] = bases
    return classes


def test_every_exception_ends_in_error_and_has_the_common_base():
    found = exception_classes()
    assert len(found) >= 4
    for name, bases in found.items():
        assert name.endswith("Error") and "VitError" in bases, name


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (RefusedError, ValueError),
        (LimitsError, ValueError),
        (UnusablePictureError, ValueError),
        (InUseError, OSError),
    ],
)
def test_callers_may_catch_the_family_or_pythons_kind(kind, also):
    assert issubclass(kind, VitError) and issubclass(kind, also)


def test_an_unusable_picture_has_a_sentence_for_each_reason():
    for reason, sentence in load_texts("picker")["unusable"].items():
        assert str(UnusablePictureError(reason)) == sentence
