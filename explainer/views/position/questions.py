"""The questions of the page on position, answered by what was measured."""

import numpy as np

from explainer.observation import positions
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.position.places import place_names, position_of
from explainer.views.position.wording import TEXTS, WAVES, grids, output_name, steps_of, written
from vit_core import ViTConfig
from vit_core.interpret.position import wave


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    kind = place.kind
    # always of the first order, so that the answer stays when the patches are shuffled again
    asked = [
        ask_shuffle(positions.shuffled(choice, seen, 1), seen),
        ask_learned(choice, seen.config),
    ]
    if kind in WAVES and positions.table(choice, seen, kind) is not None:
        asked.append(ask_fastest(seen.config, kind))
    nearest = ask_nearest(choice, seen, place, kind)
    asked.append(nearest or ask_orders(seen.config))
    return asked


def ask_shuffle(experiment: positions.Shuffled, seen: Observation) -> Question:
    """Ask what a shuffle changes, with the position and, if there is one, without it."""
    texts = TEXTS["questions"]["shuffle"]
    equal = positions.stays(experiment.with_position)
    change = positions.change(experiment.with_position)
    names = ["equal", "change"]
    right = "equal" if equal else "change"
    why = texts["why_equal" if equal else "why_change"].format(change=f"{change:.2g}")
    if experiment.without is not None:
        names = ["both", "with", "without", "neither"]
        bare_equal = positions.stays(experiment.bare)
        right = {
            (False, False): "both",
            (False, True): "with",
            (True, False): "without",
            (True, True): "neither",
        }[equal, bare_equal]
        bare = f"{positions.change(experiment.bare):.2g}"
        why = f"{why} {texts['why_off'].format(bare=bare)}"
    text = texts["text_none" if experiment.without is None else "text"]
    return Question(
        "shuffle",
        text.format(output=output_name(seen)),
        tuple(texts[name] for name in names),
        names.index(right),
        why,
        part="shuffle",
    )


def ask_learned(choice: Choice, config: ViTConfig) -> Question:
    texts = TEXTS["questions"]["learned"]
    rows, width = positions.position_count(config), config.embed_dim
    right = config.parameters_by_part["pos_embed"]
    options = list(dict.fromkeys((0, rows, width, rows * width)))
    is_resampled = positions.learned_grid(choice) is not None
    reason = "none" if config.pos_embed == "none" else "learned" if right else "fixed"
    sizes = {**grids(choice, config), "rows": rows, "width": width, "count": f"{right:,}"}
    why = texts["why_resampled" if is_resampled else f"why_{reason}"].format(
        kind=TEXTS["own_kinds"][config.pos_embed], **sizes
    )
    return Question(
        "learned",
        texts["text_resampled" if is_resampled else "text"],
        tuple(f"{option:,}" for option in options),
        options.index(right),
        why,
        part="add",
    )


def ask_orders(config: ViTConfig) -> Question:
    texts = TEXTS["questions"]["orders"]
    patches = config.num_patches
    options = (texts["one"], texts["patches"].format(patches=patches), texts["all"])
    text = texts["text"].format(patches=patches)
    return Question("orders", text, options, 0, texts["why"], part="similarity")


def ask_fastest(config: ViTConfig, kind: str) -> Question:
    """Ask for the fastest of four dimensions of one axis, listed from slow to fast."""
    texts = TEXTS["questions"]["fastest"]
    names = TEXTS["kinds"]
    width = config.embed_dim if kind == "sincos" else config.embed_dim // 4
    step = 2 if kind == "sincos" else 1
    every = list(range(0, width, step))
    shown = [every[round(at)] for at in np.linspace(len(every) - 1, 0, min(4, len(every)))]
    waves = [wave(kind, config.embed_dim, one) for one in shown]
    labels = [texts["dimension"].format(number=one + 1) for one in shown]
    values = list(zip(labels, map(steps_of, waves), strict=True))
    fastest = max(range(len(waves)), key=lambda at: waves[at].frequency)
    text = texts["text"].format(kind=names[kind])
    return compared("fastest", text, values, fastest, texts["why"], part="table")


def ask_nearest(choice: Choice, seen: Observation, place: Place, kind: str) -> Question | None:
    """Ask for the most similar of four places; None where there are no two places."""
    cosines = positions.similarity(choice, seen, kind)
    position, first = position_of(choice, seen, place), int(seen.config.pool == "cls")
    if cosines is None:
        return None
    row, names, texts = cosines[position], place_names(seen.config), TEXTS["questions"]["nearest"]
    others = [other for other in range(first, len(names)) if other != position]
    others.sort(key=lambda other: -row[other])
    if not others:
        return None
    picked = {others[round(at)] for at in np.linspace(0, len(others) - 1, min(4, len(others)))}
    best = others[0]
    options = sorted(picked)
    shown = [(names[one], written(float(row[one]), 3)) for one in options]
    text = texts["text"].format(kind=TEXTS["kinds"][kind], query=names[position])
    right = options.index(best)
    return compared("nearest", text, shown, right, texts["why"], part="similarity")
