"""The model itself between two of its steps: what it answers, confuses, looks for and looks at."""

import numpy as np
import streamlit as st

from explainer.figures import looks
from explainer.figures.confusion import confusion
from explainer.figures.mosaic import mosaic
from explainer.figures.pixels import weights_matrix
from explainer.figures.strip import strip
from explainer.inputs.pictures.batches import pixels_of
from explainer.shell.controls import pick_number
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.training import Run
from explainer.views.train.asked import answered, asked_of, unasked
from explainer.views.train.of_data import OfData, of_run
from explainer.views.train.saving import pictured
from explainer.views.train.wording import PLACE, TEXTS
from vit_core import ViTConfig
from vit_core.data import Split
from vit_core.data.sample_pictures import LARGEST_SIDE
from vit_core.runs.snapshot import STRIP_INDICES, VALIDATION, Snapshot

ASKED = len(STRIP_INDICES)

WORDS = TEXTS["now"]
SIDES = (1, LARGEST_SIDE)  # of a picture of the strip, in pixels


def show_asked(run: Run) -> None:
    """Draw what the model says of the sixteen pictures; question marks before its first answer."""
    snapshot, history = run.history.snapshot(), run.history
    if snapshot is not None and not fits(snapshot, history.config.model):
        st.markdown(TEXTS["unfit"])
        return
    pictures, data = asked_of(run, snapshot), of_run(run)
    if not len(pictures):
        return
    if snapshot is None:
        answers = unasked(pictures, data.class_names)
    else:
        answers = answered(snapshot, pictures, data.class_names)
    with st.container(key="train-asked", gap="small"):
        if are_few(data, snapshot):  # too few for sixteen, so some were asked twice
            answers = list(dict.fromkeys(answers))
        said = f"{when_asked(run, snapshot)} {which_asked(data, snapshot, len(answers))}".strip()
        with pictured("asked", said, run):
            show_html(strip(answers, data.texts["strip"], columns=8, marked=True), "digits")
            note(said)


def are_few(data: OfData, snapshot: Snapshot | None) -> bool:
    """Return whether the validation pictures are asked, and are fewer than sixteen."""
    part = VALIDATION if snapshot is None else snapshot.part
    return part == VALIDATION and 0 < data.counts[1] < ASKED


def which_asked(data: OfData, snapshot: Snapshot | None, shown: int) -> str:
    """Say from which part of the data the pictures are, and how many of it."""
    texts, count = data.texts["now"]["asked"], data.counts[1]
    if are_few(data, snapshot):
        return str(texts["all" if shown == count else "few"].format(shown=shown, count=count))
    part = VALIDATION if snapshot is None else snapshot.part
    return str(texts[part].format(count=data.counted(1)))


def when_asked(run: Run, snapshot: Snapshot | None) -> str:
    """Say at which step the model gave its answers."""
    if snapshot is None:
        return ""
    template = WORDS["step" if snapshot.step else "step_untrained"]
    return template.format(step=f"{snapshot.step:,}", all=f"{run.history.total_steps:,}")


def show_inside(run: Run) -> None:
    """Offer what else the run's snapshot holds; nothing for a run that nobody could watch."""
    snapshot, config = run.history.snapshot(), run.history.config.model
    if snapshot is None or not fits(snapshot, config):
        return
    label = WORDS["title" if run.is_active else "title_after"]
    with fold(PLACE, "inside", label) as is_open:
        if is_open:
            with pictured("inside", label, run):
                show_snapshot(snapshot, config, asked_of(run, snapshot), of_run(run))


def show_snapshot(snapshot: Snapshot, config: ViTConfig, asked: Split, data: OfData) -> None:
    first, second, third = st.columns(3, gap="large")
    with first:
        show_confusion(snapshot, data)
    with second:
        show_filters(snapshot, config)
    with third:
        show_pattern(snapshot, config, asked, data)


