"""Every page of a pass with edits: it says what holds for that pass, of models that are unlike."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from reading import choice_of, html_of, texts_of, unfold
from stated import check, stated, wrong_in
from streamlit.testing.v1 import AppTest
from unlike import UNLIKE, put

from explainer.content import load_texts
from explainer.inputs.models import load
from explainer.inputs.models.changed import changes_of
from explainer.observation import features, heads, observe, positions
from explainer.observation.arithmetic import derive
from explainer.observation.flaws import flaws
from explainer.observation.weights import weights
from explainer.shell import badge, routes
from explainer.shell.cell_arithmetic import ROUNDING
from explainer.state.choice import Choice
from explainer.state.edits import LEFT_OUT, Edits
from vit_core import trace
from vit_core.interpret.heads import Head
from vit_core.mistakes import Flaws

MODELS = (
    *("LayerScale", "no class token", "no head", "one head", "one block", "registers"),
    *("one number for each head", "CIFAR-10", "no_residual", "no_layer_norm", "no_position"),
)
EVERYTHING = Edits(
    heads_off=(Head(0, 0), Head(1, 1)),
    cover=((1, "mean"), (2, "black")),
    swaps=((0, 3),),
    move=(2, -1),
    turn=15,
    no_position=True,
)
CELLS = {
    "patch_embedding": "embeddings.0.1",
    "class_token": "tokens.0.1",
    "position": "embed.1.0",
    "self_attention": "z.1.0",
    "multi_head": "written.0.1",
    "encoder_block": "stream.1.1",
    "classification_head": "logits.1.0",
}


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_runs: object
) -> Iterator[Callable[..., Choice]]:
    """Return what makes one of the unlike models the app's first, and its choice with edits."""

    def place(name: str, edits: Edits = EVERYTHING) -> Choice:
        put(tmp_path, UNLIKE[name])
        return with_edits(choice_of("default"), edits)

    monkeypatch.setattr(load, "SHIPPED_DIR", tmp_path)
    st.cache_resource.clear()
    yield place
    st.cache_resource.clear()


def with_edits(choice: Choice, edits: Edits) -> Choice:
    return replace(choice, edits=edits.fitting(choice.config))


def script(view, choice) -> None:  # runs by itself, where no name of this file is known
    from importlib import import_module

    import streamlit as st

    from explainer.app import module_of
    from explainer.observation.observe import observe
    from explainer.observation.text_variants import texts_of
    from explainer.shell.frame import text_of
    from explainer.state import session

    seen, place = observe(choice), session.place(choice)
    view = module_of(view, seen)
    page = import_module(f"explainer.views.{view}")
    facts = page.facts(choice, seen, place)
    texts = texts_of(getattr(page, "TEXTS_NAME", view), seen)
    st.markdown(texts["lead"].format(**facts))
    for name, part in page.PARTS.items():
        st.markdown(texts["parts"][name]["title"].format(**facts))
        st.markdown((text_of(texts["parts"][name], seen) or "").format(**facts))
        part(choice, seen, place)
    st.session_state["questions"] = page.questions(choice, seen, place)


def draw(view: str, choice: Choice, **params: object) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60, args=(view, choice))
    for name, value in params.items():
        app.query_params[name] = str(value)
    app.run()
    assert not app.exception, app.exception[0].message
    return unfold(app)


def holds(app: AppTest) -> None:
    wrong, _ = wrong_in(stated(app))
    assert not wrong
    said = " ".join(stated(app))
    assert "more than rounding" not in said
    assert "nan" not in said.split()
    for question in app.session_state["questions"]:
        check(question)


@pytest.mark.parametrize("view", routes.PIPELINE)
@pytest.mark.parametrize("model", MODELS)
def test_what_a_page_states_of_an_edited_pass_holds(place: Callable, model: str, view: str) -> None:
    choice = place(model)
    params = {"cell": CELLS[view]} if view in CELLS else {}
    app = draw(view, choice, **params)
    holds(app)
    said = " ".join(stated(app))
    assert "Differs from PyTorch" not in html_of(app) or flaws(choice) != Flaws()
    assert "All heads are on" not in said
    if choice.config.pos_embed != "none" and view == "position":
        assert "Zeros are added" in said and "The row of the place is added" not in said
        assert "With its position" not in said


@pytest.mark.parametrize("view", routes.PIPELINE)
@pytest.mark.parametrize("mistake", LEFT_OUT.values())
def test_what_a_page_states_of_a_pass_that_leaves_a_step_out_holds(
    place: Callable, mistake: str, view: str
) -> None:
    choice = place("LayerScale", Edits(mistake=mistake, heads_off=(Head(0, 0),)))
    app = draw(view, choice, **({"cell": CELLS[view]} if view in CELLS else {}))
    holds(app)
    said = texts_of(app)
    # the weights are those of a model that was trained with all of them
    assert not re.search(r"trained without (these sums|residual|LayerNorm|the division)", said)
    assert "learned its weights *without*" not in said


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("source", ["default", "fast", "best", "seed", "cifar10"])
def test_what_the_shipped_models_pages_state_of_an_edited_pass_holds(source: str) -> None:
    choice = with_edits(choice_of(source), EVERYTHING)
    for view in ("self_attention", "position", "multi_head"):
        holds(draw(view, choice, **({"cell": CELLS[view]} if source == "fast" else {})))


