"""Training as a film: filters, attention or a map of digits, over the saved epochs of a run."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from explainer.components.film import pack_attention, pack_filters, pack_map, show_film
from explainer.content import load_texts
from explainer.content.numbers import precise_percent
from explainer.content.token_names import prefix_names, token_names
from explainer.figures.films import sheet
from explainer.figures.films.epochs import filters_frame, map_frame
from explainer.observation import film_epochs
from explainer.observation.film import STRONGEST, AttentionFilm
from explainer.observation.film_epochs import FiltersFilm, MapFilm
from explainer.shell import film_files
from explainer.shell.controls import pick, pick_number, sync_widget
from explainer.shell.film_files import FilmFile, about_film, attention_painter, labelled
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.shell.saved import Heading
from explainer.state import session
from explainer.state.film import (
    ATTENTION,
    FILTERS,
    MAP,
    OVER_EPOCHS,
    Film,
    narrowed,
    read_film,
    write_film,
)
from explainer.state.place import Place
from explainer.training import Manager, Run
from explainer.training.recorded import HEALTHY
from explainer.training.run_queries import RECORDED_ID
from explainer.views.train.of_data import is_of_digits
from explainer.views.train.wording import PLACE, settings_of, title_of
from vit_core import CheckpointError, ViTConfig
from vit_core.data import mnist_info

TEXTS = load_texts("film")
WORDS = TEXTS["epochs"]
KEY = "train-film"
Paint = Callable[[float], Image.Image]
AnyFilm = FiltersFilm | MapFilm | AttentionFilm


def show_film_of_run(manager: Manager, run: Run | None) -> None:
    """Offer the film of a run that has models; without one, of the run that came with the app."""
    filmed = run or manager.find(f"{RECORDED_ID}{HEALTHY}")
    if filmed is None or settings_of(filmed) is None or not filmed.history.epochs():
        return
    with fold(PLACE, "film", WORDS["title"], is_open=bool(session.load().film)) as is_open:
        if is_open:
            st.fragment(draw)(filmed, run is None)


def draw(run: Run, is_recorded: bool) -> None:
    st.markdown(WORDS["text_recorded" if is_recorded else "text"])
    if not film_epochs.can_be_filmed(run):
        st.markdown(WORDS["large"])
        return
    epochs = run.history.epochs()
    if not epochs:
        st.markdown(WORDS["none"])
        return
    kinds = OVER_EPOCHS if is_of_digits(run) else (FILTERS,)
    asked = asked_film()
    film = asked if asked and asked.kind in kinds else Film(kinds[0])
    first, last = narrowed(film.span, epochs)
    place = Place.from_state(session.load(), run.history.config.model, PLACE.prefix)
    with st.container(horizontal=True, gap="medium", key=f"{KEY}-choices"):
        pick_kind(kinds, film)
        if film.kind == ATTENTION:
            depth = place.config.depth
            pick_number("block", depth, place.block, session.set_block, key=f"{KEY}-block")
    pick_range(epochs, (first, last), film)
    stops = film_epochs.stops_of(epochs, first, last)
    try:
        with st.spinner(WORDS["making"]):
            made = make(run, film, stops, place)
    except CheckpointError:
        st.markdown(WORDS["unreadable"])
        return
    say_what_is_shown(film, (first, last), epochs, stops, made.stops)
    with st.container(key=KEY):
        show(run, film, made, place)
    film_files.offer(file_of(run, film, made, place), PLACE)


def asked_film() -> Film | None:
    return read_film(session.load().film)


def keep(film: Film) -> None:
    session.change(film=write_film(film))


def pick_kind(kinds: Sequence[str], film: Film) -> None:
    pick(
        WORDS["kind"],
        kinds,
        film.kind,
        lambda kind: keep(Film(kind, film.mean and kind == ATTENTION, film.span)),
        key=f"{KEY}-kind",
        format_func=WORDS["kinds"].__getitem__,
    )


def pick_range(epochs: tuple[int, ...], shown: tuple[int, int], film: Film) -> None:
    """Offer the first and the last epoch of the film on one slider."""
    if len(epochs) < 2:
        return
    key = f"{KEY}-range"
    sync_widget(key, shown)

    def keep_range() -> None:
        low, high = st.session_state[key]
        whole = (low, high) == (epochs[0], epochs[-1])
        keep(Film(film.kind, film.mean, None if whole else (low, high)))

    with st.container(width=480):
        st.select_slider(WORDS["range"], epochs, value=shown, key=key, on_change=keep_range)


def make(run: Run, film: Film, stops: Sequence[int], place: Place) -> AnyFilm:
    """Read the film's frames.

    Raises:
        CheckpointError: no epoch can be read.
    """
    if film.kind == FILTERS:
        return film_epochs.filters_film(run, stops)
    if film.kind == MAP:
        return film_epochs.map_film(run, stops)
    pixels = first_digit()
    query = place.token(telling_patch(pixels, place.config))
    return film_epochs.attention_film(run, stops, pixels, place.block, query)


def first_digit() -> np.ndarray:
    """Return the picture in which attention is followed, (28, 28) uint8."""
    pixels: np.ndarray = film_epochs.sixteen().images[0, 0].numpy()
    return pixels


def telling_patch(pixels: np.ndarray, config: ViTConfig) -> int:
    """Return the patch of a grey picture whose values vary most."""
    (rows, columns), (height, width) = config.grid_size, config.patch_hw
    patches = pixels.reshape(rows, height, columns, width).swapaxes(1, 2)
    return int(patches.reshape(rows * columns, -1).astype(np.float64).std(axis=1).argmax())


def say_what_is_shown(
    film: Film,
    shown: tuple[int, int],
    epochs: Sequence[int],
    stops: Sequence[int],
    found: Sequence[int],
) -> None:
    """Say where the film is not what was asked for, or has not all epochs."""
    sentences = []
    if film.span and film.span != shown:
        wanted = {"from": film.span[0], "to": film.span[1]}
        sentences.append(WORDS["wanted"].format(**wanted, first=shown[0], last=shown[1]))
    count = sum(shown[0] <= epoch <= shown[1] for epoch in epochs)
    if len(stops) < count:
        sentences.append(WORDS["thinned"].format(shown=len(stops), count=count))
    if missing := [str(epoch) for epoch in stops if epoch not in found]:
        sentences.append(WORDS["left_out"].format(epochs=", ".join(missing)))
    if len(epochs) == 1:
        sentences.append(WORDS["only_one"])
    if sentences:
        note(" ".join(sentences))


def show(run: Run, film: Film, made: AnyFilm, place: Place) -> None:
    config = run.history.config.model
    stops = stop_names(run, film, made.stops, place.block)
    told = [accuracy(run, epoch) for epoch in made.stops]
    key = f"{KEY}-player"
    cache = (run.id, made.stops, tuple(told), film.kind)
    if isinstance(made, FiltersFilm):
        show_film(partial(pack_of_filters, key, made, stops, told), key=key, cache=cache)
    elif isinstance(made, MapFilm):
        show_film(partial(pack_of_map, key, made, stops, told), key=key, cache=cache)
    else:
        heads = config.num_heads
        show_film(
            partial(pack_of_attention, key, made, stops, told, config),
            key=key,
            cache=(*cache, place.block, made.query),
            sizes={"query": config.num_tokens, "head": heads + 1},
            chosen={"head": chosen_head(film, place)},
            on_choose=partial(choose, film, heads),
        )
        note(TEXTS["over_epochs"]["picture"])


def stop_names(run: Run, film: Film, epochs: Sequence[int], block: int) -> list[str]:
    settings, last = run.history.config, epochs[-1]
    if run.status != "uploaded":  # of which nobody knows how long it was to be
        last = max(last, settings.train.epochs)
    named = film.kind == ATTENTION and settings.model.depth > 1
    text = WORDS["stop_of_block" if named else "stop"]
    return [text.format(epoch=epoch, last=last, block=block + 1) for epoch in epochs]


def texts_with(name: str, **changes: str) -> Mapping[str, str]:
    player = {name: text for name, text in TEXTS.items() if isinstance(text, str)}
    return player | TEXTS[name] | changes


def accuracy(run: Run, epoch: int) -> str:
    """Say how many validation pictures an epoch's model got right, if that was measured."""
    line = run.history.epoch_line(epoch)
    if line is None:
        return ""
    share = share_text(line["val_accuracy"])
    return WORDS["right" if is_of_digits(run) else "right_pictures"].format(share=share)


