"""A picture of a page can be saved; a link gives the same file.

That every picture of every page is noted, whatever the model, is in ``test_stated_numbers``.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from noted import draw_all, listening
from PIL import Image
from streamlit.testing.v1 import AppTest

from explainer import picture
from explainer.content import load_texts
from explainer.shell import saved

TEXTS = load_texts("pictures")["command"]
Open = Callable[..., AppTest]


@pytest.mark.usefixtures("shipped")
def test_a_comparison_is_saved_with_both_halves(open_page: Open) -> None:
    with listening() as found:
        app = open_page("encoder-block", b="source=fast")
    assert not app.exception
    one = found["flow.diagram"]
    assert [drawn.half for drawn in one.pictures] == ["a", "b"]
    assert one.about.model.startswith("A: ") and " B: " in one.about.model
    assert "b=source%3Dfast" in one.about.link
    svg = one.make("svg").decode()
    assert ">A</text>" in svg and ">B</text>" in svg
    draw_all(found)


@pytest.mark.usefixtures("shipped")
def test_files_are_offered_behind_one_menu_for_each_part(open_page: Open) -> None:
    app = open_page("patches", digit=3)
    labels = [element.proto.label for element in app.get("download_button")]
    assert labels.count("PNG") == labels.count("SVG") >= 2
    menus = [block for block in app.get("popover") if block.proto.popover.label == "⋯"]
    assert len(menus) == 2  # of the parts that have pictures or numbers


@pytest.mark.usefixtures("shipped")
def test_a_menu_that_is_closed_sends_nothing(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from explainer.state import sight

    monkeypatch.setattr(sight, "DRAWS_ALL", False)
    app = open_page("patches", digit=3)
    assert not app.exception
    assert not app.get("download_button")


@pytest.mark.usefixtures("shipped")
def test_a_stranger_s_words_are_letters(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = '<script>alert("1")</script> & ]]>'
    monkeypatch.setattr(saved, "model_line", lambda choice: hostile)
    with listening() as found:
        open_page("patches", digit=3)
    svg = found["explore.patch-explorer"].make("svg").decode()
    assert "<script" not in svg and "&lt;script&gt;" in svg


# the command


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("suffix", [".svg", ".png"])
@pytest.mark.parametrize(
    ("address", "params", "figure"),
    [
        ("patches", {"digit": 3}, "explore.patch-explorer"),
        ("encoder-block", {"query": 9, "block": 1}, "flow.block-stream"),
        ("self-attention", {"b": "digit=3"}, "temperature.temperatures"),
    ],
)
def test_a_link_gives_the_file_of_the_page(
    address: str, params: dict[str, Any], figure: str, suffix: str, open_page: Open, tmp_path: Path
) -> None:
    with listening() as found:
        open_page(address, **params)
    link = found[figure].about.link.removeprefix(load_texts("pictures")["link"].format(link=""))
    file = tmp_path / f"out{suffix}"
    assert picture.main([link, str(file)]) == 0
    assert file.read_bytes() == found[figure].make(suffix[1:])


@pytest.mark.usefixtures("shipped")
def test_a_whole_link_stands_in_the_picture_with_its_host(tmp_path: Path) -> None:
    file = tmp_path / "out.svg"
    link = "https://vit.example.org/app/patches?digit=3&code=open"
    assert picture.main([link, str(file), "--figure", "cut.cut"]) == 0
    said = "https://vit.example.org/app/patches?digit=3&amp;figure=cut.cut"
    assert said in file.read_text(encoding="utf-8")
    assert picture.main(["http://localhost:8501/patches", str(file), "--force"]) == 0
    assert "localhost" not in file.read_text(encoding="utf-8")


@pytest.mark.usefixtures("shipped")
def test_the_first_picture_is_made_without_a_name(tmp_path: Path) -> None:
    file = tmp_path / "out.png"
    assert picture.main(["patches?digit=3", str(file)]) == 0
    image = Image.open(io.BytesIO(file.read_bytes()))
    assert "patches?digit=3&figure=" in image.text["Source"]


@pytest.mark.usefixtures("shipped")
def test_a_picture_in_a_fold_is_found(tmp_path: Path) -> None:
    assert picture.main(["patches?figure=cut.chart-pairs", str(tmp_path / "out.svg")]) == 0


@pytest.mark.usefixtures("shipped")
def test_all_pictures_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert picture.main(["patches", "--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["explore.patch-explorer", "cut.cut", "cut.chart-pairs"]


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "out.svg"], "leads to no page"),
        (["http://[", "out.svg"], "leads to no page"),
        (["glossary", "out.svg"], TEXTS["none"]),
        (["patches?digit=11", "out.svg"], "digit=11"),
        (["patches?source=nothing", "out.svg"], "source=nothing"),
        (["patches?run=unknown-run-1&source=run", "out.svg"], "unknown-run-1"),
        (["patches", "out.svg", "--figure", "cut.nothing"], "cut.nothing"),
        (["patches", "out.bmp"], ".bmp"),
        (["patches", "out.gif"], "no film"),
        (["patches", "out"], "must end in .png, .svg"),
        (["patches"], TEXTS["no_file"]),
        (["patches", "missing/out.svg"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert picture.main(arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out
    assert captured.err.count("\n") == 1 and "Traceback" not in captured.err
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("shipped")
def test_a_file_is_kept_unless_it_is_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.svg"
    file.write_text("mine")
    assert picture.main(["patches", str(file)]) == 2
    assert file.read_text() == "mine" and "--force" in capsys.readouterr().err
    assert picture.main(["patches", str(file), "--force"]) == 0
    assert file.read_text(encoding="utf-8").startswith("<?xml")
