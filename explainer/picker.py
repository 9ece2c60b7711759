"""The picture that the model looks at: a shipped one, a hard one, or a visitor's own."""

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import streamlit as st
from PIL import Image

from explainer import controls, pictures, services, state
from explainer.components.drawing_pad import drawing_pad
from explainer.components.thumbnails import thumbnails
from explainer.content import load_texts
from explainer.figures.pixels import image_address
from explainer.galleries import CIFAR, DIGITS, own, samples
from explainer.hard import SEARCHED, Hard, found_hard, hard_digits
from explainer.pictures_prepare import UnusablePictureError, centred
from explainer.pictures_upload import MOST_BYTES, Upload, read_photograph, read_upload
from explainer.stages import percent
from explainer.state import Choice, State

TEXTS = load_texts("picker")
KINDS = ("digit", "hard", "draw", "upload", "camera")
PHOTO_KINDS = ("sample", "upload", "camera")  # where the model was not trained on digits
KIND_KEY = "picture-kind"  # which of them is open
OWN_KEY = "own-pictures"  # kind → the own picture that it last gave
PHOTO_KIND_KEY = "photo-kind"  # the same for photographs
OWN_PHOTO_KEY = "own-photos"
PROBLEM_KEY = "picture-problem"  # why the last file gave none
FILES = ("png", "jpg", "jpeg", "webp")
THUMBNAIL = 96  # pixels
PIXELATED = 96  # pixels up to which an enlarged picture shows what it consists of
LOCAL = ("localhost", "127.0.0.1", "::1")

STYLE = """<style>
.picked { display: flex; gap: 0.75rem; align-items: center; }
.picked img {
  width: 72px; height: 72px; flex: none; border-radius: 4px; image-rendering: pixelated;
}
.picked img.smooth { image-rendering: auto; }
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
    is_digits = choice.gallery == DIGITS
    kind = open_kind(now) if is_digits else open_photo_kind(now)
    key = "picker" if is_digits else "photo-picker"
    controls.tell(key, kind)
    st.pills(
        TEXTS["kind"],
        KINDS if is_digits else PHOTO_KINDS,
        key=key,
        required=True,
        format_func=TEXTS["kinds"].__getitem__,
        on_change=partial(turn_to if is_digits else turn_to_photo, choice),
    )
    {
        "sample": pick_sample,
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


def open_photo_kind(now: State) -> str:
    """Return which kind is open for photographs; a link's own one was uploaded."""
    if PHOTO_KIND_KEY not in st.session_state:
        st.session_state[PHOTO_KIND_KEY] = "upload" if now.photo else "sample"
    return st.session_state[PHOTO_KIND_KEY]


def turn_to_photo(choice: Choice) -> None:
    """Open the kind of photograph that was chosen, and look at what it last gave."""
    kind = st.session_state["photo-picker"]
    st.session_state[PHOTO_KIND_KEY] = kind
    st.session_state.pop(PROBLEM_KEY, None)
    if kind == "sample":
        state.change(photo="")
    elif (last := own_photos().get(kind)) and own.is_kept(last):
        state.change(photo=last)


def own_photos() -> dict[str, str]:
    """Return the own photograph that each kind last gave."""
    return st.session_state.setdefault(OWN_PHOTO_KEY, {})


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


def pick_sample(now: State, choice: Choice) -> None:
    """Offer the pictures of the model's gallery."""
    found, texts = samples(choice.gallery), TEXTS["samples"]
    names = texts[choice.gallery]
    thumbnails(
        key=f"samples-{choice.gallery}",
        label=texts["label"],
        pictures=[
            (small(choice.gallery, place), names[one.name]) for place, one in enumerate(found)
        ],
        chosen=None if now.photo else now.sample,
        columns=5 if choice.gallery == CIFAR else 4,
        on_choose=lambda place: state.change(sample=place, photo=""),
    )
    preview(choice, texts["preview"].format(name=names[found[now.sample].name]))


@cache
def small(gallery: str, place: int) -> str:
    """Return the address of a small picture of a gallery's."""
    image = samples(gallery)[place].open()
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return jpeg_address(image)


