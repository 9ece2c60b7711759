"""Words of the glossary on a page: dotted, and explained in place when they are pointed at.

One component serves the whole page. The texts hold plain links to the glossary, so that a page says
all without it.
"""

import streamlit as st

from explainer.components import assets
from explainer.content.term_links import ADDRESS
from explainer.content.terms import Gloss, glossary
from explainer.figures.tiny_pictures import COLOURS, PICTURES

_mount = st.components.v2.component(
    "vit_explainer.terms",
    html='<div id="gloss" role="tooltip" popover="manual"></div>',
    css=assets.stylesheet("terms/terms") + f"#gloss {{ {COLOURS} }}",
    js=assets.javascript("terms/terms"),
    isolate_styles=False,  # the words are not inside of it
)


def explain_terms() -> None:
    """Let the words of the glossary on this page open their explanations."""
    glosses = {key: shown(gloss) for key, gloss in glossary().items()}
    _mount(key="terms", data={"address": ADDRESS, "glosses": glosses})


def shown(gloss: Gloss) -> tuple[str, str, str]:
    """Return word, explanation and picture, as the browser gets them."""
    return gloss.word, gloss.text, PICTURES[gloss.key]
