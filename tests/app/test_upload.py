"""Uploaded checkpoints: what is accepted becomes a run, all else is refused."""

import io
import json
import os
import pickle
import struct
import tempfile
import time
import tomllib
import weakref
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from reading import state_of, unfold
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from explainer import training
from explainer.inputs.models import check_upload, load, pretrained
from explainer.inputs.models import upload as upload_module
from explainer.inputs.models.check_upload import MAX_BYTES, read_upload, title_of
from explainer.inputs.models.showable import MAX_NAME_LENGTH
from explainer.inputs.models.upload import MAX_UPLOADS, add_upload
from explainer.shell import routes
from explainer.shell.sidebar.upload_model import KEY
from explainer.state.choice import saved
from explainer.training import RefusedError, visitor
from explainer.training.housekeeping import clear_temporary
from explainer.training.limits import load_limits
from explainer.training.manager import Manager
from vit_core import TrainConfig, ViT, ViTConfig, build, save_checkpoint
from vit_core.checkpoint import FORMAT
from vit_core.data import DataInfo, mnist_info

SMALL = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
OURS = "o" * 32
ROOT = Path(__file__).parents[2]
Make = Callable[..., bytes]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Return a maker of a checkpoint's bytes; ``change`` may spoil its weights."""

    def made(
        config: ViTConfig = SMALL, change: Callable[[Any], None] | None = None, **facts: Any
    ) -> bytes:
        model = build(config, seed=3)
        if change:
            with torch.no_grad():
                change(model)
        path = tmp_path / "made.safetensors"
        save_checkpoint(model, path, **({"data": mnist_info()} | facts))
        return path.read_bytes()

    return made


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "runs", load_limits(), recorded=tmp_path / "none")
    yield made
    made.close()


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header: dict[str, Any], rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def with_metadata(content: bytes, **changed: str | None) -> bytes:
    header, rest = split(content)
    header["__metadata__"] = {
        name: text for name, text in (header["__metadata__"] | changed).items() if text is not None
    }
    return joined(header, rest)


def refusal(content: bytes, name: str = "model.safetensors") -> str:
    with pytest.raises(RefusedError) as found:
        read_upload(content, name)
    said = str(found.value)
    assert said[0].isupper() and said[-1] == "." and "\n" not in said and "/tmp" not in said
    return said


# what is accepted


def test_an_accepted_model_is_a_run_of_its_visitor(made: Make, manager: Manager):
    content = made(
        preset="fast",
        train_config=TrainConfig(epochs=5),
        metrics={"epoch": 4, "step": 1716, "val_accuracy": 0.98, "test_accuracy": 0.97},
        command="python -m vit_core.train --preset fast",
    )
    run = add_upload(manager, OURS, content, "My model.safetensors")
    assert (run.status, run.title, run.belongs_to(OURS)) == ("uploaded", "My model", True)
    assert manager.find(run.id) == run
    assert [one.id for one in manager.runs_of(OURS)] == [run.id]
    assert manager.runs_of("s" * 32) == []
    history = run.history
    assert history.epochs() == (4,)
    assert history.epoch_line(4)["val_accuracy"] == 0.98 and history.test_accuracy == 0.97
    assert (history.config.model, history.config.preset) == (SMALL, "fast")
    assert history.checkpoint(None).is_file()
    expected = build(SMALL, seed=3).state_dict()
    for path in (history.checkpoint(4), history.checkpoint(None)):
        found = safetensors.torch.load_file(path)
        assert all(found[key].equal(value) for key, value in expected.items())


def test_an_upload_is_found_again_by_a_new_server(made: Make, manager: Manager, tmp_path: Path):
    run = add_upload(manager, OURS, made(), "model.safetensors")
    manager.close()
    again = Manager(tmp_path / "runs", load_limits(), recorded=tmp_path / "none")
    assert again.find(run.id).status == "uploaded"
    again.close()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_single(made: Make, kind: torch.dtype):
    header, _ = split(made())
    tensors = {key: value.to(kind) for key, value in build(SMALL, seed=3).state_dict().items()}
    found = read_upload(safetensors.torch.save(tensors, header["__metadata__"]), "a.safetensors")
    assert found.checkpoint.model.head.weight.dtype == torch.float32


