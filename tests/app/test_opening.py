"""The empty page that a browser gets first has the app's look, and names the code it will need."""

import asyncio
import re

import pytest

from explainer.shell import opening

PAGE = b"<html><head><title>x</title></head><body></body></html>"
HTML = (b"content-type", b"text/html; charset=utf-8")


def ask(
    answer: list[tuple[bytes, bytes]],
    *,
    accept: bytes = b"text/html",
    status: int = 200,
    method: str = "GET",
) -> tuple[dict[bytes, bytes], bytes, list[bytes]]:
    """Return the headers and the body that a browser gets, and the headers that were asked with."""
    sent, asked = [], []

    async def app(scope, receive, send) -> None:
        asked.extend(name for name, _ in scope["headers"])
        start = {"type": "http.response.start", "status": status, "headers": answer}
        await send(start)
        for at, more in ((slice(0, 20), True), (slice(20, None), False)):
            await send({"type": "http.response.body", "body": PAGE[at], "more_body": more})

    async def send(message) -> None:
        sent.append(message)

    headers = [(b"accept", accept), (b"if-none-match", b"7"), (b"accept-encoding", b"gzip")]
    scope = {"type": "http", "method": method, "headers": headers}
    asyncio.run(opening.Opening(app)(scope, None, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return dict(sent[0]["headers"]), body, asked


def test_the_empty_page_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "served", [])
    length = (b"content-length", str(len(PAGE)).encode())
    headers, body, asked = ask([HTML, length, (b"etag", b"7"), (b"cache-control", b"no-cache")])
    head, style = opening.head().encode(), opening.style().encode()
    assert body == PAGE.replace(b"</head>", head + b"</head>").replace(
        b"</body>", style + b"</body>"
    )
    assert headers == {
        HTML[0]: HTML[1],
        b"cache-control": b"no-cache",
        b"content-length": str(len(body)).encode(),
    }
    assert asked == [b"accept"]
    assert opening.served


@pytest.mark.parametrize(
    "how",
    [
        {"accept": b"*/*"},
        {"status": 404},
        {"method": "HEAD"},
        {"answer": [(b"content-type", b"text/javascript")]},
        {"answer": [HTML, (b"content-encoding", b"gzip")]},
    ],
)
def test_every_other_answer_is_passed_on(how: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "served", [])
    answer = how.pop("answer", [HTML, (b"etag", b"7")])
    headers, body, _ = ask(answer, **how)
    assert (headers, body) == (dict(answer), PAGE)
    assert not opening.served


def test_every_script_and_font_that_is_named_is_there() -> None:
    named = re.findall(r'href="\./static/js/([^"]+)"', opening.head())
    assert len(named) >= len(opening.SCRIPTS)
    assert {name.split(".")[0] for name in named} == set(opening.SCRIPTS)
    fonts = opening.Path(opening.__file__).parents[1] / "static" / "fonts"
    assert (fonts / opening.FONTS.rpartition("/")[2]).is_file()
