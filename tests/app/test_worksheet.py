"""The worksheet and its key: every number against the tensors, for models unlike one another."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from reading import choice_and_observation, sent_to, state_of, texts_of
from stated import equations
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer import worksheet as command
from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.content.strangers_words import distinct
from explainer.inputs.models import load
from explainer.shell import saved
from explainer.state.link import decode
from explainer.state.place import Place
from explainer.views.worksheet import tasks
from explainer.views.worksheet.pictures import LEAST_PIXELS, PALE, is_reversed, printed
from explainer.views.worksheet.sheet import LONGEST_LINK, PAPERS, Sheet, worksheet
from vit_core import ViTConfig

LINK = "https://example.org/self-attention?digit=3&query=5"
TITLES = {name: load_texts("worksheet")[name]["title"] for name in ("cut", "count", "product")}
TITLES |= {name: load_texts("worksheet")[name]["title"] for name in ("softmax", "looks")}
WIDE = ViTConfig(image_size=32, patch_size=2, embed_dim=8, depth=1, num_heads=2)


@pytest.fixture
def unlike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object) -> Callable:
    """Return a maker of worksheets about the last block and head of one of the unlike models."""
    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)

    def make(name: str) -> Sheet:
        put(tmp_path, UNLIKE[name])
        choice, seen = choice_and_observation("default")
        config = seen.config
        place = Place(config, block=config.depth - 1, head=config.num_heads - 1)
        return Sheet(choice, seen, place, LINK)

    return make


@dataclass(frozen=True)
class Task:
    """A task as it is printed.

    Attributes:
        answers: in their order; none on the sheet.
        rows: of its tables, the texts of their cells.
        drawn: what stands in its pictures.
        note: what only the key says.
    """

    text: str
    answers: list[str]
    rows: list[list[str]]
    drawn: list[str]
    note: str


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).replace("\xa0", "").strip()


def printed_tasks(content: str) -> dict[str, Task]:
    """Return the tasks of a sheet or key by their names."""
    found = {}
    for section in re.findall(r"<section>(.*?)</section>", content, re.DOTALL):
        title = plain(re.search(r"</span> (.*?)</h2>", section)[1])
        name = next(name for name, known in TITLES.items() if known == title)
        note = re.search(r'<div class="note">(.*?)</div>', section, re.DOTALL)
        found[name] = Task(
            plain(re.sub(r"</?(?:p|li|td|th|h2|tr)\b[^>]*>", "\n", section)),
            [plain(answer) for answer in re.findall(r"<b>(.*?)</b>", section)],
            [
                [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
                for row in re.findall(r"<tr>(.*?)</tr>", section)
            ],
            [plain(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", section)],
            plain(note[1].replace("</p>", "\n")) if note else "",
        )
    return found


def number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace(",", ""))


def near(text: str, value: float) -> bool:
    """Whether a printed number is a value, rounded."""
    unit = Decimal(1).scaleb(number(text).as_tuple().exponent)
    return abs(number(text) - Decimal(value)) <= unit / 2 + Decimal("1e-9")


def share(text: str) -> float:
    return float(text.replace("<", "").replace(">", "").replace("%", "").strip()) / 100


def row_of(sheet: Sheet, tensor: str) -> np.ndarray:
    """Return a tensor's row of the patch that asks, computed apart from the app's own way."""
    seen, place = sheet.seen, sheet.place
    query = seen.config.num_prefix_tokens + int(np.argmax(seen.tensors["patches"].std(axis=1)))
    array = seen.tensors[f"blocks.{place.block}.attn.{tensor}"][place.head]
    return array[query].astype(np.float64)


@pytest.mark.parametrize("name", UNLIKE)
def test_every_number_of_the_sheet_and_the_key(unlike: Callable, name: str) -> None:
    sheet = unlike(name)
    config = sheet.seen.config
    key = printed_tasks(worksheet(replace(sheet, is_key=True)))
    asked = printed_tasks(worksheet(sheet))
    expected = {"cut", "count", "product"}
    expected |= {"softmax"} if config.num_patches > 1 else set()
    expected |= {"looks"} if config.num_patches > 3 else set()
    assert key.keys() == asked.keys() == expected
    assert list(key) == [task for task in TITLES if task in expected]
    assert not any(task.answers or task.note for task in asked.values())
    check_cut(sheet, asked["cut"], key["cut"])
    check_counts(config, key["count"])
    check_product(sheet, asked["product"], key["product"])
    if "softmax" in key:
        check_softmax(sheet, asked["softmax"], key["softmax"])
    if "looks" in key:
        check_looks(sheet, asked["looks"], key["looks"])
    for task in (*asked.values(), *key.values()):
        wrong = [one for one in equations(task.text) if one.holds is False]
        assert not wrong
        assert "nan" not in task.text.lower()


def check_cut(sheet: Sheet, asked: Task, key: Task) -> None:
    (rows, columns), patch = sheet.seen.config.grid_size, sheet.query
    numbers = np.arange(1, rows * columns + 1).reshape(rows, columns)
    shown = np.array(list(map(int, key.drawn)))
    assert asked.drawn == key.drawn[:1]
    assert patch + 1 in shown
    if rows <= 8 and columns <= 8:
        assert shown.tolist() == numbers.ravel().tolist()
        assert "enlarged" not in asked.text
        return
    top, left = divmod(shown[0] - 1, columns)
    height = rows if rows <= 8 else 6
    width = columns if columns <= 8 else 6
    part = numbers[top : top + height, left : left + width]
    assert shown.tolist() == part.ravel().tolist()
    assert "enlarged" in asked.text


def check_counts(config: ViTConfig, key: Task) -> None:
    model = torch.nn.Linear(config.patch_dim, config.embed_dim)
    weights = sum(parameter.numel() for parameter in model.parameters())
    values = config.in_channels * config.patch_hw[0] * config.patch_hw[1]
    tokens = config.num_tokens
    counted = [config.num_patches, values, values, weights]
    counted += [config.num_patches] * (config.num_tokens > config.num_patches)
    counted += [tokens, tokens, tokens, tokens**2]
    assert key.answers == [f"{count:,}" for count in counted]


def check_product(sheet: Sheet, asked: Task, key: Task) -> None:
    config, place = sheet.seen.config, sheet.place
    prefix = config.num_prefix_tokens
    places, left, right, blanks = asked.rows
    assert blanks[1:] == ["blank"] * len(places[1:])
    assert len(places) - 1 == min(4, config.head_dim)
    strongest = int(row_of(sheet, "pattern")[prefix:].argmax())
    keys = sheet.seen.tensors[f"blocks.{place.block}.attn.k"][place.head].astype(np.float64)
    q, k = row_of(sheet, "q"), keys[prefix + strongest]
    for at, one, other in zip(places[1:], left[1:], right[1:], strict=True):
        assert near(one, q[int(at) - 1]) and near(other, k[int(at) - 1])
        assert len(re.sub(r"[^\d]", "", one).lstrip("0")) <= 3 or abs(number(one)) > 99
    products = [number(one) * number(two) for one, two in zip(left[1:], right[1:], strict=True)]
    assert [number(answer) for answer in key.answers] == [*products, sum(products)]
    smallest = min(abs(q[int(at) - 1] * k[int(at) - 1]) for at in places[1:])
    others = [
        abs(a * b) for i, (a, b) in enumerate(zip(q, k, strict=True), 1) if str(i) not in places[1:]
    ]
    assert all(other <= smallest for other in others)
    stated = [float(number(text)) for text in re.findall(r"give it (−?[\d.,]*\d)", key.note)]
    if config.head_dim <= 4:
        stated += [float(number(re.search(r"gets (−?[\d.,]*\d)", key.note)[1]))]
        assert stated == [pytest.approx(float(q @ k), rel=1e-3, abs=1e-4)]
    else:
        chosen = [int(at) - 1 for at in places[1:]]
        sums = [float(q[chosen] @ k[chosen]), float(q @ k)]
        assert stated == [pytest.approx(value, rel=1e-3, abs=1e-4) for value in sums]
    assert f"patch {strongest + 1} " in key.note


def check_softmax(sheet: Sheet, asked: Task, key: Task) -> None:
    prefix = sheet.seen.config.num_prefix_tokens
    scores, weights = (row_of(sheet, name)[prefix:] for name in ("scores", "pattern"))
    lines = [row for row in asked.rows if row[0] in ("A", "B", "C")]
    count = min(3, len(scores))
    assert len(lines) == count and all(row[2:] == ["blank"] * 3 for row in lines)
    named = [int(found) - 1 for found in re.findall(r"is patch (\d+) ", key.note)]
    assert len(set(named)) == count and named == sorted(named)
    assert int(scores.argmax()) in named
    for line, patch in zip(lines, named, strict=True):
        assert near(line[1], scores[patch])
        assert re.fullmatch(r"−?\d+\.\d", line[1])
    printed_scores = [number(line[1]) for line in lines]
    differences = [score - max(printed_scores) for score in printed_scores]
    powers = [
        Decimal(str(np.exp(float(one)))).quantize(Decimal("0.01"), ROUND_HALF_UP)
        if one >= Decimal("-4.9")
        else Decimal("0.00")
        for one in differences
    ]
    shares = [(one / sum(powers)).quantize(Decimal("0.01"), ROUND_HALF_UP) for one in powers]
    rows = zip(differences, powers, shares, strict=True)
    expected = [value for row in rows for value in row] + [sum(powers), sum(shares)]
    assert [number(answer) for answer in key.answers] == expected
    table = {row[0]: row[1:] for row in asked.rows if re.fullmatch(r"−\d", row[0])}
    assert len(table) == 5
    for difference, power in zip(differences, powers, strict=True):
        if difference >= Decimal("-4.9"):
            whole, tenth = divmod(int(-10 * difference), 10)
            assert number(table[f"−{whole}"][tenth]) == power
    alone = np.exp(scores[named] - scores[named].max())
    pairs = re.findall(
        r"gets ([<>]? ?[\d.]+ %) of these .*? and ([<>]? ?[\d.]+ %) of all", key.note
    )
    for (of_these, of_all), patch, power in zip(pairs, named, alone, strict=True):
        assert share(of_these) == pytest.approx(power / alone.sum(), abs=6e-4)
        assert share(of_all) == pytest.approx(weights[patch], abs=6e-4)
    assert ("rounded" in key.note.split("\n")[-1] and "add up" in key.note) == (sum(shares) != 1)


def check_looks(sheet: Sheet, asked: Task, key: Task) -> None:
    prefix = sheet.seen.config.num_prefix_tokens
    row = row_of(sheet, "pattern")
    weights = row[prefix:]
    best = sorted(range(len(weights)), key=lambda patch: (-weights[patch], patch))
    assert asked.drawn == []
    assert sorted(key.drawn) == ["1", "2", "3"]
    assert [int(answer.split()[0]) - 1 for answer in key.answers] == best[:3]
    columns = sheet.seen.config.grid_size[1]
    for answer, patch in zip(key.answers, best, strict=False):
        assert f"row {patch // columns + 1}, column {patch % columns + 1}" in answer
    shares = [share(text) for text in re.findall(r"\) gets ([<>]? ?[\d.]+ %)", key.text)]
    assert shares == [pytest.approx(weights[patch], abs=6e-4) for patch in best[:3]]
    if prefix:
        elsewhere = re.search(r"belong to no patch get ([<>]? ?[\d.]+ %)", key.note)[1]
        assert share(elsewhere) == pytest.approx(row[:prefix].sum(), abs=6e-4)
    else:
        assert "no patch get" not in key.note
    tie = load_texts("worksheet")["looks"]["tie"]
    assert (tie in key.note) == (percent(weights[best[2]]) == percent(weights[best[3]]))


def test_the_key_is_the_same_pages_with_the_answers_in_place(unlike: Callable) -> None:
    def skeleton(content: str) -> str:
        """Return what is left without answers, notes, the head and what names the file."""
        body = content[content.index("<main>") :]
        body = re.sub(r'<div class="note">.*?</div>', "", body)
        body = re.sub(r"<text.*?</text>", "", body)
        body = re.sub(r"<li>patch .*?</li>", "<li>", body)
        return re.sub(r'(<span class="blank"[^>]*>).*?</span>(?:&nbsp;</span>)?', r"\1", body)

    sheet = unlike("CIFAR-10")
    assert skeleton(worksheet(sheet)) == skeleton(worksheet(replace(sheet, is_key=True)))


# what is printed


def sheet_of(config: ViTConfig, **values: object) -> Sheet:
    choice, seen = choice_and_observation(config=config)
    return Sheet(choice, seen, Place(config), LINK, **values)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("is_key", [False, True])
def test_the_file_is_the_same_each_time_and_asks_for_nothing(
    shipped, paper: str, is_key: bool
) -> None:
    sheet = sheet_of(ViTConfig(patch_size=7), paper=paper, is_key=is_key)
    content = worksheet(sheet)
    assert content == worksheet(sheet)
    assert f"@page{{size:{PAPERS[paper]};" in content
    outside = re.findall(r"(?:src|href)=\"(?!data:)|url\((?!data:)|<script|<link|@import", content)
    assert not outside
    assert ('class="is-key"' in content) == is_key
    assert ('class="line name"' in content) != is_key
    assert "example.org/self-attention?digit=3&amp;query=5" in content


def test_a_link_that_nobody_would_type_is_a_code_and_a_longer_one_is_left_out(shipped) -> None:
    sheet = sheet_of(ViTConfig(patch_size=14))
    long = worksheet(replace(sheet, link=LINK + "&picture=" + "x" * LONGEST_LINK))
    assert 'class="link"' not in long and 'class="code"' in long
    longest = worksheet(replace(sheet, link=LINK + "x" * 4_000))
    assert 'class="link"' not in longest and 'class="code"' not in longest
    none = worksheet(replace(sheet, link=""))
    assert 'class="link"' not in none and 'class="code"' not in none


def test_a_part_of_a_large_grid_lies_around_the_patch() -> None:
    for patch in range(WIDE.num_patches):
        part = tasks.cut_of(WIDE, patch)
        assert (part.rows, part.columns) == (6, 6)
        row, column = divmod(patch, 16)
        assert 0 <= part.top <= row < part.top + 6 <= 16
        assert 0 <= part.left <= column < part.left + 6 <= 16
        assert part.number(0, 0) == part.top * 16 + part.left + 1
    long = ViTConfig(image_size=(4, 40), patch_size=4, embed_dim=4, num_heads=1)
    part = tasks.cut_of(long, 9)
    assert (part.top, part.left, part.rows, part.columns) == (0, 4, 1, 6)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.25, -0.44], ["1.3", "-0.4"]),
        ([0.125, 0.004], ["0.13", "0.00"]),
        ([0.0444, -0.0012], ["0.044", "-0.001"]),
        ([0.0004, -0.0002], ["0.000", "0.000"]),
        ([123.4, -0.5], ["123", "-1"]),
        ([0.0, 0.0], ["0.0", "0.0"]),
    ],
)
def test_numbers_are_short_and_a_half_is_rounded_as_at_school(
    values: list[float], expected: list[str]
) -> None:
    assert list(map(str, tasks.short(np.array(values)))) == expected


def test_scores_that_are_far_apart_still_have_shares(shipped) -> None:
    seen = choice_and_observation(config=ViTConfig(patch_size=14))[1]
    scores = np.full((4, 5, 5), -700.0, np.float32)
    scores[..., 2] = 700.0
    pattern = np.zeros((4, 5, 5), np.float32)
    pattern[..., 2] = 1.0
    tensors = {**seen.tensors, "blocks.0.attn.scores": scores, "blocks.0.attn.pattern": pattern}
    task = tasks.softmax_of(replace(seen, tensors=tensors), Place(seen.config))
    assert task.scores == (Decimal("-700.0"), Decimal("700.0"), Decimal("-700.0"))
    assert task.shares == (Decimal("0.00"), Decimal("1.00"), Decimal("0.00"))
    assert task.exact == (0.0, 1.0, 0.0)


def test_little_ink_is_needed() -> None:
    dark = np.zeros((28, 28), np.uint8)
    dark[3, 4] = 255
    assert is_reversed(dark) and not is_reversed(255 - dark)
    assert not is_reversed(np.zeros((8, 8, 3), np.uint8))
    pale = printed(dark, reverse=True)
    assert pale.shape[1] >= LEAST_PIXELS and pale.max() == 255
    assert pale.min() == round(255 * (1 - PALE))
    factor = pale.shape[1] // 28
    assert (pale[3 * factor : 4 * factor, 4 * factor : 5 * factor] == pale.min()).all()
    assert (pale != 255).sum() == factor**2


def test_strangers_words_are_letters(shipped) -> None:
    hostile = '<script>alert("x")</script>'
    choice, seen = choice_and_observation(config=ViTConfig(patch_size=14))
    seen = replace(seen, class_names=distinct([hostile] * 10))
    content = worksheet(Sheet(choice, seen, Place(choice.config), LINK + hostile, is_key=True))
    assert "<script" not in content
    assert html.escape(hostile) in content


def test_a_picture_of_one_channel_that_is_bright_is_not_reversed(shipped) -> None:
    choice, seen = choice_and_observation(config=ViTConfig(patch_size=14))
    said = load_texts("worksheet")["cut"]["reversed"]
    assert said in plain(worksheet(Sheet(choice, seen, Place(seen.config))))
    bright = replace(seen, pixels=255 - seen.pixels)
    assert said not in plain(worksheet(Sheet(choice, bright, Place(seen.config))))


# the page


def paper_of(app: AppTest) -> dict[str, object]:
    """Return what the preview was sent."""
    return json.loads(sent_to(app, "paper")[0].json)


def test_the_page_shows_the_sheet_of_what_is_chosen(shipped, open_page) -> None:
    app = open_page("worksheet", digit=3, index=2, block=1, head=2)
    assert not app.exception
    shown = paper_of(app)
    assert "Handwritten digit 3, number 2" in shown["html"]
    assert "block 2, head 3" in shown["html"]
    assert 'class="tasks"' in shown["html"] and "size:A4" in shown["html"]
    assert shown["width"] == 210
    buttons = [button.proto.label for button in app.get("download_button")]
    assert buttons == [load_texts("worksheet")[f"download_{half}"] for half in ("sheet", "key")]
    app.session_state["worksheet-shown"] = "key"
    app.session_state["worksheet-paper"] = "letter"
    app.run()
    shown = paper_of(app)
    assert 'class="key"' in shown["html"] and "size:letter" in shown["html"]
    assert shown["width"] == 216


def test_another_block_and_head_are_other_tasks(shipped, open_page) -> None:
    app = open_page("worksheet")
    assert "block 1, head 1" in paper_of(app)["html"]
    block, head = (
        next(one for one in app.button_group if one.label == label)
        for label in (load_texts("frame")["block"], load_texts("frame")["head"])
    )
    block.set_value(2).run()
    head.set_value(1).run()
    assert (state_of(app).block, state_of(app).head) == (2, 1)
    assert "block 3, head 2" in paper_of(app)["html"]


def test_where_the_link_hides_the_sidebar_the_choice_stands_on_the_page(shipped, open_page) -> None:
    app = open_page("worksheet", controls="hide")
    assert not app.exception and not app.sidebar.children
    opened = [one.proto.popover.label for one in app.get("popover")]
    assert load_texts("sidebar")["here"] in opened


def test_the_popover_to_share_leads_to_the_worksheet(shipped, open_page) -> None:
    app = open_page("patches", digit=4)
    app.session_state["share"] = True
    app.run()
    links = {link.proto.page: link.proto.query_string for link in app.get("page_link")}
    assert links["worksheet"] == "digit=4"
    assert texts_of(app)


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("https://vit.example.org/worksheet", "https://vit.example.org"),
        ("https://example.org/app/worksheet?digit=4", "https://example.org/app"),
        ("http://localhost:8501/worksheet", ""),
        ("", ""),
    ],
)
def test_the_link_on_paper_leads_to_the_same_numbers(
    shipped, open_page, monkeypatch, address: str, home: str
) -> None:
    monkeypatch.setattr(saved, "given_address", address)
    app = open_page("worksheet", digit=4, source="fast", block=1, b="source=best", present=1)
    shown = paper_of(app)["html"]
    assert ('class="code"' in shown) == bool(home)
    assert (load_texts("worksheet")["note_local"] in texts_of(app)) != bool(home)
    if home:
        link = plain(re.search(r'<p class="link">(.*?)</p>', shown)[1])
        page, query = link.split("?")
        assert f"https://{page}" == f"{home}/self-attention"
        asked = decode(dict(parse_qsl(query)))
        assert (asked.digit, asked.source, asked.block) == (4, "fast", 1)
        assert not asked.b and not asked.present
        choice = choice_and_observation("fast")[0]
        assert asked.query is not None and asked.query < choice.config.num_tokens
        assert f"patch {asked.query - choice.config.num_prefix_tokens + 1}" in shown


def test_a_stale_link_shows_the_nearest_sensible_sheet(shipped, open_page) -> None:
    app = open_page("worksheet", block=99, head=99, query=9_999, digit="x", source="nonsense")
    assert not app.exception
    assert "block 4, head 4" in paper_of(app)["html"]


# the command


@pytest.mark.parametrize("is_key", [False, True])
def test_the_command_writes_what_the_page_shows(
    shipped, open_page, tmp_path: Path, monkeypatch, is_key: bool
) -> None:
    file = tmp_path / "sheet.html"
    link = "https://example.org/app/multi-head?digit=3&block=1"
    wanted = ["--paper", "letter"] + ["--key"] * is_key
    assert command.main([link, str(file), *wanted]) == 0
    monkeypatch.setattr(saved, "given_address", "https://example.org/app/worksheet")
    app = open_page("worksheet", digit=3, block=1)
    app.session_state["worksheet-shown"] = "key" if is_key else "sheet"
    app.session_state["worksheet-paper"] = "letter"
    app.run()
    assert file.read_text(encoding="utf-8") == paper_of(app)["html"]
    assert "example.org/app/self-attention?digit=3&amp;block=1" in file.read_text(encoding="utf-8")


def test_the_command_knows_the_same_papers() -> None:
    assert tuple(PAPERS) == command.PAPERS


@pytest.mark.parametrize("link", ["nonsense", "https://[", "patches?digit=77"])
def test_a_link_that_leads_nowhere_is_one_sentence(
    shipped, tmp_path: Path, capsys: pytest.CaptureFixture, link: str
) -> None:
    assert command.main([link, str(tmp_path / "sheet.html")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Traceback" not in said
    assert not list(tmp_path.glob("*.html"))


def test_a_file_that_is_there_stays(shipped, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "sheet.html"
    file.write_text("mine")
    assert command.main(["patches", str(file)]) == 2
    assert "--force" in capsys.readouterr().err and file.read_text() == "mine"
    assert command.main(["patches", str(file), "--force"]) == 0
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert command.main(["patches", str(tmp_path / "no" / "sheet.html")]) == 2
