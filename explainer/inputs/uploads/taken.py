"""What a widget was given: read once, then dropped from the server's memory."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def take(key: str) -> tuple[str, bytes] | None:
    """Return name and content of the file that a widget has; None if there is none, or no more.

    The widget goes on showing the file's name, while its content is only kept by who calls this.
    Streamlit would keep it for as long as the visitor is there.

    Args:
        key: of the widget.
    """
    file = st.session_state[key]
    if not isinstance(file, UploadedFile):  # taken out of the list, or dropped here before
        return None
    content = file.getvalue()
    if context := get_script_run_ctx():
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    # the widget's state holds the file, and this frees its memory
    file.seek(0)
    file.truncate()
    return file.name, content
