"""The story's screens, in their order, and which page has the numbers behind each."""

from explainer.state.link import SCREENS

NUMBERS = {  # screen → the view with the numbers behind it
    "draw": "home",
    "patches": "patches",
    "numbers": "patch_embedding",
    "extra_row": "class_token",
    "position": "position",
    "attention": "self_attention",
    "heads": "multi_head",
    "blocks": "encoder_block",
    "answer": "classification_head",
    "cover": "multi_head",
    "loss": "learning",
    "step": "learning",
    "learn": "train",
    "where": "look_inside",
    "truth": "look_inside",
    "alike": "look_inside",
    "map": "look_inside",
    "end": "home",
}
ORDER = tuple(NUMBERS)
assert len(ORDER) == SCREENS, "a link must be able to name every screen"


def screen_about(view: str) -> int | None:
    """Return the story's screen about what a view shows, from 1; None if none is about it."""
    return next((at for at, name in enumerate(ORDER, 1) if NUMBERS[name] == view), None)
