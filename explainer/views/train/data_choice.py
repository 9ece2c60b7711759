"""What a new run learns from: digits, clothes, small photographs, or what the visitor brings.

Each has a panel with all that stands before the run.
"""

from collections.abc import Callable

from explainer.inputs.data_sets import is_offered
from explainer.shell.controls import pick
from explainer.state import session
from explainer.training import Manager
from explainer.views.train import pictures, symbols
from explainer.views.train.start import show_setup
from explainer.views.train.wording import TEXTS
from vit_core.data.sets import DATASETS

# panels of what visitors bring: the name in a link → draws everything up to the start of a run
PANELS: dict[str, Callable[[Manager], None]] = {
    "symbols": symbols.show_panel,
    "pictures": pictures.show_panel,
}
WORDS = TEXTS["choice"]


def show_choice(manager: Manager) -> None:
    """Draw the choice and the panel of what is chosen."""
    options = offered()
    if len(options) > 1:
        pick(
            WORDS["label"],
            options,
            chosen(),
            choose,
            key="train-data",
            format_func=WORDS["names"].__getitem__,
            label_visibility="collapsed",
        )
    PANELS.get(chosen(), show_setup)(manager)


def offered() -> tuple[str, ...]:
    """Return what can be chosen on this server."""
    return (*(name for name in DATASETS if is_offered(name)), *PANELS)


def chosen() -> str:
    """Return what the link asks for, or digits where this server does not offer that."""
    wanted = session.load().data
    return wanted if wanted in offered() else "mnist"


def choose(name: str) -> None:
    session.change(data=name)
