"""What came of a probe: how many held-out pictures are right, which, and which patches say so."""

from functools import partial
from html import escape

import numpy as np
import streamlit as st

from explainer.content.strangers_words import distinct
from explainer.figures import pixels, theme
from explainer.figures.confusion import confusion
from explainer.figures.theme import DIVERGING
from explainer.inputs.models.probe_file import LEVELS, Asked, ProbeResult, load_result
from explainer.inputs.models.probes import title_of
from explainer.shell import routes
from explainer.shell.notes import note
from explainer.shell.picker.visitor_pictures import PHOTO_KIND_KEY
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import RUN
from explainer.training import Run
from explainer.views.train import orders
from explainer.views.train.live import facts
from explainer.views.train.pictures.texts import TEXTS, address_of
from explainer.views.train.results import open_in_pipeline, show_checkpoint
from explainer.views.train.saving import pictured

WORDS = TEXTS["result"]
FEW = 30  # held-out pictures, below which their number is pointed out
OPACITY = 0.7  # of the patch that says most
STYLE = f"""
.asked.asked {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr));
  gap: 1.25rem 1rem; margin: 0; padding: 2px; list-style: none; }}
.asked li {{ margin: 0 !important; padding: 0; }}
.asked .pair {{ display: grid; grid-template-columns: 1fr 1fr; gap: 4px; max-width: 18rem; }}
.asked .over {{ position: relative; }}
.asked img {{ display: block; width: 100%; aspect-ratio: 1; margin: 0; border-radius: 4px; }}
.asked .over img + img {{ position: absolute; inset: 0; height: 100%;
  image-rendering: pixelated; }}
.asked p {{ margin: 0.375rem 0 0; font-size: 0.9375rem; line-height: 1.35; font-weight: 600;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }}
.asked .right p {{ color: {theme.GOOD.css}; }}
.asked .wrong p {{ color: {theme.BAD.css}; }}
"""


def show_probe(run: Run) -> None:
    """Draw the result of a probe, what it leads on to, and the pictures that were held out."""
    result = load_result(run.history.path)
    if result is None:
        st.markdown(WORDS["damaged"])
        show_buttons(run, is_sound=False)
        return
    names = tuple(map(str, distinct(result.names)))
    left, right = st.columns([6, 5], gap="large")
    with left:
        show_numbers(result)
        show_buttons(run, is_sound=bool(run.history.epochs()))
        show_remarks(result)
    with right:
        st.markdown(f"**{WORDS['confusion']}**")
        texts = {"caption": WORDS["confusion_caption"], "corner": WORDS["confusion_corner"]}
        with pictured("probe-confusion", WORDS["confusion"], run):
            table = confusion(np.array(result.confusion), names, texts)
            show_html(table, "confusion", WORDS["confusion"])
            note(WORDS["confusion_caption"])
    show_asked(run, result, names)


def show_numbers(result: ProbeResult) -> None:
    """Draw the one number to look at, and the facts beside it."""
    count = result.held_out
    share = WORDS["share"].format(share=f"{100 * result.right / count:.0f}")
    values = {
        WORDS["facts_learned"]: WORDS["facts_pictures"].format(count=sum(result.learned)),
        WORDS["facts_features"]: seconds(result.features_seconds),
        WORDS["facts_fitted"]: seconds(result.fitted_seconds),
        WORDS["facts_neighbour"]: percent(result.neighbour / count),
        WORDS["facts_pixels"]: percent(result.pixels / count),
    }
    if result.checked >= 0:
        values[WORDS["facts_checked"]] = percent(result.checked)
    right = escape(WORDS["right"].format(count=count))
    with st.container(key="train-status"):
        st.html(
            f'<div class="train-now"><div><p class="train-share">{escape(share)}</p>'
            f'<p class="train-of">{right}</p></div>{facts(values)}</div>'
        )


def percent(share: float) -> str:
    return WORDS["share"].format(share=f"{100 * share:.0f}")


def seconds(number: float) -> str:
    return WORDS["seconds"].format(seconds=f"{number:.1f}")


def show_remarks(result: ProbeResult) -> None:
    """Say what the numbers mean, and what they do not."""
    count = result.held_out
    if result.guess >= 0:
        found = f"{10 * result.right / count:.1f}".removesuffix(".0")
        st.markdown(WORDS["guess"].format(guess=result.guess, found=found))
    st.markdown(WORDS["backbone"].format(name=title_of(result.backbone)))
    if count < FEW:
        points = f"{100 / count:.0f}"
        st.markdown(WORDS["few"].format(count=count, points=points))
    if result.known:
        names = ", ".join(f"{name}" for name in distinct(result.known))
        st.markdown(WORDS["known"].format(names=names))
    penalty = f"{result.penalty:.2g}"
    note(WORDS["explain"].format(width=f"{result.width:,}", penalty=penalty))


def show_buttons(run: Run, is_sound: bool) -> None:
    """Lead on to the pages with this model, to another picture, or to other pictures."""
    with st.container(horizontal=True, key="train-after"):
        if is_sound:
            if st.button(WORDS["open"], key="train-open", type="primary"):
                open_in_pipeline(run, None)
            if st.button(WORDS["another"], key="pictures-another"):
                try_another(run)
            show_checkpoint(run, run.history.epochs()[-1])
        st.button(WORDS["again"], key="train-another", on_click=partial(orders.show, ""))


def try_another(run: Run) -> None:
    """Turn to the page with the answer, with the picker open where a file is brought."""
    st.session_state[PHOTO_KIND_KEY] = "upload"
    session.change(source=RUN, run=run.id, epoch=None)
    routes.go("classification_head")


def show_asked(run: Run, result: ProbeResult, names: tuple[str, ...]) -> None:
    """Draw held-out pictures with the probe's answers and what their patches say."""
    st.header(WORDS["shown"], anchor=False)
    st.markdown(f"{WORDS['shown_text']} {WORDS[f'{result.pool}_pool']}", width=760)
    items = "".join(item(one, names) for one in result.asked)
    with pictured("probe-asked", WORDS["shown"], run):
        show_html(f'<style>{STYLE}</style><ul class="asked">{items}</ul>', "asked")


def item(one: Asked, names: tuple[str, ...]) -> str:
    kind = "right" if one.label == one.predicted else "wrong"
    words = {
        "truth": names[one.label],
        "answer": names[one.predicted],
        "share": f"{100 * one.share:.0f}",
    }
    text, alt = (escape(WORDS[f"{name}_{kind}"].format(**words)) for name in ("answer", "alt"))
    picture = address_of(one.picture)
    over = f'<img src="{picture}" alt=""><img src="{heat(one)}" alt="">'
    return (
        f'<li class="{kind}"><span class="pair"><img src="{picture}" alt="{alt}">'
        f'<span class="over">{over}</span></span><p>{text}</p></li>'
    )


def heat(one: Asked) -> str:
    """Return what each patch says as a picture: the more it says, the less can be seen through."""
    said = np.array(one.patches, np.float32).reshape(-1, one.columns) / LEVELS
    colours = pixels.palette(DIVERGING)
    ends = np.where((said > 0)[..., None], colours[-40], colours[40])
    opacity = (255 * OPACITY * np.abs(said)).round()
    return pixels.data_uri(
        pixels.colour_png(np.concatenate((ends, opacity[..., None]), axis=2).astype(np.uint8))
    )
