"""Says in a sentence why a browser refused a file, which Streamlit's uploader shows as a red icon.

The browser checks size and kind by itself, and the server may have refused the file's bytes. In
both cases no run of the script learns of it.
"""

from collections.abc import Mapping

import streamlit as st

from explainer.components import assets

_mount = st.components.v2.component(
    "vit_explainer.refused_file",
    html='<ul class="refusals"></ul>',
    css=assets.stylesheet("refused_file/refused_file"),
    js=assets.javascript("refused_file/refused_file"),
)


def refused_file(texts: Mapping[str, str], *, of: str) -> None:
    """Write the sentences below an uploader.

    Args:
        texts: ``large``, ``kind``, ``busy``, ``slow`` and ``failed``, in which {name} and {size}
            stand for those of the file and {why} for what Streamlit says.
        of: key of the uploader.
    """
    _mount(key=f"{of}-refused", data={"texts": dict(texts), "uploader": f"st-key-{of}"})
