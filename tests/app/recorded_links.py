"""Links that a version before wrote, and what the page showed then.

    PYTHONPATH=CHECKOUT python tests/app/recorded_links.py

records them anew with the version in CHECKOUT. ``recorded/links.json`` was recorded with the
version that also wrote the run folders beside it (see ``recorded/record_runs.py``). Only what a
link promises is recorded: the state, the model, the picture, the place and their numbers, never
the words around them, so that a text may be written anew. The answers of ``cifar10`` are those of
the weights that it has had since.
"""

import base64
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explainer.components.packing import unpack

TESTS = Path(__file__).parents[1]
RECORDED = TESTS / "app" / "recorded"
LINKS = RECORDED / "links.json"
RUNS = json.loads((RECORDED / "runs.json").read_text("utf-8"))
# where the app looks for runs, and for an administrator's models
RUNS_VARIABLE, MODELS_VARIABLE = "VIT_EXPLAINER_RUNS", "VIT_EXPLAINER_PRETRAINED"
HUGGING_FACE = ("vit", "dinov2")  # models in its format, recorded for the tests of the core

FINISHED, STOPPED = RUNS["finished"]["id"], RUNS["stopped"]["id"]
DRAWN = "AWNgoBbg6Oj_Tw6PgeH_MOBRCgA"  # an own picture: a 1
OPENED = (
    "home",
    "home?digit=3&index=12",
    "home?source=fast&digit=9&index=5&utm_source=a-course",
    "home?source=best&digit=0&mode=guided",
    f"home?source=seed&picture={DRAWN}",
    "home?source=cifar10&sample=4",
    "home?source=untrained&patches=4&width=32&heads=8&depth=2&position=sincos&seed=42&digit=5",
    f"home?source=run&run={FINISHED}",
    f"multi-head?source=run&run={FINISHED}&epoch=1&head=1",
    f"class-token?source=run&run={STOPPED}&epoch=0&digit=1",
    "encoder-block?source=run&run=recorded-healthy&epoch=2&block=1",
    "self-attention?source=pretrained&pretrained=local/by-command&head=1&query=2",
    "patch-embedding?source=pretrained&pretrained=local/vit&sample=2&query=5",
    "classification-head?source=pretrained&pretrained=local/dinov2&sample=1",
    "patches?cut=14&query=20&digit=8",
    f"patches?picture={DRAWN}&code=hide&controls=hide",
    "patch-embedding?query=24&unit=5&cell=embedding.5.0",
    "class-token?digit=6&index=3&mode=guided&step=2",
    "position?kind=sincos&shuffle=7&unit=5",
    "position?query=9&cell=embed.9.3",
    "self-attention?query=17&block=1&head=2&temperature=2",
    "self-attention?query=17&block=1&head=2&cell=scores.3.4",
    "multi-head?off=0.1_2.3&block=2&query=30",
    "encoder-block?block=3&query=4&unit=17&cell=stream.2.17",
    "classification-head?source=fast&digit=4&index=2&cell=logits.4.0",
    "train",
    f"train?run={FINISHED}",
    f"train?run={STOPPED}&digit=2",
    # what no version gives
    "home?source=nonsense&digit=12&index=-1&mode=upside&width=7&seed=99999&position=round",
    "home?picture=AAAA&query=x&block=-1&head=1.5&epoch=last&sample=a&photo=b&step=c",
    "home?code=maybe&controls=no&cut=3&kind=q&shuffle=r&temperature=3&off=1&unit=u&run=!&cell=z",
    "home?index=5000&digit=7&patches=5&heads=3&depth=9&pretrained=..",
    "encoder-block?block=99&head=99&query=999",
    "class-token?cell=scores.0.0",
    "home?source=run&run=a-run-that-is-gone",
    f"home?source=run&run={FINISHED}&epoch=7",
    "home?source=pretrained&pretrained=local/gone",
    "home?source=cifar10&photo=0123456789abcdef&sample=9999",
)


def copy_server(place: Path) -> dict[str, str]:
    """Copy what a server has, and return the variables that lead there.

    The copies are new files, so that no run is old enough for the app to delete it.
    """
    runs, models = place / "runs", place / "models"
    shutil.copytree(RECORDED / "runs", runs, copy_function=shutil.copyfile)
    shutil.copytree(RECORDED / "models", models, copy_function=shutil.copyfile)
    for name in HUGGING_FACE:
        folder = TESTS / "core" / "recorded" / name
        shutil.copytree(folder, models / name, copy_function=shutil.copyfile)
    return {RUNS_VARIABLE: str(runs), MODELS_VARIABLE: str(models)}


def open_link(home: Path, link: str) -> AppTest:
    """Open a link as a new visitor does."""
    address, _, query = link.partition("?")
    app = AppTest.from_file(home, default_timeout=60)
    for name, value in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
        app.query_params[name] = value
    return turn_to(app, address)


def turn_to(app: AppTest, address: str) -> AppTest:
    # AppTest's own way to another page knows pages by their file, and these are functions
    app._page_hash = calc_hash("" if address == "home" else address)
    return app.run()


