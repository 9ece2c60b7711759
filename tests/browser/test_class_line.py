"""The line of a class in a browser, with a socket and a clock of the test's own."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from explainer.components import assets

pytestmark = pytest.mark.browser

FAKE = """
  globalThis.pauses = [];
  globalThis.timers = [];
  globalThis.setTimeout = (act, pause) => (pauses.push(pause), timers.push(act));
  Math.random = () => 0.5;  // a pause is then as long as it is written down
  globalThis.sockets = [];
  globalThis.WebSocket = class {
    constructor(url) { this.url = String(url); this.sent = []; sockets.push(this); }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() {}
    hear(message) { this.onmessage({ data: JSON.stringify(message) }); }
    welcome() { this.onopen(); this.hear({ welcome: { mine: {} } }); }
  };
  globalThis.told = [];
  globalThis.line = new ClassroomLine(
    "http://localhost/vit/classroom/ABCDEF?x=1", "the ticket",
    (seen) => told.push(["seen", seen]), (state) => told.push(["state", state]),
    (welcome) => told.push(["welcome", welcome]),
  );
  globalThis.last = () => sockets.at(-1);
"""


@pytest.fixture
def line(browser: Browser) -> Any:
    page = browser.new_page()
    page.add_script_tag(content=f"{assets.javascript('classroom/line')}\n{FAKE}")
    yield page
    page.close()


def test_the_ticket_comes_first_then_the_welcome_then_the_room(line: Page) -> None:
    line.evaluate("last().welcome(); last().hear({ seen: { screen: 3 } })")
    assert line.evaluate("last().url") == "ws://localhost/vit/classroom/ABCDEF"
    assert line.evaluate("last().sent") == [{"ticket": "the ticket"}]
    assert line.evaluate("told") == [
        ["state", "connecting"],
        ["state", "open"],
        ["welcome", {"mine": {}}],
        ["seen", {"screen": 3}],
    ]


def test_pauses_grow_until_it_is_back(line: Page) -> None:
    line.evaluate(
        "for (let at = 0; at < 6; at++) { last().onclose({ code: 1006 }); timers.at(-1)(); }"
    )
    assert line.evaluate("pauses") == [300, 600, 1200, 2500, 5000, 5000]
    line.evaluate("last().welcome(); last().onclose({ code: 1006 })")
    assert line.evaluate("pauses.at(-1)") == 300


def test_an_answer_given_while_the_line_is_down_is_sent_once_after_it_is_back(line: Page) -> None:
    line.evaluate("last().welcome(); last().onclose({ code: 1006 })")
    line.evaluate(
        "line.do('answer', { question: 'loss', choice: 1 }).then(() => told.push('kept'))"
        " && undefined"
    )
    line.evaluate("timers.at(-1)(); last().welcome()")
    answer = {"question": "loss", "choice": 1, "id": 1, "do": "answer"}
    assert line.evaluate("last().sent") == [{"ticket": "the ticket"}, answer]
    line.evaluate("last().hear({ id: 1, ok: true })")
    assert line.evaluate("told.at(-1)") == "kept"
    # what the room has is not said again
    line.evaluate("last().onclose({ code: 1006 }); timers.at(-1)(); last().welcome()")
    assert line.evaluate("last().sent") == [{"ticket": "the ticket"}]


def test_what_holds_for_one_connection_is_not_said_at_the_next(line: Page) -> None:
    steer = "line.do('steer', { screen: 4 }, true).then(() => told.push('over')) && undefined"
    line.evaluate("last().welcome()")
    line.evaluate(steer)
    assert line.evaluate("last().sent.at(-1)") == {"screen": 4, "id": 1, "do": "steer"}
    line.evaluate("last().onclose({ code: 1006 })")
    line.evaluate(steer)  # nor what is asked while the line is down
    assert line.evaluate("told.filter((what) => what === 'over').length") == 2
    line.evaluate("timers.at(-1)(); last().welcome()")
    assert line.evaluate("last().sent") == [{"ticket": "the ticket"}]
    assert line.evaluate("line.waiting.size") == 0


def test_a_refusal_is_said_and_no_more_is_tried(line: Page) -> None:
    line.evaluate("line.do('answer', {}).catch((error) => told.push(error.message)) && undefined")
    line.evaluate("last().hear({ refused: 'Too many tabs.' }); last().onclose({ code: 4403 })")
    said = line.evaluate("told")
    assert ["state", {"name": "refused", "sentence": "Too many tabs."}] in said
    assert said[-1] == "Too many tabs."
    assert line.evaluate("[sockets.length, pauses.length]") == [1, 0]
