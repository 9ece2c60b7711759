"""The page on the head: from one row to logits, to probabilities, and who wrote them."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from explainer import state
from explainer.arithmetic import Derivation, Factor, dot, softmax, total
from explainer.arithmetic_view import cell_name, show_arithmetic, show_derivation, show_hint
from explainer.code_panel import Snippet
from explainer.components.matrices import Matrix, matrices
from explainer.content import load_texts
from explainer.export import download_csv, matrix_csv
from explainer.figures.looks import looks, whole
from explainer.figures.probabilities import probabilities
from explainer.hard import some_hard_digits
from explainer.lens import Written, lens, written
from explainer.notation import latex_number, latex_written, percent, precise_percent
from explainer.quiz import Question
from explainer.services import Observation, test_digit
from explainer.state import Cell, Choice
from explainer.tokens import token_names
from explainer.weights import weights
from vit_core import ViTConfig
from vit_core.interpret.lens import logit_attribution, logit_lens
from vit_core.model import ViT

TEXTS = load_texts("classification_head")
TOKENS = load_texts("token_explorer")
SHOWN_MISTAKES = 4


def facts(choice: Choice, seen: Observation) -> Mapping[str, object]:
    config, texts = seen.config, TEXTS["parts"]
    reads = texts["pooled"]["reads_class" if config.pool == "cls" else "reads_mean"]
    return {
        "tokens": config.num_tokens,
        "patches": config.num_patches,
        "classes": config.num_classes,
        "width": config.embed_dim,
        "depth": config.depth,
        "reads": reads.format(patches=config.num_patches),
        "answer": seen.class_names[seen.prediction],
        "rival": seen.class_names[rival_of(seen)],
        "share": precise_percent(float(seen.probabilities[seen.prediction])),
        "story": story(choice, seen),
        "which": texts["wrong"]["which_trained" if choice.trained else "which_untrained"],
    }


def rival_of(seen: Observation) -> int:
    """Return the class to hold the answer against: the true one if it is another, else the second.

    The answer is compared with what it should have been.
    """
    if seen.label is not None and seen.label != seen.prediction:
        return seen.label
    return int(np.argsort(-seen.logits, kind="stable")[1])


def numbered(count: int) -> list[str]:
    words = TEXTS["parts"]["pooled"]["dimension"]
    return [words.format(number=place + 1) for place in range(count)]


def show_matrices(
    key: str,
    make: Callable[[Choice, Observation], list[Matrix]],
    start: Cell,
    choice: Choice,
    seen: Observation,
) -> None:
    """Show matrices whose chosen cell is the link's, or ``start`` while it is in none of them."""
    shapes = {
        name: shape for name, shape in cell_shapes(seen.config).items() if name in MATRICES[key]
    }
    cell = state.get_cell(shapes)
    matrices(
        key=f"head-{key}",
        items=partial(make, choice, seen),
        cell=cell or start,
        on_choose=state.set_cell,
        cache=choice,
    )
    if cell is None:
        show_hint()
        return
    matrix = next(one for one in make(choice, seen) if one.name == cell.matrix)
    where = cell_name(matrix, cell)
    if cell.matrix in ("written", "margin", "lens"):
        show_derivation(derived(choice, seen, cell), seen, where)
    else:
        show_arithmetic(choice, seen, *place_of(seen.config, cell), where)


def place_of(config: ViTConfig, cell: Cell) -> tuple[str, tuple[int, ...]]:
    """Return the trace key and the index of what a cell of the first two parts shows."""
    token = cell.row + read_rows(config).start
    return {
        "stream": (f"blocks.{config.depth - 1}.resid_post", (token, cell.column)),
        "normed": ("final_norm", (token, cell.column)),
        "pooled": ("pooled", (cell.column,)),
        "row": ("pooled", (cell.column,)),
        "weights": ("head.weight", (cell.row, cell.column)),
        "logits": ("logits", (cell.row,)),
    }[cell.matrix]