def test_what_a_file_claims_is_kept_only_as_far_as_it_can_be(made: Make):
    claims = {"epoch": 3, "test_accuracy": 7.0, "val_accuracy": "<b>", "train_loss": 10**400}
    found = read_upload(with_metadata(made(), metrics=json.dumps(claims)), "a.safetensors")
    assert (found.epoch, found.metrics) == (3, {})
    for epoch in (-1, 10**9, True, "3", None):
        claims = json.dumps({"epoch": epoch, "val_loss": float("nan"), "val_accuracy": 0.5})
        found = read_upload(with_metadata(made(), metrics=claims), "a.safetensors")
        assert (found.epoch, found.metrics) == (1, {"val_accuracy": 0.5})


def test_the_command_and_preset_of_a_stranger_are_kept_only_if_they_are_plain(
    made: Make, manager: Manager
):
    content = made(preset="<script>", command="rm -rf \x1b[31m" + "x" * 1000)
    config = add_upload(manager, OURS, content, "a.safetensors").history.config
    assert (config.preset, config.command) == (None, "")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("../../etc/passwd.safetensors", "passwd"),
        ("C:\\models\\fast 3.safetensors", "fast 3"),
        ("![x](http://h/x.png)<img>.safetensors", "x.png img"),
        ("\u202e$x$ :red[x].safetensors", "x red x"),
        ("x" * 99 + ".safetensors", "x" * 30),
        (".safetensors", "a model"),
        ("模型.safetensors", "a model"),
    ],
)
def test_a_title_is_plain(name: str, title: str):
    assert title_of(name) == title


# what is refused


def test_files_of_other_kinds(made: Make, tmp_path: Path):
    class Evil:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "was-run",)

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Evil()))
    saved = io.BytesIO()
    torch.save(build(SMALL).state_dict(), saved)
    for content in (
        archive.getvalue(),
        saved.getvalue(),
        *(pickle.dumps(Evil(), protocol) for protocol in (2, 3, 4, 5)),
    ):
        assert "never opened" in refusal(content)
        assert "never opened" in refusal(content, "model.pt")
    for name in ("a.pt", "a.PTH", "a.pkl", "a.bin", "a.ckpt"):
        assert "never opened" in refusal(made(), name)
    for content in (
        pickle.dumps(Evil(), 0),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"hello",
        b"{}",
        b"\x80",
    ):
        assert "not a whole safetensors file" in refusal(content)
    assert "empty" in refusal(b"")
    assert not (tmp_path / "was-run").exists()


def test_a_byte_more_than_allowed():
    assert "32.1 MB; at most 32 MB" in refusal(bytes(MAX_BYTES + 1))


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, -1, -1000])
def test_a_truncated_file(length: int, made: Make):
    assert refusal(made()[:length])


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**32, 100_000_000, 0, 1])
def test_a_header_that_lies_about_its_length(length: int, made: Make):
    content = made()
    assert "not a whole safetensors file" in refusal(struct.pack("<Q", length) + content[8:])


def test_a_header_that_is_too_long(made: Make):
    assert "256 kB" in refusal(with_metadata(made(), command="x" * 300_000))


def test_a_header_of_a_million_brackets():
    text = b"{" + b'"a":[' * 40_000
    assert refusal(struct.pack("<Q", len(text)) + text)


