"""Components that ask a model: "fast" in the browser, on two pages, and one only the server has."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import streamlit as st

from explainer.components import live
from explainer.inputs.models.for_browser import browser_model
from explainer.inputs.models.load import load_source
from explainer.shell.pen_line import keep_pen_line
from explainer.state.choice import UNTRAINED, Choice
from vit_core import ViTConfig

LARGE = ViTConfig(patch_size=7, embed_dim=256, depth=4)
JS = """
export default function ({ data, parentElement }) {
  const live = data.line ? openServerLine(data.line) : openLive(data);
  live
    .ask(new Uint8ClampedArray(28 * 28))
    .then((trace) => `${trace.get("logits").data.length} logits`, (error) => error.message)
    .then((text) => (parentElement.querySelector(".answer").textContent = text));
  return () => live.close();
}
"""
mount = st.components.v2.component(
    "tests.live", html='<p class="answer"></p>', js=live.javascript() + JS
)


def show(name: str) -> None:
    choice = Choice("fast", load_source("fast").model.config, seed=0, digit=0, index=0)
    mount(key=name, data=browser_model(choice))


def first() -> None:
    show("first")


def other() -> None:
    show("other")


def large() -> None:
    """A large model, and how often this page was drawn."""
    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    choice = Choice(UNTRAINED, LARGE, seed=0, digit=0, index=0)
    assert browser_model(choice) is None
    mount(key="large", data={"line": "pen"})
    keep_pen_line(choice, "pen", ["logits"])
    st.write(f"drawn {st.session_state['drawn']} times")


st.navigation([st.Page(first, default=True), st.Page(other), st.Page(large)], position="top").run()
