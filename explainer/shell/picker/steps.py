"""The steps from a photograph to the digit that the model gets, each with its picture."""

import base64
from dataclasses import dataclass
from html import escape
from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image

from explainer.content import load_texts
from explainer.inputs.pictures.adjustment import AS_FOUND, Adjustment
from explainer.inputs.pictures.read_file import Photo, Upload, turned_and_cut

TEXTS = load_texts("picker")

THUMBNAIL = 160  # pixels, of which a page shows half as many
OF_THE_FILE = ("first_frame", "turned", "deep", "transparent", "alpha")  # texts of the first step


@dataclass(frozen=True)
class Step:
    """One step of the preparation.

    Attributes:
        address: of the picture, small.
        names: of the texts about it.
    """

    address: str
    names: tuple[str, ...]


def steps_of(upload: Upload) -> tuple[Step, ...]:
    done = upload.done
    polarity = "inverted" if "inverted" in done else "kept"
    return (
        Step(thumbnail(upload.original), ("yours", *(n for n in OF_THE_FILE if n in done))),
        Step(thumbnail(upload.paper), ("paper",)),
        Step(thumbnail(upload.contrast), (f"contrast_{polarity}", polarity)),
        Step(thumbnail(upload.ink), ("ink", *(n for n in ("ruled", "several") if n in done))),
        Step(thumbnail(upload.pixels), ("prepared",)),
    )


def first_step(photo: Photo, adjustment: Adjustment = AS_FOUND) -> tuple[Step, ...]:
    """Return the only step of a picture in which no digit was found."""
    names = ("yours", *(n for n in OF_THE_FILE if n in photo.done))
    return (Step(thumbnail(turned_and_cut(photo.colour, adjustment)), names),)


def thumbnail(values: np.ndarray) -> str:
    """Return the address of a small picture."""
    image, content = Image.fromarray(values), BytesIO()
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    image.save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def show_steps(steps: tuple[Step, ...]) -> None:
    """Show each step's picture beside its text."""
    items = "".join(
        f'<li><img src="{step.address}" alt=""><span>'
        f"{escape(' '.join(TEXTS['step'][name] for name in step.names))}</span></li>"
        for step in steps
    )
    st.html(f'<ol class="picture-steps" aria-label="{escape(TEXTS["steps"])}">{items}</ol>')
