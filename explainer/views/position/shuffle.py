"""The experiment: what a shuffle of the patches changes."""

from functools import partial

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.content.numbers import latex_number, precise_percent
from explainer.figures import pixels
from explainer.figures.grids import gridded
from explainer.figures.switched import before_after
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of, shown_classes
from explainer.observation.similarity import cosine
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.notes import note
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import MOST
from explainer.state.place import Place
from explainer.views.position.wording import TEXTS, areas, output_name, written

WIDTH = 224  # of the pictures of the experiment, or a little more


def show_shuffle(choice: Choice, seen: Observation, place: Place) -> None:
    texts, config = TEXTS["parts"]["shuffle"], seen.config
    if config.num_patches < 2:
        st.markdown(texts["only"])
        return
    seed = place.shuffle
    with st.container(horizontal=True, vertical_alignment="center"):
        # one button all the way, so that the keyboard's focus stays on it
        st.button(
            texts["again" if seed else "shuffle"],
            key=place.key("shuffle-patches"),
            type="primary",
            on_click=lambda: session.change(shuffle=seed % MOST + 1),
        )
        st.button(
            texts["back"],
            key=place.key("order-patches"),
            disabled=not seed,
            on_click=lambda: session.change(shuffle=0),
        )
    experiment = positions.shuffled(choice, seen, seed)
    st.html(remember(("shuffle pictures", choice, seed), lambda: draw_both(seen, experiment, seed)))
    tables, explanation = areas(2)
    if not seed:
        explanation.markdown(invitation(seen))
        return
    with tables:
        (show_tables if seen.has_head else show_features)(seen, experiment)
    with explanation:
        if seen.has_head:
            note(texts["bars"])
        if experiment.without is not None:
            st.markdown(texts["maimed"] if choice.trained else untrained_words(seen, experiment))
        st.markdown(why_words(seen))
        download_csv(
            texts["download"].format(output=output_name(seen)),
            partial(shuffle_csv, seen, experiment),
            f"shuffle-{seed}.csv",
            place.key("shuffle-csv"),
        )


def invitation(seen: Observation) -> str:
    texts, answer = TEXTS["parts"]["shuffle"], seen.prediction
    if answer is None:
        return texts["invite_features"]
    share = precise_percent(float(seen.probabilities[answer]))
    return texts["invite"].format(answer=seen.class_names[answer], share=share)


def show_features(seen: Observation, experiment: positions.Shuffled) -> None:
    """How far the features turn, with position and without, where there are no logits."""
    texts = TEXTS["parts"]["shuffle"]
    pairs = [
        (
            "with_title" if experiment.without is not None else "never_title",
            experiment.with_position,
        )
    ]
    if experiment.without is not None:
        pairs.append(("without_title", experiment.without))
    for (title, (before, after)), column in zip(pairs, st.columns(2, gap="large"), strict=False):
        turned = f"{float(cosine(before, after)):.4f}"
        column.metric(texts[title], turned, help=texts["cosine_help"])
    st.markdown(texts["turned"])


def why_words(seen: Observation) -> str:
    texts = TEXTS["parts"]["shuffle"]
    return texts["why"].format(
        pooling=texts[f"pooling_{seen.config.pool}"],
        pooling_why=texts["pooling_why"],
        output=output_name(seen),
    )


def draw_both(seen: Observation, experiment: positions.Shuffled, seed: int) -> str:
    """Both pictures beside each other, cut by the lines of the grid."""
    texts, (rows, columns) = TEXTS["parts"]["shuffle"], seen.config.grid_size
    pictures = [(seen.pixels, texts["picture_order"], texts["alt_order"])]
    if seed:
        title = texts["picture_shuffled"].format(seed=seed)
        pictures.append((experiment.pixels, title, texts["alt_shuffled"]))
    figures = []
    for values, title, alt in pictures:
        large = gridded(values, (rows, columns), max(2, WIDTH // values.shape[1]))
        large = large[..., 0] if values.ndim == 2 else large
        figures.append(
            f'<figure style="flex:0 1 14rem;min-width:8rem;margin:0">'
            f'<img style="display:block;width:100%;border-radius:3px" '
            f'src="{pixels.image_address(large)}" alt="{alt.format(rows=rows, columns=columns)}">'
            f'<figcaption style="margin-top:0.375rem">{title}</figcaption></figure>'
        )
    return f'<div style="display:flex;gap:1.5rem">{"".join(figures)}</div>'


def show_tables(seen: Observation, experiment: positions.Shuffled) -> None:
    """The logits in order and shuffled, with position and without."""
    texts = TEXTS["parts"]["shuffle"]
    if experiment.without is None:
        show_logits(texts["never_title"], experiment.with_position, seen)
        st.markdown(equal_words(experiment.with_position))
        return
    left, right = st.columns(2, gap="large")
    with left:
        show_logits(texts["with_title"], experiment.with_position, seen)
        st.markdown(change_words(experiment.with_position, seen))
    with right:
        show_logits(texts["without_title"], experiment.without, seen)
        st.markdown(equal_words(experiment.without))


def untrained_words(seen: Observation, experiment: positions.Shuffled) -> str:
    """Say how much the position of an untrained model weighs beside its patches."""
    texts = TEXTS["parts"]["shuffle"]
    size = np.linalg.norm(seen.tensors["pos_embed"]) / np.linalg.norm(seen.tensors["tokens"])
    much = texts["little" if positions.change(experiment.with_position) < 0.1 else "clearly"]
    return texts["untrained"].format(size=f"{size:.2g} ×", much=much)


def show_logits(title: str, logits: np.ndarray, seen: Observation) -> None:
    texts = TEXTS["parts"]["shuffle"]
    st.markdown(f"**{title}**")
    (before, after), places = softmax(logits), shown_classes(seen)
    st.html(
        before_after(
            before[places],
            after[places],
            names_of(seen, places),
            [
                (written(old), written(new), written(new - old))
                for old, new in logits.T[places].astype(np.float64).tolist()
            ],
            (texts["class"], texts["in_order"], texts["shuffled"], texts["change"]),
            texts["caption"].format(title=title),
        )
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def change_words(logits: np.ndarray, seen: Observation) -> str:
    """Say how far the shuffle moved the logits and the answer."""
    texts, shares = TEXTS["parts"]["shuffle"], softmax(logits)
    if positions.stays(logits):
        return texts["unmoved"].format(change=latex_number(positions.change(logits)))
    old, new = shares.argmax(axis=1)
    text = texts["answer_stays" if old == new else "answer_moves"].format(
        old=seen.class_names[old],
        new=seen.class_names[new],
        old_share=precise_percent(float(shares[0, old])),
        new_share=precise_percent(float(shares[1, new])),
    )
    return f"{texts['moves'].format(change=f'{positions.change(logits):.4g}')} {text}"


def equal_words(logits: np.ndarray) -> str:
    texts, largest = TEXTS["parts"]["shuffle"], positions.change(logits)
    text = texts["equal"].format(change=latex_number(largest))
    return f"{text} {texts['rounding' if largest else 'exactly']}"


def shuffle_csv(seen: Observation, experiment: positions.Shuffled) -> str:
    texts = TEXTS["parts"]["shuffle"]
    header = ["class" if seen.has_head else "dimension", *texts["csv_columns"]]
    columns = [*experiment.with_position]
    if experiment.without is not None:
        header += texts["csv_columns_without"]
        columns += [*experiment.without]
    names = seen.class_names or range(1, len(experiment.with_position[0]) + 1)
    rows = zip(names, *(column.tolist() for column in columns), strict=True)
    return table_csv(header, list(rows))
