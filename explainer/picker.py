"""The picture that the model looks at: a test digit, a hard one, or a visitor's own."""

import base64
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import partial
from html import escape
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import streamlit as st
from PIL import Image

from explainer import controls, pictures, services, state
from explainer.components.drawing_pad import drawing_pad
from explainer.content import load_texts
from explainer.figures.pixels import grey_image
from explainer.hard import SEARCHED, Hard, found_hard, hard_digits
from explainer.pictures_prepare import UnusablePictureError, centred
from explainer.pictures_upload import MOST_BYTES, Upload, read_upload
from explainer.stages import percent
from explainer.state import Choice, State

TEXTS = load_texts("picker")
KINDS = ("digit", "hard", "draw", "upload", "camera")
KIND_KEY = "picture-kind"  # which of them is open
OWN_KEY = "own-pictures"  # kind → the own picture that it last gave
PROBLEM_KEY = "picture-problem"  # why the last file gave none
FILES = ("png", "jpg", "jpeg", "webp")
THUMBNAIL = 96  # pixels
LOCAL = ("localhost", "127.0.0.1", "::1")

STYLE = """<style>
.picked { display: flex; gap: 0.75rem; align-items: center; }
.picked img {
  width: 72px; height: 72px; flex: none; border-radius: 4px; image-rendering: pixelated;
}
.picked p, .picture-done { margin: 0; font-size: 0.875rem; line-height: 1.4; }
.picked p + p { margin-top: 0.25rem; }
.picture-steps { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0.5rem; }
.picture-steps figure { margin: 0; }
.picture-steps img {
  display: block; width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 4px;
}
.picture-steps figcaption {
  margin-top: 0.25rem; font-size: 0.8125rem; line-height: 1.25; text-align: center;
}
.picture-done { margin-top: 0.5rem; }
</style>"""


@dataclass(frozen=True)
class Own:
    """A visitor's own picture.

    Attributes:
        code: for the link.
        name: of the drawing that it was made of, if it was drawn.
        steps: (name, address of the picture) of each step of its preparation.
        done: names of what was done to it.
    """

    code: str
    name: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    done: tuple[str, ...] = ()


def pick_picture(now: State, choice: Choice) -> None:
    """Draw the picker.

    Args:
        choice: what the state chooses.
    """
    st.html(STYLE)
    kind = open_kind(now)
    controls.tell("picker", kind)
    st.pills(
        TEXTS["kind"],
        KINDS,
        key="picker",
        required=True,
        format_func=TEXTS["kinds"].__getitem__,
        on_change=partial(turn_to, choice),
    )
    {
        "digit": pick_digit,
        "hard": pick_hard,
        "draw": draw_digit,
        "upload": upload_file,
        "camera": use_camera,
    }[kind](now, choice)


def open_kind(now: State) -> str:
    """Return which kind is open; a link's own picture stands on the pad, to go on with."""
    if KIND_KEY not in st.session_state:
        st.session_state[KIND_KEY] = "draw" if now.picture else "digit"
        if now.picture:
            own_pictures()["draw"] = Own(now.picture)
    return st.session_state[KIND_KEY]


def own_pictures() -> dict[str, Own]:
    return st.session_state.setdefault(OWN_KEY, {})


def turn_to(choice: Choice) -> None:
    """Open the kind that was chosen, and look at what it last gave, if there is any."""
    kind = st.session_state["picker"]
    st.session_state[KIND_KEY] = kind
    st.session_state.pop(PROBLEM_KEY, None)
    if kind == "digit":
        state.change(picture="")
    elif kind == "hard":
        state.change(picture="")
        found, now = hard_digits(choice), state.load()
        if found and not any(is_shown(hard, now) for hard in found):
            show(following(found, now))
    elif kind in own_pictures():
        state.change(picture=own_pictures()[kind].code)


