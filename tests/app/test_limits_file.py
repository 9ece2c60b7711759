"""A wrong file of limits stops the start with one sentence, and no page shows a traceback."""

import asyncio
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explainer import server, training
from explainer.training import limits
from explainer.training.limits import FILE, LimitsError, load_limits

PROJECT = Path(__file__).parents[2]
HOME = PROJECT / "explainer" / "Home.py"
RIGHT = FILE.read_text(encoding="utf-8")


def put(value: str) -> bytes:
    """Return a right file with another value of one key."""
    return RIGHT.replace("queue = 60", f"queue = {value}").encode()


WRONG = {
    "missing": (RIGHT.replace("queue = 60", "").encode(), "queue is missing; it needs"),
    "empty": (b"", "runs_at_once is missing, threads is missing, nice is missing; it needs"),
    "unknown": (f"extra = 1\n{RIGHT}".encode(), "'extra' is unknown; it needs"),
    "misspelt": (
        RIGHT.replace("queue = 60", "queues = 60").encode(),
        "queue is missing, 'queues' is unknown; it needs",
    ),
    "unknown in Greek": (f'"\\u03b1" = 1\n{RIGHT}'.encode(), "is unknown"),
    "text": (
        put('"sixty"'),
        "queue must be a whole number from 0, not 'sixty'; at most 1,000,000,000 is",
    ),
    "markup": (put('"<b>*x*</b>"'), "not '<b>*x*</b>'"),
    "fraction": (put("60.5"), "not 60.5"),
    "truth": (put("true"), "not True"),
    "list": (put("[60]"), "not [60]"),
    "table": (put("{ a = 60 }"), "not {'a': 60}"),
    "date": (put("2026-01-01"), "not datetime.date(2026, 1, 1)"),
    "negative": (put("-1"), "not -1"),
    "nan": (put("nan"), "not nan"),
    "inf": (put("inf"), "not inf"),
    "400 digits": (put("9" * 400), f"not {'9' * 40}…"),
    "10,000 digits": (put("9" * 10_000), "it is not valid TOML"),
    "10,000 hexadecimal digits": (put(f"0x{'f' * 10_000}"), "a number of thousands of digits"),
    "too nice": (
        RIGHT.replace("nice = 10", "nice = 20").encode(),
        "from 0, not 20; at most 19 is allowed",
    ),
    "another engine": (
        RIGHT.replace('engine = "processes"', 'engine = "slurm"').encode(),
        "engine must be 'processes' or 'ray', not 'slurm'",
    ),
    "an engine by its number": (
        RIGHT.replace('engine = "processes"', "engine = 1").encode(),
        "engine must be 'processes' or 'ray', not 1",
    ),
    "an address without a port": (
        RIGHT.replace('ray_address = ""', 'ray_address = "10.0.0.5"').encode(),
        "ray_address must be empty, 'auto', or an address with a port such as '10.0.0.5:6379', not",
    ),
    "two GPUs": (
        RIGHT.replace("worker_gpus = 0", "worker_gpus = 2").encode(),
        "worker_gpus must be 0, or a number from 0.01 to 1, not 2; a run trains on one GPU",
    ),
    "a GPU in words": (
        RIGHT.replace("worker_gpus = 0", "worker_gpus = true").encode(),
        "worker_gpus must be 0, or a number from 0.01 to 1, not True",
    ),
    "a GPU without a cluster": (
        RIGHT.replace("worker_gpus = 0", "worker_gpus = 0.5").encode(),
        "worker_gpus needs engine = 'ray'",
    ),
    "no TOML": (b"queue: 60", "it is not valid TOML"),
    "twice": (f"{RIGHT}\nqueue = 60\n".encode(), "it is not valid TOML"),
    "nested": (b"a = " + b"[" * 50_000, "it is not valid TOML"),
    "not UTF-8": (RIGHT.encode() + b"# f\xfcr\n", "it is not text in UTF-8"),
    "UTF-16": (RIGHT.encode("utf-16"), "it is not text in UTF-8"),
    "binary": (bytes(range(32)), "it is not valid TOML"),
    "too large": (b"#" * 200_000, "it has more than 100,000 bytes"),
}