def test_a_file_of_another_project():
    content = safetensors.torch.save({"weight": torch.zeros(3)}, {"format": "pt"})
    assert "was not written by this project" in refusal(content)
    assert "was not written by this project" in refusal(
        safetensors.torch.save({"w": torch.ones(2)})
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers(number: float, made: Make):
    content = made(change=lambda model: model.head.bias.fill_(number))
    assert "not finite numbers, in head.bias" in refusal(content)


def test_weights_that_are_out_of_all_bounds(made: Make):
    assert "beyond ±1,000" in refusal(made(change=lambda model: model.head.weight.fill_(1e30)))


def test_wrong_shapes_missing_and_unknown_tensors(made: Make):
    header, rest = split(made())
    other = dict(header)
    other["stranger"] = header["head.bias"] | {"data_offsets": [0, 0], "shape": [0]}
    assert refusal(joined(other, rest))
    tensors = safetensors.torch.load(made())
    for spoil in (
        lambda t: t.pop("head.weight"),
        lambda t: t.update(stranger=torch.zeros(2)),
        lambda t: t.update({"head.weight": torch.zeros(10, 15)}),
    ):
        spoiled = dict(tensors)
        spoil(spoiled)
        content = safetensors.torch.save(spoiled, header["__metadata__"])
        assert "does not fit its own configuration" in refusal(content)
    integers = {key: value.long() for key, value in tensors.items()}
    assert "allowed: F32" in refusal(safetensors.torch.save(integers, header["__metadata__"]))


@pytest.mark.parametrize(
    "lie",
    [
        {"config": None},
        {"config": "nonsense"},
        {"config": "[" * 10_000},
        {"config": json.dumps({"depth": 10**9})},
        {"config": json.dumps({"embed_dim": 999_999, "num_heads": 1})},
        {"config": json.dumps({"evil": 1})},
        {"config": ViTConfig(depth=7).to_json()},
        {"format": FORMAT + "0"},
        {"train_config": "{}x"},
        {"train_config": json.dumps({"epochs": 0})},
        {"data": "[]"},
        {"metrics": "[]"},
    ],
)
def test_metadata_that_lies(lie: dict[str, str | None], made: Make):
    assert refusal(with_metadata(made(), **lie))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (ViTConfig(in_channels=2), "1 or 3 channels and 8 to 448 pixels"),
        (ViTConfig(image_size=7, patch_size=7, pool="mean"), "1 or 3 channels and 8 to 448"),
        (ViTConfig(image_size=452, patch_size=113), "1 or 3 channels and 8 to 448"),
        (ViTConfig(image_size=(28, 56)), "square ones"),
        (ViTConfig(num_classes=1), "2 to 1,000"),
        (ViTConfig(num_classes=1001), "2 to 1,000"),
        (ViTConfig(patch_size=(4, 7)), "square ones"),
        (ViTConfig(patch_size=1, embed_dim=8, depth=1, num_heads=1), "at most 257"),
        (ViTConfig(patch_size=2, num_registers=61), "at most 257"),
        (ViTConfig(embed_dim=8, depth=13), "at most 12"),
        (ViTConfig(patch_size=28, pool="mean"), "a single token"),
        (ViTConfig(embed_dim=64, depth=1, num_heads=32), "at most 16"),
        (ViTConfig(num_classes=1), "a single class"),
        (ViTConfig(in_channels=3), "does not say what data"),
        (ViTConfig(image_size=32), "does not say what data"),
    ],
)
def test_shapes_that_no_page_can_show(config: ViTConfig, sentence: str, made: Make):
    assert sentence in refusal(made(config, data=None))


def colours(*names: str) -> DataInfo:
    return DataInfo("flowers", "", (0.5,) * 3, (0.25,) * 3, names)


@pytest.mark.parametrize("classes", [0, 2, 1000])
def test_a_model_of_colour_photographs_is_shown_on_every_page(
    made: Make,
    open_page: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    classes: int,
):
    config = ViTConfig(
        image_size=48,
        in_channels=3,
        patch_size=8,
        embed_dim=16,
        depth=2,
        num_heads=2,
        num_classes=classes,
    )
    content = made(config, data=colours(*(f"flower {number}" for number in range(classes))))
    manager = Manager(tmp_path / "runs", load_limits())
    monkeypatch.setattr(training, "the_manager", lambda: manager)
    run = add_upload(manager, OURS, content, "flowers.safetensors")
    for view in routes.WALK:
        address = "home" if view == "home" else routes.address(view)
        app = open_page(address, source="run", run=run.id, sample=2)
        assert not app.exception, view
        assert app.sidebar.pills(key="photo-picker").value == "sample"
    assert not open_page("train", run=run.id).exception
    manager.close()


TAKEN = (
    "apple_pie",
    "Tomato___Late_blight",
    "R&D",
    "C++",
    "dog \N{DOG FACE}",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
    "<b>bold</b>",
    "$x^2$ `code` [link](http://x) **b**",
    'ice-cream, "icecream" \\ #1',
    "سگ",
    "犬",
    "n01440764",
    "-",
    "7",
    " spaced ",
    "x" * MAX_NAME_LENGTH,
)


