"""What another division of the scores would do."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.content.numbers import percent
from explainer.content.token_names import token_names
from explainer.figures.looks import looks, overlay
from explainer.observation.attention_row import entropy_bits
from explainer.observation.flaws import flaws
from explainer.observation.limits import common_limits
from explainer.observation.observe import Observation
from explainer.shell import controls
from explainer.shell.downloads import download_csv, matrix_csv
from explainer.shell.more import more
from explainer.shell.notes import note, note_scale
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import TEMPERATURES
from explainer.state.place import Place
from explainer.views.self_attention.cells import row_of
from explainer.views.self_attention.wording import TEXTS, facts


def over_image(seen: Observation, shares: np.ndarray, alt: str, limit: float | None = None) -> str:
    """Return the weights on the patches, to be laid over the image."""
    on_patches = shares[seen.config.num_prefix_tokens :].reshape(seen.config.grid_size)
    return overlay(on_patches, alt, limit)


def temperature_limits(choice: Choice, seen: Observation, place: Place) -> list[float]:
    """Return the largest share of a patch in each picture."""
    first = seen.config.num_prefix_tokens
    return [float(shares[first:].max()) for _, shares, _ in tempered(choice, seen, place)]


def show_temperature(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["temperature"], seen.config
    chosen = place.temperature
    controls.slide(
        texts["slide"],
        TEMPERATURES,
        chosen,
        lambda temperature: session.change(temperature=temperature),
        key=place.key("temperature"),
    )
    names, prefix = token_names(config), config.num_prefix_tokens
    limits = common_limits("temperature", choice, seen, place, temperature_limits)
    pictures = []
    for index, (title, shares, is_models) in enumerate(tempered(choice, seen, place)):
        bits = entropy_bits(shares)
        numbers = {"weight": percent(float(shares.max())), "bits": f"{bits:.2f}"}
        lines = [
            texts["ran" if is_models else "recomputed"],
            texts["largest"].format(**numbers),
            texts["spread"].format(count=f"{2**bits:.1f}", **numbers),
            *(
                texts["prefix"].format(token=names[token], weight=percent(float(shares[token])))
                for token in range(prefix)
            ),
        ]
        alt = texts["alt"].format(title=title, **numbers)
        limit = None if limits is None else float(limits[index])
        pictures.append((over_image(seen, shares, alt, limit), title, lines))
    show_html(looks(pictures, seen.pixels), "temperatures")
    note_scale(place)
    if config.head_dim == 1:
        st.markdown(texts["one"])
    note(texts["note"].format(**facts(choice, seen, place)))
    with more(place, "temperature"):
        download_csv(
            texts["download"],
            partial(tempered_csv, choice, seen, place),
            "temperature.csv",
            place.key("temperature-csv"),
        )


def tempered(choice: Choice, seen: Observation, place: Place) -> list[tuple[str, np.ndarray, bool]]:
    """Return title, weights and whether the model ran it: T = 1, the chosen T, and no division.

    Where the model makes no division, the last is the one with it.
    """
    texts, row = TEXTS["parts"]["temperature"], row_of(choice, seen, place)
    chosen = place.temperature
    rows = [(texts["model"], row.weights, True)]
    if float(chosen) != 1:
        title = texts["chosen"].format(temperature=chosen)
        rows.append((title, row.at_temperature(float(chosen)), False))
    if flaws(choice).scale_scores:
        return [*rows, (texts["undivided"], row.undivided, False)]
    return [*rows, (texts["divided"], row.at_temperature(row.head_dim**0.5), False)]


def tempered_csv(choice: Choice, seen: Observation, place: Place) -> str:
    titles, rows, _ = zip(*tempered(choice, seen, place), strict=True)
    return matrix_csv(np.stack(rows), titles, token_names(seen.config), "temperature")
