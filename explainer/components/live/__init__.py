"""A model's forward pass in the browser, for components that answer while a pen moves."""

import json

from explainer.components import assets

PASS = ("live/arithmetic", "live/vit")


def javascript() -> str:
    """Return what a component puts before its own file to use ``live.js`` and ``server.js``.

    The worker starts from a copy of its source, as text: so it needs no address of its own.
    """
    shared = ("live/safetensors", "live/edits")
    worker = json.dumps(assets.javascript(*shared, *PASS, "live/worker"))
    return (
        f"const LIVE_WORKER = {worker};\n{assets.javascript(*shared, 'live/server', 'live/live')}"
    )
