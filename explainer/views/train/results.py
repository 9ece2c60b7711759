"""After a run: why it ended, what can be done now, its hardest pictures, what to take along."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import streamlit as st

from explainer.figures.pixels import image_address
from explainer.figures.strip import Answer, strip
from explainer.inputs.models import load
from explainer.shell import routes
from explainer.shell.controls import slide
from explainer.shell.downloads import table_csv
from explainer.shell.notes import note
from explainer.shell.shown import show_html
from explainer.state import session
from explainer.state.choice import RUN, saved
from explainer.state.second import compared_with
from explainer.training import Manager, Run, visitor
from explainer.training.as_script import script_of
from explainer.training.command import for_others
from explainer.views.train import orders, setup
from explainer.views.train.most_wrong import Hard, hardest_of
from explainer.views.train.of_data import OfData, of_run
from explainer.views.train.saving import pictured
from explainer.views.train.wording import TEXTS
from vit_core import CheckpointError
from vit_core.data.kept import IMAGES, KEPT, KeptImagesError

WORDS = TEXTS["after"]
COLUMNS = (
    *("seconds", "step", "epoch", "train_loss", "train_accuracy", "sample_loss"),
    *("sample_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy", "lr"),
)
BYTES = "application/octet-stream"
EPOCH_KEY = "train-epoch-chosen"  # (the run, its epoch)


def show_end(manager: Manager, run: Run) -> None:
    """Say how a run ended, what is kept, and what can be done now."""
    epochs = run.history.epochs()
    if run.message:
        kept_text = TEXTS["live"][("kept_none", "kept_one", "kept")[min(len(epochs), 2)]]
        st.markdown(
            f"{run.message} {kept_text.format(last=epochs[-1] if epochs else 0)}", width=760
        )
    config, is_own = run.history.config, run.belongs_to(visitor.current())
    with st.container(horizontal=True, key="train-after"):
        resumable, last = is_own and run.can_resume, max(epochs, default=0)
        if resumable:
            text = WORDS["resume" if last else "resume_start"].format(epoch=last)
            act(text, "resume", partial(orders.resume, manager, run), is_first=True)
        if epochs and st.button(
            WORDS["open"], key="train-open", type="secondary" if resumable else "primary"
        ):
            open_in_pipeline(run, None)
        if run.status != "uploaded":
            if not resumable or last:
                act(WORDS["same"], "same", partial(orders.again, manager, run))
            if setup.can_adopt(config.model, config.train, config.dataset):
                act(WORDS["change"], "change", partial(orders.change, run))
        act(TEXTS["start_again"], "another", partial(orders.show, ""))


def act(label: str, name: str, order, is_first: bool = False) -> None:
    kind: Literal["primary", "secondary"] = "primary" if is_first else "secondary"
    st.button(label, key=f"train-{name}", type=kind, on_click=order)


def open_in_pipeline(run: Run, epoch: int | None) -> None:
    session.change(source=RUN, run=run.id, epoch=epoch)
    routes.go("home")


def show_hardest(run: Run) -> None:
    """Show the test pictures that the last model finds hardest."""
    epochs = run.history.epochs()
    if not epochs or epochs[-1] == 0:
        return
    try:
        examples = hardest_of(run)
    except (CheckpointError, KeptImagesError, OSError):
        st.markdown(WORDS["unreadable"])
        return
    data = of_run(run)
    words = data.texts["after"]
    st.markdown(words["hardest_text"])
    with pictured("hardest", words["hardest"], run):
        answers = [answer(hard, data) for hard in examples]
        show_html(strip(answers, data.texts["strip"]), "digits")


def answer(hard: Hard, data: OfData) -> Answer:
    example, names = hard.example, data.class_names
    share = WORDS["hardest_share"].format(share=f"{100 * example.probability:.1f}")
    truth, predicted = str(names[example.label]), str(names[example.predicted])
    return Answer(image_address(hard.pixels), truth, predicted, share)


def show_take_along(run: Run) -> None:
    """Offer the model of each epoch, the metrics and the script."""
    history, epochs = run.history, run.history.epochs()
    chosen = chosen_epoch(run)
    if len(epochs) > 1:
        with st.container(width=480):
            slide(
                WORDS["epoch"],
                epochs,
                chosen,
                partial(keep_epoch, run),
                key="train-epoch",
                format_func=partial(named_epoch, run),
            )
    with st.container(horizontal=True, key="train-take"):
        if epochs:
            if st.button(WORDS["open_epoch"], key="train-open-epoch"):
                open_in_pipeline(run, None if chosen == epochs[-1] else chosen)
            offer_epochs(run, epochs[0], chosen)
            show_checkpoint(run, chosen)
        if history.metrics():
            hand_out("metrics", partial(metrics_csv, run), "metrics.csv", "text/csv")
        if run.status != "uploaded":
            script = partial(script_of, history.config, history.test_accuracy)
            hand_out("script", script, "train_again.py", "text/x-python")
        if history.config.dataset == KEPT and (history.path / IMAGES).is_file():
            hand_out("images", (history.path / IMAGES).read_bytes, IMAGES, BYTES)
    if run.status != "uploaded":
        note(WORDS["script_text"])
    if history.config.dataset == KEPT:
        note(WORDS["images_text"])
    if history.config.takes_pictures and epochs:
        note(WORDS["pictures_text"])


def offer_epochs(run: Run, first: int, chosen: int) -> None:
    """Offer the first epoch and the chosen one side by side."""
    if first == chosen:
        return
    label = WORDS["compare_epochs"].format(first=first, epoch=chosen)
    if st.button(label, key="train-compare-epochs"):
        now = replace(session.load(), source=RUN, run=run.id, epoch=first)
        session.save(compared_with(now, replace(now, epoch=chosen)))
        routes.go("patch_embedding")


def show_checkpoint(run: Run, epoch: int) -> None:
    try:
        load.load_source(saved(run.id, epoch))
    except (CheckpointError, OSError):
        st.markdown(WORDS["unreadable"], width="content")
        return
    content = partial(checkpoint_file, run, epoch, run.belongs_to(visitor.current()))
    hand_out("checkpoint", content, f"epoch-{epoch:03d}.safetensors", BYTES)


def checkpoint_file(run: Run, epoch: int, is_own: bool) -> bytes:
    content = run.history.checkpoint(epoch).read_bytes()
    return content if is_own else for_others(content)


def hand_out(name: str, content: Callable[[], str | bytes], file_name: str, mime: str) -> None:
    """Show a button that hands out a file, which is only made when somebody asks for it."""
    st.download_button(
        WORDS[name],
        data=content,
        file_name=file_name,
        mime=mime,
        key=f"train-{name}",
        on_click="ignore",
    )


def chosen_epoch(run: Run) -> int:
    known, epoch = st.session_state.get(EPOCH_KEY, ("", 0))
    epochs = run.history.epochs()
    return epoch if known == run.id and epoch in epochs else max(epochs, default=0)


def keep_epoch(run: Run, epoch: int) -> None:
    st.session_state[EPOCH_KEY] = (run.id, epoch)


def named_epoch(run: Run, epoch: int) -> str:
    line = run.history.epoch_line(epoch)
    if epoch == 0:
        return WORDS["epoch_untrained"]
    if line is None:
        return WORDS["epoch_unmeasured"].format(epoch=epoch)
    return WORDS["epoch_measured"].format(epoch=epoch, share=f"{100 * line['val_accuracy']:.1f}")


def metrics_csv(run: Run) -> str:
    lines = run.history.all_metrics()
    return table_csv(COLUMNS, ([empty(line.get(name)) for name in COLUMNS] for line in lines))


def empty(value: object) -> object:
    return "" if value is None else value
