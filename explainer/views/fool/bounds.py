"""What the server answers when a challenge is opened: what its search found, in sentences."""

from collections.abc import Mapping
from typing import Any

from explainer.content.numbers import precise_percent
from explainer.observation.challenges import (
    CHALLENGES,
    HEAD,
    KEEP,
    FewPatches,
    OneHead,
    are_found,
    challenges,
    few_patches,
    one_head,
)
from explainer.observation.observe import Observation
from explainer.shell.story.packed import short_name
from explainer.state.choice import Choice
from explainer.views.fool.packed import way_of
from explainer.views.fool.wording import counted, texts_for

LONGEST_ID = 40  # characters


def bound(choice: Choice, seen: Observation, sent: object) -> dict[str, Any] | None:
    """Return what the search for a challenge found; None if a browser asked for none.

    While the search goes on, ``is_searching`` is true, and the browser asks again.

    ``limit`` is what a visitor plays against, ``target`` the class that is asked for (-1 for none),
    ``solution`` the patches or the head that were found, ``compared`` what is known of it, and
    ``teaches`` what follows.
    """
    if not isinstance(sent, Mapping):
        return None
    question, name = sent.get("id"), sent.get("challenge")
    if not isinstance(question, str) or not 0 < len(question) <= LONGEST_ID:
        return None
    if name not in CHALLENGES or name not in challenges(seen):
        return None
    answer: dict[str, Any] = {
        **{"id": question, "challenge": name, "context": short_name(choice)},
        **{"target": -1, "solution": None},
    }
    texts = texts_for(seen)
    if name == HEAD:
        best = one_head(choice, seen)
        told = {} if best is None else of_head(best, seen, texts)
    elif not are_found(choice, seen, name, way_of(choice)):
        return answer | {"is_searching": True}
    else:
        few = few_patches(choice, seen, name, way_of(choice))
        told = {} if few is None else of_patches(few, seen, texts, name)
    if not told:
        return answer | {"limit": texts["challenge"]["too_large"]}
    return answer | told


def of_patches(
    few: FewPatches, seen: Observation, texts: Mapping[str, Any], name: str
) -> dict[str, Any]:
    found, bounds = few.found, texts["bound"]
    target = -1 if few.target is None else few.target
    if not found.found:
        limit = bounds["none_exact" if found.is_exact else "none"]
        return {"limit": limit, "target": target}
    count = len(found.patches)
    limit = counted(bounds, "keep" if name == KEEP else "few", count)
    return {
        "limit": limit,
        "target": target,
        "solution": {"patches": list(found.patches)},
        "compared": known(few, seen, bounds),
        "teaches": what_patches_teach(few, seen, texts["teaches"], name),
    }


def known(few: FewPatches, seen: Observation, texts: Mapping[str, str]) -> str:
    """Say whether fewer patches could do it, as far as that was tried."""
    found, count = few.found, len(few.found.patches)
    facts = {"patches": seen.config.num_patches, "excluded": found.excluded}
    if count < 2:
        return ""
    if found.is_exact:
        return texts["exact_two" if count == 2 else "exact"].format(**facts)
    if not found.excluded:
        return texts["greedy"]
    name = "excluded_one" if found.excluded == 1 else "excluded"
    return texts[name].format(**facts)


def what_patches_teach(
    few: FewPatches, seen: Observation, texts: Mapping[str, str], name: str
) -> list[str]:
    """Compare the patches that were found with those that are looked at most."""
    found, count = few.found, len(few.found.patches)
    if not count:
        return []
    token = texts["looks_cls" if seen.config.pool == "cls" else "looks_mean"]
    shared = len({*found.patches} & {*few.looked})
    if count == 1:
        overlap = texts["overlap_one_same" if shared else "overlap_one"].format(token=token)
    else:
        name_of = {0: "overlap_shared_none", 1: "overlap_shared_one"}
        overlap = texts[name_of.get(shared, "overlap")].format(
            token=token, count=count, shared=shared
        )
    if shared == count:
        return [overlap, texts["like_attention"]]
    now = {
        "now": str(seen.class_names[few.looked_prediction]),
        "share": precise_percent(few.looked_probability),
    }
    tried = counted(texts, "only" if name == KEEP else "without", count, **now)
    does_it = (few.looked_prediction == seen.prediction) is (name == KEEP)
    if name == "target":
        does_it = few.looked_prediction == found.prediction
    return [overlap, tried] if does_it else [overlap, tried, texts["not_attention"]]


def of_head(best: OneHead, seen: Observation, texts: Mapping[str, Any]) -> dict[str, Any]:
    bounds, teaches = texts["bound"], texts["teaches"]
    kind = "" if seen.has_head else "_features"
    answer = str(seen.class_names[seen.prediction]) if seen.has_head else ""
    write = precise_percent if seen.has_head else "{:.4f}".format
    result = counted(
        bounds,
        f"result_head{kind}",
        best.tried,
        head=best.head.head + 1,
        block=best.head.block + 1,
        answer=answer,
        before=write(best.before),
        after=write(best.after),
    )
    if best.focused == best.head:
        lesson = [teaches["focus_same"]]
    else:
        focus = teaches[f"focus{kind}"].format(
            head=best.focused.head + 1,
            block=best.focused.block + 1,
            after=write(best.focused_after),
        )
        lesson = [focus, teaches["not_focus"]]
    return {
        "limit": bounds["head"].format(count=best.tried),
        "solution": {"head": list(best.head)},
        "compared": result,
        "teaches": lesson,
    }
