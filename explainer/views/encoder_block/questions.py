"""Questions on the encoder block, asked of the live model."""

from collections.abc import Mapping

from explainer.content.numbers import fixed, percent, written
from explainer.observation.flaws import flaws
from explainer.observation.observe import Observation
from explainer.shell.quiz import Question, compared
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.encoder_block.wording import (
    TEXTS,
    active_units,
    facts,
    length,
    lengths,
    numbered,
    row,
)


def questions(choice: Choice, seen: Observation, place: Place) -> list[Question]:
    page_facts = facts(choice, seen, place)
    asked = [
        ask_larger(choice, seen, place, page_facts),
        ask_nothing(choice, seen, place, page_facts),
        ask_active(choice, seen, place, page_facts),
        ask_alone(page_facts),
    ]
    return asked if seen.config.depth == 1 else [*asked, ask_most(choice, seen, place, page_facts)]


def ask_larger(
    choice: Choice, seen: Observation, place: Place, page_facts: Mapping[str, object]
) -> Question:
    texts = TEXTS["questions"]["larger"]
    attention, mlp = (length(row(choice, seen, place, name)) for name in ("attn_out", "mlp_out"))
    same = abs(attention - mlp) <= 0.01 * max(attention, mlp)
    return Question(
        "larger",
        texts["text"].format(**page_facts),
        (texts["attention"], texts["mlp"], texts["same"]),
        2 if same else int(mlp > attention),
        texts["why"].format(attention=written(attention), mlp=written(mlp)),
        "flow",
    )


def ask_nothing(
    choice: Choice, seen: Observation, place: Place, page_facts: Mapping[str, object]
) -> Question:
    texts = TEXTS["questions"]["nothing"]
    first = fixed(row(choice, seen, place, "resid_pre")[0], 3)
    kept = flaws(choice).residual
    return Question(
        "nothing",
        texts["text"].format(**page_facts),
        (texts["zeros"], texts["normed"], texts["unchanged"]),
        2 if kept else 0,
        texts["why"].format(first=first) if kept else texts["why_replaced"],
        shows="flow",
    )


def ask_active(
    choice: Choice, seen: Observation, place: Place, page_facts: Mapping[str, object]
) -> Question:
    """Ask for the count among numbers that are spread over what is possible."""
    texts, units = TEXTS["questions"]["active"], seen.config.mlp_dim
    active = active_units(choice, seen, place)
    numbers = sorted({active, *((active + step * units // 4) % (units + 1) for step in (1, 2, 3))})
    return Question(
        "active",
        texts["text"].format(**page_facts),
        tuple(str(number) for number in numbers),
        numbers.index(active),
        texts["why"].format(active=active, share=percent(active / units), **page_facts),
        "mlp",
    )


def ask_most(
    choice: Choice, seen: Observation, place: Place, page_facts: Mapping[str, object]
) -> Question:
    texts, added = TEXTS["questions"]["most"], lengths(seen, place.token(seen.telling_patch))[2]
    blocks, sizes = numbered(texts["block"], len(added)), [f"{one:.2f}" for one in added]
    shown = list(zip(blocks, sizes, strict=True))
    text = texts["text"].format(**page_facts)
    return compared("most", text, shown, int(added.argmax()), texts["why"], shows="overview")


def ask_alone(page_facts: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["alone"]
    options = tuple(texts[name] for name in ("norm", "mlp", "attention", "sum"))
    why = texts["why"].format(**page_facts)
    return Question("alone", texts["text"], options, 2, why, shows="flow")