def derived(choice: Choice, seen: Observation, cell: Cell) -> Derivation:
    """Derive a number that is computed from the trace beside the model: a split or the lens."""
    split, row = written(choice, seen), cell.row
    if cell.matrix == "lens":
        found = lens(choice, seen)
        logits = Factor("logits", found.logits[row].astype(np.float64))
        return softmax(logits, cell.column, float(found.probabilities[row, cell.column]), "class")
    if cell.matrix == "margin":
        table = contributions(split).astype(np.float64)[row]
        best, rival = table[seen.prediction], table[rival_of(seen)]
        return total([("for", float(best)), ("against", -float(rival))], float(best - rival))
    held = weights(choice)
    head = Factor("head", held["head.weight"][cell.column].astype(np.float64))
    shown = float(contributions(split)[row, cell.column])
    if row < len(split.keys):
        part = Factor("part", split.pooled[row].astype(np.float64))
        return dot(part, head, shown, "dimension")
    beta = held.get("norm.bias", np.zeros(seen.config.embed_dim, np.float32))
    bias = float(held["head.bias"][cell.column])
    return dot(Factor("beta", beta.astype(np.float64)), head, shown, "dimension", bias=bias)


MATRICES = {  # part → names of its matrices
    "pooled": ("stream", "normed", "pooled"),
    "logits": ("weights", "row", "logits"),
    "parts": ("written", "margin"),
    "lens": ("lens",),
}


