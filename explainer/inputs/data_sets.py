"""Which data sets a run can learn from here, and their downloads, in the background."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explainer.content import load_texts
from explainer.inputs.models.downloads import Downloads, Progress
from explainer.training import load_limits
from vit_core.data.torchvision_sets import DOWNLOAD_BYTES, bytes_here, can_open, is_here
from vit_core.errors import VitError

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-P", "-m", "vit_core.data.download")
LOOK_SECONDS = 0.3  # between two looks at how much of a download has come


class DownloadError(VitError, RuntimeError):
    """A data set could not be downloaded; the message is one sentence for the visitor."""


def is_offered(name: str) -> bool:
    """Return whether runs can learn from a data set here, at once or after a download."""
    if name == "mnist" or is_here(name):
        return True
    return can_open(name) and bool(load_limits().data_downloads)


def is_ready(name: str) -> bool:
    """Return whether a data set is on this server."""
    download = the_downloads().find(name)
    is_on_its_way = download is not None and download.state == "running"
    return name == "mnist" or (is_here(name) and not is_on_its_way)


def fetch(name: str, progress: Progress, cancelled: Callable[[], bool]) -> None:
    """Download a data set in a process of its own, which also checks its hashes.

    torchvision would stay in the memory of the process that serves the pages.

    Raises:
        DownloadError: it cannot be downloaded.
        OSError: no process can be started.
    """
    # a file, since the bars of a download would fill a pipe that nobody reads meanwhile
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*COMMAND, name], stdout=subprocess.DEVNULL, stderr=errors, cwd=PROJECT
        )
        try:
            while process.poll() is None:
                progress(min(bytes_here(name), DOWNLOAD_BYTES[name]), DOWNLOAD_BYTES[name])
                if cancelled():
                    process.kill()
                time.sleep(LOOK_SECONDS)
        finally:
            process.kill()
            process.wait()
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
    if process.returncode and not cancelled():
        texts = load_texts("train")["choice"]
        why = lines[-1] if lines else texts["ended"].format(code=process.returncode)
        raise DownloadError(texts["failed"].format(why=why))


@st.cache_resource
def the_downloads() -> Downloads:
    """Return the downloads of data sets to this server."""
    return Downloads(fetch)
