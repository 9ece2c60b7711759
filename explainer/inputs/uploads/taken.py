"""The file that a widget was given: read once, then removed from the server's memory."""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


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
