"""The shipped pictures of models that were not trained on digits."""

import base64
from functools import lru_cache, partial
from io import BytesIO

from PIL import Image

from explainer.components.thumbnails import thumbnails
from explainer.content import load_texts
from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.galleries import CIFAR, PHOTOGRAPHS, samples
from explainer.observation.naming import sample_name
from explainer.shell.picker.preview import preview
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import State

TEXTS = load_texts("picker")

THUMBNAIL = 96  # pixels


def pick_sample(now: State, choice: Choice) -> None:
    """Offer the pictures of the model's gallery."""
    pictures, texts = samples(choice.gallery), TEXTS["samples"]
    thumbnails(
        key=f"samples-{choice.gallery}",
        label=texts["label"],
        pictures=[
            (thumbnail(choice.gallery, index), sample_name(picture))
            for index, picture in enumerate(pictures)
        ],
        chosen=None if choice.is_own else now.sample,
        columns=5 if choice.gallery == CIFAR else 4,
        on_choose=partial(take_sample, choice),
    )
    lines = [texts["preview"]]
    if is_strange(choice):
        lines.append(texts["strange"])
    preview(choice, *lines, name=sample_name(pictures[now.sample]))


def take_sample(choice: Choice, index: int) -> None:
    """Show a picture of the gallery instead of the visitor's own."""
    session.change(sample=index, **({"picture": ""} if choice.takes_drawings else {"photo": ""}))


def is_strange(choice: Choice) -> bool:
    """Return whether a model was trained on somebody's own data, of which there is no picture."""
    return choice.gallery == PHOTOGRAPHS and source_of(choice).checkpoint is not None


@lru_cache(maxsize=256)
def thumbnail(gallery: str, index: int) -> str:
    """Return the address of a small version of a gallery's picture."""
    image = samples(gallery)[index].open()
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return jpeg_address(image)


def jpeg_address(image: Image.Image) -> str:
    content = BytesIO()
    image.save(content, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
