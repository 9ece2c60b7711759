"""Patches that are similar, to the eye and to the model."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.content.numbers import fixed
from explainer.content.token_names import patch_names
from explainer.figures.pixels import image_address
from explainer.figures.products import similar_patches
from explainer.observation.observe import Observation
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.shell.shown import show_html
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patch_embedding import measures
from explainer.views.patch_embedding.measures import Alike
from explainer.views.patch_embedding.over_image import show_over_image
from explainer.views.patch_embedding.wording import TEXTS, patch_of

SHOWN_ALIKE = 3  # most and least similar


def show_similar(choice: Choice, seen: Observation, place: Place) -> None:
    texts, patch = TEXTS["parts"]["similar"], patch_of(choice, seen, place)
    similarity = measures.alike_of(choice, seen, patch)
    pixels, embeddings, ranking = st.columns((5, 5, 7), gap="medium")
    for column, name, values in (
        (pixels, "pixels", similarity.pixels),
        (embeddings, "embeddings", similarity.embeddings),
    ):
        with column:
            st.markdown(f"**{texts[name]}**")
            cache = (choice, patch, name)
            title = texts[name]
            show_over_image(
                name, values, choice, seen, place, cache, limit=1.0, width=240, title=title
            )
    ranking.markdown(f"**{texts['list_title']}**")
    show_html(
        remember(("alike", "list", choice, patch), partial(draw_alike, seen, patch, similarity)),
        "alike",
        texts["list_title"],
        into=ranking,
    )
    st.markdown(" ".join(sentences(seen, patch, similarity)))
    with more(place, "similar"):
        download_csv(
            texts["download"],
            partial(alike_csv, seen, similarity),
            "similarities.csv",
            place.key("alike-csv"),
        )


def sentences(seen: Observation, patch: int, similarity: Alike) -> list[str]:
    """Say what the similarities show."""
    texts, vector = TEXTS["parts"]["similar"], seen.tensors["patches"][patch]
    told = [same_words(seen, similarity)]
    if np.ptp(vector) == 0:
        name, shown = patch_names(seen.config)[patch], fixed(vector[0], 2)
        text = texts["blank" if vector.any() else "blank_zero"]
        told.append(text.format(patch=name[0].upper() + name[1:], value=shown))
    return [*filter(None, told), *correlation_words(similarity), texts["why"]]


def same_words(seen: Observation, similarity: Alike) -> str:
    texts = TEXTS["parts"]["similar"]
    if similarity.same == seen.config.num_patches - 1:
        return texts["same_all"]
    name = {0: "same_none", 1: "same_one"}.get(similarity.same, "same_many")
    return texts[name].format(count=similarity.same)


def correlation_words(similarity: Alike) -> list[str]:
    """Say how closely one similarity follows the other, where both differ at all."""
    texts = TEXTS["parts"]["similar"]
    if min(np.ptp(similarity.pixels), np.ptp(similarity.embeddings)) < measures.SAME:
        return []
    correlation = float(np.corrcoef(similarity.pixels, similarity.embeddings)[0, 1])
    degree = "closely" if correlation > 0.9 else "loosely" if correlation > 0.5 else "not"
    words = texts[f"follows_{degree}"]
    return [texts["follows"].format(correlation=fixed(correlation, 2), words=words)]


def draw_alike(seen: Observation, patch: int, similarity: Alike) -> str:
    """The chosen patch, and those with the most and the least similar embeddings."""
    texts, names = TEXTS["parts"]["similar"], patch_names(seen.config)
    near = [int(place) for place in similarity.order[:SHOWN_ALIKE]]
    far = [int(place) for place in similarity.order[SHOWN_ALIKE:][-SHOWN_ALIKE:]]
    entries = [(patch, texts["chosen"])]
    entries += [(place, texts["nearest"]) for place in near]
    entries += [(place, texts["farthest"]) for place in far]
    return similar_patches(
        [
            (
                image_address(pixels_of(seen, place)),
                texts["alt"].format(patch=names[place]),
                f"{names[place]}, {caption}",
                (
                    texts["line"].format(
                        pixels=fixed(similarity.pixels[place], 2),
                        embedding=fixed(similarity.embeddings[place], 2),
                    ),
                ),
            )
            for place, caption in entries
        ]
    )


def pixels_of(seen: Observation, patch: int) -> np.ndarray:
    """Cut a patch out of the image."""
    height, width = seen.config.patch_hw
    row, column = divmod(patch, seen.config.grid_size[1])
    rows = seen.pixels[row * height : (row + 1) * height]
    return rows[:, column * width : (column + 1) * width]


def alike_csv(seen: Observation, similarity: Alike) -> str:
    return table_csv(
        TEXTS["parts"]["similar"]["csv_columns"],
        list(
            zip(
                patch_names(seen.config),
                similarity.pixels.tolist(),
                similarity.embeddings.tolist(),
                strict=True,
            )
        ),
    )