def share_text(share: float) -> str:
    """Write a share whose sign stays on the line of its number."""
    return precise_percent(float(share)).replace(" ", "\u202f")


def pack_of_filters(
    key: str, made: FiltersFilm, stops: Sequence[str], told: Sequence[str]
) -> bytes:
    kind = "legend_pictures" if made.filters.ndim == 5 else "legend"
    return pack_filters(
        channel=key,
        filters=made.filters,
        limit=made.limit,
        stops=stops,
        notes=told,
        texts=texts_with(FILTERS, legend=TEXTS[FILTERS][kind].format(limit=f"{made.limit:.2g}")),
    )


def pack_of_map(key: str, made: MapFilm, stops: Sequence[str], told: Sequence[str]) -> bytes:
    texts, names = TEXTS[MAP], mnist_info().class_names
    labels = film_epochs.sixteen().labels.numpy()
    notes = [
        " ".join(
            (
                texts["count"].format(right=int((answers == labels).sum())),
                accuracy_text,
                texts["share"].format(share=share_text(share)),
            )
        ).strip()
        for answers, share, accuracy_text in zip(made.predicted, made.shares, told, strict=True)
    ]
    return pack_map(
        channel=key,
        digits=film_epochs.sixteen().images[:, 0].numpy(),
        truths=[names[label] for label in labels],
        places=made.places / made.limit,
        predicted=[[names[answer] for answer in answers] for answers in made.predicted],
        stops=stops,
        notes=notes,
        texts=texts_with(MAP, legend=texts["legend"].format(width=made.vectors.shape[-1])),
    )