def jpeg_address(image: Image.Image) -> str:
    content = BytesIO()
    image.save(content, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


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
    preview(choice, TEXTS["preview_digit"])


def pick_hard(now: State, choice: Choice) -> None:
    """Walk through the test digits that the model gets wrong."""
    found = hard_digits(choice)
    if not found:
        preview(choice, TEXTS["hard_none"])
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
    preview(choice, words.format(**facts), count.format(**facts))
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
    last = own_pictures().get("draw")
    here = last is not None and last.code == now.picture
    drawing_pad(
        key="drawing-pad",
        texts=TEXTS["pad"],
        shown=pictures.decode(last.code) if here else None,
        name=last.name if here else "",
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


def keep(kind: str, given: Own) -> None:
    own_pictures()[kind] = given
    st.session_state.pop(PROBLEM_KEY, None)
    state.change(picture=given.code)


def upload_file(now: State, choice: Choice) -> None:
    key, texts = source_of("upload", choice)
    st.file_uploader(
        texts["upload"],
        FILES,
        key=key,
        max_upload_size=MOST_BYTES // 1024**2,
        help=texts["upload_help"],
        on_change=partial(take_file, "upload", key, choice.gallery),
    )
    show_problem(choice)
    show_steps(now, "upload")
    preview_own(now, choice)


def source_of(kind: str, choice: Choice) -> tuple[str, Mapping[str, str]]:
    """Return the key of a widget that gives pictures, and its words: digits or photographs."""
    if choice.gallery == DIGITS:
        return kind, TEXTS
    return f"photo-{kind}", TEXTS["photo"]


def use_camera(now: State, choice: Choice) -> None:
    if is_insecure(st.context.url or ""):
        st.markdown(f":small[{TEXTS['camera_insecure']}]")
    else:
        key, texts = source_of("camera", choice)
        taken = own_pictures() if choice.gallery == DIGITS else own_photos()
        st.camera_input(
            texts["camera"], key=key, on_change=partial(take_file, "camera", key, choice.gallery)
        )
        if "camera" not in taken:
            st.markdown(f":small[{TEXTS['camera_note']}]")
    show_problem(choice)
    show_steps(now, "camera")
    preview_own(now, choice)


def is_insecure(address: str) -> bool:
    """Whether browsers refuse a camera to the page of an address."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOCAL


def take_file(kind: str, key: str, gallery: str) -> None:
    """Keep a file's picture; a file without one leaves the picture from before as it is."""
    file = st.session_state[key]
    if file is None:  # taken out of the list of files, or about to be taken again
        return
    try:
        if gallery != DIGITS:
            keep_photograph(kind, read_photograph(file.getvalue()))
            return
        upload = read_upload(file.getvalue())
    except UnusablePictureError as error:
        st.session_state[PROBLEM_KEY] = error.reason
        return
    keep(kind, Own(pictures.encode(upload.pixels), "", steps_of(upload), upload.done))


def keep_photograph(kind: str, pixels: np.ndarray) -> None:
    name = own.keep(pixels)
    own_photos()[kind] = name
    st.session_state.pop(PROBLEM_KEY, None)
    state.change(photo=name)


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


def show_problem(choice: Choice) -> None:
    if reason := st.session_state.get(PROBLEM_KEY):
        words = TEXTS["unusable"][reason]
        st.error(f"{words} {TEXTS['kept']}" if choice.is_own else words)


def show_steps(now: State, kind: str) -> None:
    """Show how a file became what the model gets, if that is what it is looking at."""
    last = own_pictures().get(kind)
    if last is None or last.code != now.picture:
        return
    figures = "".join(
        f'<figure><img src="{address}" alt="">'
        f"<figcaption>{escape(TEXTS[name])}</figcaption></figure>"
        for name, address in last.steps
    )
    done = " ".join(TEXTS["done"][name] for name in (*last.done, "prepared"))
    st.html(
        f'<div class="picture-steps" role="group" aria-label="{escape(TEXTS["steps"])}">{figures}'
        f'</div><p class="picture-done">{escape(done)}</p>'
    )


def preview_own(now: State, choice: Choice) -> None:
    """Show what the model gets and says of an own picture, or what it sees until there is one."""
    is_digits = choice.gallery == DIGITS
    if not choice.is_own:
        none = TEXTS["own_none"] if is_digits else TEXTS["photo"]["none"]
        preview(choice, none.format(digit=now.digit, index=now.index))
        return
    height, width = choice.config.image_hw
    note = TEXTS["own_note"] if is_digits else TEXTS["photo"]["note"]
    seen, lines = services.observe(choice), [note.format(height=height, width=width)]
    if seen.has_head:
        words = TEXTS["preview_own" if choice.trained else "preview_guess"]
        said = words.format(
            answer=seen.class_names[seen.prediction],
            share=percent(seen.probabilities[seen.prediction]),
        )
        lines.insert(0, said)
    preview(choice, *lines)


def preview(choice: Choice, *lines: str) -> None:
    """Show the pixels that the model gets, and lines of Markdown's bold beside them."""
    height, width = choice.config.image_hw
    kind = "preview_alt" if choice.config.in_channels == 1 else "preview_alt_colour"
    alt = escape(TEXTS[kind].format(what=what_is_shown(choice), height=height, width=width))
    words = "".join(f"<p>{bold(line)}</p>" for line in lines)
    smooth = ' class="smooth"' if width > PIXELATED else ""
    st.html(
        f'<div class="picked"><img{smooth} src="{image_address(services.picture(choice))}" '
        f'alt="{alt}">'
        f'<div role="status">{words}</div></div>'
    )


def what_is_shown(choice: Choice) -> str:
    """Say what the picture shows, as far as anybody knows."""
    if choice.is_own:
        return TEXTS["own_alt"]
    if choice.gallery == DIGITS:
        return TEXTS["digit_alt"].format(digit=choice.digit)
    sample = samples(choice.gallery)[choice.sample]
    return f"{TEXTS['samples'][choice.gallery][sample.name]}."


def bold(line: str) -> str:
    """Return a line with its ``**bold**`` words as HTML."""
    pieces = escape(line).split("**")
    return "".join(f"<b>{p}</b>" if place % 2 else p for place, p in enumerate(pieces))