@pytest.fixture
def limits_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path that ``VIT_EXPLAINER_LIMITS`` names, where nothing is yet."""
    path = tmp_path / "server of nobody" / "my limits.toml"
    path.parent.mkdir()
    monkeypatch.setenv("VIT_EXPLAINER_LIMITS", str(path))
    return path


def said_of(path: Path) -> LimitsError:
    with pytest.raises(LimitsError) as caught:
        load_limits()
    sentence, for_visitors = str(caught.value), caught.value.for_visitors
    assert str(path) in sentence and path.name in for_visitors
    assert str(path.parent) not in for_visitors, "visitors need not know the server's folders"
    for text in (sentence, for_visitors):
        assert "\n" not in text and text.endswith(".")
        assert len(text.replace(str(path), path.name)) < 700
    return caught.value


@pytest.mark.parametrize(("content", "reason"), WRONG.values(), ids=WRONG)
def test_each_fault_is_one_sentence(limits_file: Path, content: bytes, reason: str) -> None:
    limits_file.write_bytes(content)
    assert reason in said_of(limits_file).for_visitors


def test_what_is_no_file_is_said(limits_file: Path) -> None:
    assert "there is no such file" in str(said_of(limits_file))
    limits_file.mkdir()
    assert "it is not a file" in str(said_of(limits_file))
    limits_file.rmdir()
    limits_file.symlink_to(limits_file)
    said_of(limits_file)


def test_a_file_that_may_not_be_read_is_said(
    limits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits_file.write_text(RIGHT, encoding="utf-8")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(limits_file))

    monkeypatch.setattr(Path, "open", refuse)
    assert "it cannot be read (Permission denied)" in str(said_of(limits_file))


@pytest.mark.parametrize("change", [str, lambda text: "\ufeff" + text.replace("\n", "\r\n")])
def test_a_right_file_is_read_once(limits_file: Path, change: Callable[[str], str]) -> None:
    """One that Windows' editor has written, too; a change counts from the next start on."""
    text = change(RIGHT.replace("queue = 60", "queue = 7"))
    limits_file.write_bytes(text.encode())
    assert load_limits().queue == 7
    limits_file.write_bytes(b"queue =")
    assert load_limits().queue == 7


@pytest.mark.parametrize("name", ["missing", "markup", "no TOML", "not UTF-8", "400 digits"])
def test_the_page_says_it_without_a_traceback(
    limits_file: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content, reason = WRONG[name]
    limits_file.write_bytes(content)
    for _ in range(2):
        app = AppTest.from_file(HOME, default_timeout=60).run()
        assert not app.exception
        assert [error.value for error in app.error] == [
            "This server is not set up correctly, so its pages cannot be shown."
        ]
        (text,) = app.text
        assert reason in text.value and str(limits_file.parent) not in text.value
    assert capfd.readouterr().err.count(str(limits_file)) == 1, "the log has it once"


def test_the_server_does_not_start(limits_file: Path) -> None:
    limits_file.write_text("queue = 60\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(HOME)]
    command += ["--server.port", str(port), "--server.headless", "true"]
    done = subprocess.run(
        command, cwd=limits_file.parent, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("The app does not start, since its file of")


def test_the_start_opens_a_browser_and_the_end_ends_the_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened, closed = [], []
    monkeypatch.setattr(server, "READY_SECONDS", 0.0)
    monkeypatch.setattr(server.webbrowser, "open", opened.append)
    monkeypatch.setattr(training, "close_manager", lambda: closed.append(True))

    async def start_and_end() -> None:
        before = len(closed)
        async with server.lifespan(None):
            assert len(closed) == before

    for is_headless in (True, False):
        monkeypatch.setattr(st, "get_option", {**OPTIONS, "server.headless": is_headless}.get)
        asyncio.run(start_and_end())
        for thread in list(server.threading.enumerate()):
            if isinstance(thread, server.threading.Timer):
                thread.join()
    assert opened == ["http://localhost:8501/"]
    assert closed == [True, True]


OPTIONS = {
    "browser.serverAddress": "localhost",
    "browser.serverPort": 8501,
    "server.baseUrlPath": "",
    "server.sslCertFile": None,
}


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({"browser.serverAddress": "0.0.0.0"}, "http://localhost:8501/"),
        (
            {"browser.serverAddress": "vit.example", "browser.serverPort": 80},
            "http://vit.example:80/",
        ),
        ({"server.sslCertFile": "x.pem", "server.baseUrlPath": "/a/"}, "https://localhost:8501/a"),
    ],
)
def test_the_address_for_the_browser(
    options: dict[str, object], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "get_option", (OPTIONS | options).get)
    assert server.address() == address


def test_closing_what_nobody_opened_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    training.make_manager.cache_clear()
    training.close_manager()
    assert not training.make_manager.cache_info().currsize


def test_visitors_see_no_traceback_wherever_the_app_is_started() -> None:
    """Streamlit reads the file beside the script and the one where it is started."""
    beside, here = (
        (folder / ".streamlit" / "config.toml").read_text(encoding="utf-8")
        for folder in (PROJECT / "explainer", PROJECT)
    )
    assert beside == here
    assert tomllib.loads(here)["client"]["showErrorDetails"] in ("type", "none")
    assert tomllib.loads(here)["server"]["showEmailPrompt"] is False, "the first start would wait"


def test_a_file_of_before_the_engines_trains_on_this_machine(limits_file: Path) -> None:
    lines = (
        line
        for line in RIGHT.splitlines()
        if not line.startswith(("engine", "ray_", "worker_gpus"))
    )
    limits_file.write_text("\n".join(lines), encoding="utf-8")
    assert load_limits().engine == "processes"


def test_a_cluster_decides_how_many_runs_train_at_once(
    limits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits_file.write_text(RIGHT.replace('"processes"', '"ray"'), encoding="utf-8")
    monkeypatch.setattr(limits, "find_spec", lambda name: None)
    assert "needs the package Ray, which is not installed here" in said_of(limits_file).for_visitors
    monkeypatch.setattr(limits, "find_spec", lambda name: name)
    assert (load_limits().runs_at_once, load_limits().threads) == (0, 1)
