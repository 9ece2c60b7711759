"""Files that visitors bring, on their way through the real server."""

import http.client
import os
import re
import socket
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser_helpers import Visit, framed
from PIL import Image
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from vit_core import ViTConfig, build, save_checkpoint
from vit_core.data import mnist_info

pytestmark = pytest.mark.browser
MARK = b"PRIVATE "


class Guest:
    """A session without a browser, which knows the server's routes."""

    def __init__(self, url: str) -> None:
        self.host, self.session = urlsplit(url).netloc, ""
        # with a bound on what is kept unread, the server's goodbye may stand behind it for seconds
        self.stream = connect(
            f"ws://{self.host}/_stcore/stream",
            max_size=None,
            max_queue=None,
            subprotocols=["streamlit"],
        )

    def __enter__(self) -> "Guest":
        stream = self.stream.__enter__()
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        stream.send(ask.SerializeToString())
        while not self.session:
            message = ForwardMsg.FromString(stream.recv(timeout=60))
            if message.WhichOneof("type") == "new_session":
                self.session = message.new_session.initialize.session_id
        return self

    def __exit__(self, *error: object) -> None:
        self.stream.__exit__(*error)

    def request(self, size: int, content: bytes = b"") -> socket.socket:
        """Begin to put a file of ``size`` bytes, of which only ``content`` is sent."""
        token = answer(self.host, "/_stcore/health")[1]["Set-Cookie"].split("=", 1)[1].split(";")[0]
        start = b'--X\r\nContent-Disposition: form-data; name="f"; filename="me.jpg"\r\n\r\n'
        end = b"\r\n--X--\r\n"
        head = [
            f"PUT /_stcore/upload_file/{self.session}/{uuid.uuid4()} HTTP/1.1",
            f"Host: {self.host}",
            f"X-Xsrftoken: {token}",
            f"Cookie: _streamlit_xsrf={token}",
            "Content-Type: multipart/form-data; boundary=X",
            f"Content-Length: {len(start) + size + len(end)}",
        ]
        name, port = self.host.split(":")
        line = socket.create_connection((name, int(port)), timeout=30)
        line.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + start + content)
        if len(content) == size:
            line.sendall(end)
        return line


def answer(host: str, path: str) -> tuple[int, http.client.HTTPMessage]:
    line = http.client.HTTPConnection(host, timeout=30)
    line.request("GET", path)
    found = line.getresponse()
    found.read()
    line.close()
    return found.status, found.headers


