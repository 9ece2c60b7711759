"""Any name becomes text that any terminal, file and page can show."""

import io
import runpy
import sys

import pytest
from bare_package import run_bare

from vit_core.storage.plain_text import let_output_write_anything, name_first, normalize_name, plain


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat", "cat"),
        ("狗 🐶 é", "狗 🐶 é"),
        ("two\nlines\tand a tab", r"two\nlines\tand a tab"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\u202egnp.exe", r"\u202egnp.exe"),  # which would be shown from right to left
        ("\u2028", r"\u2028"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud83d", r"\ud83d"),
        ("שלום", "שלום"),
    ],
)
def test_a_name_is_shown_on_one_line(name: str, shown: str) -> None:
    assert plain(name) == shown
    assert plain(name).encode().decode() == shown


def test_accents_are_the_same_however_they_are_stored() -> None:
    assert normalize_name("cafe\u0301") == normalize_name("caf\u00e9") == "café"
    assert normalize_name("caf\udce9") == r"caf\xe9" != "café"


def test_the_first_names_and_how_many_more() -> None:
    assert name_first(["a", "b\n"], 2) == r"a, b\n"
    assert name_first(["a", "b"], 1_234) == "a, b and 1,232 more"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_that_lacks_a_letter_gets_it_spelled_out(encoding: str) -> None:
    code = (
        "from vit_core.storage.plain_text import let_output_write_anything as go; go(); "
        "print('✓ \\ud800')"
    )
    out = run_bare(code, {"PYTHONIOENCODING": encoding})
    expected = "✓" if encoding == "utf-8" else r"\u2713"
    assert out.decode("utf-8").strip() == expected + r" \ud800"


@pytest.mark.parametrize("command", ["train", "evaluate", "pretrained"])
@pytest.mark.parametrize("encoding", ["ascii", "cp437"])
def test_every_command_explains_itself_on_any_terminal(
    command: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setattr(sys, "argv", ["a program", "--help"])
    # as python -m runs them, but in this process, which has PyTorch already
    for name in (f"vit_core.{command}", f"vit_core.{command}.__main__"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(SystemExit) as end:
        runpy.run_module(f"vit_core.{command}", run_name="__main__")
    assert end.value.code == 0
    out.flush()
    error.flush()
    said = out.buffer.getvalue()
    assert said.startswith(b"usage: ") and b"\n  -h, --help" in said
    assert not error.buffer.getvalue()


def test_an_output_without_an_encoding_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    stays = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stays)
    monkeypatch.setattr(sys, "stderr", None)  # as where Windows starts a program without a console
    let_output_write_anything()
    print("✓")
    assert stays.getvalue() == "✓\n" and sys.stderr is None
