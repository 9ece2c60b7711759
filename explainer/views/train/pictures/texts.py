"""The texts of this panel, and how a file of a picture becomes an address."""

import base64

from explainer.content import load_texts

TEXTS = load_texts("own_pictures")


def address_of(content: bytes | str) -> str:
    """Return the address of a PNG or JPEG file, given as bytes or as base64."""
    text = content if isinstance(content, str) else base64.b64encode(content).decode()
    # the first letters of base64 tell the format: a JPEG begins with FF D8 FF
    kind = "jpeg" if text.startswith("/9j/") else "png"
    return f"data:image/{kind};base64,{text}"
