"""What the page on the class token says and shares between its parts."""

from collections.abc import Mapping
from dataclasses import replace

from explainer.content import load_texts
from explainer.content.numbers import percent
from explainer.inputs.pictures.galleries import DIGITS, samples
from explainer.observation.observe import Observation
from explainer.observation.text_variants import texts_of
from explainer.state.choice import Choice
from explainer.state.place import Place
from vit_core import ViTConfig

TEXTS = load_texts("class_token")
OTHERS = 2  # images beside this one
BOTH = ("join", "what", "journey", "listens")  # parts that are told in two ways


def facts(choice: Choice, seen: Observation, place: Place) -> Mapping[str, object]:
    config, parts = seen.config, texts_of("class_token", seen)["parts"]
    kind = "class" if has_class(config) else "mean"
    numbers: dict[str, object] = {
        "patches": config.num_patches,
        # registers join later, as the tokens go into the encoder
        "tokens": config.num_tokens - config.num_registers,
        "more": config.num_tokens - config.num_registers + 1,
        "all": config.num_tokens,
        "registers": config.num_registers,
        "width": config.embed_dim,
        "heads": config.num_heads,
        "share": percent(1 / config.num_patches),
    }
    join = parts["join"]
    registers = join["registers_text"].format(**numbers) if config.num_registers else ""
    numbers["registers_text"] = f" {registers}".rstrip()
    titles = {f"{part}_title": parts[part][f"title_{kind}"] for part in BOTH}
    for part in BOTH:
        text = parts[part][f"text_{kind}"]
        if part == "what" and has_class(config) and not choice.trained:
            text = parts[part]["text_class_untrained"]
        titles[f"{part}_text"] = text.format(**numbers)
    lead = TEXTS[f"lead_{kind}"].format(**numbers)
    return numbers | titles | {"lead_text": lead}


def has_class(config: ViTConfig) -> bool:
    return config.pool == "cls"


def dimensions(config: ViTConfig) -> list[str]:
    template = TEXTS["parts"]["what"]["dimension"]
    return [template.format(number=place + 1) for place in range(config.embed_dim)]


def others(choice: Choice) -> list[Choice]:
    """Return the same model on other pictures: of digits, those of other classes."""
    if choice.gallery != DIGITS:
        count = len(samples(choice.gallery))
        return [
            replace(choice, sample=(choice.sample + step) % count, photo="")
            for step in range(1, 1 + OTHERS)
        ]
    return [
        replace(choice, digit=(choice.digit + step) % 10, index=0, picture="")
        for step in range(3, 3 + OTHERS)
    ]
