"""The experiment: what a shuffle of the patches changes."""

from functools import partial
from html import escape

import numpy as np
import streamlit as st

from explainer.caching import remember
from explainer.components.sight import repaints
from explainer.content.numbers import latex_number, precise_percent
from explainer.figures import pixels
from explainer.figures.grids import gridded
from explainer.figures.switched import before_after
from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of, shown_classes
from explainer.observation.similarity import cosine
from explainer.shell.downloads import download_csv, table_csv
from explainer.shell.fold import fold
from explainer.shell.more import more
from explainer.shell.notes import note
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import MOST
from explainer.state.place import Place
from explainer.training.recorded import HEALTHY, recorded
from explainer.views.position.wording import TEXTS, areas, output_name, written

CLEAR = 0.05  # change of a logit of which two decimals show enough
WIDTH = 144  # of the pictures of the experiment, or a little more
WITHOUT = "no_position"  # the recorded run of a model that has none
STYLE = """
.shuffled { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; }
.shuffled > div { display: flex; flex: 0 0 auto; gap: 1rem; max-width: 100%; }
.shuffled figure { flex: 0 1 9rem; min-width: 6rem; margin: 0; }
.shuffled figure img { display: block; width: 100%; border-radius: 3px; }
.shuffled figcaption { margin-top: 0.375rem; font-size: 0.875rem; }
.shuffled section { flex: 1 1 15rem; max-width: 26rem; min-width: 0; overflow-x: auto; }
"""

Tables = list[tuple[str, np.ndarray]]  # key of a title, and logits or features in both orders


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
            on_click=repaints(lambda: session.change(shuffle=seed % MOST + 1)),
        )
        st.button(
            texts["back"],
            key=place.key("order-patches"),
            disabled=not seed,
            on_click=repaints(lambda: session.change(shuffle=0)),
        )
        if not seed:
            st.markdown(invitation(seen), width="content")
    experiment = positions.shuffled(choice, seen, seed)
    drawn = remember(("shuffle drawn", choice, seed), partial(draw, seen, experiment, seed))
    show_html(drawn, "orders")
    numbers, explanation = areas(2)
    if seed:
        with numbers:
            if seen.has_head:
                st.markdown(verdicts(seen, experiment))
            else:
                show_features(tables_of(experiment))
        with explanation:
            show_explanation(choice, seen, experiment)
            with more(place, "shuffle"):
                download_csv(
                    texts["download"].format(output=output_name(seen)),
                    partial(shuffle_csv, seen, experiment),
                    f"shuffle-{seed}.csv",
                    place.key("shuffle-csv"),
                )
    with fold(place, "real", texts["real_label"]) as is_open:
        if is_open:
            st.markdown(texts["real"].format(**trained_accuracies()))


def show_explanation(choice: Choice, seen: Observation, experiment: positions.Shuffled) -> None:
    texts = TEXTS["parts"]["shuffle"]
    st.markdown(
        texts["why"].format(pooling=texts[f"pooling_{seen.config.pool}"]),
    )
    notes = [texts["bars"]] if seen.has_head else []
    if experiment.without is not None:
        notes.append(texts["maimed"] if choice.trained else untrained_words(seen, experiment))
    if experiment.is_off and choice.trained:
        notes.append(texts["maimed"])
    if notes:
        note(" ".join(notes))


def trained_accuracies() -> dict[str, str | int]:
    """Return what the recorded runs with and without position reached on the test images."""
    with_position, without = recorded(HEALTHY), recorded(WITHOUT)
    return {
        "epochs": with_position.config.train.epochs,
        "digits_with": f"{100 * (with_position.test_accuracy or 0):.1f} %",
        "digits_without": f"{100 * (without.test_accuracy or 0):.1f} %",
    }


def invitation(seen: Observation) -> str:
    texts, answer = TEXTS["parts"]["shuffle"], seen.prediction
    if answer is None:
        return texts["invite_features"]
    share = precise_percent(float(seen.probabilities[answer]))
    return texts["invite"].format(answer=seen.class_names[answer], share=share)


def tables_of(experiment: positions.Shuffled) -> Tables:
    """Return what is compared: the pass as it is, and without its position if it has one."""
    if experiment.without is None:
        return [("off_title" if experiment.is_off else "never_title", experiment.with_position)]
    return [("with_title", experiment.with_position), ("without_title", experiment.without)]


def show_features(tables: Tables) -> None:
    """How far the features turn, where there are no logits."""
    texts = TEXTS["parts"]["shuffle"]
    for (title, (before, after)), column in zip(tables, st.columns(2, gap="large"), strict=False):
        turned = f"{float(cosine(before, after)):.4f}"
        column.metric(texts[title], turned, help=texts["cosine_help"])
    st.markdown(texts["turned"])


def draw(seen: Observation, experiment: positions.Shuffled, seed: int) -> str:
    """Both pictures beside each other, cut by the lines of the grid, and the logits of both."""
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
            f'<figure><img src="{pixels.image_address(large)}" '
            f'alt="{alt.format(rows=rows, columns=columns)}">'
            f"<figcaption>{title}</figcaption></figure>"
        )
    compared = tables_of(experiment) if seed and seen.has_head else []
    digits = 2 if positions.change(experiment.with_position) > CLEAR else 4
    tables = "".join(draw_logits(texts[title], logits, seen, digits) for title, logits in compared)
    return (
        f'<style>{STYLE}</style><div class="shuffled"><div>{"".join(figures)}</div>{tables}</div>'
    )


def draw_logits(title: str, logits: np.ndarray, seen: Observation, digits: int) -> str:
    texts = TEXTS["parts"]["shuffle"]
    (before, after), places = softmax(logits), shown_classes(seen)
    table = before_after(
        before[places],
        after[places],
        names_of(seen, places),
        [
            (written(old, digits), written(new, digits), written(new - old, digits))
            for old, new in logits.T[places].astype(np.float64).tolist()
        ],
        (texts["class"], texts["in_order"], texts["shuffled"], texts["change"]),
        texts["caption"].format(title=title),
    )
    return f"<section><b>{escape(title)}</b>{table}</section>"


def verdicts(seen: Observation, experiment: positions.Shuffled) -> str:
    """Say of each table whether the logits changed."""
    texts, lines = TEXTS["parts"]["shuffle"], []
    for title, logits in tables_of(experiment):
        says = change_words(logits, seen) if title == "with_title" else equal_words(logits)
        lines.append(texts["said"].format(title=texts[title].removesuffix(":"), what=says))
    return "\n".join(lines)


def untrained_words(seen: Observation, experiment: positions.Shuffled) -> str:
    """Say how much the position of an untrained model weighs beside its patches."""
    texts = TEXTS["parts"]["shuffle"]
    size = np.linalg.norm(seen.tensors["pos_embed"]) / np.linalg.norm(seen.tensors["tokens"])
    much = texts["little" if positions.change(experiment.with_position) < 0.1 else "clearly"]
    return texts["untrained"].format(size=f"{size:.2g} ×", much=much)


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