def pack_of_attention(
    key: str,
    made: AttentionFilm,
    stops: Sequence[str],
    told: Sequence[str],
    config: ViTConfig,
) -> bytes:
    return pack_attention(
        channel=key,
        image=first_digit(),
        grid=config.grid_size,
        prefix_names=prefix_names(config),
        weights=made.weights,
        scales=made.scales,
        query=made.query,
        strongest=STRONGEST,
        stops=stops,
        notes=told,
        texts=texts_with(ATTENTION),
    )


def choose(film: Film, heads: int, clicked: dict[str, int]) -> None:
    """Keep which token is followed, or which head; the head after the last stands for the mean."""
    if "query" in clicked:
        session.set_query(clicked["query"])
    if "head" in clicked:
        is_mean = clicked["head"] == heads
        if not is_mean:
            session.set_head(clicked["head"])
        keep(Film(ATTENTION, is_mean, film.span))


def file_of(run: Run, film: Film, made: AnyFilm, place: Place) -> FilmFile:
    """Return the film as it can be saved."""
    config, head = run.history.config.model, chosen_head(film, place)
    stops = stop_names(run, film, made.stops, place.block)
    told = [accuracy(run, epoch) for epoch in made.stops]
    texts = load_texts("pictures")
    title = WORDS["kinds"][film.kind]
    model = texts["model"].format(name="{name}").replace("{name}", title_of(run))
    licence = texts["digits"] if film.kind != FILTERS else ""
    heading = Heading("train", "film", title, model=model, licence=licence)
    span = made.stops[0], made.stops[-1]
    follows: dict[str, Any] = {"run": run.id}
    if isinstance(made, AttentionFilm):
        follows |= {"query": made.query, "block": place.block, "head": place.head}
        labels = [labelled(stop, head, config.num_heads) for stop in stops]
        paint = partial(attention_frames, made, head, config, labels)
    elif isinstance(made, MapFilm):
        paint = partial(map_painter, made, stops, told)
    else:
        paint = partial(filters_painter, made, stops, told)
    return FilmFile(
        name=f"{film.kind}-epochs-{span[0]}-to-{span[1]}",
        key=("film-file", run.id, film.kind, head, made.stops, tuple(told), tuple(follows.items())),
        paint=paint,
        stops=len(made.stops),
        moves=film.kind != FILTERS,
        is_flat=True,
        about=about_film(heading, Film(film.kind, film.mean, span), **follows),
    )


def chosen_head(film: Film, place: Place) -> int:
    heads = place.config.num_heads
    return heads if film.mean and heads > 1 else place.head


def attention_frames(
    made: AttentionFilm, head: int, config: ViTConfig, labels: Sequence[str]
) -> Paint:
    return attention_painter(
        made,
        head,
        first_digit(),
        config.grid_size,
        prefix_names(config),
        token_names(config),
        labels,
    )


def filters_painter(made: FiltersFilm, stops: Sequence[str], told: Sequence[str]) -> Paint:
    below = sheet.wrapped(TEXTS["save"]["filters"].format(limit=f"{made.limit:.2g}"))
    last = max(1, len(stops) - 1)

    def paint(at: float) -> Image.Image:
        stop, progress = round(at), at / last if len(stops) > 1 else 1.0
        lines = [told[stop], *below]
        return filters_frame(made.filters[stop], made.limit, stops[stop], lines, progress)

    return paint


def map_painter(made: MapFilm, stops: Sequence[str], told: Sequence[str]) -> Paint:
    names, sixteen = mnist_info().class_names, film_epochs.sixteen()
    truths = [names[label] for label in sixteen.labels.numpy()]
    digits, places = sixteen.images[:, 0].numpy(), made.places / made.limit
    below, last = sheet.wrapped(TEXTS["save"]["map"]), max(1, len(stops) - 1)

    def paint(at: float) -> Image.Image:
        low, stop, progress = int(at), round(at), at / last if len(stops) > 1 else 1.0
        now = places[low]
        if at > low:
            now = (1 - (at - low)) * now + (at - low) * places[low + 1]
        predicted = [names[answer] for answer in made.predicted[stop]]
        lines = [told[stop], *below]
        return map_frame(digits, now, predicted, truths, stops[stop], lines, progress)

    return paint