@pytest.mark.parametrize("name", TAKEN)
def test_names_of_classes_are_taken_as_they_are(name: str, made: Make):
    names = (name, *"abcdefghi")
    found = read_upload(made(data=DataInfo(**(vars(mnist_info()) | {"class_names": names}))), "a")
    assert found.checkpoint.data.class_names == names


NAMES = {
    "": "class 1 of 10 has no name",
    "  ": "class 1 of 10 has no name",
    "\u200b\u2060": "class 1 of 10 has no name",
    "x" * (MAX_NAME_LENGTH + 1): "161 characters; the pages show at most 160",
    "x" * 10_000: "10,000 characters",
    "a\nb": "U+000A",
    "a\tb": "U+0009",
    "\x1b[31mred": "U+001B",
    "a\x00": "U+0000",
    "a\x85b": "U+0085",
    "a\u2028b": "U+2028",
    "\u202egpj.exe": "U+202E",
    "a\u2066b": "U+2066",
    "\ud800": "has no name",
    "half \udc36": "U+DC36",
    "b": "classes 1 and 3 have the same name",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_cannot_be_written_or_told_apart(name: str, made: Make):
    data = json.loads(split(made())[0]["__metadata__"]["data"])
    data["class_names"] = [name, *"abcdefghi"]
    said = refusal(with_metadata(made(), data=json.dumps(data)))
    assert NAMES[name] in said and said.isprintable()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"mean": (1e30,)}, "mean must be"),
        ({"std": (1e-5,)}, "another range"),
    ],
)
def test_data_that_these_pages_do_not_show(changed: dict[str, Any], sentence: str, made: Make):
    data = DataInfo(**(vars(mnist_info()) | changed))
    assert sentence in refusal(made(data=data))


def test_a_model_larger_than_the_server_allows(made: Make):
    content = made(ViTConfig(embed_dim=128))
    limits = load_limits()
    assert read_upload(content, "a", limits)
    with pytest.raises(RefusedError, match=r"needs 6 MB for weights .* has 4 MB"):
        read_upload(content, "a", replace(limits, large_megabytes=4))
    with pytest.raises(RefusedError, match=r"take 6 MB on the server's disk, where 5 MB"):
        read_upload(content, "a", replace(limits, run_megabytes=5))


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ({"embed_dim": 16, "mlp_ratio": 256.0}, "128 MB for them"),
        ({"embed_dim": 32, "depth": 1, "num_heads": 1, "mlp_ratio": 1000.0}, "48 MB for them"),
    ],
)
def test_a_small_file_whose_tensors_are_large(
    shape: dict[str, Any], sentence: str, made: Make, monkeypatch: pytest.MonkeyPatch
):
    config = ViTConfig(**({"patch_size": 2, "depth": 12, "num_heads": 16} | shape))
    content = made(config)
    assert len(content) < 9e6
    monkeypatch.setattr(check_upload, "load_checkpoint", lambda *_: pytest.fail("not refused"))
    assert sentence in refusal(content)


def test_a_model_of_photographs_of_ordinary_size_is_taken(made: Make):
    config = ViTConfig(  # ViT-Ti/16
        image_size=224,
        in_channels=3,
        num_classes=1000,
        patch_size=16,
        embed_dim=192,
        depth=12,
        num_heads=3,
    )
    data = colours(*(f"class {number}" for number in range(config.num_classes)))
    content = made(config, data=data)
    assert 20e6 < len(content) < MAX_BYTES
    assert read_upload(content, "a.safetensors").checkpoint.config == config


def test_streamlit_lets_the_same_size_in():
    for folder in (".", "explainer"):
        text = (ROOT / folder / ".streamlit" / "config.toml").read_text(encoding="utf-8")
        assert tomllib.loads(text)["server"]["maxUploadSize"] == MAX_BYTES // 1024**2


