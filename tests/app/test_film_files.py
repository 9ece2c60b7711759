"""Saved films: their frames show the page's numbers, and the files play as they say."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageColor
from reading import choice_of, observation_of

from explainer import picture
from explainer.figures import pixels, theme
from explainer.figures.films import attention, encode, epochs, sheet
from explainer.figures.films.encode import Frames
from explainer.figures.saved.margin import About
from explainer.observation.film import blocks_film
from explainer.shell import film_files
from explainer.shell.film_files import FilmFile, attention_painter, schedule
from explainer.state.film import Film
from explainer.state.place import Place
from explainer.views.multi_head.film import file_of

SMALL = {"source": "untrained", "patches": 4, "width": 16, "heads": 2, "depth": 3}
ORANGE = ImageColor.getrgb(attention.COLOUR)
ABOUT = About("A film", "Page · Part", "Model: M.", "Picture: P.", "The same: x", "CC0.", "App")


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def times_of(image: Image.Image) -> list[int]:
    """Return for how many milliseconds each frame is shown."""
    times = []
    for at in range(image.n_frames):
        image.seek(at)
        image.load()
        times.append(image.info["duration"])
    return times


def frames_of(content: bytes) -> list[np.ndarray]:
    image, frames = opened(content), []
    for at in range(image.n_frames):
        image.seek(at)
        frames.append(np.asarray(image.convert("RGB")))
    return frames


def plain_file(stops: int = 3, moves: bool = True, **changes: Any) -> FilmFile:
    """Return a film of grey squares that become brighter."""

    def paint(at: float) -> Image.Image:
        grey = round(40 + 60 * at)
        picture = Image.new("RGB", (80, 60), (grey, grey, grey))
        return sheet.sheet(f"Stop {round(at) + 1}", picture, ["a line"], at / 9, dark=True)

    given: dict[str, Any] = {
        "name": "plain",
        "key": ("plain", stops, moves),
        "paint": lambda: paint,
        "stops": stops,
        "moves": moves,
        "is_flat": True,
        "about": ABOUT,
    }
    return FilmFile(**(given | changes))


# how a file plays


@pytest.mark.parametrize(
    ("stops", "moves", "places", "times"),
    [
        (1, True, [0.0], [2500]),
        (2, False, [0.0, 1.0], [1100, 2500]),
        (2, True, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [1100, 60, 60, 60, 60, 2500]),
    ],
)
def test_a_film_stays_at_each_stop_and_longer_at_its_last(
    stops: int, moves: bool, places: list[float], times: list[int]
) -> None:
    made = schedule(stops, moves)
    assert made[0] == pytest.approx(places)
    assert made[1] == times


def test_a_film_of_many_stops_is_quicker_and_nothing_moves_between_them() -> None:
    assert schedule(40, True) == ([float(stop) for stop in range(40)], [450] * 39 + [2500])


@pytest.mark.parametrize("kind", encode.KINDS)
@pytest.mark.parametrize(("stops", "moves"), [(1, True), (3, False), (3, True)])
def test_a_file_has_its_frames_times_and_size(kind: str, stops: int, moves: bool) -> None:
    image = opened(plain_file(stops, moves).make(kind))
    places, times = schedule(stops, moves)
    assert image.format == kind.upper()
    assert getattr(image, "n_frames", 1) == len(places)
    if len(places) > 1:
        assert image.info["loop"] == 0, "for ever"
        assert times_of(image) == times
    assert image.width == sheet.WIDTH <= 1080


def test_a_file_says_what_it_is() -> None:
    gif, webp = (opened(plain_file().make(kind)) for kind in encode.KINDS)
    said = "\n".join((ABOUT.title, ABOUT.where, *ABOUT.words, ABOUT.made_with))
    assert gif.info["comment"].decode() == said
    assert "A film" in webp.getexif()[0x010E]
    assert "Page · Part" in webp.info["xmp"].decode()


def test_strangers_letters_are_no_markup_in_a_file() -> None:
    about = About("<x>&\u202e\U0001f600\x00", link="a<b")
    file = plain_file(about=about, key="strangers")
    told = ElementTree.fromstring(opened(file.make("webp")).info["xmp"])
    assert "<x>&" in "".join(told.itertext())
    assert opened(file.make("gif")).info["comment"].decode().startswith("<x>&")


def test_flat_colours_stay_exact_in_both_kinds() -> None:
    file = plain_file(3, False)
    drawn = [np.asarray(image) for image in file.frames().images]
    for frames in (frames_of(file.make("gif")), frames_of(file.make("webp"))):
        for frame, expected in zip(frames, drawn, strict=True):
            flat = [(2, 2), (sheet.WIDTH // 2, 90), (5, frame.shape[0] - 3)]
            for x, y in flat:
                assert frame[y, x].tolist() == expected[y, x].tolist()
    for frame, expected in zip(frames_of(file.make("webp")), drawn, strict=True):
        np.testing.assert_array_equal(frame, expected)


def test_a_gif_of_many_colours_has_one_palette() -> None:
    generator = np.random.default_rng(0)
    noise = [
        Image.fromarray(generator.integers(0, 256, (40, 60, 3), dtype=np.uint8)) for _ in range(3)
    ]
    content = encode.encode(Frames(noise, [100] * 3, False), "gif", "")
    colours = {tuple(colour) for frame in frames_of(content) for colour in frame.reshape(-1, 3)}
    assert len(colours) <= 256
    assert opened(content).n_frames == 3


def test_a_file_that_would_be_too_large_has_fewer_frames_and_becomes_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = {}
    for limit in (100.0, 0.03, 0.012, 0.0001):
        monkeypatch.setattr(film_files, "MEGABYTES", limit)
        image = opened(plain_file(key=("limit", limit)).make("gif"))
        sizes[limit] = image.width, image.n_frames
    assert sizes[100.0] == (sheet.WIDTH, 11)
    assert sizes[0.0001] == (round(0.35 * sheet.WIDTH), 3)
    assert len(set(sizes.values())) > 2


def test_a_file_is_made_once() -> None:
    made = []

    def paint() -> Callable[[float], Image.Image]:
        made.append(1)
        return plain_file().paint()

    file = plain_file(paint=paint, key="once")
    assert file.make("gif") == file.make("gif")
    assert len(made) == 1
    other = plain_file(paint=paint, key="once", about=About("Other words"))
    assert other.make("gif") != file.make("gif")
    assert len(made) == 2


def test_what_is_no_film_is_refused() -> None:
    with pytest.raises(ValueError, match="gif, webp"):
        encode.encode(Frames([Image.new("RGB", (4, 4))], [1], True), "mp4", "")
    with pytest.raises(ValueError, match="needs a frame"):
        encode.encode(Frames([], [], True), "gif", "")


# attention


def place_of(**changes: Any) -> Place:
    return Place(choice_of(**SMALL).config, **changes)


@pytest.mark.parametrize(("head", "mean"), [(0, False), (1, False), (0, True)])
def test_a_saved_frame_has_the_numbers_of_its_block(
    monkeypatch: pytest.MonkeyPatch, head: int, mean: bool
) -> None:
    drawn = []
    frame = attention.frame
    monkeypatch.setattr(
        attention, "frame", lambda *arguments: drawn.append(arguments) or frame(*arguments)
    )
    seen = observation_of(**SMALL)
    place = place_of(query=6, head=head, film=Film("blocks", mean))
    file_of(choice_of(**SMALL), seen, place).frames()
    places, _ = schedule(3, True)
    film = blocks_film(seen, 6, 0, 2)
    shown = 2 if mean else head
    for at, (_, query, weights, scale, title, lines, progress) in zip(places, drawn, strict=True):
        assert query == 6
        assert scale == film.scales[shown]
        assert progress == pytest.approx(at / 2)
        if at != int(at):
            continue
        ends = film.strongest(int(at), shown)
        assert weights == {key: float(film.shown[int(at), shown, key]) for key in ends}
        assert title.startswith(f"Block {int(at) + 1} of 3, ")
        assert title.endswith("mean of the 2 heads" if mean else f"head {head + 1}")
        assert lines[0].startswith("Where patch 2, 2 looks most: ")


def test_arcs_lead_from_the_token_to_what_it_looks_at_as_wide_as_the_weight() -> None:
    image = np.full((28, 28), 90, np.uint8)
    on = attention.stage(image, (4, 4), ["[CLS]"], 1)
    weights = {16: 0.5, 13: 0.125, 0: 0.0}
    frame = np.asarray(attention.frame(on, 1, weights, 0.5, "t", [], 0.0)).astype(int)
    left = (sheet.WIDTH - on.image.width) // 2
    top = 20 + round(1.4 * sheet.TITLES[0])

    def coloured(key: int, along: float) -> int:
        """Return how many pixels of the arc's colour stand across it there."""
        points = np.array(attention.curve(on.middles[1], on.middles[key]))
        at = round(along * (len(points) - 1))
        way = points[at + 1] - points[at - 1]
        across = np.array([-way[1], way[0]]) / np.hypot(*way)
        count = 0
        for step in range(-30, 31):
            x, y = points[at] + step * across
            red, _, blue = frame[round(y) + top, round(x) + left]
            count += red - blue > 60
        return count

    assert coloured(16, 0.5) == pytest.approx(attention.WIDEST, abs=2)
    assert coloured(13, 0.5) == pytest.approx(attention.WIDEST / 4, abs=2)
    end = np.array(on.middles[16])
    assert frame[round(end[1]) + top, round(end[0]) + left].tolist() == pytest.approx(
        list(ORANGE), abs=20
    )
    assert coloured(4, 0.5) == 0, "no weight, no arc"


