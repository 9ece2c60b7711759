"""Whom it listens to."""

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.content.numbers import fixed, percent
from explainer.content.token_names import token_names
from explainer.figures.looks import looks, overlay
from explainer.observation.observe import Observation
from explainer.shell.notes import note
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.class_token.values import attention_of_class
from explainer.views.class_token.wording import TEXTS, has_class


def show_listens(choice: Choice, seen: Observation, place: Place) -> None:
    texts = TEXTS["parts"]["listens"]
    if has_class(seen.config):
        attention = remember(("class listens", choice), lambda: listened(seen))
        st.html(looks(attention, seen.pixels))
        note(texts["note_class"])
    else:
        agreed = agreement(seen)
        attention = remember(("class agrees", choice), lambda: agreeing(seen))
        st.html(looks(attention, seen.pixels))
        note(
            texts["note_mean"].format(
                least=fixed(float(agreed.min()), 2), most=fixed(float(agreed.max()), 2)
            )
        )


def listened(seen: Observation) -> list[tuple[str, str, list[str]]]:
    texts, config, names = TEXTS["parts"]["listens"], seen.config, token_names(seen.config)
    prefix, pictures = config.num_prefix_tokens, []
    for block in range(config.depth):
        weights = attention_of_class(seen, block)
        best = prefix + int(weights[prefix:].argmax())
        values = {
            "number": block + 1,
            "token": names[best],
            "share": percent(float(weights[best])),
        }
        picture = overlay(
            weights[prefix:].reshape(config.grid_size),
            texts["alt_class"].format(**values),
        )
        lines = [
            texts["itself"].format(share=percent(float(weights[0]))),
            texts["strongest"].format(**values),
        ]
        pictures.append((picture, texts["block"].format(**values), lines))
    return pictures


def agreement(seen: Observation) -> np.ndarray:
    """Return the cosine of each patch's final row with the average, (P,)."""
    rows = seen.tensors["final_norm"][seen.config.num_prefix_tokens :].astype(np.float64)
    mean = seen.tensors["pooled"].astype(np.float64)
    both = np.linalg.norm(rows, axis=1) * np.linalg.norm(mean)
    return np.divide(rows @ mean, both, out=np.zeros(len(rows)), where=both > 0)


def agreeing(seen: Observation) -> list[tuple[str, str, list[str]]]:
    texts, config = TEXTS["parts"]["listens"], seen.config
    agreed = agreement(seen)
    best = int(agreed.argmax())
    token = token_names(config)[config.num_prefix_tokens + best]
    least, most = fixed(float(agreed.min()), 2), fixed(float(agreed.max()), 2)
    alt = texts["alt_mean"].format(token=token, value=most)
    drawn = (agreed - agreed.min()).reshape(config.grid_size)
    picture = overlay(drawn, alt, max(float(drawn.max()), 1e-6))
    return [(picture, texts["agree"], [texts["agree_line"].format(least=least, most=most)])]
