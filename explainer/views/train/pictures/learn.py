"""The guess, the two ways to learn from few pictures, and the probe while it is fitted."""

from functools import partial

import streamlit as st
import torch

from explainer.caching import remember
from explainer.content.strangers_words import strangers_word
from explainer.inputs.models.probes import SHIPPED, Backbone, Job, Order, backbones, jobs
from explainer.inputs.pictures.galleries import fitted
from explainer.inputs.pictures.own.collection import Collection
from explainer.shell.controls import pick
from explainer.shell.notes import note
from explainer.training import Manager, RefusedError, RunRequest, visitor
from explainer.views.train import orders
from explainer.views.train.pictures.bring import collection
from explainer.views.train.pictures.texts import TEXTS
from explainer.views.train.start import show_start
from explainer.views.train.wording import about
from vit_core import PRESETS, CheckpointError, TrainConfig, ViTConfig
from vit_core.data import ImageData
from vit_core.data.kept import KEPT, OWN_PICTURES, KeptImagesError, kept_data
from vit_core.data.sets import Split
from vit_core.interpret.probe import hold_out

GUESS_KEY = "pictures-guess"
BACKBONE_KEY = "pictures-backbone"
JOB_KEY = "pictures-job"
PACE = 0.5  # seconds between two looks at a job
SPEED = 25e9  # multiplications and additions a second, of one thread on an ordinary computer
BATCH, STEPS, EPOCHS = 32, 40, 10  # of a run from scratch: about so many steps in each epoch
MOST_BACKBONES = 4
WAY, JOB, GUESS = TEXTS["way"], TEXTS["job"], TEXTS["guess"]


def show_learn(manager: Manager) -> None:
    """Draw what can be learned from the pictures, or how far the probe is."""
    job: Job | None = st.session_state.get(JOB_KEY)
    if job is not None and not job.is_over:
        st.fragment(watch, run_every=PACE)(job)
        return
    if job is not None:
        settle(job)
    brought = collection()
    if problem := brought.problem:
        st.markdown(problem)
        return
    show_guess(brought)
    st.header(WAY["title"], anchor=False)
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True, key="pictures-probe"):
        show_probe_way(manager, brought)
    with right, st.container(border=True, key="pictures-scratch"):
        show_scratch_way(manager, brought)


def show_guess(brought: Collection) -> None:
    """Ask for a prediction before anything is learned."""
    counts = [
        len(pictures) - max(1, round(len(pictures) / 4)) for pictures in brought.classes.values()
    ]
    least, most = min(counts), max(counts)
    written = GUESS["counts_same" if least == most else "counts_range"]
    st.header(GUESS["title"], anchor=False)
    st.markdown(
        GUESS["text"].format(
            counts=written.format(count=least, least=least, most=most),
            chance=f"{10 / len(counts):.1f}".removesuffix(".0"),
        ),
        width=760,
    )
    with st.container(width=480):
        st.slider(GUESS["label"], 0, 10, 5, key=GUESS_KEY)


# the probe


def show_probe_way(manager: Manager, brought: Collection) -> None:
    st.subheader(WAY["probe"], anchor=False)
    known = {one.name: one for one in backbones()[:MOST_BACKBONES]}
    known.setdefault(SHIPPED, backbones()[-1])
    name = st.session_state.get(BACKBONE_KEY, next(iter(known)))
    backbone = known.get(name) or next(iter(known.values()))
    if len(known) > 1:
        pick(
            WAY["backbone"], list(known), backbone.name, keep_backbone, key="pictures-backbones",
            format_func=lambda name: str(known[name].title),
        )  # fmt: skip
    try:
        config, names = remember(("probe-backbone", backbone.name), partial(facts_of, backbone))
    except (CheckpointError, OSError) as error:
        st.markdown(JOB["failed"].format(why=strangers_word(error, 200)))
        return
    classes, width = len(brought.classes), config.embed_dim
    seconds = 2 * config.num_parameters * config.num_tokens * brought.count / SPEED
    st.markdown(
        WAY["probe_text"].format(
            width=f"{width:,}", numbers=f"{classes * (width + 1):,}", time=about(max(2.0, seconds))
        )
    )
    st.button(
        WAY["start_probe"],
        key="pictures-start-probe",
        type="primary",
        on_click=partial(begin_probe, manager, backbone),
    )
    note(
        TEXTS["backbones"]["cifar10_text"].format(names=", ".join(names))
        if backbone.name == SHIPPED
        else TEXTS["backbones"]["other_text"].format(side=config.image_hw[0])
    )