def cell_shapes(config: ViTConfig) -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of the page."""
    width, classes, writers = config.embed_dim, config.num_classes, 2 * config.depth + 2
    rows = 1 if config.pool == "cls" else config.num_patches
    return {
        "stream": (rows, width),
        "normed": (rows, width),
        "pooled": (1, width),
        "weights": (classes, width),
        "row": (1, width),
        "logits": (classes, 1),
        "written": (writers, classes),
        "margin": (writers, 1),
        "lens": (config.depth + 1, classes),
    }


def read_rows(config: ViTConfig) -> slice:
    """Return the places of the tokens that the head reads."""
    return slice(0, 1) if config.pool == "cls" else slice(config.num_prefix_tokens, None)


# from tokens to one row


def show_pooled(choice: Choice, seen: Observation) -> None:
    name = "normed" if seen.config.pool == "cls" else "pooled"
    show_matrices("pooled", pooled_matrices, Cell(name, 0, 0), choice, seen)


def pooled_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config = TEXTS["parts"]["pooled"], seen.config
    rows, dimensions = read_rows(config), numbered(config.embed_dim)
    names = token_names(config, TOKENS)[rows]
    axes = {"row_axis": "token", "column_axis": "dimension"}
    stream = seen.tensors[f"blocks.{config.depth - 1}.resid_post"][rows]
    title = texts["normed" if config.final_norm else "normed_plain"]
    shown = [
        Matrix("stream", stream, texts["stream"], names, dimensions, **axes),
        Matrix("normed", seen.tensors["final_norm"][rows], title, names, dimensions, **axes),
    ]
    if config.pool != "cls":
        mean, name = seen.tensors["pooled"][None], [texts["pooled_row"]]
        shown.append(
            Matrix("pooled", mean, texts["mean"], name, dimensions, column_axis="dimension")
        )
    return shown


# from one row to scores


def show_logits(choice: Choice, seen: Observation) -> None:
    texts, config = TEXTS["parts"]["logits"], seen.config
    show_matrices("logits", logit_matrices, Cell("logits", seen.prediction, 0), choice, seen)
    st.latex(texts["formula" if config.pool == "cls" else "formula_mean"])
    paper = texts["paper" if config.pool == "cls" else "paper_mean"]
    st.markdown(paper.format(**facts(choice, seen)))
    download_csv(
        texts["download"], partial(logits_csv, choice, seen), "head.csv", "head-logits-csv"
    )


def logit_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, config, names = TEXTS["parts"]["logits"], seen.config, seen.class_names
    dimensions = numbered(config.embed_dim)
    return [
        Matrix(
            "row",
            seen.tensors["pooled"][None],
            texts["row"],
            [TEXTS["parts"]["pooled"]["pooled_row"]],
            dimensions,
            column_axis="dimension",
        ),
        Matrix(
            "weights",
            weights(choice)["head.weight"],
            texts["weights"],
            names,
            dimensions,
            row_axis="class",
            column_axis="dimension",
        ),
        Matrix(
            "logits",
            seen.logits[:, None],
            texts["logits"],
            names,
            [texts["logit"]],
            row_axis="class",
        ),
    ]


def logits_csv(choice: Choice, seen: Observation) -> str:
    held = weights(choice)
    table = np.concatenate(
        [held["head.weight"], held["head.bias"][:, None], seen.logits[:, None]], axis=1
    )
    columns = [*numbered(seen.config.embed_dim), "bias", "logit"]
    return matrix_csv(table, seen.class_names, columns, "class")


# from scores to probabilities


def show_softmax(choice: Choice, seen: Observation) -> None:
    texts, names, best = TEXTS["parts"]["softmax"], seen.class_names, seen.prediction
    shares = seen.probabilities
    written_shares = [percent(float(share)) for share in shares]
    left, right = st.columns((3, 2), gap="large")
    with left:
        st.plotly_chart(
            probabilities(
                shares,
                names,
                seen.label,
                written_shares,
                axis=texts["axis" if seen.label is not None else "axis_own"],
                mode=st.context.theme.type or "light",
            ),
            theme=None,
            key="head-probabilities",
            config={"displayModeBar": "hover", "displaylogo": False},
            alt=texts["alt"].format(
                values=", ".join(f"{n} {s}" for n, s in zip(names, written_shares, strict=True))
            ),
        )
    with right:
        st.markdown(verdict(choice, seen))
        powers = np.exp(seen.logits.astype(np.float64))
        st.latex(
            texts["worked"]
            % (
                names[best],
                latex_number(float(seen.logits[best])),
                latex_written(float(powers[best])),
                latex_written(float(powers.sum())),
                precise_percent(float(shares[best])).replace("%", r"\%"),
            )
        )
        if choice.trained:
            st.markdown(f":small[{texts['sure'].strip()}]")
        download_csv(
            texts["download"],
            lambda: matrix_csv(
                np.stack([seen.logits, shares], axis=1), names, ("logit", "probability"), "class"
            ),
            "probabilities.csv",
            "head-probabilities-csv",
        )


def verdict(choice: Choice, seen: Observation) -> str:
    texts, names, truth = TEXTS["parts"]["softmax"], seen.class_names, seen.label
    words = facts(choice, seen)
    if truth is None:
        said = texts["verdict_own"].format(**words)
    elif truth == seen.prediction:
        said = texts["verdict_right"].format(**words)
    else:
        share = percent(float(seen.probabilities[truth]))
        said = texts["verdict_wrong"].format(truth=names[truth], truth_share=share, **words)
    return said if choice.trained else f"{said} {texts['untrained']}"


# who wrote it


def show_parts(choice: Choice, seen: Observation) -> None:
    texts, split, names = TEXTS["parts"]["parts"], written(choice, seen), seen.class_names
    best, rival = seen.prediction, rival_of(seen)
    show_matrices("parts", written_matrices, Cell("written", 0, best), choice, seen)
    writers, margin = writer_names(split), split.logits[:, best] - split.logits[:, rival]
    most, least = int(margin.argmax()), int(margin.argmin())
    total = texts["total" if margin[least] < 0 else "total_one_side"]
    st.markdown(
        total.format(
            total=signed(float(seen.logits[best] - seen.logits[rival])),
            most=writers[most],
            most_value=signed(float(margin[most])),
            least=writers[least],
            least_value=signed(float(margin[least])),
            answer=names[best],
            rival=names[rival],
        )
    )
    st.markdown(f":small[{texts['note'].strip().format(difference=f'{split.difference:.1e}')}]")
    download_csv(
        texts["download"],
        lambda: matrix_csv(contributions(split), writer_names(split, True), names, "part"),
        "contributions.csv",
        "head-parts-csv",
    )


def written_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts, split, names = TEXTS["parts"]["parts"], written(choice, seen), seen.class_names
    best, rival = seen.prediction, rival_of(seen)
    table, writers = contributions(split), writer_names(split, True)
    words = {"answer": names[best], "rival": names[rival]}
    return [
        Matrix(
            "written",
            table,
            texts["written"],
            writers,
            names,
            row_axis="writer",
            column_axis="class",
        ),
        Matrix(
            "margin",
            table[:, best : best + 1] - table[:, rival : rival + 1],
            texts["margin"].format(**words),
            writers,
            [texts["margin_column"].format(**words)],
            row_axis="writer",
        ),
    ]


def contributions(split: Written) -> np.ndarray:
    """Return what each part adds to each logit, the constant last, (writers + 1, C)."""
    return np.concatenate([split.logits, split.constant[None]])


def writer_names(split: Written, with_constant: bool = False) -> list[str]:
    texts, names = TEXTS["parts"]["parts"], []
    for key in split.keys:
        if key == "embed":
            names.append(texts["embed"])
        else:
            _, block, part = key.split(".")
            names.append(texts[part.removesuffix("_out")].format(block=int(block) + 1))
    return [*names, texts["constant"]] if with_constant else names


def signed(number: float) -> str:
    return f"{number:+.2f}".replace("-", "−")


# what it would have said earlier


def stage_names(config: ViTConfig) -> list[str]:
    texts = TEXTS["parts"]["lens"]
    after = [texts["stage"].format(block=block + 1) for block in range(config.depth)]
    return [texts["stage_start"], *after]


def story(choice: Choice, seen: Observation) -> str:
    """Say where the head would have settled on its answer."""
    texts, settled = TEXTS["parts"]["lens"], lens(choice, seen).settled
    depth = seen.config.depth
    name = "story_start" if settled == 0 else "story_last" if settled == depth else "story_settles"
    return texts[name].format(
        answer=seen.class_names[seen.prediction], stage=stage_names(seen.config)[settled]
    )


def show_lens(choice: Choice, seen: Observation) -> None:
    texts, names = TEXTS["parts"]["lens"], seen.class_names
    start = Cell("lens", lens(choice, seen).settled, seen.prediction)
    show_matrices("lens", lens_matrices, start, choice, seen)
    st.markdown(f":small[{texts['note'].strip()}]")
    download_csv(
        texts["download"],
        lambda: matrix_csv(
            lens(choice, seen).probabilities, stage_names(seen.config), names, "stage"
        ),
        "logit-lens.csv",
        "head-lens-csv",
    )


def lens_matrices(choice: Choice, seen: Observation) -> list[Matrix]:
    texts = TEXTS["parts"]["lens"]
    return [
        Matrix(
            "lens",
            lens(choice, seen).probabilities,
            texts["lens"],
            stage_names(seen.config),
            seen.class_names,
            row_axis="stage",
            column_axis="class",
            scale="sequential",
            limit=1.0,
        )
    ]


# mistakes


def show_wrong(choice: Choice, seen: Observation) -> None:
    texts, names = TEXTS["parts"]["wrong"], seen.class_names
    mistakes = some_hard_digits(choice, SHOWN_MISTAKES)
    if seen.label is not None and seen.label != seen.prediction:
        said = texts["here"].format(
            truth=names[seen.label],
            written=TEXTS["parts"]["parts"]["title"],
            **facts(choice, seen),
        )
        st.markdown(said)
    if not mistakes:
        st.markdown(texts["none"])
        return
    words = [
        {"truth": names[one.digit], "said": names[one.said], "number": place + 1}
        for place, one in enumerate(mistakes)
    ]
    st.html(
        looks(
            [
                (
                    whole(test_digit(one.digit, one.index), texts["alt"].format(**said)),
                    texts["taken"].format(**said),
                    (),
                )
                for one, said in zip(mistakes, words, strict=True)
            ]
        )
    )
    with st.container(horizontal=True):
        for place, (one, said) in enumerate(zip(mistakes, words, strict=True)):
            if st.button(texts["look"].format(**said), key=f"head-mistake-{place}"):
                state.change(digit=one.digit, index=one.index, picture="")
                st.rerun()  # the whole page, as the sidebar shows the image


PARTS: Mapping[str, Callable[[Choice, Observation], None]] = {
    "pooled": show_pooled,
    "logits": show_logits,
    "softmax": show_softmax,
    "parts": show_parts,
    "lens": show_lens,
    "wrong": show_wrong,
}
CODE = (
    Snippet("pooled", ViT.forward_features, ('return tap("final_norm"',)),
    Snippet("pooled", ViT.forward_head, ("if self.config.pool", "pooled_BD =")),
    Snippet("logits", ViT.forward_head, ("return tap(",)),
    Snippet("parts", logit_attribution, ("centred_BWND =", "written_BWND = centred")),
    Snippet("lens", logit_lens, ("stages =",)),
)


# questions


def questions(choice: Choice, seen: Observation) -> list[Question]:
    words = facts(choice, seen)
    return [
        ask_settles(choice, seen, words),
        ask_ratio(seen, words),
        ask_writer(choice, seen, words),
        ask_shift(words),
    ]


def ask_settles(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    texts, found = TEXTS["questions"]["settles"], lens(choice, seen)
    stages = stage_names(seen.config)
    said = "; ".join(
        f"{stage} {seen.class_names[name]}" for stage, name in zip(stages, found.said, strict=True)
    )
    return Question(
        "settles",
        texts["text"].format(**words),
        tuple(stages),
        found.settled,
        texts["why"].format(story=said),
    )


def ask_ratio(seen: Observation, words: Mapping[str, object]) -> Question:
    texts, best = TEXTS["questions"]["ratio"], seen.prediction
    second = int(np.argsort(-seen.logits, kind="stable")[1])
    difference = float(np.float64(seen.logits[best]) - np.float64(seen.logits[second]))
    numbers = (difference, 10 * difference, np.exp(difference), np.exp(2 * difference))
    options = tuple(texts["times"].format(number=rounded(number)) for number in numbers)
    rival = {**words, "rival": seen.class_names[second], "difference": f"{difference:.2f}"}
    return Question(
        "ratio",
        texts["text"].format(**rival),
        options,
        2,
        texts["why"].format(difference=f"{difference:.2f}", ratio=rounded(numbers[2])),
    )


def rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def ask_writer(choice: Choice, seen: Observation, words: Mapping[str, object]) -> Question:
    """Ask for the largest of four contributions to the answer's logit, among them the smallest."""
    texts, split = TEXTS["questions"]["writer"], written(choice, seen)
    names, column = writer_names(split), split.logits[:, seen.prediction]
    order = np.argsort(-column, kind="stable")
    places = sorted({int(order[at]) for at in (0, 1, len(order) // 2, -1)})
    values = ", ".join(f"{names[place]} {signed(float(column[place]))}" for place in places)
    return Question(
        "writer",
        texts["text"].format(**words),
        tuple(names[place] for place in places),
        places.index(int(order[0])),
        texts["why"].format(values=values, **words),
    )


def ask_shift(words: Mapping[str, object]) -> Question:
    texts = TEXTS["questions"]["shift"]
    options = (texts["rises"], texts["falls"], texts["stays"])
    return Question("shift", texts["text"].format(**words), options, 2, texts["why"])
