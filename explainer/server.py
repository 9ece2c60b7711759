"""Start and end of the server; wrong settings stop it before it answers a request.

``streamlit run`` imports ``Home.py`` once and finds a ``streamlit.App`` there, which has hooks for
its start and its end. A host that runs the file as a plain script has no such hooks; there the
pages say what is wrong.
"""

import contextlib
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from functools import cache

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from explainer import measuring, metrics, startup, training
from explainer.classroom.line import routes as line_routes
from explainer.components.no_tables import look_for_no_tables
from explainer.inputs.uploads import requests
from explainer.measuring.errors import watch_errors
from explainer.shell.opening import Opening
from explainer.shell.overtaking import keep_pages_whole
from explainer.training.limits import TEXTS, LimitsError, load_limits

READY_SECONDS = 1.0  # after the start, when the server certainly answers


def check() -> None:
    """Bound the memory of threads; end the process with a sentence if its settings are wrong."""
    startup.set_malloc_options()
    try:
        load_limits()
    except LimitsError as error:
        sys.exit(str(error))


def protect() -> None:
    """Bound what visitors send, and keep their pages whole; called before pages are drawn."""
    startup.set_malloc_options()
    requests.protect()
    measuring.start_log()
    watch_errors()
    keep_pages_whole()
    look_for_no_tables()


def show_wrong_settings() -> bool:
    """Show what is wrong in the settings, and return whether anything is."""
    try:
        load_limits()
    except LimitsError as error:
        log_once(str(error))
        st.error(TEXTS["headline"])
        st.text(error.for_visitors)  # plain text, so that nothing in it counts as markup
        return True
    return False


@cache
def log_once(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


@contextlib.asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Open a browser as Streamlit does for a plain script; end all training at the end."""
    protect()
    measuring.happened("start")
    if not st.get_option("server.headless"):
        opening = threading.Timer(READY_SECONDS, webbrowser.open, (address(),))
        opening.daemon = True
        opening.start()
    try:
        yield
    finally:
        training.close_manager()
        measuring.happened("stop")


def middleware() -> list[Middleware]:
    """Return what stands between a browser and Streamlit's server."""
    return [Middleware(Opening)]


def routes() -> list[BaseRoute]:
    """Return what this server answers besides Streamlit's pages."""
    return [*metrics.routes(), *line_routes(st.get_option("server.baseUrlPath"))]


def address() -> str:
    """Return the app's address for a browser on this machine."""
    protocol = "https" if st.get_option("server.sslCertFile") else "http"
    host = st.get_option("browser.serverAddress")
    if host in ("", "0.0.0.0", "::"):
        host = "localhost"
    path = st.get_option("server.baseUrlPath").strip("/")
    return f"{protocol}://{host}:{st.get_option('browser.serverPort')}/{path}"
