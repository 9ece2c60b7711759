"""Why one token more, compared with the mean."""

import streamlit as st

from explainer import services
from explainer.services import Observation
from explainer.shared import remember
from explainer.sidebar import SOURCE_LABELS
from explainer.small_print import note
from explainer.state import UNTRAINED, Choice
from explainer.views.class_token.wording import TEXTS, has_class
from vit_core import CheckpointError


def show_why(choice: Choice, seen: Observation) -> None:
    texts = TEXTS["parts"]["why"]
    rows = remember("class token models", compared)
    if not rows:
        return
    columns = zip(*rows, strict=True)
    headings = (texts[name] for name in ("table_model", "table_reads", "table_accuracy"))
    st.table(
        {heading: list(column) for heading, column in zip(headings, columns, strict=True)},
        border="horizontal",
        hide_index=True,
    )
    note(texts["note"])


def compared() -> list[tuple[str, str, str]]:
    """Return name, what it reads and accuracy of each trained model that was measured."""
    texts, rows = TEXTS["parts"]["why"], []
    for source in services.available_sources():
        if source == UNTRAINED:
            continue
        try:
            held = services.load_source(source)
        except (CheckpointError, OSError):
            continue  # the sidebar says so when it is chosen
        accuracy = held.checkpoint.metrics.get("test_accuracy")
        if isinstance(accuracy, float):
            reads = texts["reads_class" if has_class(held.model.config) else "reads_mean"]
            rows.append((SOURCE_LABELS[source], reads, f"{100 * accuracy:.2f} %"))
    return rows
