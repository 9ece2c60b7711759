"""Reads a page that ``AppTest`` drew: texts, HTML, questions, what its components were sent."""

import json
import re
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from explainer.components.packing import unpack
from explainer.content.term_links import without_links
from explainer.inputs.models import load
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question
from explainer.state import session
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.link import State
from vit_core import ViTConfig

# words


def texts_of(block: Any) -> str:
    """Return all Markdown of a page, or of one block of it, without the links to the glossary."""
    return " ".join(without_links(element.value) for element in block.markdown)


def formulas_of(app: AppTest) -> list[str]:
    return [element.value for element in app.latex]


def html_bodies(block: Any) -> list[str]:
    """Return each piece of the page's own HTML."""
    return [element.proto.body for element in block.get("html")]


def html_of(block: Any) -> str:
    return " ".join(html_bodies(block))


def html_with(app: AppTest, css_class: str) -> str:
    """Return the last piece of HTML that has an element of this class."""
    return [body for body in html_bodies(app) if f'class="{css_class}"' in body][-1]


def table_of(block: Any, which: int = 0) -> dict[str, list[str]]:
    """Return one of the block's tables: heading → cells, as Markdown."""
    texts = [element.value for element in block.markdown if element.value.startswith("| ")]
    head, _, *rows = (
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in texts[which].splitlines()
    )
    return dict(zip(head, map(list, zip(*rows, strict=True)), strict=True))


def refusals_of(app: AppTest) -> str:
    """Return the sentences about what a link asked for in vain."""
    return " ".join(body for body in html_bodies(app) if 'class="refused"' in body)


# state


def state_of(app: AppTest) -> State:
    return app.session_state[session.SESSION_KEY]


def parameter_of(app: AppTest, name: str) -> str | None:
    """Return a parameter of the page's link; None where it has none of this name."""
    value = dict(app.query_params).get(name)
    return value[0] if isinstance(value, list) else value


# components


def sent_to(app: AppTest, component: str) -> list[Any]:
    """Return the messages to all components of this name, in the order of the page."""
    protos = [element.proto for element in app.get("bidi_component")]
    return [proto for proto in protos if proto.component_name == f"vit_explainer.{component}"]


def matrices_of(app: AppTest) -> dict[str, np.ndarray]:
    """Return every matrix of the page as the browser gets it."""
    found: dict[str, np.ndarray] = {}
    for proto in sent_to(app, "matrices"):
        found |= unpack(proto.bytes)[1]
    return found


def curves_of(app: AppTest, key: str) -> dict[str, Any]:
    """Return the message to the curves of this key."""
    found = [proto for proto in sent_to(app, "curves") if proto.id.endswith(f"-{key}")]
    return json.loads(found[0].json)


# folds


def unfold(app: AppTest) -> AppTest:
    """Open every fold of a page, also those in others, and return the page that is drawn then."""
    opened: set[str] = set()
    while closed := set(folds_of(app)) - opened:
        for key in closed:
            app.session_state[key] = True
        opened |= closed
        app.run()
        assert not app.exception, app.exception[0].message
    return app


def folds_of(app: AppTest) -> list[str]:
    """Return the keys of all folds of a page, in its order."""
    found = []
    pending = [app.main]
    while pending:
        block = pending.pop()
        pending += getattr(block, "children", {}).values()
        if block.type == "expander" and (key := re.search("-(fold-.*)$", block.proto.id)):
            found.append(key[1])
    return found[::-1]


# questions


def questions_of(app: AppTest) -> dict[str, Question]:
    """Return the questions of a page that ``draw_parts`` drew: name → question."""
    return {question.name: question for question in app.session_state["questions"]}


def right_answer(question: Question) -> str:
    return question.options[question.answer]


# models


def choice_of(source: str = UNTRAINED, config: ViTConfig | None = None, **knobs: Any) -> Choice:
    """Return the choice of one test digit, and of a shipped model or an untrained one.

    Args:
        config: the untrained model's, for shapes that no knob reaches.
        knobs: fields of ``State`` that shape an untrained model.
    """
    if source != UNTRAINED:
        loaded = load.load_source(source)
        return Choice(source, loaded.model.config, 0, 7, 0, gallery=loaded.gallery)
    shape = config or State(**{"source": UNTRAINED} | knobs).shaped
    return Choice(UNTRAINED, shape, 0, 7, 0)


def observation_of(
    source: str = UNTRAINED, config: ViTConfig | None = None, **knobs: Any
) -> Observation:
    """Return what ``choice_of`` the same arguments shows."""
    return observe.observe(choice_of(source, config, **knobs))


def choice_and_observation(
    source: str = UNTRAINED, config: ViTConfig | None = None, **knobs: Any
) -> tuple[Choice, Observation]:
    choice = choice_of(source, config, **knobs)
    return choice, observe.observe(choice)


# parts of a page


def script(view, config, picture) -> None:  # runs by itself, where no name of this file is known
    from importlib import import_module

    import streamlit as st

    from explainer.observation.observe import observe
    from explainer.state import session
    from explainer.state.choice import Choice

    page = import_module(f"explainer.views.{view}")
    choice = Choice("untrained", config, 0, 7, 0, picture)
    seen, place = observe(choice), session.place(choice)
    st.session_state["facts"] = page.facts(choice, seen, place)
    for part in page.PARTS.values():
        part(choice, seen, place)
    st.session_state["questions"] = page.questions(choice, seen, place)


def draw_parts(view: str, config: ViTConfig, picture: str = "", **params: object) -> AppTest:
    """Draw a page's parts and questions alone, of an untrained model of any shape.

    Args:
        picture: an own picture as a link has it, in the place of the first seven.
        params: the link's.
    """
    app = AppTest.from_function(script, default_timeout=60, args=(view, config, picture))
    for name, value in params.items():
        app.query_params[name] = str(value)
    app.run()
    assert not app.exception, app.exception[0].message
    return app
