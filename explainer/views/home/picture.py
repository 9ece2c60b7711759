"""Home's picture: what it is sent, and what follows from what a visitor does with it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from explainer.components.home import pack_home, show_home
from explainer.content import load_texts
from explainer.content.numbers import with_article
from explainer.content.strangers_words import plain_format
from explainer.content.token_names import prefix_names
from explainer.figures.colour_map import colours_of
from explainer.inputs.models.for_browser import browser_model, fits_browser
from explainer.inputs.pictures.galleries import DIGITS
from explainer.observation import observe
from explainer.observation.features import principal
from explainer.observation.observe import Observation
from explainer.observation.shown_classes import names_of, shown_classes
from explainer.observation.text_variants import texts_of
from explainer.shell import routes
from explainer.shell.picker.moves import move_on
from explainer.shell.picker.pad import pad_texts, restore_picture, shown_name, take_from_home
from explainer.shell.saved import in_browser
from explainer.state import session
from explainer.state.choice import Choice
from explainer.state.link import PAGE_LOCAL

KEY = "home-picture"
LEAVE_KEY = "home-leave"  # the page whose link was followed
PEN_KEY = "home-pen"  # the line on which a pen asks about a large model
PLACES = {  # view → where in the picture its link stands; thirds of the blocks are numbers
    "patches": "patches",
    "patch_embedding": "rows",
    "position": "position",
    "self_attention": 0,
    "multi_head": 1,
    "encoder_block": 2,
    "class_token": "pooled",
    "classification_head": "answer",
}


def show_picture(choice: Choice, seen: Observation) -> None:
    """Draw the picture.

    It stands in no fragment: another drawing is another page, and a fragment that asks for one
    would swallow a click on a link that follows at once.
    """
    if (view := st.session_state.pop(LEAVE_KEY, "")) in routes.TITLES:
        routes.go(view)
    observe.keep_for_this_run(choice)
    show_home(
        pack_home(
            channel=KEY,
            image=seen.pixels,
            grid=seen.config.grid_size,
            prefix_names=prefix_names(seen.config),
            tensors=seen.tensors,
            depth=seen.config.depth,
            features=None
            if seen.has_head
            else colours_of(principal(seen).scores, seen.config.grid_size),
            header=header(choice, seen),
        ),
        key=KEY,
        kept=session.place(choice).query,
        tokens=seen.config.num_tokens,
        on_draw=take_from_home,
        on_restore=restore_picture,
        on_keep=lambda token: session.change(query=token),
        on_move=partial(move_on, choice),
        on_leave=leave,
    )


def leave(view: str) -> None:
    # a callback cannot change the page itself
    st.session_state[LEAVE_KEY] = view


def header(choice: Choice, seen: Observation) -> dict[str, Any]:
    """Return what home.js needs to know beside the tensors."""
    is_pad = choice.takes_drawings
    places = shown_classes(seen) if seen.has_head else []
    return {
        "is_pad": is_pad,
        "is_trained": choice.trained,
        "has_class_token": seen.config.pool == "cls",
        "pool": seen.config.pool,
        "telling": seen.config.num_prefix_tokens + seen.telling_patch,
        "name": shown_name() if is_pad else "",
        "picture": choice.picture,
        "browser": browser_of(choice) if is_pad else None,
        "line": PEN_KEY if is_pad and not fits_browser(choice.config) else "",
        "names": [str(name) for name in names_of(seen, places)],
        "shown": places,
        "truth": -1 if seen.label is None else places.index(seen.label),
        "others": ["other", "hard"] if choice.gallery == DIGITS else ["other"],
        "pages": {view: f"./{routes.address(view)}" for view in routes.TITLES if view != "home"},
        "page_local": list(PAGE_LOCAL),
        "stages": [{"view": view, "place": place} for view, place in PLACES.items()],
        "texts": texts_for(choice, seen),
        "save": in_browser("home", texts_of("home", seen)["title"], choice),
    }


def browser_of(choice: Choice) -> dict[str, Any] | None:
    """Return the model as the browser runs it; None for one that the server has to run."""
    model = browser_model(choice)
    return model and {name: model[name] for name in ("address", "hash", "config")}


def texts_for(choice: Choice, seen: Observation) -> dict[str, Any]:
    """Return the words of the picture for this model and picture."""
    texts: Mapping[str, Any] = texts_of("home", seen)["picture"]
    heads = seen.config.num_heads
    mean = texts["mean"].format(heads=heads) if heads > 1 else ""
    stages = dict(texts["stages"])
    if seen.config.pool != "cls":
        stages["class_token"] = stages["average"]
    if not seen.has_head:
        stages["classification_head"] = stages["features"]
    kind = "" if seen.has_head else "_features"
    film = f"film{kind}" if choice.trained or kind else "film_guess"
    return {
        "tokens": texts["tokens"],
        "photo": texts["photo"],
        "stages_label": texts["stages_label"],
        "description": texts[f"description{kind}"],
        "announced": texts["announced"],
        "actions": texts["actions"] | {"film": texts["actions"][film]},
        "source": texts["source"],
        "film": {
            **texts["film"],
            **{name: texts["film"][name + kind] for name in ("pool", "average")},
        },
        "stages": stages,
        "follow": {name: text.replace("{mean}", mean) for name, text in texts["follow"].items()},
        "verdict": verdict(choice, seen, texts["verdict"]),
        "patch": load_texts("token_explorer")["patch"],
        "pad": pad_texts(choice),
    }


def verdict(choice: Choice, seen: Observation, texts: Mapping[str, str]) -> dict[str, str]:
    truth = "" if seen.label is None else seen.class_names[seen.label]
    facts = {"truth": truth, "a_truth": with_article(truth) if truth else ""}
    learned = "" if choice.trained else "_guess"
    return {
        "says": texts["says"],
        "guesses": texts["guesses"],
        "features": texts["features"].format(width=seen.config.embed_dim),
        "own": texts["own"],
        "right": texts[f"right{learned}"],
        "wrong": plain_format(texts["wrong"], **facts),
    }
