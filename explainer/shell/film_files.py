"""A film of a page as a file: made when somebody asks, kept for a while, and never too large."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from threading import Lock
from typing import Any

import streamlit as st
from PIL import Image

from explainer.caching import BytesCache
from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.figures.films import attention, encode, sheet
from explainer.figures.films.encode import Frames
from explainer.figures.saved import letters
from explainer.figures.saved.margin import About, below_film
from explainer.observation.film import AttentionFilm
from explainer.shell.saved import TEXTS as PICTURES
from explainer.shell.saved import UNSEEN, Heading, about, address
from explainer.state import session
from explainer.state.film import Film, write_film
from explainer.state.link import State, link_of
from explainer.state.place import Place

TEXTS = load_texts("film")
MEGABYTES = 8  # of a file at most
LIMIT = 24 * 1024**2  # bytes of all files that are kept
BETWEEN = 4  # frames between two stops, where something moves
MOVES = 60  # milliseconds of each
HOLDS, HOLDS_OF_MANY = 1100, 450  # milliseconds of a stop, and of one of more than MANY
MANY = 12
MOST_MOVES = 20  # stops of a film that moves between them
ENDS = 2500  # milliseconds of the last stop
# size, and whether there are frames between stops: tried in turn until the file is small enough
SMALLER = ((1.0, True), (0.75, True), (1.0, False), (0.75, False), (0.5, False), (0.35, False))
WITHOUT_MOVES = ((1.0, True), (0.75, True), (0.5, True), (0.35, True))
DOWNLOADS = ("gif", "webp")

# for one who reads a page without a browser: every film that it has
listeners: list[Callable[["FilmFile"], None]] = []
_making = Lock()  # one film is drawn at a time, so that nobody's film holds up the pages


@dataclass(frozen=True)
class FilmFile:
    """A film that can be saved.

    Attributes:
        name: of the file, without its ending.
        key: everything that the frames depend on.
        paint: returns the picture at a place of the film, 0..stops - 1; it is a whole number at a
            stop, and lies between two where ``moves``.
        stops: how many there are.
        moves: whether there are frames between two stops.
        is_flat: whether there are only few colours, and no photograph.
        about: what is said below all frames.
    """

    name: str
    key: Hashable
    paint: Callable[[], Callable[[float], Image.Image]]
    stops: int
    moves: bool
    is_flat: bool
    about: About

    def make(self, kind: str) -> bytes:
        """Return the file, "gif" or "webp"."""
        key = (self.key, self.about, kind)
        if key in kept_files():
            return kept_files().get(key, bytes)
        with _making:
            return kept_files().get(key, partial(self.made, kind))

    def made(self, kind: str) -> bytes:
        whole = self.frames()
        content = b""
        has_moves = MOVES in whole.milliseconds
        for size, between in SMALLER if has_moves else WITHOUT_MOVES:
            content = encode.encode(resized(chosen(whole, between), size), kind, self.words())
            if len(content) <= MEGABYTES * 1024**2:
                break
        return content

    def frames(self) -> Frames:
        """Return all frames, with the words below."""
        paint, places, times = self.paint(), *schedule(self.stops, self.moves)
        images = [paint(at) for at in places]
        words = below_film(self.about, sheet.WIDTH, sheet.ZOOM)
        return Frames(encode.with_words(images, words), times, self.is_flat)

    def words(self) -> str:
        """Return what the file says of itself."""
        said = (self.about.title, self.about.where, *self.about.words, self.about.made_with)
        return "\n".join(letters.plain(text) for text in said if text)


def schedule(stops: int, moves: bool) -> tuple[list[float], list[int]]:
    """Return the places of all frames in the film, and for how many milliseconds each is shown.

    Args:
        moves: whether something moves between two stops, which is shown in films of few stops.
    """
    moves = moves and stops <= MOST_MOVES
    hold = HOLDS if stops <= MANY else HOLDS_OF_MANY
    places, times = [0.0], [hold]
    for low, high in pairwise(range(stops)):
        if moves:
            for step in range(1, BETWEEN + 1):
                places.append(low + step / (BETWEEN + 1))
                times.append(MOVES)
        places.append(float(high))
        times.append(hold)
    times[-1] = ENDS
    return places, times


def chosen(frames: Frames, between: bool) -> Frames:
    """Return all frames, or those of the stops alone."""
    if between:
        return frames
    at = [place for place, time in enumerate(frames.milliseconds) if time != MOVES]
    return replace(
        frames,
        images=[frames.images[place] for place in at],
        milliseconds=[frames.milliseconds[place] for place in at],
    )


def resized(frames: Frames, size: float) -> Frames:
    if size == 1:
        return frames
    wide, high = (max(1, round(size * side)) for side in frames.images[0].size)
    images = [image.resize((wide, high), Image.Resampling.LANCZOS) for image in frames.images]
    return replace(frames, images=images)


def offer(file: FilmFile, place: Place) -> None:
    """Offer a film as GIF and as WebP."""
    for listener in listeners:
        listener(file)
    texts = TEXTS["save"]
    with st.container(key=place.key("film-files"), horizontal=True, horizontal_alignment="right"):
        for kind in DOWNLOADS:
            st.download_button(
                texts[kind],
                data=partial(file.make, kind),
                file_name=f"{file.name}.{kind}",
                mime=f"image/{kind}",
                key=place.key(f"film-{kind}"),
                help=texts[f"{kind}_help"].format(megabytes=MEGABYTES),
                on_click="ignore",
                type="tertiary",
            )


def about_film(heading: Heading, film: Film, **place: Any) -> About:
    """Return what is said of a film; its link names all that the film follows.

    Args:
        place: values of the state that the film depends on and that a link may leave out.
    """
    usual = State()
    shown = {name: getattr(usual, name) for name in (*UNSEEN, "figure")}
    now = replace(session.peek(), **shown | {"film": write_film(film)} | place)
    link = link_of(now, address(heading.view))
    return replace(about(heading, "film", ()), link=PICTURES["link"].format(link=link))


# the frames of attention


def attention_painter(
    film: AttentionFilm,
    head: int,
    pixels: Any,
    grid: tuple[int, int],
    prefix_names: Sequence[str],
    names: Sequence[str],
    labels: Sequence[str],
) -> Callable[[float], Image.Image]:
    """Return what paints a film of attention.

    Args:
        head: from 0; the number of heads stands for their mean.
        names: of all tokens.
        labels: of the stops.
    """
    stage = attention.stage(pixels, grid, prefix_names, film.query)
    scale = float(film.scales[head])
    ends = [film.strongest(stop, head) for stop in range(len(film.stops))]
    texts = TEXTS["save"]
    others = film.shown.shape[2] - 1
    said = texts["arcs" if others > len(ends[0]) else "arcs_all"]
    below = sheet.wrapped(said.format(count=len(ends[0]), others=others, scale=percent(scale)))

    def weights(stop: int) -> dict[int, float]:
        return {key: float(film.shown[stop, head, key]) for key in ends[stop]}

    def line(stop: int) -> str:
        most = [f"{names[key]}: {percent(weights(stop)[key])}" for key in ends[stop][:2]]
        return texts["line"].format(query=names[film.query], strongest=" · ".join(most))

    def paint(at: float) -> Image.Image:
        low, stop = int(at), round(at)
        now = blended(weights(low), weights(low + 1), at - low) if at > low else weights(low)
        last = max(1, len(film.stops) - 1)
        progress = at / last if len(film.stops) > 1 else 1.0
        return attention.frame(
            stage, film.query, now, scale, labels[stop], [line(stop), *below], progress
        )

    return paint


def labelled(stop: str, head: int, heads: int) -> str:
    """Name a stop and the head; the head after the last stands for the mean."""
    if heads < 2:
        return stop
    text = TEXTS["label_head" if head < heads else "label_mean"]
    return text.format(stop=stop, head=head + 1, heads=heads)


def blended(low: dict[int, float], high: dict[int, float], share: float) -> dict[int, float]:
    """Return weights between two stops; an arc that one of them lacks fades."""
    return {
        key: (1 - share) * low.get(key, 0.0) + share * high.get(key, 0.0)
        for key in dict.fromkeys((*low, *high))
    }


@st.cache_resource
def kept_files() -> BytesCache[bytes]:
    return BytesCache(LIMIT, len)
