"""A server that keeps a log writes nothing of what visitors send: marks are sent and looked for."""

import base64
import http.client
import importlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.testing.v1 import AppTest
from websockets.sync.client import connect

import explainer.views.glossary
from explainer import measuring
from explainer.classroom import FILE, Asked
from explainer.classroom.store import Classrooms
from explainer.measuring.errors import watch_errors
from explainer.training.limits import load_limits

PROJECT = Path(__file__).parents[2]
PATIENCE = 120  # seconds, on a machine that is busy with other things
upload_model = importlib.import_module("explainer.shell.sidebar.upload_model")
TEACHER, PUPIL = "t" * 32, "canarysecret".ljust(32, "p")
MARK = "canary"
ADDRESS = "203.0.113.77"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def is_clean(text: str, *others: str) -> bool:
    """Return whether neither a mark nor a form of it is in what was written."""
    forms = [MARK, MARK.encode().hex(), ADDRESS, *others]
    # base64 has one of three forms, by the place of the first letter; its ends depend on neighbours
    forms += [base64.b64encode(b"_" * n + MARK.encode())[4:8].decode() for n in (0, 1, 2)]
    is_marked = any(form.lower() in text.lower() for form in forms[:3])
    return not is_marked and not any(form in text for form in forms[3:])


class Server:
    """A server of its own with a log, in a folder whose name is marked."""

    def __init__(self, folder: Path) -> None:
        self.runs, self.output = folder / "canary-runs", folder / "output.txt"
        self.runs.mkdir()
        self.port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", "explainer/Home.py"]
        command += ["--server.port", f"{self.port}", "--server.headless", "true"]
        named = {
            "VIT_EXPLAINER_RUNS": str(self.runs),
            "VIT_EXPLAINER_LOG": "json",
            "VIT_EXPLAINER_METRICS": "on",
            "FORWARDED_ALLOW_IPS": "*",
        }
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*command, "--server.address", "127.0.0.1"],
                cwd=PROJECT,
                env=os.environ | named,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.get("/_stcore/health")
                return
            except OSError:
                written = self.output.read_text()
                assert self.process.poll() is None and time.monotonic() < end, written
                time.sleep(0.05)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as found:
            return str(found.read().decode())

    def put(self, session: str) -> int:
        """Send a marked file with a marked name."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = b'--X\r\nContent-Disposition: form-data; name="f"; filename="canary.pt"\r\n\r\n'
        body += b"canary content\r\n--X--\r\n"
        headers = marked(self.port) | {"Content-Type": "multipart/form-data; boundary=X"}
        line.request("PUT", f"/_stcore/upload_file/{session}/canary", body, headers)
        status = line.getresponse().status
        line.close()
        return status

    def stop(self) -> str:
        """End the server, and return all that it wrote."""
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        return self.output.read_text(encoding="utf-8")


def marked(port: int) -> dict[str, str]:
    """Return the headers of a browser that is marked all over."""
    return {
        "Cookie": "vit_explainer_visitor=canarycookie; canary=canary",
        "User-Agent": "canary agent",
        "X-Forwarded-For": ADDRESS,
        "Origin": f"http://127.0.0.1:{port}",
    }


@contextmanager
def visit(server: Server, link: str) -> Iterator[str]:
    """Open a page as a browser does, and wait until it is drawn; the value is the session."""
    headers = marked(server.port)
    agent = headers.pop("User-Agent")
    with connect(
        f"ws://127.0.0.1:{server.port}/_stcore/stream?canary=canary",
        max_size=None,
        open_timeout=PATIENCE,
        subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers=headers,
        user_agent_header=agent,
    ) as stream:
        question = BackMsg()
        question.rerun_script.query_string = link
        stream.send(question.SerializeToString())
        session = ""
        while True:
            message = ForwardMsg.FromString(stream.recv(timeout=PATIENCE))  # type: ignore[arg-type]
            match message.WhichOneof("type"):
                case "new_session":
                    session = message.new_session.initialize.session_id
                case "script_finished":
                    break
        yield session


def take_part(server: Server, rooms: Classrooms, code: str) -> None:
    """Join, answer and draw as a pupil, and do what is refused; everything is marked."""
    address = f"ws://127.0.0.1:{server.port}/classroom/{code}?canary=canary"
    with connect(address, additional_headers=marked(server.port), open_timeout=PATIENCE) as line:

        def ask(**fields: object) -> dict[str, object]:
            line.send(json.dumps({"id": 7, **fields}))
            while "id" not in (message := json.loads(line.recv(timeout=PATIENCE))):
                pass
            return dict(message)

        line.send(json.dumps({"ticket": rooms.ticket(code, PUPIL)}))
        assert ask(do="join", nickname="canary Marie") == {"id": 7, "ok": True}
        assert ask(do="answer", question="canary", choice=1) == {"id": 7, "ok": True}
        pixels = base64.b64encode((MARK.encode() * 200)[:784]).decode()
        assert ask(do="draw", pixels=pixels, label=3) == {"id": 7, "ok": True}
        assert "vit_explainer_pupils 1.0" in server.get("/metrics")
        assert "error" in ask(do="canary", canary="canary")
    with connect(address, open_timeout=PATIENCE) as line:
        line.send(json.dumps({"ticket": "canary"}))
        assert "refused" in json.loads(line.recv(timeout=PATIENCE))


def test_a_server_writes_nothing_of_what_visitors_send(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        rooms = Classrooms(f"sqlite:///{server.runs / FILE}", load_limits())
        code = rooms.open(TEACHER)
        asked = Asked("canary", "canary?", ("canary one", "canary two"), right=0)
        rooms.steer(code, TEACHER, asked=asked, digits_open=True, link="picture=canary")
        take_part(server, rooms, code)
        links = {"run": "canaryrun", "picture": "canarydrawing", "seed": "canary"}
        query = "&".join(f"{name}={quote(text)}" for name, text in links.items())
        with visit(server, query) as session:
            assert server.put(session) == 204
            assert server.put("canarysession") >= 400
        rooms.close()
        numbers = server.get("/metrics")
        written = server.stop()
    finally:
        if server.process.poll() is None:
            server.process.kill()
    assert is_clean(written, code, session) and is_clean(numbers, code, session)
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    events = {(line["event"], line.get("kind")) for line in lines}
    assert {("start", None), ("class", "joined"), ("refused", "wrong_link")} <= events
    assert {("refused", "not_allowed"), ("refused", "unusable")} <= events
    for name in ("class_answers", "class_drawings"):
        assert f"vit_explainer_{name}_total 1.0" in numbers
    assert "vit_explainer_classes 1.0" in numbers
    assert 'vit_explainer_page_runs_total{page="home"}' in numbers


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[StringIO]]:
    """Keep a log as JSON and as text, and what Streamlit writes of errors."""
    written = [StringIO(), StringIO(), StringIO()]
    handlers = [logging.StreamHandler(one) for one in written]
    handlers[0].setFormatter(measuring.JsonLines())
    handlers[1].setFormatter(measuring.TextLines())
    monkeypatch.setattr(measuring.LOGGER, "handlers", handlers[:2])
    monkeypatch.setattr(measuring.LOGGER, "propagate", False)
    level, make = measuring.LOGGER.level, logging.getLogRecordFactory()
    hook, streamlits = threading.excepthook, logging.getLogger("streamlit.error_util")
    streamlits.addHandler(handlers[2])
    measuring.LOGGER.setLevel(logging.INFO)
    watch_errors()
    yield written
    streamlits.removeHandler(handlers[2])
    measuring.LOGGER.setLevel(level)
    logging.setLogRecordFactory(make)
    threading.excepthook = hook


def test_an_error_that_nobody_foresaw_keeps_its_text(
    logs: list[StringIO], open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        try:
            raise KeyError("canary cause")
        except KeyError as error:
            raise ValueError("canary error") from error

    monkeypatch.setattr(explainer.views.glossary, "render", fail)
    open_page("glossary")
    as_json, as_text, traceback = (one.getvalue() for one in logs)
    assert json.loads(as_json.splitlines()[-1]) | {"time": ""} == {
        "time": "", "event": "error", "kind": "ValueError",
    }  # fmt: skip
    assert "error kind=ValueError" in as_text
    assert "ValueError: …" in traceback and "KeyError: …" in traceback and "in fail" in traceback
    # a traceback has the lines of the code, in which this test has its marks
    code = [line for line in traceback.splitlines() if "raise " not in line]
    assert is_clean("\n".join([*code, as_json, as_text]).replace(Path(__file__).name, ""))


@pytest.mark.parametrize(
    ("name", "why"), [("canary.pt", "hostile"), ("canary.safetensors", "unusable")]
)
def test_a_refused_file_leaves_its_size_and_the_reason(
    name: str, why: str, logs: list[StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {upload_model.KEY: object()}
    monkeypatch.setattr(upload_model, "st", SimpleNamespace(session_state=state))
    monkeypatch.setattr(upload_model, "take", lambda key: (name, b"canary content"))
    monkeypatch.setattr(upload_model.training, "the_manager", lambda: None)
    monkeypatch.setattr(upload_model.visitor, "current", lambda: "canary")
    upload_model.take_file()
    as_json, as_text, _ = (one.getvalue() for one in logs)
    sent, refused = map(json.loads, as_json.splitlines())
    assert (sent["event"], sent["kind"], sent["bytes"]) == ("upload", "model", 14)
    assert (sent["accepted"], sent["why"], refused["kind"]) == (False, why, why)
    assert is_clean(as_json) and is_clean(as_text)
