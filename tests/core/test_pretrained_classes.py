"""What classes are called: whole, distinct, none empty, whatever the configuration holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pretrained_models import recorded, timm_config, timm_shape, timm_tensors

from vit_core.pretrained import from_huggingface, from_timm
from vit_core.pretrained.class_names import distinct, imagenet_names, names_of


def of_labels(labels: object) -> tuple[str, ...]:
    tensors, config = recorded("vit")
    config |= {"id2label": labels, "label2id": None}
    return from_huggingface(tensors, config)[1].class_names


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (
            {"0": "Bread, white", "1": "Bread, rye", "2": "other", "3": "x, y", "4": "x"},
            ("Bread, white", "Bread, rye", "other", "x, y", "x"),
        ),
        (["cat", "dog", "eel", "fox", "gnu"], ("cat", "dog", "eel", "fox", "gnu")),
        ({0: "a", 1: "b", 2: "c", 3: "d", 4: "e"}, ("a", "b", "c", "d", "e")),
        (["crane", "crane", "crane", "crane (2)", ""], None),
        (["", " ", "\n", "ok", "ok "], None),
        ({"0": 1, "1": 2.5, "2": None, "3": ["no"], "4": True}, None),
        ({"4": "last"}, None),
        ({"cat": "0"}, None),
        ([], ("0", "1", "2", "3", "4")),
        ("cat", ("0", "1", "2", "3", "4")),
    ],
    ids=str,
)
def test_names_are_whole_and_stay_apart(labels: object, expected: tuple[str, ...] | None) -> None:
    found = of_labels(labels)
    assert len(set(found)) == 5
    assert all(name.strip() == name and name for name in found)
    if expected:
        assert found == expected


def test_names_by_label_are_enough() -> None:
    tensors, config = recorded("vit")
    del config["id2label"]
    config["label2id"] = {"cat": 0, "dog": 1, "eel": 2, "fox": 3, "gnu": "4"}
    names = from_huggingface(tensors, config)[1].class_names
    assert names == ("cat", "dog", "eel", "fox", "gnu")


def test_repeated_names_are_numbered_in_order() -> None:
    assert distinct(["crane", "crane (2)", "crane", "", "crane"]) == (
        "crane",
        "crane (2)",
        "crane (3)",
        "class 3",
        "crane (4)",
    )


def test_many_of_one_name_take_no_longer_than_their_number() -> None:
    found = distinct(["same"] * 20_000)
    assert (found[0], found[-1], len(set(found))) == ("same", "same (20000)", 20_000)


def test_names_that_are_missing_are_said() -> None:
    tensors, config = recorded("vit")
    notes = from_huggingface(tensors, config | {"id2label": {"0": "cat", "1": "dog"}})[1].notes
    assert any("names 2 of the 5 classes" in note for note in notes)


def test_only_imagenets_synonyms_are_left_out() -> None:
    synonyms = {str(number): f"{name}, of ImageNet" for number, name in enumerate(imagenet_names())}
    names, notes = names_of(synonyms, 1000, "config.json")
    assert names[:3] == ("tench", "goldfish", "great white shark")
    assert len(set(names)) == 1000
    assert not notes
    own = {str(number): f"part {number % 10}, shelf {number}" for number in range(1000)}
    assert names_of(own, 1000, "config.json")[0][11] == "part 1, shelf 11"


def test_imagenets_names_are_given_with_a_word() -> None:
    names, notes = names_of(None, 1000, "the weights")
    assert names[0] == "tench"
    assert "ImageNet's names" in notes[0]
    assert names_of(None, 3, "the weights") == (("0", "1", "2"), ())


@pytest.mark.parametrize(
    "values",
    [
        {"label_names": ["n1", "n2", "n3", "n4"]},
        {"label_names": {"0": "n1", "1": "n2", "2": "n3", "3": "n4"}},
        {"labels": ["n1", "n2", "n3", "n4"]},
    ],
)
def test_timms_labels(values: dict[str, object]) -> None:
    shape = timm_shape()
    config = timm_config(shape, **values)
    assert from_timm(timm_tensors(shape), config=config)[1].class_names == ("n1", "n2", "n3", "n4")
    described = config | {"label_descriptions": {"n1": "one, or first", "n3": "three"}}
    found = from_timm(timm_tensors(shape), config=described)[1].class_names
    assert found == ("one, or first", "n2", "three", "n4")


@given(st.lists(st.text(max_size=4), max_size=12))
def test_any_names_become_as_many_others(names: list[str]) -> None:
    found, _ = names_of(names, len(names), "config.json")
    assert len(set(found)) == len(found) == len(names)
    assert all(name and "\n" not in name for name in found)
