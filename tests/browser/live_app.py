"""Two pages, each with a component that asks the model "fast" in the browser."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import streamlit as st

from explainer.components import live
from explainer.inputs.models.for_browser import browser_model
from explainer.inputs.models.load import load_source
from explainer.state.choice import Choice

JS = """
export default function ({ data, parentElement }) {
  const live = openLive(data);
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


st.navigation([st.Page(first, default=True), st.Page(other)], position="top").run()