def test_a_check_keeps_no_tensor_and_tries_one_image_at_a_time(
    made: Make, monkeypatch: pytest.MonkeyPatch
):
    # every block's patterns of all images at once would be 12 * 16 * 197 * 197 numbers for each
    seen, alive, most = [], [], 0
    forward = ViT.forward

    def counted(model: ViT, images: torch.Tensor, tap: Any) -> torch.Tensor:
        seen.append(len(images))

        def counting(name: str, tensor: torch.Tensor) -> torch.Tensor:
            nonlocal most
            alive.append(weakref.ref(tensor))
            most = max(most, sum(one.numel() for ref in alive if (one := ref()) is not None))
            return tap(name, tensor)

        return forward(model, images, counting)

    monkeypatch.setattr(ViT, "forward", counted)
    config = ViTConfig(patch_size=4, embed_dim=16, depth=12, num_heads=16, mlp_ratio=1.0)
    read_upload(made(config), "a.safetensors")
    assert seen and set(seen) == {1}
    assert most < 3 * config.num_heads * config.num_tokens**2


def test_checks_of_many_visitors_run_one_after_another(
    made: Make, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    content, inside, most = made(), 0, 0
    check, write = check_upload.check_numbers, upload_module.write_upload

    def counted(work: Callable) -> Callable:
        def do(*given: Any) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            work(*given)
            inside -= 1

        return do

    monkeypatch.setattr(check_upload, "check_numbers", counted(check))
    monkeypatch.setattr(upload_module, "write_upload", counted(write))
    with ThreadPoolExecutor(5) as threads:
        runs = list(threads.map(lambda n: add_upload(manager, f"{n}" * 32, content, "a"), range(5)))
    assert len({run.id for run in runs}) == 5 and most == 1


def test_a_check_writes_no_file(made: Make, monkeypatch: pytest.MonkeyPatch):
    content = made()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    assert read_upload(content, "a.safetensors")


def test_cleaning_up_takes_nothing_of_an_upload_that_is_being_written(
    made: Make, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    move = os.replace

    def clean_before(source: Any, target: Any) -> None:
        clear_temporary(manager.store, lambda run_id: False)
        move(source, target)

    monkeypatch.setattr(os, "replace", clean_before)
    run = add_upload(manager, OURS, made(), "a.safetensors")
    assert [one.id for one in manager.runs_of(OURS)] == [run.id]


def test_a_visitor_keeps_a_limited_number(made: Make, manager: Manager):
    content = made()
    for _ in range(MAX_UPLOADS):
        add_upload(manager, OURS, content, "a.safetensors")
    with pytest.raises(RefusedError, match="the most allowed"):
        add_upload(manager, OURS, content, "a.safetensors")
    add_upload(manager, "s" * 32, content, "a.safetensors")


def test_a_visitor_keeps_no_more_by_bringing_many_at_once(made: Make, manager: Manager):
    content = made()

    def bring(_: int) -> bool:
        try:
            return bool(add_upload(manager, OURS, content, "a.safetensors"))
        except RefusedError:
            return False

    with ThreadPoolExecutor(8) as threads:
        accepted = list(threads.map(bring, range(MAX_UPLOADS + 5)))
    assert sum(accepted) == len(manager.runs_of(OURS)) == MAX_UPLOADS


def test_a_disk_that_is_full_leaves_nothing(
    made: Make, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    content = made()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vit_core.checkpoint.write_atomically", full)
    with pytest.raises(RefusedError, match="No space left on device"):
        add_upload(manager, OURS, content, "a.safetensors")
    assert manager.runs_of(OURS) == []
    assert not list(manager.store.root.glob("*/*"))


# in the sidebar


@pytest.fixture
def open_app(
    shipped: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch, open_page: Callable
) -> Callable[..., AppTest]:
    """Open a page as one visitor, with a manager that keeps what is uploaded."""
    monkeypatch.setattr(training, "the_manager", lambda: manager)

    def open_app(address: str = "home", **params: Any) -> AppTest:
        app = open_page(address, **params)
        app.session_state[visitor.KEY] = OURS
        app.run()
        assert not app.exception
        return app

    return open_app


def upload(app: AppTest, content: bytes, name: str = "model.safetensors") -> AppTest:
    uploader = app.sidebar.file_uploader(key=KEY)
    uploader.set_value((name, content, "application/octet-stream")).run()
    assert not app.exception, app.exception[0].message
    return app


def test_an_uploaded_model_is_shown_at_once_and_found_by_its_link(
    open_app: Callable[..., AppTest], manager: Manager, made: Make
):
    app = upload(open_app("patches", digit=3), made(metrics={"epoch": 4, "test_accuracy": 0.97}))
    (run,) = manager.runs_of(OURS)
    found = state_of(app)
    assert (found.source, found.run, found.epoch, found.digit) == ("run", run.id, None, 3)
    assert "The pages now show your model “model”." in " ".join(
        b.value for b in app.sidebar.markdown
    )
    assert app.sidebar.selectbox(key="source").options[-1] == "model · uploaded"
    again = unfold(open_app("home", source="run", run=run.id))
    text = " ".join(block.value for block in again.main.markdown)
    assert "This model was uploaded as “model”, saved after epoch 4" in text
    assert "Its file says that it read **97.00 %** of the test digits right" in text


def test_a_refused_file_changes_nothing_and_its_words_are_only_shown(
    open_app: Callable[..., AppTest], manager: Manager, made: Make
):
    app = open_app(source="fast", digit=3)
    before = state_of(app)
    upload(app, with_metadata(made(), format="![x](http://example.org/x.png)"))
    (error,) = app.sidebar.error
    assert "was not written by this project" in error.value.replace("\\", "")
    assert "](" not in error.value and "![" not in error.value
    assert state_of(app) == before and not manager.runs_of(OURS)


def test_a_large_model_takes_its_turn_with_pretrained_ones(
    open_app: Callable[..., AppTest], manager: Manager, made: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(load, "SMALL", 0)
    places = pretrained.slots()
    sources = []
    for number in range(2):
        run = add_upload(manager, OURS, made(), f"m{number}.safetensors")
        sources.append(saved(run.id, 1))
    first = load.load_source(sources[0])
    assert load.load_source(sources[0]) is first and len(places) == 1
    places.idle = 0
    load.load_source(sources[1])
    assert len(places) == places.count == 1
    assert load.load_source(sources[0]) is not first
    assert not open_app("patches", source="run", run=run.id).exception


def test_a_page_says_that_a_large_model_waits(
    open_app: Callable[..., AppTest], manager: Manager, made: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(load, "SMALL", 0)
    said, info = [], DeltaGenerator.info
    monkeypatch.setattr(
        DeltaGenerator, "info", lambda self, text, **more: said.append(text) or info(self, text)
    )
    run = add_upload(manager, OURS, made(), "a.safetensors")
    places = pretrained.slots()
    places.clock = lambda: 60.0 * len(said)  # somebody else's place is free once it was said
    places.get("of another visitor", object)
    app = open_app("patches", source="run", run=run.id)
    assert state_of(app).source == "run"
    assert "Another visitor is looking at another large model" in said[0]
    assert not app.info and not app.sidebar.info


SHAPES = {
    "registers": replace(SMALL, num_registers=3, layer_scale=1e-5, qkv_bias=False),
    "registers alone": replace(SMALL, num_registers=2, pool="mean", final_norm=False, dropout=0.5),
    "one hidden unit": replace(SMALL, mlp_ratio=0.07, norm_eps=1.0),
    "wide MLP": replace(SMALL, patch_size=14, mlp_ratio=64.0),
    "one patch": replace(SMALL, patch_size=28),
    "narrowest": replace(SMALL, embed_dim=1, num_heads=1, depth=1),
    "odd width": replace(SMALL, embed_dim=21, num_heads=3, pos_embed="sincos"),
    "deepest": replace(SMALL, depth=12, num_heads=16),
    "finest": replace(SMALL, patch_size=2, embed_dim=32, num_heads=16, pos_embed="sincos2d"),
    "most tokens and heads": replace(SMALL, image_size=32, patch_size=2, num_heads=16),
    "widest": replace(SMALL, patch_size=14, embed_dim=384, depth=1, mlp_ratio=1.0),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("view", routes.WALK)
def test_every_page_shows_every_shape_that_is_accepted(
    view: str, shape: str, open_app: Callable[..., AppTest], manager: Manager, made: Make
):
    run = add_upload(manager, OURS, made(SHAPES[shape], metrics={"epoch": 1}), "a.safetensors")
    app = open_app(routes.address(view), source="run", run=run.id)
    assert not app.exception, app.exception[0].message
    assert not app.error and state_of(app).source == "run"