def written(marked: bytes) -> list[str]:
    """Return the open files of all processes, in the temporary folder, that begin with a mark."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
            if target.startswith(tempfile.gettempdir()) and marked in link.read_bytes()[:200]:
                found.append(target)
        except OSError:  # another's, or gone meanwhile
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists open files")
def test_a_file_lies_on_no_disk_while_it_arrives(app: str) -> None:
    marked = uuid.uuid4().bytes.hex().encode()
    part = (marked + MARK * 400_000)[:3_000_000]
    with Guest(app) as guest, guest.request(2 * len(part), part) as line:
        line.settimeout(1.5)
        with pytest.raises(TimeoutError):  # it waits for the rest
            line.recv(1)
        assert written(marked) == []


def test_a_whole_file_is_accepted_and_one_too_large_is_not(app: str) -> None:
    with Guest(app) as guest:
        with guest.request(4_000_000, b"x" * 4_000_000) as line:
            assert line.recv(100).startswith(b"HTTP/1.1 204")
        with guest.request(33 * 1024**2) as line:
            assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_nobody_waits_for_files_whose_senders_went_away(app: str) -> None:
    with Guest(app) as guest:
        for content in (b"", b"x" * 3_000_000):  # each time more than there is room for
            lines = [guest.request(7_000_000, content) for _ in range(4)]
            for line in lines:
                line.close()
        with guest.request(7_000_000, b"x" * 7_000_000) as line:
            assert line.recv(100).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize(
    "path",
    [
        "/" + "a" * 5_000,
        "/app/static/" + "a" * 5_000,
        "/app/static/" + "a" * 256,
        "/app/static/" + "b/" * 2_400,
        "/app/static/" + "%F0%9F%98%80" * 100,
        "/app/static/%00",
        "/app/static/x%00y",
        "/media/" + "a" * 5_000,
        "/component/" + "a" * 5_000,
        "/static/" + "a" * 5_000,
    ],
    ids=lambda path: f"{path[:16]}-{len(path)}",
)
def test_no_path_is_an_error_of_the_server(app: str, path: str) -> None:
    assert answer(urlsplit(app).netloc, path)[0] < 500


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "mine.safetensors"
    shape = ViTConfig(patch_size=7, embed_dim=16, depth=2, num_heads=2)
    save_checkpoint(build(shape, seed=3), path, data=mnist_info())
    return path


def test_a_model_is_brought_and_pages_go_on_without_its_file(
    visit: Callable[..., Visit], checkpoint: Path
) -> None:
    one = visit()
    one.open()
    one.page.get_by_text("Bring your own model").click()
    one.page.locator("input[type=file]").first.set_input_files(checkpoint)
    one.page.get_by_text("The pages now show your model “mine”.").wait_for()
    one.settle()
    for address in ("patches", "self-attention"):
        one.page.locator(f"a[href*='/{address}']").first.click()
        one.page.wait_for_url(f"**/{address}*")
        one.settle()
    assert "source=run" in one.page.url


def test_a_refusal_stays_in_sight_until_another_file_comes(
    visit: Callable[..., Visit], checkpoint: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"no model")
    one = visit()
    one.open()
    one.page.get_by_text("Bring your own model").click()
    one.page.locator("input[type=file]").first.set_input_files(other)
    refusal = one.page.get_by_text("This is not a whole safetensors file")
    refusal.wait_for()
    one.page.locator("a[href*='/patches']").first.click()
    one.page.wait_for_url("**/patches*")
    one.settle()
    expect(refusal).to_be_visible()
    one.page.locator("input[type=file]").first.set_input_files(checkpoint)
    one.page.get_by_text("The pages now show your model “mine”.").wait_for()
    expect(refusal).to_have_count(0)


def test_a_model_is_brought_in_a_frame_of_a_learning_platform(
    visit: Callable[..., Visit], checkpoint: Path
) -> None:
    one = visit()
    with framed(one.url) as platform:
        one.other_hosts.append(platform)
        one.page.goto(platform)
        frame = one.page.frame_locator("iframe")
        frame.get_by_text("Bring your own model").click()
        frame.locator("input[type=file]").first.set_input_files(checkpoint)
        frame.get_by_text("The pages now show your model “mine”.").wait_for()
        assert one.page.context.cookies() == []


def test_a_photograph_of_some_megabytes_is_looked_at(
    visit: Callable[..., Visit], tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1100, 1100, 3), np.uint8)
    path = tmp_path / "me.png"
    Image.fromarray(noise).save(path)
    assert path.stat().st_size > 3_000_000
    one = visit()
    one.open("?source=cifar10")
    one.page.get_by_role("radio", name="Upload").click()
    one.page.locator(".st-key-photo-upload input[type=file]").set_input_files(path)
    one.page.wait_for_url("**photo=*")
    one.settle()


def test_a_file_that_is_refused_on_its_way_is_answered_in_a_sentence(
    visit: Callable[..., Visit], tmp_path: Path
) -> None:
    """Streamlit's own uploader shows a red icon, and says why to those who point at it."""
    large, other = tmp_path / "mine.safetensors", tmp_path / "me.heic"
    with large.open("wb") as file:
        file.truncate(44 * 1024**2)
    other.write_bytes(b"ftypheic")
    small = tmp_path / "me.png"
    small.write_bytes(b"\x89PNG")
    visitor = visit()
    visitor.open("")
    page = visitor.page
    page.get_by_text("Bring your own model").click()
    page.get_by_role("radio", name="Upload").click()
    visitor.settle()
    page.locator(".st-key-own-model input[type=file]").set_input_files(large)
    models = page.locator(".st-key-own-model-refused .refusals li")
    expect(models).to_have_count(1)
    expect(models).to_contain_text("“mine.safetensors” was not taken: it has 46.1 MB, and at most")
    expect(models).to_be_visible()
    pictures = page.locator(".st-key-upload-refused .refusals li")
    page.locator(".st-key-upload input[type=file]").set_input_files(other)
    expect(pictures).to_have_text([re.compile("“me.heic” was not taken: only PNG")])
    page.route("**/upload_file/**", lambda route: route.fulfill(status=503, body=""))
    page.locator(".st-key-upload input[type=file]").set_input_files(small)
    expect(pictures.last).to_contain_text("“me.png” was not taken: many files arrive")
    removes = page.locator(".st-key-upload").get_by_role("button", name=re.compile("^Remove"))
    for _ in range(2):
        removes.first.click()
    expect(pictures).to_have_count(0)
    # Streamlit also writes the server's refusal to the console
    assert [problem for problem in visitor.problems if "status code 503" not in problem] == []
    visitor.problems.clear()