@pytest.mark.parametrize("model", MODELS)
def test_every_number_of_an_edited_pass_is_derived_as_it_ran(place: Callable, model: str) -> None:
    choice = place(model)
    seen, held = observe.observe(choice), weights(choice)
    computed = 0
    for key, tensor in seen.tensors.items():
        for index in {tuple(0 for _ in tensor.shape), tuple(n - 1 for n in tensor.shape)}:
            try:
                found = derive(
                    *(seen.tensors, held, seen.config, key, index),
                    flaws(choice),
                    choice.edits.heads_off,
                )
            except ValueError:
                continue
            computed += 1
            assert abs(found.result - found.shown) <= ROUNDING * found.scale, (key, index)
    assert computed > 20


def test_the_output_of_a_head_that_is_off_is_said_to_be_set_to_zero(place: Callable) -> None:
    choice = place("LayerScale", Edits(heads_off=(Head(0, 1),)))
    text = load_texts("arithmetic")["left_out"]["head"]
    strip = " ".join(load_texts("self_attention")["strip"]["off"].split())
    app = draw("self_attention", choice, cell="z.1.0", head=1)
    assert text in texts_of(app) and strip in texts_of(app)
    app = draw("self_attention", choice, cell="z.1.0", head=0)
    assert text not in texts_of(app) and strip not in texts_of(app)


@pytest.mark.parametrize("model", ["LayerScale", "no head", "no_residual"])
def test_more_heads_off_come_to_those_that_are_off(place: Callable, model: str) -> None:
    choice = place(model)
    seen, source = observe.observe(choice), load.source_of(choice)
    more = Head(1, 0)
    expected = trace(
        source.model,
        source.batch(seen.pixels),
        changes_of(
            seen.config,
            replace(choice.edits, heads_off=(*choice.edits.heads_off, more)),
        ),
    )
    output = expected.probabilities if seen.has_head else expected.output
    for found in (
        heads.switched(choice, seen, (more,)),
        heads.effects(choice, seen)[more.block, more.head],
    ):
        np.testing.assert_allclose(found, output[0].numpy(), atol=1e-5)
    off = choice.edits.heads_off[0]
    np.testing.assert_allclose(
        heads.effects(choice, seen)[off.block, off.head], seen.output, atol=1e-5
    )


def test_a_shuffle_keeps_the_edits_of_the_pass(place: Callable) -> None:
    choice = place("LayerScale", Edits(heads_off=(Head(0, 0),)))
    seen, source = observe.observe(choice), load.source_of(choice)
    found = positions.shuffled(choice, seen, 3)
    np.testing.assert_allclose(found.with_position[0], seen.logits, atol=1e-5)
    images = source.batch(found.pixels)
    other = trace(source.model, images, changes_of(seen.config, choice.edits)).logits[0]
    np.testing.assert_allclose(found.with_position[1], other.numpy(), atol=1e-5)
    assert found.without is not None and not found.is_off


def test_a_pass_without_position_is_not_shuffled_with_it(place: Callable) -> None:
    choice = place("LayerScale", Edits(no_position=True))
    found = positions.shuffled(choice, observe.observe(choice), 3)
    assert found.without is None and found.is_off
    assert positions.stays(found.with_position)


def test_the_table_of_positions_is_the_models_whatever_a_pass_adds(place: Callable) -> None:
    edited = place("LayerScale", Edits(no_position=True))
    plain = replace(edited, edits=Edits())
    tables, cosines = [], []
    for choice in (edited, plain):
        seen = observe.observe(choice)
        tables.append(positions.table(choice, seen, "learned"))
        cosines.append(positions.similarity(choice, seen, "learned"))
    np.testing.assert_array_equal(*tables)
    np.testing.assert_array_equal(*cosines)
    assert tables[0].any()
    assert not observe.observe(edited).tensors["pos_embed"].any()


@pytest.mark.parametrize("module", ["attention", "block"])
@pytest.mark.parametrize("model", ["LayerScale", "one head"])
def test_pytorchs_block_is_compared_with_all_heads_on(
    place: Callable, model: str, module: str
) -> None:
    choice = place(model)
    seen = observe.observe(choice)
    for block in range(seen.config.depth):
        assert badge.compare(module, choice, seen, block).equal
    assert badge.are_heads_off(choice, 0)
    app = draw("encoder_block", choice)
    assert load_texts("badge")["heads_on"] in html_of(app)
    plain = draw("encoder_block", replace(choice, edits=Edits()))
    assert load_texts("badge")["heads_on"] not in html_of(plain)


def test_alike_pictures_are_looked_for_in_passes_with_the_same_edits(place: Callable) -> None:
    choice = place("no head", Edits(heads_off=(Head(0, 0),), move=(3, 0)))
    known, source = features.known_features(choice), load.source_of(choice)
    image = source.batch(known.pixels[0])
    changes = changes_of(choice.config, Edits(heads_off=choice.edits.heads_off))
    expected = trace(source.model, image, changes).output[0].numpy()
    np.testing.assert_allclose(known.features[0], expected, atol=1e-5)


def test_the_class_of_a_changed_picture_is_that_of_the_picture_before(place: Callable) -> None:
    app = draw("classification_head", place("LayerScale"))
    assert "The picture is changed here. Before that, it showed a 7." in texts_of(app)
    assert "and that is right" not in texts_of(app)