def take_number(name: str) -> None:
    """Keep a digit, or a number of it, of which there may be fewer of another digit."""
    now = state.load()
    digit = st.session_state["digit"] if name == "digit" else now.digit
    index = st.session_state["index"] if name == "index" else now.index
    state.change(digit=digit, index=min(index, services.count_digits(digit) - 1))


def pick_digit(now: State, choice: Choice) -> None:
    controls.tell("digit", now.digit)
    st.segmented_control(
        TEXTS["digit"],
        range(10),
        key="digit",
        required=True,
        on_change=partial(take_number, "digit"),
    )
    count = services.count_digits(now.digit)
    controls.tell("index", now.index)
    st.number_input(
        TEXTS["index"].format(count=count, digit=now.digit),
        min_value=0,
        max_value=count - 1,
        step=1,
        key="index",
        on_change=partial(take_number, "index"),
    )
    preview(now, TEXTS["preview_digit"])


def pick_hard(now: State, choice: Choice) -> None:
    """Walk through the test digits that the model gets wrong."""
    found = hard_digits(choice)
    if not found:
        preview(now, TEXTS["hard_none"])
        return
    shown = next((place for place, hard in enumerate(found) if is_shown(hard, now)), None)
    searched = len(found_hard()) if choice.trained and choice.is_saved else SEARCHED
    facts = {"count": len(found), "searched": searched, "digit": now.digit}
    if shown is None:
        words = TEXTS["hard_right"]
        facts["place"] = ""
    else:
        words = TEXTS["hard_wrong"]
        facts |= {"said": found[shown].said, "place": shown + 1}
    if not choice.trained:
        count = TEXTS["hard_untrained"]
    elif choice.is_saved:
        count = TEXTS["hard_run"]
    else:
        count = TEXTS["hard_trained" if shown is not None else "hard_trained_other"]
    preview(now, words.format(**facts), count.format(**facts))
    row = st.container(horizontal=True, gap="small")
    for name, target in (
        ("hard_previous", preceding(found, now)),
        ("hard_next", following(found, now)),
    ):
        row.button(TEXTS[name], key=name, width="stretch", on_click=partial(show, target))


def is_shown(hard: Hard, now: State) -> bool:
    return (hard.digit, hard.index) == (now.digit, now.index) and not now.picture


def places(found: tuple[Hard, ...], now: State) -> tuple[list[int], int]:
    """Return where in the test set hard digits are, in order, and where the chosen digit is."""
    of_class = services.digit_places()
    return [int(of_class[hard.digit][hard.index]) for hard in found], int(
        of_class[now.digit][now.index]
    )


def following(found: tuple[Hard, ...], now: State) -> Hard:
    """Return the hard digit after the chosen digit; after the last comes the first."""
    ordered, here = places(found, now)
    return found[bisect_right(ordered, here) % len(found)]


def preceding(found: tuple[Hard, ...], now: State) -> Hard:
    ordered, here = places(found, now)
    return found[bisect_left(ordered, here) - 1]


def show(hard: Hard) -> None:
    state.change(digit=hard.digit, index=hard.index, picture="")


def draw_digit(now: State, choice: Choice) -> None:
    own = own_pictures().get("draw")
    here = own is not None and own.code == now.picture
    drawing_pad(
        key="drawing-pad",
        texts=TEXTS["pad"],
        shown=pictures.decode(own.code) if here else None,
        name=own.name if here else "",
        on_draw=take_drawing,
    )
    preview_own(now, choice)


def take_drawing(ink: np.ndarray, name: str) -> None:
    """Keep a drawing; an empty pad gives way to the test digit."""
    if ink.any():
        keep("draw", Own(pictures.encode(centred(ink)), name))
    else:
        own_pictures().pop("draw", None)
        state.change(picture="")


def keep(kind: str, own: Own) -> None:
    own_pictures()[kind] = own
    st.session_state.pop(PROBLEM_KEY, None)
    state.change(picture=own.code)


