"""Models of runs with a classic mistake: which one, and the banner that says so on every page."""

from html import escape

import streamlit as st

from explainer.content import load_texts
from explainer.services import load_source
from explainer.state import Choice
from vit_core.mistakes import Flaws, flaws_of, mistakes_of


def flaws(choice: Choice) -> Flaws:
    """Return which parts of the model's forward pass run."""
    return flaws_of(load_source(choice.source, choice.config, choice.seed).model)


def mistakes(choice: Choice) -> tuple[str, ...]:
    """Return the names of the mistakes in the run that the model comes from."""
    checkpoint = load_source(choice.source, choice.config, choice.seed).checkpoint
    if checkpoint is None or checkpoint.train_config is None:
        return ()
    return mistakes_of(checkpoint.config, checkpoint.train_config)


def show_banner(choice: Choice) -> None:
    """Say of a model from a run with a mistake what is true of it on this page."""
    names = mistakes(choice)
    if not names:
        return
    texts = load_texts("mistakes")["banner"]
    said = texts["made"].format(names=", ".join(texts["names"][name] for name in names))
    true = texts["flawed" if flaws(choice) else "sound"]
    st.html(
        f'<div class="mistake" role="note"><p><strong>{escape(said)}</strong> {escape(true)}</p>'
        f"</div>"
    )
