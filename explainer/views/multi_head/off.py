"""Heads switched off, and what that does to the answer."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.content.numbers import points, precise_percent
from explainer.figures.switched import before_after
from explainer.observation import heads
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of, shown_classes
from explainer.observation.similarity import cosine
from explainer.shell import controls
from explainer.shell.downloads import download_csv, table_csv
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.multi_head.wording import TEXTS
from vit_core.interpret.heads import Head


def show_off(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config, block = TEXTS["parts"]["off"], seen.config, place.block
    off = place.off
    here: list[Head] = []
    elsewhere: list[Head] = []
    for one in off:
        (here if one.block == block else elsewhere).append(one)

    def keep(chosen: list[int]) -> None:
        session.set_off([*elsewhere, *(Head(block, head) for head in chosen)])

    key = place.key("heads-off")
    controls.sync_widget(key, [one.head for one in here])
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.pills(
            texts["pick"].format(block=block + 1),
            range(config.num_heads),
            selection_mode="multi",
            key=key,
            format_func=lambda head: str(head + 1),
            help=texts["pick_help"],
            on_change=partial(controls.on_change, key, keep),
        )
        if off:
            st.button(
                texts["all_on"], on_click=session.set_off, args=([],), key=place.key("all-on")
            )
    after = heads.switched(choice, seen, off)
    if not seen.has_head:
        show_features(seen, place, off, after, block)
        return
    st.markdown(off_words(seen, off, after, block))
    caption = texts["caption"]
    names, before, places = seen.class_names, seen.probabilities, shown_classes(seen)
    drawn = before[places], after[places]
    st.html(
        before_after(
            *drawn,
            names_of(seen, places),
            [
                (precise_percent(old), precise_percent(new), points(new - old))
                for old, new in zip(*(shares.tolist() for shares in drawn), strict=True)
            ],
            (texts["class"], texts["before"], texts["after"], texts["change"]),
            caption,
        )
    )
    download_csv(
        texts["download"],
        partial(
            table_csv,
            ("class", "before", "after"),
            list(zip(names, before.tolist(), after.tolist(), strict=True)),
        ),
        "heads-off.csv",
        place.key("off-csv"),
    )


def show_features(
    seen: Observation, place: Place, off: tuple[Head, ...], after: np.ndarray, block: int
) -> None:
    """Say how far the features of an image turn, where there is no answer to change."""
    texts = TEXTS["parts"]["off"]
    if not off:
        st.markdown(texts["none_off_features"].format(block=block + 1))
        return
    st.markdown(
        texts["off_now_features"].format(
            heads=named(off), cosine=f"{float(cosine(after, seen.output)):.4f}"
        )
    )
    numbers = range(1, len(after) + 1)
    download_csv(
        texts["download"],
        partial(
            table_csv,
            ("dimension", "before", "after"),
            list(zip(numbers, seen.output.tolist(), after.tolist(), strict=True)),
        ),
        "heads-off.csv",
        place.key("off-csv"),
    )


def named(off: tuple[Head, ...]) -> str:
    name = TEXTS["parts"]["off"]["head_name"]
    return ", ".join(name.format(block=one.block + 1, head=one.head + 1) for one in off)


def off_words(seen: Observation, off: tuple[Head, ...], after: np.ndarray, block: int) -> str:
    """Say in a sentence what is off, and what became of the answer."""
    texts, names, best = TEXTS["parts"]["off"], seen.class_names, seen.prediction
    if not off:
        return texts["none_off"].format(block=block + 1)
    now = int(after.argmax())
    return texts["off_now"].format(
        heads=named(off),
        answer=names[best],
        before=precise_percent(float(seen.probabilities[best])),
        after=precise_percent(float(after[best])),
        verdict=texts["same_answer" if now == best else "new_answer"].format(
            answer=names[best], now=names[now]
        ),
    )
