"""What a page shows of something that takes seconds: an offer, a bar with a button, its end."""

from collections.abc import Callable, Iterator
from threading import Event
from time import sleep

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explainer.observation import tasks
from explainer.shell import more, waiting
from explainer.state.place import Place
from vit_core import ViTConfig
from vit_core.errors import VitError

PLACE = Place(ViTConfig())


class Work:
    """A computation in two chunks, of which the second waits for the test."""

    def __init__(self) -> None:
        self.gate, self.offer, self.error = Event(), "", None

    def __call__(self, report: tasks.Report) -> str:
        report(1, 2)
        self.gate.wait()
        report(2, 2)
        if self.error:
            raise self.error
        return "the value"


work = Work()


def draw() -> None:
    found = waiting.awaited(
        "one", work, "{done} of {total} pictures", PLACE, "work", offer=work.offer
    )
    if found:
        st.write(found)


def page() -> None:
    import test_waiting

    test_waiting.draw()


@pytest.fixture(autouse=True)
def new_work() -> Iterator[None]:
    global work
    st.cache_resource.clear()
    tasks._tasks.clear()
    work = Work()
    yield
    work.gate.set()  # let its thread end


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page)


def run_until(app: AppTest, is_so: Callable[[], bool]) -> None:
    """Draw the page again and again, as its fragment does in a browser."""
    app.run()
    while not is_so():
        sleep(0.01)
        app.run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def bars(app: AppTest) -> list[str]:
    return [bar.proto.text for bar in app.get("progress")]


def texts(app: AppTest) -> list[str]:
    return [text.value for text in app.markdown]


def test_it_begins_by_itself_says_how_far_it_is_and_gives_way_to_the_value(app) -> None:
    run_until(app, lambda: bars(app) == ["1 of 2 pictures"])
    assert labels(app) == ["Stop"]
    assert app.get("progress")[0].proto.value == 50
    work.gate.set()
    run_until(app, lambda: texts(app) == ["the value"])
    assert not labels(app) and not bars(app)


def test_an_offer_is_waited_for(app) -> None:
    work.offer = "Compute it"
    app.run()
    assert labels(app) == ["Compute it"] and not bars(app) and not tasks._tasks
    app.button[0].click()
    run_until(app, lambda: bars(app) == ["1 of 2 pictures"])


@pytest.mark.parametrize(("offer", "again"), [("", "Start again"), ("Compute it", "Compute it")])
def test_it_can_be_stopped_and_begun_again(app, offer: str, again: str) -> None:
    work.offer = offer
    app.run()
    if offer:
        app.button[0].click()
    run_until(app, lambda: bars(app) == ["1 of 2 pictures"])
    app.button[0].click().run()
    assert texts(app) == ["Stopped after 50.0 % of the work."] and labels(app) == [again]
    assert not bars(app) and not tasks._tasks
    work.gate.set()
    app.run()
    assert labels(app) == [again]
    app.button[0].click()
    run_until(app, lambda: texts(app) == ["the value"])


def test_a_second_stop_does_not_forget_how_far_it_was(app) -> None:
    run_until(app, lambda: bars(app) == ["1 of 2 pictures"])
    app.button[0].click().run()
    context = type("Context", (), {"session_state": app.session_state})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting.st, "session_state", context.session_state)
        waiting.stop("one", PLACE, "work")
    app.run()
    assert texts(app) == ["Stopped after 50.0 % of the work."]


def test_what_is_there_is_shown_without_an_offer(app) -> None:
    work.gate.set()
    run_until(app, lambda: texts(app) == ["the value"])
    work.offer = "Compute it"
    other = AppTest.from_function(page).run()
    assert texts(other) == ["the value"] and not labels(other)


def test_an_expected_error_is_one_sentence_and_another_is_raised(app, caplog) -> None:
    work.error = VitError("the model is *gone*")
    work.gate.set()
    run_until(app, lambda: bool(texts(app)))
    assert texts(app) == [r"This could not be computed: the model is \*gone\*"]
    assert labels(app) == ["Start again"] and not app.exception
    app.run()
    assert labels(app) == ["Start again"], "it does not begin again by itself"
    work.error = KeyError("a mistake of ours")
    app.button[0].click()
    run_until(app, lambda: bool(app.exception))
    assert "a mistake of ours" in caplog.text


def test_a_reader_without_a_browser_waits(app, monkeypatch) -> None:
    work.offer = "Compute it"
    work.gate.set()
    monkeypatch.setattr(more, "listeners", [lambda pictures: None])
    monkeypatch.setattr(waiting, "listeners", more.listeners)
    app.run()
    assert texts(app) == ["the value"]
