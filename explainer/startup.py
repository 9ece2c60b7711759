"""What the server does once, behind the first page: the other pages' imports, and less to collect.

Streamlit collects garbage after every run, and that walks over all objects of PyTorch, plotly and
the rest: 200 ms of every click. They stay for as long as the server does, so they are taken out of
the collector's sight.
"""

import gc
import importlib
from collections.abc import Sequence
from functools import cache
from threading import Thread

import streamlit as st

# what Streamlit and plotly import when they are first asked for a table, a component or a chart
LATER = ("pandas", "pyarrow", "PIL.PngImagePlugin", "plotly.graph_objs", "plotly.subplots")


@cache
def settle(modules: Sequence[str]) -> None:
    """Import ``modules`` in the background and freeze what is in memory; in a server only."""
    if st.runtime.exists():
        Thread(target=load_and_freeze, args=(modules,), daemon=True).start()


def load_and_freeze(modules: Sequence[str]) -> None:
    for name in (*modules, *LATER):
        importlib.import_module(name)
    # charts import their parts when they are first drawn
    importlib.import_module("explainer.theme").template("light")
    gc.collect()
    gc.freeze()
