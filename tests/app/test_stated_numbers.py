"""Every number and formula that a page states, of models as unlike as the pages can show.

A sentence that is true of the shipped digit models alone fails here. So does a picture of these
pages that cannot be saved.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noted import draw_all, listening, pictures_on
from reading import choice_and_observation, texts_of, unfold
from stated import check, equations, stated, wrong_in
from unlike import UNLIKE

from explainer.content import load_texts
from explainer.observation.flaws import flaws
from explainer.observation.lens import attribution
from explainer.shell import routes
from explainer.shell.cell_arithmetic import ROUNDING
from explainer.shell.quiz import Question, askable
from explainer.shell.worked_line import worked_line
from explainer.state.place import Cell
from explainer.views.classification_head import cells
from explainer.views.multi_head.joined import written_by
from explainer.views.train import mistakes as gallery
from vit_core import load_checkpoint
from vit_core.mistakes import MISTAKES

VIEWS = list(routes.PIPELINE)
CELLS = {  # view → cells of its matrices, of which each model gets the next
    "patch_embedding": ("weight.1.2", "embeddings.0.1", "embedding.1.0"),
    "class_token": ("tokens.0.1", "journey.1.0", "patches.0.1", "pooled.0.1"),
    "position": ("embed.1.0", "tokens.0.1", "table.1.0", "table.0.1"),
    "self_attention": ("compare.1.1", "pattern.1.1", "weighted.0.0", "z.1.0", "norm.1.0", "q.0.0"),
    "multi_head": ("written.0.1", "written.1.1", "attn_out.1.1", "written.2.0"),
    "encoder_block": ("stream.1.1", "stream.2.0", "normed.0.1", "hidden.1.1", "stream.4.1"),
    "classification_head": ("logits.1.0", "written.1.1", "margin.1.0", "lens.1.1", "normed.0.1"),
}


def link(view: str, model: int) -> dict[str, Any]:
    cells = CELLS.get(view)
    return {"cell": cells[model % len(cells)]} if cells else {}


@pytest.mark.parametrize("view", ["home", *VIEWS])
@pytest.mark.parametrize("model", UNLIKE)
def test_what_a_page_states_holds_and_each_of_its_pictures_can_be_saved(
    unlike_first: Callable,
    open_page: Callable,
    asked_questions: list[Question],
    subtests: pytest.Subtests,
    model: str,
    view: str,
) -> None:
    unlike_first(model)
    address = "home" if view == "home" else routes.address(view)
    with listening() as noted:
        app = open_page(address, source="default", **link(view, list(UNLIKE).index(model)))
        assert not app.exception, app.exception[0].message
        unfold(app)
    assert not app.error
    if view != "home":
        with subtests.test("pictures"):
            assert sum(len(one.pictures) for one in noted.values()) == pictures_on(app), [*noted]
            draw_all(noted)
    wrong, _ = wrong_in(stated(app))
    assert not wrong
    assert not any("more than rounding" in text for text in stated(app))
    assert not any(re.search(r"\bnan\b", text) for text in stated(app))
    for question in asked_questions:
        check(question)
    if view != "home":
        assert len(askable(asked_questions)) >= 2, [question.name for question in asked_questions]


def test_a_page_without_a_chosen_cell_notes_what_a_chosen_one_takes_away(
    unlike_first: Callable, open_page: Callable
) -> None:
    unlike_first("registers")
    with listening() as noted:
        app = unfold(open_page(routes.address("position")))
    assert "add.add-one" in noted
    assert sum(len(one.pictures) for one in noted.values()) == pictures_on(app), [*noted]
    draw_all(noted)


@pytest.mark.parametrize("model", UNLIKE)
def test_what_is_said_to_add_up_does(unlike_first: Callable, model: str) -> None:
    unlike_first(model)
    choice, seen = choice_and_observation("default")
    config = seen.config
    for block in range(config.depth):
        name = f"blocks.{block}"
        for token in range(config.num_tokens):
            rows, sums = written_by(choice, seen, block, token), seen.tensors[f"{name}.attn_out"]
            np.testing.assert_allclose(rows.sum(axis=0), sums[token], atol=2e-5 * scale(sums))
        if flaws(choice).residual:
            for before, added, after in (
                ("resid_pre", "attn_out", "resid_mid"),
                ("resid_mid", "mlp_out", "resid_post"),
            ):
                parts = seen.tensors[f"{name}.{before}"] + seen.tensors[f"{name}.{added}"]
                np.testing.assert_array_equal(parts, seen.tensors[f"{name}.{after}"])
    if seen.has_head:
        assert attribution(choice, seen).difference <= 1e-4 * scale(seen.logits)


@pytest.mark.parametrize("model", [name for name in UNLIKE if UNLIKE[name].config.num_classes])
def test_every_split_of_a_logit_is_derived_as_it_is_shown(
    unlike_first: Callable, model: str
) -> None:
    unlike_first(model)
    choice, seen = choice_and_observation("default")
    for name in ("written", "margin", "lens"):
        rows, columns = cells.cell_shapes(seen)[name]
        for row in range(rows):
            found = cells.derived(choice, seen, Cell(name, row, columns - 1))
            assert abs(found.result - found.shown) <= ROUNDING * found.scale, (name, row)
            assert all(one.holds is not False for one in equations(worked_line(found)))


def scale(values: np.ndarray) -> float:
    return max(1.0, float(np.abs(values).max()))


def test_enough_is_computed_again(unlike_first: Callable, open_page: Callable) -> None:
    """The reader of equations reads: a page without any would pass for true."""
    unlike_first("LayerScale")
    for view, cell, least in (
        ("classification_head", "logits.1.0", 3),
        ("self_attention", "score.1.0", 2),
        ("patches", "", 4),
        ("position", "table.1.0", 1),
        ("patch_embedding", "", 1),
    ):
        params = {"cell": cell} if cell else {}
        app = unfold(open_page(routes.address(view), source="default", **params))
        _, count = wrong_in(stated(app))
        assert count >= least, (view, count)


@pytest.mark.parametrize("picture", range(10))
def test_the_powers_of_e_hold_for_many_pictures(
    unlike_first: Callable, open_page: Callable, asked_questions: list[Question], picture: int
) -> None:
    """Where the rounded exponent gives another number, the page says so."""
    unlike_first("LayerScale")
    app = unfold(open_page("classification-head", source="default", digit=picture, index=picture))
    wrong, count = wrong_in(stated(app))
    assert count and not wrong
    for question in asked_questions:
        check(question)


@pytest.mark.parametrize("model", [name for name in UNLIKE if UNLIKE[name].config.num_classes])
def test_the_head_is_not_called_what_it_is_not(
    unlike_first: Callable, open_page: Callable, model: str
):
    unlike_first(model)
    app = open_page("classification-head", source="default")
    said = texts_of(app)
    assert "smallest part" not in said


@pytest.mark.parametrize("view", ["home", "class_token", "classification_head"])
@pytest.mark.parametrize("model", [one for one in UNLIKE if not UNLIKE[one].config.final_norm])
def test_a_layer_norm_that_is_not_there_is_not_told_of(
    unlike_first: Callable, open_page: Callable, model: str, view: str
) -> None:
    unlike_first(model)
    address = "home" if view == "home" else routes.address(view)
    said = " ".join(stated(unfold(open_page(address, source="default"))))
    for claim in (
        *("final LayerNorm is", "final LayerNorm and", "the final LayerNorm.", "last LayerNorm:"),
        *("After the final", "after the final", "a last **LayerNorm**:", "A LayerNorm evens"),
        *("LayerNorm divides", r"= \mathrm{LN}(z_L^0)\, W", r"\sum_{i=1}^{N} \mathrm{LN}"),
    ):
        assert claim not in said
    if view == "classification_head":
        assert "**This model has none**" in said or "**this model has none**" in said


@pytest.mark.parametrize("model", ["LayerScale", "LayerScale, registers, no class token"])
def test_biases_stand_in_equations_of_models_that_have_them(
    unlike_first: Callable, open_page: Callable, model: str
) -> None:
    unlike_first(model)
    said = " ".join(stated(open_page("self-attention", source="default")))
    assert "$q = x W_q" in said
    assert ("b_q" in said) == UNLIKE[model].config.qkv_bias


def test_a_column_of_powers_says_of_what(unlike_first: Callable, open_page: Callable) -> None:
    """Head and numbers agree: e to the power of the column before is the number."""
    unlike_first("one head")
    app = open_page("self-attention", source="default", cell="pattern.1.1")
    table = next(
        element.proto.body for element in app.get("html") if "e to this power" in element.proto.body
    )
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    checked = 0
    for row in rows:
        cells = [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        if len(cells) < 3 or "·" in "".join(cells):
            continue
        score, shifted, power = (float(one.replace("−", "-")) for one in cells[:3])
        assert power == pytest.approx(np.exp(shifted), rel=2e-3)
        assert shifted <= 0 and score >= shifted - 1000
        checked += 1
    assert checked >= 5
    texts = load_texts("arithmetic")
    assert texts["shifted"].format(name="score") in table


def test_the_untrained_source_states_what_holds(
    unlike_first: Callable, open_page: Callable, asked_questions: list[Question]
) -> None:
    unlike_first("CIFAR-10")
    for view in VIEWS:
        app = open_page(routes.address(view), source="untrained", **link(view, 1))
        assert not app.exception
        wrong, _ = wrong_in(stated(app))
        assert not wrong, view
    for question in asked_questions:
        check(question)


def test_the_written_model_is_the_one_that_is_shown(unlike_first: Callable, tmp_path: Path) -> None:
    unlike_first("odd grid")
    assert load_checkpoint(tmp_path / "default.safetensors").config == UNLIKE["odd grid"].config


@pytest.mark.parametrize("name", MISTAKES)
def test_the_gallery_of_mistakes_states_what_holds(name: str) -> None:
    texts, numbers = load_texts("mistakes"), gallery.facts(name)
    told = [
        *(texts[one] for one in ("lead", "floor", "guessing")),
        *texts["mistakes"][name].values(),
    ]
    wrong, _ = wrong_in(one.format(**numbers) for one in told)
    assert not wrong