def upload_file(now: State, choice: Choice) -> None:
    st.file_uploader(
        TEXTS["upload"],
        FILES,
        key="upload",
        max_upload_size=MOST_BYTES // 1024**2,
        help=TEXTS["upload_help"],
        on_change=partial(take_file, "upload"),
    )
    show_problem(now)
    show_steps(now, "upload")
    preview_own(now, choice)


def use_camera(now: State, choice: Choice) -> None:
    if is_insecure(st.context.url or ""):
        st.markdown(f":small[{TEXTS['camera_insecure']}]")
    else:
        st.camera_input(TEXTS["camera"], key="camera", on_change=partial(take_file, "camera"))
        if "camera" not in own_pictures():
            st.markdown(f":small[{TEXTS['camera_note']}]")
    show_problem(now)
    show_steps(now, "camera")
    preview_own(now, choice)


def is_insecure(address: str) -> bool:
    """Whether browsers refuse a camera to the page of an address."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOCAL


def take_file(kind: str) -> None:
    """Keep a file's picture; a file without one leaves the picture from before as it is."""
    file = st.session_state[kind]
    if file is None:  # taken out of the list of files, or about to be taken again
        return
    try:
        upload = read_upload(file.getvalue())
    except UnusablePictureError as error:
        st.session_state[PROBLEM_KEY] = error.reason
        return
    keep(kind, Own(pictures.encode(upload.pixels), "", steps_of(upload), upload.done))


def steps_of(upload: Upload) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"step_{name}", thumbnail(values))
        for name, values in (
            ("original", upload.original),
            ("grey", upload.grey),
            ("ink", upload.ink),
        )
    )


def thumbnail(values: np.ndarray) -> str:
    """Return the address of a small picture."""
    image, content = Image.fromarray(values), BytesIO()
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    image.save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def show_problem(now: State) -> None:
    if reason := st.session_state.get(PROBLEM_KEY):
        words = TEXTS["unusable"][reason]
        st.error(f"{words} {TEXTS['kept']}" if now.picture else words)


def show_steps(now: State, kind: str) -> None:
    """Show how a file became what the model gets, if that is what it is looking at."""
    own = own_pictures().get(kind)
    if own is None or own.code != now.picture:
        return
    figures = "".join(
        f'<figure><img src="{address}" alt="">'
        f"<figcaption>{escape(TEXTS[name])}</figcaption></figure>"
        for name, address in own.steps
    )
    done = " ".join(TEXTS["done"][name] for name in (*own.done, "prepared"))
    st.html(
        f'<div class="picture-steps" role="group" aria-label="{escape(TEXTS["steps"])}">{figures}'
        f'</div><p class="picture-done">{escape(done)}</p>'
    )


def preview_own(now: State, choice: Choice) -> None:
    """Show what the model gets and says of an own picture, or what it sees until there is one."""
    if not now.picture:
        preview(now, TEXTS["own_none"].format(digit=now.digit, index=now.index))
        return
    seen = services.observe(choice)
    words = TEXTS["preview_own" if choice.trained else "preview_guess"]
    said = {
        "answer": seen.class_names[seen.prediction],
        "share": percent(seen.probabilities[seen.prediction]),
    }
    preview(now, words.format(**said), TEXTS["own_note"])


def preview(now: State, *lines: str) -> None:
    """Show the 28 × 28 pixels that the model gets, and lines of Markdown's bold beside them."""
    what = TEXTS["own_alt"] if now.picture else TEXTS["digit_alt"].format(digit=now.digit)
    alt = escape(TEXTS["preview_alt"].format(what=what))
    words = "".join(f"<p>{bold(line)}</p>" for line in lines)
    st.html(
        f'<div class="picked"><img src="{grey_image(services.picture(now))}" alt="{alt}">'
        f'<div role="status">{words}</div></div>'
    )


def bold(line: str) -> str:
    """Return a line with its ``**bold**`` words as HTML."""
    pieces = escape(line).split("**")
    return "".join(f"<b>{p}</b>" if place % 2 else p for place, p in enumerate(pieces))
