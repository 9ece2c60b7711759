"""Three replicas behind a real nginx with the settings of deploy/, and visitors who come to it.

The replicas share a folder of runs and nothing else.
"""

import http.client
import os
import re
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser_helpers import Visit, is_end_of_run, wait_until
from class_helpers import CONSOLE, QUESTION, joined, opened, step
from PIL import Image
from playwright.sync_api import Browser, Locator, WebSocket, expect
from replicas import BASE, COOKIE, Replicas, nginx, three_replicas
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.browser
XSRF = "_streamlit_xsrf"


@pytest.fixture(scope="module")
def replicas(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    if nginx() is None and "CI" not in os.environ:
        pytest.skip("no nginx on this machine")
    assert nginx(), "no nginx, which these tests need"
    with three_replicas(tmp_path_factory.mktemp("replicas")) as found:
        yield found
        assert found.complaints() == []


@pytest.fixture
def guest(replicas: Replicas, visit: Callable[..., Visit]) -> Callable[..., Visit]:
    """Return an opener: the replica that a visitor is to have, or none → a visitor of the proxy."""

    def new(replica: int | None = None) -> Visit:
        one = visit(url=replicas.url)
        if replica:
            host = urlsplit(replicas.url).hostname
            one.page.context.add_cookies(
                [{"name": COOKIE, "value": f"{replica}", "domain": host, "path": "/"}]
            )
        return one

    return new


def replica_of(one: Visit) -> int:
    """Return the replica that a visitor's cookie names."""
    (value,) = (
        cookie["value"] for cookie in one.page.context.cookies() if cookie["name"] == COOKIE
    )
    return int(value)


def ask(
    replicas: Replicas, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Ask the proxy for a path of the app."""
    line = http.client.HTTPConnection(urlsplit(replicas.url).netloc, timeout=60)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    line.request(method, f"/{BASE}{path}", body or None, named)
    found = line.getresponse()
    content = found.read()
    line.close()
    return found.status, found.headers, content


def new_replica(headers: http.client.HTTPMessage) -> str:
    """Return the cookie that names another replica than the browser's; empty if there is none."""
    cookies = headers.get_all("Set-Cookie", [])
    return next((cookie for cookie in cookies if cookie.startswith(COOKIE)), "")


# requests


def test_a_browser_keeps_the_replica_that_answered_first(replicas: Replicas) -> None:
    status, headers, page = ask(replicas, "/", Accept="text/html")
    assert status == 200 and b"modulepreload" in page
    first = re.fullmatch(rf"{COOKIE}=([123]); Path=/; HttpOnly; SameSite=Lax", new_replica(headers))
    assert first
    for path in ("/", "/patches", "/_stcore/health", "/_stcore/host-config"):
        status, headers, _ = ask(replicas, path, Cookie=f"{COOKIE}={first[1]}")
        assert (status, new_replica(headers)) == (200, "")
    # also one that no replica has
    assert new_replica(ask(replicas, "/_stcore/health", Cookie=f"{COOKIE}=9")[1])


def test_new_browsers_are_spread_and_those_without_cookies_stay_together(
    replicas: Replicas,
) -> None:
    """A class comes from one address; a frame of another site sends no cookies."""
    pages = [new_replica(ask(replicas, "/", Accept="text/html")[1]) for _ in range(40)]
    assert len(set(pages)) == 3
    others = [new_replica(ask(replicas, "/_stcore/health")[1]) for _ in range(10)]
    assert len(set(others)) == 1
    framed = new_replica(ask(replicas, "/", Accept="text/html", X_Forwarded_Proto="https")[1])
    assert framed.endswith("SameSite=None; Secure; Partitioned")


def test_scripts_and_fonts_are_packed_and_kept_for_all(replicas: Replicas) -> None:
    page = ask(replicas, "/", Accept="text/html")[2].decode()
    font = re.search(r'href="\.(/app/static/fonts/[^"]+)"', page)
    script = re.search(r'"\.(/static/js/index[^"]+\.js)"', page)
    assert font and script
    for path in (font[1], script[1]):
        status, headers, content = ask(replicas, path, Accept_Encoding="gzip")
        assert status == 200 and len(content) > 10_000
        assert headers.get_all("Set-Cookie") is None
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]


def test_nobody_outside_reads_the_metrics(replicas: Replicas) -> None:
    for path in ("/_stcore/metrics", "/metrics"):
        assert ask(replicas, path)[0] == 404


@contextmanager
def session(replicas: Replicas, replica: int) -> Iterator[str]:
    """Open a session without a browser on one replica; the value is its id."""
    with connect(
        replicas.url.replace("http", "ws") + "/_stcore/stream",
        max_size=None,
        max_queue=None,
        open_timeout=60,
        subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers={"Cookie": f"{COOKIE}={replica}", "X-Forwarded-For": "192.0.2.7"},
    ) as stream:
        question = BackMsg()
        question.rerun_script.query_string = ""
        stream.send(question.SerializeToString())
        while True:
            message = ForwardMsg.FromString(stream.recv(timeout=60))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "new_session":
                yield message.new_session.initialize.session_id
                return


def put(replicas: Replicas, to: str, replica: int, token: str, size: int) -> tuple[int, bytes]:
    """Upload a file to a session, and return the answer."""
    start = b'--X\r\nContent-Disposition: form-data; name="f"; filename="me.jpg"\r\n\r\n'
    status, _, text = ask(
        replicas,
        f"/_stcore/upload_file/{to}/{uuid.uuid4()}",
        "PUT",
        start + bytes(size) + b"\r\n--X--\r\n",
        Cookie=f"{COOKIE}={replica}; {XSRF}={token}",
        X_Xsrftoken=token,
        Content_Type="multipart/form-data; boundary=X",
    )
    return status, text


def test_a_file_goes_to_the_session_with_the_token_of_any_replica(replicas: Replicas) -> None:
    """A browser whose replica died has that one's token still."""
    cookies = ask(replicas, "/_stcore/health", Cookie=f"{COOKIE}=1")[1].get_all("Set-Cookie", [])
    token = next(re.findall(rf"{XSRF}=([^;]+)", one)[0] for one in cookies if XSRF in one)
    with session(replicas, 2) as its:
        assert put(replicas, its, 2, token, 4_000_000)[0] == 204
        assert put(replicas, its, 2, "none", 1_000)[0] == 403
        # only its own replica has the session
        assert put(replicas, its, 3, token, 1_000)[0] == 400


def test_a_file_that_is_too_large_is_refused_before_a_replica_reads_it(replicas: Replicas) -> None:
    line = http.client.HTTPConnection(urlsplit(replicas.url).netloc, timeout=60)
    line.putrequest("PUT", f"/{BASE}/_stcore/upload_file/a/b")
    line.putheader("Content-Length", f"{34 * 1024**2}")
    line.endheaders()
    assert line.getresponse().status == 413
    line.close()


def test_the_log_of_the_proxy_has_neither_addresses_nor_links(replicas: Replicas) -> None:
    ask(replicas, "/patches?picture=secret", X_Forwarded_For="192.0.2.7")
    assert f"GET /{BASE}/patches 200" in replicas.log()
    ask(replicas, "/classroom/QWERTZ?link=secret")
    assert f"GET /{BASE}/classroom/- " in replicas.log()
    assert "secret" not in replicas.log() and "QWERTZ" not in replicas.log()
    assert "192.0.2.7" not in replicas.log() and "127.0.0.1" not in replicas.log()


# visitors


def test_a_visitor_gets_all_of_a_page_from_one_replica(
    guest: Callable[..., Visit], replicas: Replicas, tmp_path: Path
) -> None:
    one = guest()
    page = one.page
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    one.open("patches?source=cifar10")
    number = replica_of(one)
    assert page.evaluate("document.fonts.check('16px \"Atkinson Hyperlegible Next\"')")
    assert any(".woff2" in url for url in one.requests)

    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    file = tmp_path / "me.png"
    Image.fromarray(noise).save(file)
    page.get_by_role("radio", name="Upload").click()
    page.locator(".st-key-photo-upload input[type=file]").set_input_files(file)
    page.wait_for_url("**photo=*")
    one.settle()

    page.context.grant_permissions(["camera"])
    page.get_by_role("radio", name="Camera").click()
    # before its first picture, a camera takes none
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    page.get_by_role("button", name="Take Photo").click()
    wait_until(page, lambda: shows_green(page.locator(".picked img")))
    one.settle()

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status").filter(has_text="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert page.url.startswith(replicas.url)

    page.locator(".st-key-more-explore button").first.click()
    expect(page.locator(".saved-picture").first).to_be_visible()
    with page.expect_download() as event:
        page.get_by_role("button", name="PNG", exact=True).first.click()
    assert event.value.path().read_bytes().startswith(b"\x89PNG")

    assert replica_of(one) == number
    # Streamlit first asks for its health below the path of a page
    assert [url for url in failed if "/_stcore/" not in url] == []


def shows_green(pictures: Locator) -> bool:
    """Return whether one of these pictures, which a page has in itself, is green.

    Chromium's own camera shows green.
    """
    for address in pictures.evaluate_all("(images) => images.map((image) => image.src)"):
        pixels = np.asarray(
            Image.open(BytesIO(b64decode(address.partition(",")[2]))).convert("RGB")
        )
        red, green, blue = pixels.mean(axis=(0, 1))
        if green > 2 * max(red, blue):
            return True
    return False


def test_a_class_whose_pupil_has_another_replica_than_its_teacher(
    guest: Callable[..., Visit],
) -> None:
    teacher, code = opened(lambda **_: guest(1))
    page = teacher.page
    expect(page.locator(".console .where")).to_contain_text(f"/{BASE}/room")
    pupil = joined(lambda **_: guest(2), code, "Mia")
    expect(page.locator(".console .count")).to_have_text(CONSOLE["here_one"])
    with page.context.expect_page() as new:
        step(page).click()
    expect(new.value.locator(".story[data-screen]")).to_be_visible()
    page.locator(".console select").select_option(str(QUESTION))
    expect(step(page)).to_have_text(CONSOLE["reveal"])
    pupil.locator(".option").first.click()
    expect(page.locator(".console .told")).to_have_text(
        CONSOLE["answered"].format(answered=1, present=1)
    )
    step(page).click()
    said = CONSOLE["of"].format(count=1, total=1)
    expect(page.locator(".console .bars li").first).to_contain_text(said)
    expect(pupil.locator(".poll")).to_be_visible()


class Load:
    """Requests and sessions of others, one after the other, while a test goes on."""

    def __init__(self, replicas: Replicas) -> None:
        self.replicas, self.answered, self.lost = replicas, 0, 0
        self._over = Event()
        self._threads = [Thread(target=self._run, args=(number,)) for number in (1, 2, 3)]

    def _run(self, number: int) -> None:
        while not self._over.is_set():
            try:
                with session(self.replicas, number):
                    self.answered += 1
            except (ConnectionClosed, OSError, TimeoutError):
                self.lost += 1  # the connection of a session ends with its replica
            self._over.wait(0.5)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def test_who_loses_a_replica_goes_on_with_all_that_the_link_holds(
    guest: Callable[..., Visit], replicas: Replicas, tmp_path: Path
) -> None:
    one = guest(2)
    page = one.page
    one.open("train?patches=4&width=32&heads=2&depth=2")
    page.locator(".st-key-train-start button").click()
    page.wait_for_url("**run=*")
    run = re.search(r"run=([\w-]{8,40})", page.url)
    assert run

    other = guest(3)
    # cookies of Chromium's contexts are kept apart, so this visitor is nobody's
    other.open(f"train?run={run[1]}")
    newest = other.page.locator(".st-key-train-curves [data-newest]")
    expect(newest).not_to_have_attribute("data-newest", re.compile("^(0|-1)$"))
    assert (replica_of(one), replica_of(other)) == (2, 3)

    one.open("self-attention?digit=4&index=3&block=2&head=1&token=9")
    shown = page.locator("h1").first.inner_text()
    with Load(replicas) as load:
        wait_until(page, lambda: load.answered > 3)
        replicas.kill(2)
        page.reload()
        one.settle()
        assert page.locator("h1").first.inner_text() == shown
        for part in ("digit=4", "index=3", "block=2", "token=9"):
            assert part in page.url
        assert replica_of(one) == 3
        # pictures of the session come from the same replica, and so do clicks
        page.locator("a[href*='/patches']").first.click()
        page.wait_for_url("**/patches*")
        one.settle()
        before = load.answered
        replicas.revive()
        wait_until(page, lambda: load.answered > before + 3)
    # the first replica is back, and the visitor stays where the session is
    page.reload()
    one.settle()
    assert replica_of(one) == 3
    one.problems.clear()  # the lost connection is written to the console
    other.problems.clear()


def test_a_photograph_that_a_replica_does_not_have_is_asked_for_again(
    guest: Callable[..., Visit],
) -> None:
    one = guest(1)
    one.open("?source=cifar10&photo=0123456789abcdef")
    expect(one.page.get_by_text("If the photograph is yours, upload it again.")).to_be_visible()
    expect(one.page.locator(".st-key-photo-upload input[type=file]")).to_be_attached()


def test_replicas_are_restarted_one_after_the_other_under_their_visitors(
    guest: Callable[..., Visit], replicas: Replicas
) -> None:
    visitors = [guest(number) for number in (1, 2, 3)]
    runs = [Runs(one) for one in visitors]
    for number, one in enumerate(visitors, 1):
        one.open(f"patches?digit={number}")
    for number in (1, 2, 3):
        replicas.restart(number)
    for number, (one, run) in enumerate(zip(visitors, runs, strict=True), 1):
        # nobody reloads: the page finds another replica, and is drawn there, by itself
        wait_until(
            one.page, lambda one=one, run=run: replica_of(one) == 1 and run.is_latest_drawn()
        )
        one.settle()
        one.page.locator("a[href*='/position']").first.click()
        one.page.wait_for_url("**/position*")
        one.settle()
        assert f"digit={number}" in one.page.url
        one.problems.clear()  # the lost connection is written to the console
        run.leave()


class Runs:
    """Which of a visitor's connections have drawn a page."""

    def __init__(self, one: Visit) -> None:
        self._page = one.page
        self._opened: list[WebSocket] = []
        self._drawn: list[WebSocket] = []
        one.page.on("websocket", self._on_websocket)

    def _on_websocket(self, connection: WebSocket) -> None:
        self._opened.append(connection)
        connection.on(
            "framereceived",
            lambda frame: self._drawn.append(connection) if is_end_of_run(frame) else None,
        )

    def is_latest_drawn(self) -> bool:
        return bool(self._opened) and self._opened[-1] in self._drawn

    def leave(self) -> None:
        self._page.remove_listener("websocket", self._on_websocket)
