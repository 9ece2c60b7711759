"""Saving what the page draws of a run."""

from collections.abc import Iterator
from contextlib import contextmanager

from explainer.content import load_texts
from explainer.shell import more
from explainer.shell.saved import Heading
from explainer.training import Run
from explainer.views.train.wording import PLACE, title_of


@contextmanager
def pictured(name: str, title: str, run: Run | None = None) -> Iterator[None]:
    """Draw something of which the pictures can be saved.

    Args:
        name: of it, unlike all others of the page.
        run: whose measurements are drawn; None for several, which their pictures name.
    """
    texts = load_texts("pictures")
    model = texts["model"].format(name="{name}").replace("{name}", title_of(run)) if run else ""
    heading = Heading("train", name, title, model=model, licence=texts["digits"])
    with more.part(PLACE, heading):
        yield
