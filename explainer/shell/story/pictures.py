"""The pictures that the first screen offers beside a drawing."""

import base64
from functools import lru_cache
from io import BytesIO

from PIL import Image

from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.observation.naming import sample_name

SIDE = 96  # pixels


@lru_cache(maxsize=16)
def gallery_pictures(gallery: str) -> list[dict[str, str]]:
    """Return the pictures of a gallery, each with its name and as a small JPEG."""
    if gallery == DIGITS:
        return []
    return [
        {"name": sample_name(picture), "address": small(picture.open())}
        for picture in samples(gallery)
    ]


def small(image: Image.Image) -> str:
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    content = BytesIO()
    image.save(content, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
