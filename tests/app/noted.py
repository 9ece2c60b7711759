"""The pictures that pages note for saving: as many as a visitor sees, and each can be laid out."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reading import html_bodies
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.content import load_texts
from explainer.figures.saved import files, paper
from explainer.shell import more
from explainer.shell.saved import Saved

# components that draw a picture, and how many each
DRAWING = {
    **dict.fromkeys(("matrices", "token_picker", "patch_explorer", "filter_grid"), 1),
    **dict.fromkeys(("curves", "row_joins"), 1),
    **dict.fromkeys(("alike", "point_map", "query_map", "confusions"), 1),
    "token_explorer": 2,
}
FAVOURITES = "unit-nine"  # the other thumbnails only offer pictures to choose from
FIGURES = (  # classes of the page's own HTML that stand for a picture
    *("block-flow", "class-bars", "colour-map", "colour-strip", "confusion", "effects", "switched"),
    *("gallery", "looks", "overview-box", "maps", "all-maps", "parts", "product", "alike"),
    *("pieces", "strip row", "cut", "shuffled", "terms", "train-picture", "strip"),
    *("cosines", "optimizers", "scores", "map-table"),
)


@contextmanager
def listening() -> Iterator[dict[str, Saved]]:
    """Collect the pictures of the pages that are drawn inside of the ``with``."""
    found: dict[str, Saved] = {}

    def listen(ones: Sequence[Saved]) -> None:
        names = [one.name for one in ones]
        assert len({*names}) == len(names)
        found.update({one.name: one for one in ones})

    more.listeners.append(listen)
    try:
        yield found
    finally:
        more.listeners.remove(listen)


def pictures_on(app: AppTest) -> int:
    """Count the pictures that a visitor sees on a page, as its elements say it."""
    count = len(app.main.get("plotly_chart"))
    for element in app.main.get("bidi_component"):
        name = element.proto.component_name.removeprefix("vit_explainer.")
        count += DRAWING.get(name, 0)
        count += name == "thumbnails" and FAVOURITES in element.proto.id
        if name == "heat_maps":  # all together, and each
            maps = unpack(element.proto.bytes)[0]["maps"]
            count += 1 + sum(one["row"] >= 0 for one in maps)
    for body in html_bodies(app.main):
        classes = re.findall(r'<(?:div|table|ul|img) class=["\']([\w -]+)["\']', body)
        names = {name for one in classes for name in (one, one.split()[0])}
        count += bool(names & set(FIGURES))
    return count


def draw_all(found: dict[str, Saved]) -> None:
    """Lay out every picture, without the bytes of a file."""
    texts = load_texts("matrices")
    for one in found.values():
        things = files.on_one_scale(one.pictures)
        with paper.drawing():
            for thing, drawn in zip(things, one.pictures, strict=True):
                body = files.body(thing, drawn.how, texts, one.about.title)
                body.draw(paper.Paper(), 0, 0)
                assert 0 < body.width < 9_000 and 0 < body.height < 9_000, one.name
        assert one.about.title and one.about.model and one.about.licence and one.about.link
