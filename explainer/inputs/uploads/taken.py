"""The file that a widget was given: read once, then removed from the server's memory."""

from collections.abc import Iterator
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile


def take(key: str) -> tuple[str, bytes] | None:
    """Return the name and content of a widget's file; None if it has none, or it was taken before.

    The widget still shows the file's name, but only the caller keeps the content. Streamlit would
    keep it as long as the session lasts.

    Args:
        key: of the widget.
    """
    file = st.session_state[key]
    if not isinstance(file, UploadedFile):  # the visitor removed it, or it was taken before
        return None
    content = file.getvalue()
    if context := get_script_run_ctx():
        # Streamlit's interface leaves out what its only implementation has
        manager: Any = context.uploaded_file_mgr
        manager.remove_file(context.session_id, file.file_id)
    # the widget's state holds the file, and this frees its memory
    file.seek(0)
    file.truncate()
    return file.name, content


def take_all(key: str) -> Iterator[tuple[str, UploadedFile]]:
    """Yield the name of each file of a widget with the open file, whose memory is freed afterwards.

    A file that the server had to drop before this is left out (see ``lost``).

    Args:
        key: of the widget, which may take one file or several.
    """
    files = st.session_state[key]
    context = get_script_run_ctx()
    for file in files if isinstance(files, list) else [files]:
        if not isinstance(file, UploadedFile):
            continue
        if context:
            # Streamlit's interface leaves out what its only implementation has
            manager: Any = context.uploaded_file_mgr
            manager.remove_file(context.session_id, file.file_id)
        try:
            yield file.name, file
        finally:
            file.seek(0)
            file.truncate()


def lost(key: str) -> int:
    """Return how many files of a widget the server had to drop before a page read them."""
    files = st.session_state[key]
    return sum(isinstance(file, DeletedFile) for file in files) if isinstance(files, list) else 0
