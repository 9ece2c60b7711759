"""Heads switched off, and what that does to the answer."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.components.sight import repaints
from explainer.content.numbers import points, precise_percent, with_article
from explainer.observation import heads
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of, shown_classes
from explainer.observation.similarity import cosine
from explainer.observation.where_heads_matter import picture_where_a_head_matters
from explainer.shell import controls
from explainer.shell.changed_shares import show_changed_shares
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.more import more
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS
from vit_core.interpret.heads import Head


def off_here(choice: Choice, place: Place) -> tuple[Head, ...]:
    """Return the heads that the page has switched off, without those that the pass has no more."""
    return tuple(head for head in place.off if head not in choice.edits.heads_off)


def show_pills(place: Place) -> None:
    """Draw which heads of the block are off, to be chosen without the pictures as well."""
    texts, block = TEXTS["parts"]["heads"], place.block
    elsewhere = [one for one in place.off if one.block != block]

    def keep(chosen: list[int]) -> None:
        session.set_off([*elsewhere, *(Head(block, head) for head in chosen)])

    key = place.key("heads-off")
    heads = range(place.config.num_heads)
    off = [one.head for one in place.off if one.block == block]
    controls.sync_widget(key, off)
    st.pills(
        texts["pick"].format(block=block + 1),
        heads,
        selection_mode="multi",
        default=off,
        key=key,
        format_func=lambda head: str(head + 1),
        help=texts["pick_help"],
        on_change=repaints(partial(controls.on_change, key, keep, heads)),
    )


def show_switched(choice: Choice, seen: Observation, place: Place) -> None:
    """Say what the model gives without the heads that are off."""
    texts, off = TEXTS["parts"]["heads"], off_here(choice, place)
    if choice.edits.heads_off:
        st.markdown(texts["edited"].format(heads=named(choice.edits.heads_off)))
    if not off:
        name = "none_more_off" if choice.edits.heads_off else "none_off"
        st.markdown(texts[name if seen.has_head else f"{name}_features"].format(**answer_now(seen)))
        return
    after = heads.switched(choice, seen, off)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(words(seen, off, after))
        st.button(
            texts["all_on"],
            on_click=repaints(partial(session.set_off, [])),
            key=place.key("all-on"),
        )
    if seen.has_head:
        show_bars(seen, after)
    with more(place, "heads"):
        download_csv(
            texts["download"],
            partial(outputs_csv, seen, after),
            "heads-off.csv",
            place.key("off-csv"),
        )


def show_bars(seen: Observation, after: np.ndarray) -> None:
    texts, places = TEXTS["parts"]["heads"], shown_classes(seen)
    show_changed_shares(
        seen.probabilities[places],
        after[places],
        names_of(seen, places),
        (texts["class"], texts["before"], texts["after"], texts["change"]),
        name="switched",
        title=texts["caption"],
    )


def outputs_csv(seen: Observation, after: np.ndarray) -> str:
    names = seen.class_names if seen.has_head else range(1, len(after) + 1)
    kind = "class" if seen.has_head else "dimension"
    return table_csv(
        (kind, "before", "after"),
        list(zip(names, seen.output.tolist(), after.tolist(), strict=True)),
    )


def named(off: tuple[Head, ...]) -> str:
    name = TEXTS["parts"]["heads"]["head_name"]
    return ", ".join(name.format(block=one.block + 1, head=one.head + 1) for one in off)


def answer_now(seen: Observation) -> dict[str, str]:
    """Return the model's answer and its probability, nothing without a head."""
    if not seen.has_head:
        return {}
    best = seen.prediction
    share = precise_percent(float(seen.probabilities[best]))
    return {"answer": seen.class_names[best], "before": share}


def words(seen: Observation, off: tuple[Head, ...], after: np.ndarray) -> str:
    """Say in a sentence what is off, and what became of the answer or of the features."""
    texts = TEXTS["parts"]["heads"]
    if not seen.has_head:
        turned = f"{float(cosine(after, seen.output)):.4f}"
        return texts["off_now_features"].format(heads=named(off), cosine=turned)
    names, best, now = seen.class_names, seen.prediction, int(after.argmax())
    verdict = texts["same_answer" if now == best else "new_answer"]
    return texts["off_now"].format(
        heads=named(off),
        after=precise_percent(float(after[best])),
        verdict=verdict.format(answer=names[best], now=names[now]),
        **answer_now(seen),
    )


def show_offer(choice: Choice, seen: Observation, place: Place) -> None:
    """Offer a picture on which the answer hangs on one head, unless it is looked at already."""
    found = None if choice.edits else picture_where_a_head_matters(choice)
    if found is None or found.is_picture_of(choice):
        return
    texts, names = TEXTS["parts"]["heads"], seen.class_names
    label = texts["offer"].format(
        truth=with_article(names[found.truth]), answer=with_article(names[found.predicted])
    )
    told = texts["offer_help"].format(
        head=found.head.head + 1, block=found.head.block + 1, points=points(found.change)
    )
    if st.button(label, key=place.key("offer"), help=told):
        session.change(**found.state, block=found.head.block, head=found.head.head)
        st.rerun()  # the whole page, as the sidebar shows the image
