"""Why one token more, compared with the mean."""

from collections.abc import Mapping
from functools import partial

from explainer.caching import remember
from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.shell.fold import fold
from explainer.shell.notes import note
from explainer.shell.table import show_table
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.place import Place
from explainer.views.class_token.wording import TEXTS, has_class
from vit_core import CheckpointError


def show_why(choice: Choice, seen: Observation, place: Place) -> None:
    texts = texts_of("class_token", seen)["parts"]["why"]
    rows = remember(("class token models", seen.gallery), partial(compared, seen.gallery))
    if len(rows) < 2:  # nothing to compare
        return
    with fold(place, "models", texts["label"]) as is_open:
        if is_open:
            show_models(rows, texts)


def show_models(rows: list[tuple[str, str, str]], texts: Mapping[str, str]) -> None:
    columns = zip(*rows, strict=True)
    headings = (texts[name] for name in ("table_model", "table_reads", "table_accuracy"))
    show_table(
        {heading: list(column) for heading, column in zip(headings, columns, strict=True)},
    )
    note(texts["note"])


def compared(gallery: str) -> list[tuple[str, str, str]]:
    """Return name, what it reads and accuracy of each trained model of such pictures.

    Only those that were measured are compared.
    """
    texts, rows = TEXTS["parts"]["why"], []
    for source in load.available_sources():
        if source == UNTRAINED:
            continue
        try:
            loaded = load.load_source(source)
        except (CheckpointError, OSError):
            continue  # the sidebar says so when it is chosen
        checkpoint = loaded.checkpoint
        accuracy = None if checkpoint is None else checkpoint.metrics.get("test_accuracy")
        if isinstance(accuracy, float) and loaded.gallery == gallery:
            reads = texts["reads_class" if has_class(loaded.model.config) else "reads_mean"]
            rows.append(
                (load_texts("sidebar")["sources"][source], reads, f"{100 * accuracy:.2f} %")
            )
    return rows
