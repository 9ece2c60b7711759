"""Saving what the page draws of a run."""

from collections.abc import Iterator
from contextlib import contextmanager

from explainer.content import load_texts
from explainer.shell import more
from explainer.shell.saved import Heading
from explainer.training import Run
from explainer.views.train.of_data import DIGITS, of_run
from explainer.views.train.wording import PLACE, title_of


@contextmanager
def pictured(name: str, title: str, run: Run | None = None, data: str = DIGITS) -> Iterator[None]:
    """Draw something of which the pictures can be saved.

    Args:
        name: of it, unlike all others of the page.
        run: whose measurements are drawn; None for several, which their pictures name.
        data: that the pictures are of, where no run is.
    """
    texts = load_texts("pictures")
    model = texts["model"].format(name="{name}").replace("{name}", title_of(run)) if run else ""
    if run:
        data = of_run(run).name
    heading = Heading("train", name, title, model=model, licence=texts["of_data"].get(data, ""))
    with more.part(PLACE, heading):
        yield
