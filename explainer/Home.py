"""The app's entry: ``streamlit run explainer/Home.py``, from any directory."""

import os
import sys
from pathlib import Path

# `streamlit run` puts this file's folder on the import path, not the project's
if (root := str(Path(__file__).resolve().parent.parent)) not in sys.path:
    sys.path.insert(0, root)
# one thread is the fastest for one small image, and visitors share the cores
os.environ.setdefault("OMP_NUM_THREADS", "1")

import streamlit as st

from explainer.startup import gc_paused

with gc_paused():
    from explainer import server

if __name__ == "__main__":  # Streamlit runs the file whenever a visitor changes something …
    server.protect()
    ICON = str(Path(__file__).parent / "static" / "icon.svg")
    st.set_page_config(page_title="ViT Explainer", page_icon=ICON, layout="wide")
    st.logo(ICON, size="large")
    if not server.show_wrong_settings():
        with gc_paused():
            from explainer.app import run
        run()
else:  # … and imports it once, when the server starts
    server.check()
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        middleware=server.middleware(),
        routes=server.routes(),
    )