def facts_of(backbone: Backbone) -> tuple[ViTConfig, tuple[str, ...]]:
    source = backbone.load()
    return source.model.config, source.info.class_names


def keep_backbone(name: str) -> None:
    st.session_state[BACKBONE_KEY] = name


def begin_probe(manager: Manager, backbone: Backbone) -> None:
    """Fit a probe in the background; an order that is refused leaves a sentence for the page."""
    classes = {name: tuple(pictures) for name, pictures in collection().classes.items()}
    order = Order(backbone, classes, st.session_state.get(GUESS_KEY, -1))

    def start() -> None:
        if not classes:
            raise RefusedError(JOB["gone"], "not_there")
        st.session_state[JOB_KEY] = jobs().start(manager, visitor.current(), order)

    orders.attempt(start)


def watch(job: Job) -> None:
    """Draw how far a probe is; when it has ended, the page runs again."""
    job.look()
    if job.is_over:
        st.rerun()
    texts = {"waiting": "waiting", "looking": "running", "fitting": "fitting"}
    text = JOB[texts.get(job.state, "fitting")]
    st.progress(job.done / max(1, job.total), text.format(done=job.done, total=job.total))
    st.button(JOB["cancel"], key="pictures-cancel", on_click=job.cancelled.set)


def settle(job: Job) -> None:
    """Turn to the result of a probe that has ended, or say why there is none."""
    st.session_state.pop(JOB_KEY, None)
    if job.state == "done":
        orders.show(job.run_id)
        st.rerun()
    elif job.state == "cancelled":
        st.markdown(JOB["cancelled"])
    else:
        st.error(JOB["failed"].format(why=strangers_word(job.message, 200)))


# from scratch


def show_scratch_way(manager: Manager, brought: Collection) -> None:
    st.subheader(WAY["scratch"], anchor=False)
    model, train = recipe(len(brought.classes), brought.count)
    st.markdown(
        WAY["scratch_text"].format(
            count=brought.count, numbers=f"{model.num_parameters:,}", side=model.image_hw[0]
        )
    )
    key = (
        "scratch",
        tuple(
            (name, tuple(one.digest for one in pictures))
            for name, pictures in brought.classes.items()
        ),
    )
    try:
        images = remember(key, partial(image_data, brought, model))
    except KeptImagesError as error:
        st.markdown(JOB["failed"].format(why=strangers_word(error, 200)))
        return
    request = RunRequest(model, train, None, dataset=KEPT, images=images)
    show_start(manager, request, label=WAY["start_scratch"], key="pictures-start-scratch")


def recipe(classes: int, count: int) -> tuple[ViTConfig, TrainConfig]:
    """Return the shape and the training of a small model for few photographs."""
    shape = ViTConfig(
        image_size=32, in_channels=3, num_classes=classes, patch_size=4, embed_dim=64, pool="mean"
    )
    learned = max(1, count // 2)
    values = {
        **PRESETS["photographs"].train.to_dict(),
        "epochs": EPOCHS,
        "batch_size": min(BATCH, learned),
        "repeats": max(1, round(STEPS * BATCH / count)),
        "precision": "fp32",
    }
    return shape, TrainConfig.from_dict(values)


def image_data(brought: Collection, model: ViTConfig) -> ImageData:
    """Return the pictures in the size of a model: two thirds to learn from, the rest to check.

    Raises:
        KeptImagesError: a run does not keep such pictures.
    """
    images, labels = [], []
    for label, pictures in enumerate(brought.classes.values()):
        for picture in pictures:
            pixels = fitted(picture.open(), model)
            images.append(torch.from_numpy(pixels.transpose(2, 0, 1).copy()))
            labels.append(label)
    stacked, truth = torch.stack(images), torch.tensor(labels)
    test = hold_out(truth)
    rest = (~test).nonzero()[:, 0]
    held = hold_out(truth[rest], seed=1)
    val, learn = rest[held], rest[~held]
    parts = [Split(stacked[places], truth[places]) for places in (learn, val, test)]
    return kept_data(OWN_PICTURES, tuple(brought.classes), *parts)
