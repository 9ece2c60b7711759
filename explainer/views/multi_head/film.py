"""Attention from block to block: where the followed token looks, as a film."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from PIL import Image

from explainer.components.film import pack_attention, show_film
from explainer.components.sight import repaints
from explainer.content import load_texts
from explainer.content.token_names import prefix_names, token_names
from explainer.figures.pixels import is_smooth
from explainer.observation.film import STRONGEST, AttentionFilm, blocks_film
from explainer.observation.observe import Observation
from explainer.shell import film_files
from explainer.shell.film_files import FilmFile, about_film, attention_painter, labelled
from explainer.shell.notes import note
from explainer.shell.saved import Heading
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.film import BLOCKS, Film, narrowed, write_film
from explainer.state.place import Place

TEXTS = load_texts("film")
STEP = "film-blocks"  # the channel on which the films of both halves of a comparison go in step


def show_film_of_blocks(choice: Choice, seen: Observation, place: Place) -> None:
    film, config = film_of(place), seen.config
    first, last = narrowed(film.span, tuple(range(config.depth)))
    show_part_of_blocks(film, (first, last), config.depth, place)
    query, heads = place.token(seen.telling_patch), config.num_heads
    show_film(
        partial(pack, choice, seen, place, (first, last)),
        key=place.key("film"),
        cache=(choice, query, first, last, place.half),
        sizes={"query": config.num_tokens, "head": heads + 1},
        chosen={"head": chosen_head(place)},
        on_choose=partial(choose, film, heads),
    )
    film_files.offer(file_of(choice, seen, place), place)


def file_of(choice: Choice, seen: Observation, place: Place) -> FilmFile:
    """Return the film as it can be saved."""
    config, film, head = seen.config, film_of(place), chosen_head(place)
    first, last = narrowed(film.span, tuple(range(config.depth)))
    query = place.token(seen.telling_patch)
    title = load_texts("multi_head")["parts"]["film"]["title"]
    heading = Heading("multi_head", "film", title, (choice,))
    asked = Film(BLOCKS, film.mean, (first, last))
    # of a comparison, a link follows the token of the first half
    follows = {} if place.half == "b" else {"query": query, "head": place.head}
    return FilmFile(
        name=f"attention-{first + 1}-to-{last + 1}",
        key=("film-file", choice, query, head, first, last),
        paint=partial(painter, seen, place),
        stops=last - first + 1,
        moves=True,
        is_flat=not is_smooth(seen.pixels),
        about=about_film(heading, asked, **follows),
    )


def painter(seen: Observation, place: Place) -> Callable[[float], Image.Image]:
    config, film, head = seen.config, attention(seen, place), chosen_head(place)
    stops = [stop_name(block, config.depth) for block in film.stops]
    return attention_painter(
        film,
        head,
        seen.pixels,
        config.grid_size,
        prefix_names(config),
        token_names(config),
        [labelled(stop, head, config.num_heads) for stop in stops],
    )


def film_of(place: Place) -> Film:
    """Return the film that the page shows; that of another page counts as none."""
    film = place.film
    return film if film and film.kind == BLOCKS else Film(BLOCKS)


def chosen_head(place: Place) -> int:
    """Return the head that is shown; the number of heads stands for their mean."""
    heads = place.config.num_heads
    return heads if film_of(place).mean and heads > 1 else place.head


def attention(seen: Observation, place: Place) -> AttentionFilm:
    """Return where the place's token looks in the blocks of its film."""
    first, last = narrowed(film_of(place).span, tuple(range(seen.config.depth)))
    return blocks_film(seen, place.token(seen.telling_patch), first, last)


def pack(choice: Choice, seen: Observation, place: Place, span: tuple[int, int]) -> bytes:
    config, film = seen.config, attention(seen, place)
    return pack_attention(
        channel=place.key("film"),
        image=seen.pixels,
        grid=config.grid_size,
        prefix_names=prefix_names(config),
        weights=film.weights,
        scales=film.scales,
        query=film.query,
        strongest=STRONGEST,
        stops=[stop_name(block, config.depth) for block in film.stops],
        texts=texts(),
        step=STEP if place.half else "",
    )


def stop_name(block: int, depth: int) -> str:
    texts = TEXTS["blocks"]
    if depth == 1:
        return texts["stop_one"]
    return texts["stop"].format(block=block + 1, depth=depth)


def texts() -> dict[str, str]:
    """Return what the component says of attention."""
    player = {name: text for name, text in TEXTS.items() if isinstance(text, str)}
    return player | TEXTS["attention"]


def show_part_of_blocks(film: Film, span: tuple[int, int], depth: int, place: Place) -> None:
    """Say which blocks a link has chosen, where these are not all, and offer all."""
    if film.span is None:
        return
    texts, (first, last) = TEXTS["blocks"], (span[0] + 1, span[1] + 1)
    sentence = texts["part_shown" if last > first else "part_one"]
    words = sentence.format(first=first, last=last, depth=depth)
    if film.span != span:
        wanted = {"from": film.span[0] + 1, "to": film.span[1] + 1}
        words = f"{texts['wanted'].format(**wanted, depth=depth)} {words}"
    with st.container(horizontal=True, vertical_alignment="center"):
        note(words)
        if span != (0, depth - 1):
            st.button(
                texts["all"],
                key=place.key("film-all"),
                type="tertiary",
                on_click=repaints(partial(keep, Film(BLOCKS, film.mean))),
            )


def keep(film: Film) -> None:
    """Keep the film in the link, as short as it can be said."""
    session.change(film="" if film == Film(BLOCKS) else write_film(film))


def choose(film: Film, heads: int, clicked: dict[str, int]) -> None:
    """Keep which token is followed, or which head; the head after the last stands for the mean."""
    if "query" in clicked:
        session.set_query(clicked["query"])
    if "head" in clicked:
        is_mean = clicked["head"] == heads
        if not is_mean:
            session.set_head(clicked["head"])
        keep(Film(BLOCKS, is_mean, film.span))
