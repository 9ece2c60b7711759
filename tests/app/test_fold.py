"""Folds are drawn only while they are open, and what few want stands behind one button."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from explainer.shell.fold import fold
    from explainer.shell.more import more
    from explainer.state.place import Place
    from vit_core import ViTConfig

    place = Place(ViTConfig())
    for name, starts_open in (("closed", False), ("open", True)):
        with fold(place, name, f"The {name} one", is_open=starts_open) as is_open:
            if is_open:
                st.markdown(f"inside of {name}")
    with more(place, "norm"):
        st.markdown("a file")


def markdown(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def test_the_contents_of_a_closed_fold_are_not_drawn() -> None:
    app = AppTest.from_function(page).run()
    assert "inside of open" in markdown(app)
    assert "inside of closed" not in markdown(app)
    app.session_state["fold-closed"] = True
    app.run()
    assert "inside of closed" in markdown(app)


def test_a_fold_is_found_again_as_it_was_left_on_its_page() -> None:
    app = AppTest.from_function(page)
    app.session_state["view"] = "position"
    app.run()
    app.session_state["fold-closed"], app.session_state["fold-open"] = True, False
    app.run()
    app.session_state["view"] = "patches"  # which has folds of the same names
    app.run()
    app.session_state["fold-closed"] = False
    app.run()
    assert "inside of closed" not in markdown(app)
    app.session_state["view"] = "position"
    app.run()
    assert "inside of closed" in markdown(app) and "inside of open" not in markdown(app)


def moving() -> None:
    import streamlit as st

    from explainer.shell.fold import fold
    from explainer.state import session
    from explainer.state.place import Place
    from vit_core import ViTConfig

    is_chosen = st.checkbox("chosen")
    st.session_state[session.VIEW_KEY] = st.text_input("view", "one")
    with fold(Place(ViTConfig()), "all", "All of them", is_open=is_chosen) as is_open:
        if is_open:
            st.markdown("inside")


def test_a_fold_stays_as_it_began_until_its_page_opens_again() -> None:
    app = AppTest.from_function(moving).run()
    app.checkbox[0].check().run()
    assert "inside" not in markdown(app)
    app.text_input[0].set_value("two").run()
    assert "inside" in markdown(app)
    app.checkbox[0].uncheck().run()
    assert "inside" in markdown(app)


def test_what_few_want_stands_behind_one_button() -> None:
    app = AppTest.from_function(page).run()
    popover = app.get("popover")[0]
    assert popover.proto.popover.label == "⋯"
    assert "a file" in markdown(app)
