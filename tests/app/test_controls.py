"""Controls show what they are told and hand back what was chosen, once."""

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:  # run as a script of its own, where no name of this file is known
    import streamlit as st

    from explainer.shell.controls import choose, pick, slide

    chosen = st.session_state.setdefault("chosen", 2)

    def keep(value: int) -> None:
        st.session_state.chosen = value
        st.session_state.setdefault("kept", []).append(value)

    options = st.session_state.setdefault("options", [1, 2, 4])
    kinds = {"pick": pick, "slide": slide, "choose": choose}
    draw = kinds[st.session_state.setdefault("kind", "pick")]
    name = st.session_state.setdefault("name", "{} pieces")
    draw("Count", options, chosen, keep, key="count", format_func=name.format)


def open_control(kind: str) -> tuple[AppTest, object]:
    app = AppTest.from_function(page)
    app.session_state["kind"] = kind
    app.run()
    assert not app.exception
    return app


def control(app: AppTest, kind: str):
    find = {"pick": app.button_group, "slide": app.select_slider, "choose": app.selectbox}[kind]
    return find(key="count")


@pytest.mark.parametrize("kind", ["pick", "slide", "choose"])
class TestControl:
    def test_it_shows_the_chosen_option_by_its_name(self, kind: str) -> None:
        shown = control(open_control(kind), kind)
        assert shown.value == 2
        assert list(shown.options) == ["1 pieces", "2 pieces", "4 pieces"]

    def test_what_is_chosen_is_kept_before_the_page_runs(self, kind: str) -> None:
        app = open_control(kind)
        control(app, kind).set_value(4).run()
        assert app.session_state["kept"] == [4]
        assert control(app, kind).value == 4

    def test_a_value_that_changed_elsewhere_is_shown_and_not_handed_back(self, kind: str) -> None:
        app = open_control(kind)
        app.session_state["chosen"] = 1
        app.run()
        assert control(app, kind).value == 1
        assert "kept" not in app.session_state

    def test_options_may_become_fewer(self, kind: str) -> None:
        app = open_control(kind)
        control(app, kind).set_value(4).run()
        app.session_state["options"], app.session_state["chosen"] = [1], 1
        app.run()
        assert not app.exception
        assert control(app, kind).value == 1

    def test_a_browser_that_knows_only_the_old_names_chooses_nothing(self, kind: str) -> None:
        """As when somebody clicks another thing before the new names have come."""
        app = open_control(kind)
        before = app._tree.get_widget_states()
        app.session_state["name"] = "{} parts"
        app.run()
        app = app._run(before)
        assert not app.exception
        assert "kept" not in app.session_state
        assert control(app, kind).value == 2
        assert list(control(app, kind).options) == ["1 parts", "2 parts", "4 parts"]
        control(app, kind).set_value(4).run()
        assert app.session_state["kept"] == [4]


def test_a_slider_of_one_option_cannot_be_moved() -> None:
    app = open_control("slide")
    app.session_state["options"], app.session_state["chosen"] = [2], 2
    app.run()
    assert app.select_slider(key="count").disabled


def test_a_control_that_the_browser_sends_without_a_value_chooses_nothing() -> None:
    app = open_control("pick")
    states = app._tree.get_widget_states()
    (sent,) = [state for state in states.widgets if "count" in state.id]
    sent.ClearField("value")
    sent.string_array_value.SetInParent()
    app = app._run(states)
    assert not app.exception
    assert "kept" not in app.session_state
    assert control(app, "pick").value == 2


def test_a_slider_that_the_browser_has_only_begun_to_draw_is_sent_as_it_is_shown() -> None:
    """Until the value that it is told arrives, the browser has its default."""
    app = open_control("slide")
    app.session_state["chosen"] = 4
    app.run()
    assert list(app.select_slider(key="count").proto.default) == [2]


def test_a_field_for_a_number_says_its_range() -> None:
    app = AppTest.from_function(number_page).run()
    assert app.number_input[0].label == "Seed, 0 to 9,999"


def number_page() -> None:
    from explainer.shell.controls import enter

    enter("Seed", 5, lambda value: None, key="seed", most=9_999)


def page_of_several() -> None:
    from functools import partial

    import streamlit as st

    from explainer.shell.controls import on_change

    name = st.session_state.setdefault("name", "{} pieces")
    keep = st.session_state.setdefault("kept", []).append
    st.multiselect(
        "Counts",
        [1, 2, 4],
        key="counts",
        format_func=name.format,
        on_change=partial(on_change, "counts", keep, [1, 2, 4]),
    )


def test_several_are_kept_and_none_of_them_by_an_old_name() -> None:
    app = AppTest.from_function(page_of_several).run()
    app.multiselect(key="counts").set_value([1, 4]).run()
    assert app.session_state["kept"] == [[1, 4]]
    before = app._tree.get_widget_states()
    app.session_state["name"] = "{} parts"
    app.run()
    app = app._run(before)
    assert not app.exception
    assert app.session_state["kept"] == [[1, 4]]
    app.multiselect(key="counts").set_value([2]).run()
    assert app.session_state["kept"] == [[1, 4], [2]]
