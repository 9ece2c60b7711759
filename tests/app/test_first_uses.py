"""Whoever walks through the pages meets no term of the model before its explanation."""

import re
from collections.abc import Iterator

import pytest
from test_glossary import PLAIN, raw

from explainer.content import HERE
from explainer.content.term_links import WRITTEN, written_in
from explainer.content.terms import glossary
from explainer.shell import routes

WALK = (*routes.PIPELINE, "train", "mistakes")
TERMS = {  # key → how a text writes it; where it is a common word, the page that makes a term of it
    "patch": (r"patch(es)?", "patches"),
    "token": (r"tokens?", "patches"),
    "embedding": (r"embeddings?", "patches"),
    "dimension": (r"(?<!two )dimensions?", "patches"),
    "class-token": (r"class tokens?", "patches"),
    "position": (r"positions?", "position"),
    "query": (r"quer(y|ies)", "patches"),
    "key": (r"keys?", "self_attention"),
    "value": (r"values?", "self_attention"),
    "score": (r"scores?", "self_attention"),
    "softmax": (r"softmax", "patches"),
    "attention-weight": (r"attention weights?", "patches"),
    "head": (r"heads?", "patches"),
    "block": (r"blocks?", "patches"),
    "layernorm": (r"LayerNorms?", "patches"),
    "residual-stream": (r"residual stream", "patches"),
    "mlp": (r"MLPs?", "patches"),
    "gelu": (r"GELU", "patches"),
    "logit": (r"logits?", "patches"),
    "probability": (r"probabilit(y|ies)", "patches"),
    "cosine": (r"cosines?", "patch_embedding"),
    "entropy": (r"entropy", "patches"),
    "nat": (r"nats?", "patches"),
    "epoch": (r"epochs?", "train"),
    "loss": (r"loss(es)?", "patches"),
    "validation": (r"validation", "patches"),
    "parameter": (r"parameters?", "patches"),
    "weight": (r"weights?", "patches"),
}
FIELD = re.compile(r"\{\w+\}|`[^`]*`|\$\$.+?\$\$|\$[^$]*\$|\*\*[Uu]ntrained\*\*", re.DOTALL)


def prose(page: str) -> Iterator[tuple[str, str]]:
    """Yield the sentences of a page that its reader meets in Markdown, in their order."""
    for where, text in raw(HERE / "en" / f"{page}.toml"):
        is_sentence = len(text.split()) > 5 and text.rstrip().endswith((".", "?", "!", ":", "}"))
        name = where.rpartition(".")[2]
        aside = re.search(r"^\.(questions|guide|cells)|diagram", where) or PLAIN.search(name)
        if is_sentence and not aside:
            yield where, text


def first_uses(key: str) -> list[tuple[str, str]]:
    """Return the texts that use a term up to the first that marks it, on its first page."""
    pattern, start = TERMS[key]
    found = []
    for page in WALK[WALK.index(start) :]:
        for where, text in prose(page):
            marked = key in written_in(text)
            bare = FIELD.sub("", WRITTEN.sub("", text))
            if marked or re.search(rf"\b{pattern}\b", bare, re.IGNORECASE):
                found.append((f"{page}{where}", text))
            if marked:
                return found
        if found:
            return found
    return found


@pytest.mark.parametrize("key", TERMS)
def test_a_term_is_explained_where_the_pages_first_use_it(key: str) -> None:
    assert key in glossary()
    uses = first_uses(key)
    if uses:
        assert key in written_in(uses[-1][1]), f"no text of {uses[0][0].split('.')[0]} marks it"
        assert len(uses) == 1, f"used before it is explained: {[where for where, _ in uses[:-1]]}"


@pytest.mark.parametrize("key", TERMS)
def test_a_question_that_stands_before_its_part_explains_what_it_asks_about(key: str) -> None:
    uses = first_uses(key)
    if not uses or ".lead" in uses[0][0]:  # the lead stands above all questions
        return
    page = uses[0][0].partition(".")[0]
    for where, text in raw(HERE / "en" / f"{page}.toml"):
        bare = FIELD.sub("", WRITTEN.sub("", text))
        if re.fullmatch(r"\.questions\.\w+\.text\w*", where) and key not in written_in(text):
            assert not re.search(rf"\b{TERMS[key][0]}\b", bare, re.IGNORECASE), where


def test_a_term_that_comes_too_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"patches": [(".lead", "All the logits of a model are numbers.")],
             "train": [(".lead", "Here a [[logit]] is explained to everybody.")]}  # fmt: skip
    monkeypatch.setattr("test_first_uses.raw", lambda path: texts.get(path.stem, []))
    assert [where for where, _ in first_uses("logit")] == ["patches.lead"]
