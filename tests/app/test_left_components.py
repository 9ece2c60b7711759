"""Messages of components whose page was left before the server read them."""

from pathlib import Path

from explainer.components.component_state import state_of

COMPONENTS = Path(__file__).parents[2] / "explainer" / "components"


def test_a_component_whose_page_was_left_has_said_nothing() -> None:
    assert state_of("a key that no component has") == {}


def test_no_component_reads_its_state_as_if_its_page_were_there() -> None:
    reads = [
        path.relative_to(COMPONENTS).as_posix()
        for path in COMPONENTS.rglob("*.py")
        if "st.session_state[key]" in (text := path.read_text(encoding="utf-8"))
        or "st.session_state[KEY]" in text
    ]
    assert reads == ["component_state.py"]
