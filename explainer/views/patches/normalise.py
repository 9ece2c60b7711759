"""From brightness to numbers around zero."""

import streamlit as st

from explainer.content.equality import latex_sign, number_of
from explainer.content.token_names import channel_name, patch_names
from explainer.observation.observe import Observation
from explainer.observation.patches_of import patches_of
from explainer.observation.text_variants import texts_of
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.patches.wording import info_of, patch_of
from vit_core.data import DataInfo

FORMULA_WIDTH = 400  # pixels


def show_normalisation(choice: Choice, seen: Observation, place: Place) -> None:
    """The way of one pixel to the number that the model receives."""
    texts, patch = texts_of("patches", seen)["parts"]["normalise"], patch_of(choice, seen, place)
    vector, info = seen.tensors["patches"][patch], info_of(choice)
    values = patches_of(seen, seen.config.patch_hw)[patch]
    brightest = int(values.argmax())
    channel = brightest // (len(values) // seen.config.in_channels)
    pixel = int(values[brightest])
    numbers = f"{info.mean[channel]:.4f}", f"{info.std[channel]:.4f}"
    examples = [(texts["example"], pixel, float(vector[brightest]))]
    if pixel:
        examples.append((texts["example_black"], 0, black_of(info, channel)))
    names = {
        "patch": patch_names(seen.config)[patch],
        "channel": channel_name(seen.config, channel),
    }
    # beside each other where there is room for both formulas
    row = st.container(horizontal=True, gap="large")
    for example, brightness, value in examples:
        shown = f"{value:.4f}"
        sign = latex_sign(normalised(brightness, *numbers), shown)
        with row.container(width=FORMULA_WIDTH, gap="small"):
            st.markdown(example.format(**names))
            st.latex(texts["normalise_latex"] % (brightness, *numbers, sign, shown))


def normalised(brightness: int, mean: str, std: str) -> float:
    """Return what the shown numbers give."""
    return (brightness / 255 - number_of(mean)) / number_of(std)


def black_of(info: DataInfo, channel: int = 0) -> float:
    """Return what the model receives for a black pixel, or for none of a colour."""
    return (0 - info.mean[channel]) / info.std[channel]
