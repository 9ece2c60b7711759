"""What is said in the margin of a saved picture, and its file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from explainer.content import load_texts
from explainer.figures.drawn import Drawn
from explainer.figures.saved import files
from explainer.figures.saved.margin import About
from explainer.figures.saved.matrices import named_links
from explainer.inputs.models import load
from explainer.observation.naming import licence_line, model_line, picture_line
from explainer.shell import routes
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import State, link_of
from vit_core import CheckpointError

TEXTS = load_texts("pictures")
LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # which lead nobody else here
# of the page, for one who reads it without a browser
given_address: str | None = None
UNSEEN = ("code", "controls", "mode", "step", "present", "film")  # change no picture


@dataclass(frozen=True)
class Heading:
    """Where pictures stand.

    Attributes:
        view: of the page.
        part: of it.
        title: of that part, as the page shows it.
        choices: what is looked at; two in a comparison, none where no model is.
        model, licence: what is said of them where there are no choices.
    """

    view: str
    part: str
    title: str
    choices: Sequence[Choice] = ()
    model: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Saved:
    """One picture as it can be saved: of both halves, where a page compares.

    Attributes:
        name: of the picture, as a link's ``figure`` has it.
    """

    name: str
    pictures: Sequence[Drawn]
    about: About

    def make(self, kind: str) -> bytes:
        """Return the file."""
        return files.content(self.pictures, self.about, load_texts("matrices"), kind)

    def maker(self, kind: str) -> Callable[[], bytes]:
        return partial(self.make, kind)


def saved_pictures(heading: Heading, pictures: Sequence[Drawn]) -> list[Saved]:
    """Return the pictures of a part, those of one name as one."""
    named: dict[str, list[Drawn]] = {}
    for picture in with_marks(pictures):
        named.setdefault(picture.name, []).append(picture)
    return [
        Saved(f"{heading.part}.{name}", same, about(heading, name, same))
        for name, same in named.items()
    ]


def with_marks(pictures: Sequence[Drawn]) -> list[Drawn]:
    """Let each picture have the marks of all pictures of its half, as on the page."""
    marks: dict[str, dict[str, int]] = {}
    for picture in pictures:
        links, prefix = picture.how.get("links", {}), picture.how.get("prefix") or 0
        for axis, index in named_links(links, prefix).items():
            marks.setdefault(picture.half, {}).setdefault(axis, index)
    return [
        replace(picture, how={**picture.how, "links": marks.get(picture.half, {})})
        if "links" in picture.how
        else picture
        for picture in pictures
    ]


def about(heading: Heading, name: str, pictures: Sequence[Drawn]) -> About:
    """Return what is said of a picture."""
    texts = TEXTS
    page = routes.title_of(heading.view)
    title = next((one.title for one in pictures if one.title), "")
    if not title or any(one.how.get("is_strip") for one in pictures):
        title = heading.title  # a strip names each of its matrices
    link = link_to(heading, f"{heading.part}.{name}")
    return About(
        title=title,
        where=texts["where"].format(page=page, part=heading.title),
        model=heading.model or in_halves(heading.choices, said_model),
        picture=in_halves(heading.choices, said_picture),
        link=texts["link"].format(link=link),
        licence=texts["licence"]
        .format(licence=heading.licence or licences(heading.choices))
        .strip(),
        made_with=texts["made_with"],
    )


def in_halves(choices: Sequence[Choice], say: Callable[[Choice], str]) -> str:
    """Return a line for all choices: once if it is the same for both."""
    lines = [say(choice) for choice in choices]
    if len(set(lines)) < 2:
        return lines[0] if lines else ""
    return " ".join(
        TEXTS["half"].format(half=half, line=line)
        for half, line in zip(files.HALVES, lines, strict=False)
    )


def said_model(choice: Choice) -> str:
    """Name a model, its epoch and its seed, as far as its file tells."""
    name, facts = str(model_line(choice)), []
    try:
        checkpoint = None if choice.is_shaped else load.source_of(choice).checkpoint
    except (CheckpointError, OSError):
        checkpoint = None
    if checkpoint is not None:
        epoch = checkpoint.metrics.get("epoch")
        if isinstance(epoch, int) and not choice.is_saved:
            facts.append(TEXTS["epoch"].format(epoch=epoch))
        if checkpoint.train_config is not None:
            facts.append(TEXTS["seed"].format(seed=checkpoint.train_config.seed))
    # put together, since a stranger's name may have braces
    template = TEXTS["model_epoch" if facts else "model"]
    return replaced(template, name=name, facts=", ".join(facts))


def said_picture(choice: Choice) -> str:
    return replaced(TEXTS["picture"], name=str(picture_line(choice)))


def replaced(template: str, **values: str) -> str:
    return template.format(**values)


def licences(choices: Sequence[Choice]) -> str:
    return " ".join(dict.fromkeys(licence_line(choice) for choice in choices))


def link_to(heading: Heading, figure: str) -> str:
    """Return the link to a picture; without a host where nobody else could follow it."""
    usual = State()
    now = replace(session.peek(), figure=figure, **{name: getattr(usual, name) for name in UNSEEN})
    return link_of(now, address(heading.view))


def address(view: str) -> str:
    """Return the address of the page that the browser shows."""
    here = given_address or st.context.url or ""
    if urlsplit(here).hostname in (None, *LOCAL):
        return routes.address(view) if view != "home" else "/"
    return here.partition("?")[0]


def in_browser(view: str, title: str, choice: Choice) -> dict[str, Any]:
    """Return what the browser needs to save what it draws by itself, with the same margin.

    Args:
        title: of the picture; empty where the browser knows it.
    """
    naming, licence = load_texts("naming"), TEXTS["licence"]
    return {
        "title": title,
        "where": routes.TITLES[view],
        "model": said_model(choice),
        "picture": said_picture(choice),
        "licence": licence.format(licence=licence_line(choice)),
        "link": TEXTS["link"],
        "half": TEXTS["half"],
        "own": {
            "picture": TEXTS["picture"].format(name=naming["drawing"]),
            "licence": licence.format(licence=naming["licences"]["own"]),
        },
        "texts": TEXTS["in_browser"],
    }
