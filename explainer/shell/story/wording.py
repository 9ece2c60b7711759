"""The story's texts for a model and a picture, and the numbers that they name."""

from collections.abc import Mapping
from typing import Any

from explainer.content import load_variant
from explainer.content.numbers import percent, written
from explainer.content.term_links import links_in, without_links
from explainer.inputs.pictures.galleries import DIGITS
from explainer.observation.flaws import flaws
from explainer.observation.learning.lesson import can_learn
from explainer.observation.observe import Observation
from explainer.observation.text_variants import endings_of
from explainer.shell import routes, story_screens
from explainer.shell.story.learned import Learned
from explainer.state.choice import DRAWN, Choice, takes_drawings
from vit_core.learning.loss import guessing_loss


def texts_for(
    choice: Choice, seen: Observation, is_live: bool, page: str = "story"
) -> Mapping[str, Any]:
    """Return the story's texts, or others about it, in the variants that are true of this model."""
    return load_variant(page, (*endings_for(choice, seen, is_live), *endings_of(seen)))


def endings_for(choice: Choice, seen: Observation, is_live: bool) -> tuple[str, ...]:
    """Return the endings of the variants for this model, the most specific first."""
    config = seen.config
    replaces, single = not flaws(choice).residual, config.num_patches == 1
    has = {
        "_single_mean": single and config.pool == "mean",
        "_single": single,
        "_features": not seen.has_head,
        "_heavy": not can_learn(config),
        "_one_block_no_residual": config.depth == 1 and replaces,
        "_no_residual": replaces,
        "_one_block": config.depth == 1,
        "_one_head": config.num_heads == 1,
        "_one_number": config.embed_dim == 1,
        "_no_position": config.pos_embed == "none" or choice.edits.no_position,
        "_mean": config.pool == "mean",
        "_symbols_untrained": not choice.trained and seen.gallery.startswith(DRAWN),
        "_untrained": not choice.trained,
        "_asked": not is_live and seen.gallery == DIGITS,
    }
    return tuple(ending for ending, holds in has.items() if holds)


def screens_of(texts: Mapping[str, Any], short: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the texts of each screen, in their order, with where its numbers are.

    ``words`` are those of its text that the glossary explains: how each reads, and its key.

    Args:
        short: name of a screen → its sentence for a class.
    """
    screens = []
    for name, view in story_screens.NUMBERS.items():
        screen = texts["screens"][name]
        about = {"name": name, "view": view, "page": routes.TITLES[view], "short": short[name]}
        plain = {
            key: without_links(text) if isinstance(text, str) else text
            for key, text in screen.items()
        }
        screens.append({**plain, **about, "words": links_in(screen["text"])})
    return screens


def facts_for(
    seen: Observation, learned: Learned | None, texts: Mapping[str, Any], claim: str
) -> dict:
    """Return what the texts may name; the browser adds the numbers of its experiments.

    Args:
        claim: the method whose map is tested.
    """
    config = seen.config
    (rows, columns), (patch_height, patch_width) = config.grid_size, config.patch_hw
    cover = texts["screens"]["cover"]["black" if takes_drawings(seen.gallery) else "mean"]
    facts = {
        "rows": rows,
        "columns": columns,
        "patch_height": patch_height,
        "patch_width": patch_width,
        "patch_dim": f"{config.patch_dim:,}",
        "patches": f"{config.num_patches:,}",
        "width": f"{config.embed_dim:,}",
        "heads": config.num_heads,
        "depth": config.depth,
        "classes": f"{config.num_classes:,}",
        "share": percent(1 / config.num_patches),
        "cover": cover,
        "map": texts["frame"][f"method_{claim}"],
        "weights": f"{config.num_parameters:,}",
        "guess": written(guessing_loss(config.num_classes)) if seen.has_head else "",
    }
    return facts | (learned.facts if learned else {})