def seen_in(home: Path, link: str) -> dict[str, Any]:
    """Open a link and return what is promised of it."""
    app = open_link(home, link)
    if app.exception:
        raise AssertionError(f"{link}: {app.exception[0].message}")
    found = {
        "state": asdict(app.session_state["state"]),
        "address": {name: text_of(value) for name, value in app.query_params.items()},
        "page": app.session_state["view"],
        "refused": refused(app),
        "controls": controls_of(app),
        "shape": shape(app),
        "picture": picture(app),
        "cell": cell_number(app),
    }
    if link.startswith("train"):
        found["accuracies"] = accuracies(app)
        app.session_state["train-fold-inside"] = True  # where block and head are chosen
        app.run()
        return found | {"controls": controls_of(app)}
    return found | {"answer": answer(app)}


def text_of(value: str | list[str]) -> str:
    """Return a parameter of the address, which AppTest has in two forms."""
    return value if isinstance(value, str) else value[-1]


def html_of(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def refused(app: AppTest) -> list[str]:
    """Return the names of the parameters that the page says it did not take, in its order.

    A sentence that names none is about the model or the picture, and counts as one.
    """
    block = re.search(r'<div class="refused".*?</div>', html_of(app), re.DOTALL)
    sentences = re.findall(r"<p>(.*?)</p>", block[0], re.DOTALL) if block else []
    named = [re.search(r"\b([a-z]+)=", sentence) for sentence in sentences]
    return [match[1] if match else "(a sentence)" for match in named]


def controls_of(app: AppTest) -> dict[str, Any]:
    """Return what the controls are set to: key → value; of the train page they are its own."""
    kinds = ("selectbox", "button_group", "select_slider", "number_input", "slider")
    keys = [element.key for kind in kinds for element in app.get(kind)]
    passing = re.compile("train-|mistake|pretrained-offer|answer-|picker")
    kept = sorted(key for key in keys if key and not passing.search(key))
    return {key: app.session_state[key] for key in kept}


def shape(app: AppTest) -> list[str]:
    """Return the shape that the sidebar says of a model that nobody can change."""
    return re.findall(r"<dd>(.*?)</dd>", " ".join(e.proto.body for e in app.sidebar.get("html")))


def picture(app: AppTest) -> str | None:
    """Return what stands for the pixels that the model gets; None where the sidebar is hidden."""
    address = re.search(
        r'class="picked"><img[^>]*src="data:image/png;base64,([^"]+)"', html_of(app)
    )
    if address is None:
        return None
    pixels = np.asarray(Image.open(BytesIO(base64.b64decode(address[1]))))
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()[:16]


def accuracies(app: AppTest) -> list[str]:
    """Return the accuracies of the recorded runs that the training page shows, in percent."""
    texts = [html_of(app), *(element.value for element in app.markdown)]
    shown = set(re.findall(r"\b\d\d\.\d\d(?= %)", " ".join(texts)))
    lines = [*RUNS["finished"]["epochs"], *RUNS["stopped"]["epochs"]]
    known = {f"{100 * v:.2f}" for line in lines for k, v in line.items() if "_accuracy" in k}
    return sorted(shown & known)


def blocks(node: Any) -> Iterator[Any]:
    """Yield all blocks of a page, the inner ones first."""
    for child in getattr(node, "children", {}).values():
        if hasattr(child, "children"):
            yield from blocks(child)
            yield child


def cell_number(app: AppTest) -> float | None:
    """Return the number of the chosen cell, as the line that works it out ends in it."""
    for block in blocks(app.main):
        is_chosen = any((button.key or "").endswith("-close") for button in block.get("button"))
        lines = block.get("latex") or [e for e in block.get("markdown") if "$$" in e.value]
        if is_chosen and lines:
            text = re.sub(r"\\[a-z]+|[{},$\\]", "", lines[-1].value.replace("−", "-"))
            return float(re.findall(r"-?\s*[\d.]+", text)[-1].replace(" ", ""))
    return None


def answer(app: AppTest) -> list[float] | None:
    """Return the probabilities that Home shows of the same model and picture; None for features."""
    home = app if app.session_state["view"] == "home" else turn_to(app, "home")
    if home.exception:
        raise AssertionError(home.exception[0].message)
    for element in home.get("bidi_component"):
        if element.proto.component_name == "vit_explainer.home":
            header, arrays = unpack(element.proto.bytes)
            if "logits" not in arrays:
                return None
            powers = np.exp(arrays["logits"].astype(np.float64) - arrays["logits"].max())
            return [round(float(share), 4) for share in (powers / powers.sum())[header["shown"]]]
    return None


def main() -> None:
    import explainer

    home = Path(explainer.__file__).parent / "Home.py"
    with TemporaryDirectory(ignore_cleanup_errors=True) as place:
        os.environ.update(copy_server(Path(place)))
        found = {link: seen_in(home, link) for link in OPENED}
    # of the state only what differs from an empty link's, which stands at the beginning
    start = found[OPENED[0]]["state"]
    for seen in found.values():
        seen["state"] = {k: v for k, v in seen["state"].items() if v != start[k]}
    LINKS.write_text(as_text({"start": start, **found}), encoding="utf-8")


def as_text(found: dict[str, Any]) -> str:
    """Return JSON with a line for each link."""
    lines = [f"  {json.dumps(link)}: {json.dumps(seen)}" for link, seen in found.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