def fits(snapshot: Snapshot, config: ViTConfig) -> bool:
    """Whether a snapshot, which anybody may have damaged, is one of this model."""
    tokens = config.num_tokens
    shapes = {
        "logits": (len(STRIP_INDICES), config.num_classes),
        "confusion": (config.num_classes, config.num_classes),
        "filters": (config.embed_dim, config.patch_dim),
        "pattern": (config.depth, config.num_heads, tokens, tokens),
    }
    arrays = {name: getattr(snapshot, name) for name in shapes}
    return (
        all(arrays[name].shape == shape for name, shape in shapes.items())
        and all(np.isfinite(array).all() for array in arrays.values())
        and bool((snapshot.confusion >= 0).all())
        and pictures_fit(snapshot, config)
    )


def pictures_fit(snapshot: Snapshot, config: ViTConfig) -> bool:
    """Whether the pictures of the strip, if the snapshot has them, are some of this model's."""
    images, labels = snapshot.images, snapshot.labels
    if images is None or labels is None:
        return images is None and labels is None
    return (
        images.dtype == labels.dtype == np.uint8
        and images.ndim == 4
        and images.shape[:2] == (ASKED, config.in_channels)
        and config.in_channels in (1, 3)
        and all(SIDES[0] <= side <= SIDES[1] for side in images.shape[2:])
        and labels.shape == (ASKED,)
        and int(labels.max()) < config.num_classes
    )


def show_confusion(snapshot: Snapshot, data: OfData) -> None:
    counts, words = snapshot.confusion, data.texts["now"]
    st.markdown(f"**{WORDS['confusion']}**")
    texts = {
        "caption": words["confusion_caption"].format(step=f"{snapshot.step:,}"),
        "corner": words["confusion_corner"],
    }
    shown = confusion(counts, data.class_names, texts)
    show_html(shown, "confusion", texts["caption"])
    total = int(counts.sum())
    wrong = total - int(np.trace(counts))
    note(words["confusion_text"].format(count=total, wrong=wrong))


def show_filters(snapshot: Snapshot, config: ViTConfig) -> None:
    filters = snapshot.filters
    limit = float(np.abs(filters).max()) or 1.0
    facts = {
        "count": len(filters),
        "pixels": config.patch_hw[0],
        "limit": f"{limit:.2g}",
        "step": f"{snapshot.step:,}",
    }
    st.markdown(f"**{WORDS['filters']}**")
    address = mosaic(filters, config.patch_hw, limit)
    shown = picture(address, WORDS["filters_alt"].format(**facts))
    show_html(shown, "filters", WORDS["filters"])
    note(WORDS["filters_text"].format(**facts))


def show_pattern(snapshot: Snapshot, config: ViTConfig, asked: Split, data: OfData) -> None:
    words = data.texts["now"]
    now = session.load()
    block, head = min(now.block, config.depth - 1), min(now.head, config.num_heads - 1)
    weights = snapshot.pattern[block, head].astype(np.float32)
    looked_at = weights.mean(axis=0)
    facts = {
        "block": block + 1,
        "head": head + 1,
        "step": f"{snapshot.step:,}",
        "tokens": len(weights),
        "most": int(looked_at.argmax()) + 1,
    }
    st.markdown(f"**{WORDS['pattern']}**")
    on_patches = looked_at[config.num_prefix_tokens :].reshape(config.grid_size)
    beside = ""
    if len(asked):
        alt = words["look_alt"].format(truth=str(data.class_names[int(asked.labels[0])]))
        beside = looks.look(pixels_of(asked.images[:1]), on_patches, alt)
    show_html(
        f'<style>{looks.STYLE}</style><div class="train-pattern">'
        f"{picture(weights_matrix(weights), WORDS['pattern_alt'].format(**facts))}"
        f"{beside}</div>",
        "pattern",
        WORDS["pattern"],
    )
    note(words["pattern_text"].format(**facts))
    with st.container(horizontal=True, key="train-place"):
        pick_number("block", config.depth, block, session.set_block, key="block")
        pick_number("head", config.num_heads, head, session.set_head, key="head")


def picture(address: str, alt: str) -> str:
    return f'<img class="train-picture" src="{address}" alt="{alt}">'
