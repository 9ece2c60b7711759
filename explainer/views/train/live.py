"""A run as it stands: how far it is, its curves, and the model itself, again and again."""

from collections.abc import Mapping
from functools import partial
from html import escape

import streamlit as st

from explainer.content.numbers import share_of_right
from explainer.training import Manager, Run, visitor
from explainer.training.progress import Progress, progress_of
from explainer.views.train import orders
from explainer.views.train.charts import show_charts
from explainer.views.train.now import show_asked, show_inside
from explainer.views.train.of_data import of_run
from explainer.views.train.results import show_end
from explainer.views.train.saving import pictured
from explainer.views.train.wording import TEXTS, about, duration, status_of
from vit_core.runs.snapshot import SAMPLE

WORDS = TEXTS["live"]
PACE = {"running": 0.5, "queued": 2.0, "paused": 2.0}  # seconds between two looks
FIRST_PACE = 0.25  # until there is something to see
STEADY_SECONDS = 10.0  # of training, after which its speed says how long it still takes


def show_run(manager: Manager, run: Run) -> None:
    """Draw a run whose settings are whole, and go on drawing it while it is under way."""
    if run.is_active:
        begins = run.status == "running" and not run.history.metrics()
        pace = FIRST_PACE if begins else PACE[run.status]
        st.fragment(watch, run_every=pace)(manager, run.id, run.status, begins)
        return
    progress = progress_of(run.history)
    show_status(manager, run, progress)
    if len(progress.train.steps) or len(progress.val.steps):
        show_curves_of(run, progress)
    st.fragment(show_inside)(run)


def watch(manager: Manager, run_id: str, status: str, begins: bool) -> None:
    """Draw a run under way; where another part of the page has to change, the page runs again.

    Args:
        status, begins: as the page was drawn: its status, and whether nothing had been measured.
    """
    run = manager.find(run_id)
    if run is None or run.status != status or orders.is_newly_refused():
        st.rerun()
    progress = progress_of(run.history)
    show_status(manager, run, progress)
    show_curves_of(run, progress)
    show_inside(run)
    if begins and progress.val.steps.size + progress.train.steps.size:
        st.rerun()  # less often from now on


def show_curves_of(run: Run, progress: Progress) -> None:
    with pictured("curves", TEXTS["charts"]["title"], run):
        show_charts(progress, of_run(run))


def show_status(manager: Manager, run: Run, progress: Progress) -> None:
    """Draw the one number to look at, and beside it what the model says of sixteen pictures."""
    number, asked = st.container(), None
    if run.is_active or run.history.snapshot():
        number, asked = st.columns([5, 7], gap="large")
    with number:
        show_number(manager, run, progress)
    if asked:
        with asked:
            show_asked(run)


def show_number(manager: Manager, run: Run, progress: Progress) -> None:
    """Draw the number, how far the run is, and the buttons that steer it or lead on from it."""
    share, text = headline(run, progress)
    with st.container(key="train-status"):
        st.html(
            f'<div class="train-now"><div><p class="train-share">{escape(share)}</p>'
            f'<p class="train-of">{escape(text)}</p></div>{facts(measured(run, progress))}</div>'
        )
        if run.is_active:
            lines = run.history.metrics()
            done = lines[-1]["step"] / run.history.total_steps if lines else 0.0
            st.progress(min(1.0, max(0.0, done)))
            show_buttons(manager, run)
        else:
            show_end(manager, run)


def headline(run: Run, progress: Progress) -> tuple[str, str]:
    """Return the one number to look at, and what it says."""
    if run.queue_position is not None:
        return WORDS["place"].format(place=run.queue_position), wait_text(run)
    if run.status == "queued":  # of another server, which knows the place
        return status_of(run).capitalize(), WORDS["queued"]
    data, test = of_run(run), run.history.test_accuracy
    words = data.texts["live"]
    if isinstance(test, float):
        text = words["test_claimed" if run.status == "uploaded" else "test"]
        share = share_of_right(test, data.counts[2])
        return share, text.format(count=data.counted(2))
    latest = progress.latest_accuracy
    if latest is None:
        status = "" if run.is_active else status_of(run).capitalize()
        return status or WORDS["unknown"], WORDS["sample_none"]
    whole = len(progress.val.steps) and progress.val.accuracies[-1] == latest
    share = share_of_right(latest, data.counts[1], most=1)
    count = data.counted(1) if whole else data.counted(1, SAMPLE)
    return share, words["val" if whole else "sample"].format(count=count)


def wait_text(run: Run) -> str:
    """Say what a run in the queue of this server waits for."""
    if run.waits_for:
        return str(WORDS[f"queued_{run.waits_for}"])
    wait = run.wait_seconds
    return WORDS["queued"] if wait is None else WORDS["queued_wait"].format(time=about(wait))


def measured(run: Run, progress: Progress) -> dict[str, str]:
    """Return the facts beside the headline: name → value."""
    lines, history = run.history.metrics(), run.history
    step, epoch = (int(lines[-1]["step"]), lines[-1]["epoch"]) if lines else (0, 0)
    values = {
        WORDS["epoch"]: WORDS["of"].format(now=epoch, all=progress.epochs),
        WORDS["step"]: WORDS["of"].format(now=f"{step:,}", all=f"{history.total_steps:,}"),
    }
    if not lines and not run.is_active:
        return {}
    if run.status == "uploaded":  # its file tells nothing else
        return {WORDS["epoch"]: str(epoch)}
    if not run.is_active:
        return values | {WORDS["took"]: duration(history.seconds)}
    left, speed = run.seconds_left, run.images_per_second
    if run.estimate is not None and (left is None or lines[-1]["seconds"] < STEADY_SECONDS):
        left = run.estimate * (1 - step / history.total_steps)  # the first steps are slower
    return values | {
        WORDS["left"]: WORDS["unknown"] if left is None else about(left),
        of_run(run).texts["live"]["speed"]: WORDS["unknown"] if speed is None else f"{speed:,.0f}",
    }


def facts(values: Mapping[str, str]) -> str:
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in values.items()
    )
    return f'<dl class="train-facts">{rows}</dl>'


def show_buttons(manager: Manager, run: Run) -> None:
    """What its owner may do with a run that is under way, and how it stands in words."""
    is_stopping = st.session_state.get(orders.STOPPING_KEY) == run.id
    with st.container(horizontal=True, vertical_alignment="center", key="train-control"):
        if run.belongs_to(visitor.current()):
            if run.status == "queued":
                control("leave_queue", orders.stop, manager, run, is_stopping)
            else:
                is_paused = run.status == "paused"
                name, order = ("go_on", orders.go_on) if is_paused else ("pause", orders.pause)
                control(name, order, manager, run, is_stopping)
                control("stop", orders.stop, manager, run, is_stopping)
        st.markdown(state_text(run, is_stopping), width="content")


def control(name: str, order, manager: Manager, run: Run, is_stopping: bool) -> None:
    st.button(
        WORDS[name],
        key=f"train-{name}",
        disabled=is_stopping,
        on_click=partial(order, manager, run),
    )


def state_text(run: Run, is_stopping: bool) -> str:
    """Say how a run stands that is under way."""
    if is_stopping:
        return WORDS["stopping"]
    if run.status == "queued":
        return ""
    if run.status == "paused":
        return WORDS["paused"]
    lines = run.history.metrics()
    is_read = lines and lines[-1]["step"] >= run.history.total_steps
    if is_read:
        data = of_run(run)
        return str(data.texts["live"]["testing"].format(count=data.counted(2)))
    return WORDS["running" if lines else "starting"]