def test_the_picture_is_the_models_picture_dimmed() -> None:
    seen = observation_of(**SMALL)
    on = attention.stage(seen.pixels, (4, 4), [], 0)
    times = on.image.width // 28
    dark = np.array(ImageColor.getrgb(sheet.SCREEN))
    small = np.asarray(on.image)[times // 2 :: times, times // 2 :: times]
    expected = (seen.pixels[..., None].astype(float) + dark) / 2
    assert np.abs(small - expected).max() <= 1


@pytest.mark.parametrize(("shape", "grid"), [((32, 32, 3), (8, 8)), ((224, 160, 3), (14, 10))])
def test_colours_and_photographs_fit(shape: tuple[int, ...], grid: tuple[int, int]) -> None:
    on = attention.stage(np.zeros(shape, np.uint8), grid, ["[CLS]", "register 1"], 0)
    assert on.image.width <= sheet.INSIDE
    assert len(on.middles) == 2 + grid[0] * grid[1]


def test_a_film_of_one_token_has_no_arcs() -> None:
    on = attention.stage(np.zeros((28, 28), np.uint8), (1, 1), [], 0)
    attention.frame(on, 0, {}, 0.0, "t", [], 1.0)


def test_every_frame_of_a_film_has_one_size() -> None:
    seen = observation_of(**SMALL)
    film = blocks_film(seen, 0, 0, 2)
    names = [str(token) for token in range(17)]
    paint = attention_painter(film, 0, seen.pixels, (4, 4), ["[CLS]"], names, ["a", "b" * 90, "c"])
    assert len({paint(at).size for at in (0, 0.5, 1, 2)}) == 1


# epochs


def test_a_filter_is_painted_in_the_colour_of_its_weights() -> None:
    filters = np.linspace(-1, 1, 4 * 4 * 4, dtype=np.float32).reshape(4, 4, 4)
    image = np.asarray(epochs.filters_frame(filters, 1.0, "t", [], 0.0))
    colours = pixels.palette(theme.DIVERGING)[pixels.shades(filters, -1, 1)]
    times = sheet.INSIDE // 9  # two filters of four pixels beside each other, and one between
    left, top = (sheet.WIDTH - 9 * times) // 2, 20 + round(1.4 * sheet.TITLES[0])
    for index, row, column in ((0, 0, 0), (1, 2, 3), (3, 3, 3)):
        x = left + times * (5 * (index % 2) + column) + times // 2
        y = top + times * (5 * (index // 2) + row) + times // 2
        assert image[y, x].tolist() == colours[index, row, column].tolist()


def test_a_map_puts_each_digit_at_its_place() -> None:
    digits = np.stack([np.full((28, 28), grey, np.uint8) for grey in (60, 200)])
    places = np.array([[-1.0, 0.5], [0.25, -1.0]])
    image = np.asarray(epochs.map_frame(digits, places, ["1", "2"], ["1", "7"], "t", [], 0.0))
    left, top = (sheet.WIDTH - epochs.SIDE) // 2, 20 + round(1.4 * sheet.TITLES[0])
    reach = epochs.SIDE / 2 - epochs.DIGIT
    for (right, up), grey, colour in zip(
        places, (60, 200), (theme.GOOD.dark, theme.BAD.dark), strict=True
    ):
        x = round(epochs.SIDE / 2 + reach * right) + left
        y = round(epochs.SIDE / 2 - reach * up) + top
        assert image[y, x].tolist() == [grey] * 3
        edge = image[y, x - epochs.DIGIT // 2 - 1].tolist()
        assert edge == list(ImageColor.getrgb(colour))


# from a link


@pytest.mark.parametrize("kind", encode.KINDS)
def test_the_command_makes_the_film_of_a_link(tmp_path: Path, kind: str) -> None:
    link = "multi-head?" + "&".join(f"{name}={value}" for name, value in SMALL.items())
    target = tmp_path / f"film.{kind}"
    assert picture.main([f"{link}&film=blocks.mean.0-1&query=6", str(target)]) == 0
    seen = observation_of(**SMALL)
    place = place_of(query=6, film=Film("blocks", True, (0, 1)))
    expected = file_of(choice_of(**SMALL), seen, place).frames()
    image = opened(target.read_bytes())
    assert image.n_frames == len(expected.images)
    drawn = np.asarray(expected.images[-1])
    above = drawn.shape[0] - 300  # the words below name the link, which is another one here
    image.seek(image.n_frames - 1)
    shown = np.asarray(image.convert("RGB"))
    difference = np.abs(shown[:above].astype(int) - drawn[:above])
    assert np.quantile(difference, 0.99) <= (0 if kind == "webp" else 6)


def test_a_page_without_a_film_says_so(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert picture.main(["patches", str(tmp_path / "film.gif")]) == 2
    assert "This page has no film." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
