"""The page of a class for its teacher: its console, who is there, the answers, the end."""

from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from explainer.classroom import ClassroomError, the_classrooms
from explainer.components.classroom import Console, Picture, show_console
from explainer.content import load_texts
from explainer.content.strangers_words import in_markdown, strangers_word
from explainer.figures.pixels import image_address, rendering
from explainer.inputs.models.for_browser import fits_browser
from explainer.observation import observe
from explainer.observation.observe import Observation
from explainer.shell import routes, sidebar
from explainer.shell.class_link import link_of_class, take_link
from explainer.shell.classroom import JOINED_KEY, Membership
from explainer.shell.share import qr_code
from explainer.shell.story.wording import texts_for
from explainer.shell.story_screens import ORDER
from explainer.shell.table import show_table
from explainer.state import session
from explainer.state.choice import Choice
from explainer.training import visitor
from explainer.views.room.digits import show_digits
from explainer.views.room.network import address_in_network, is_local

TEXTS = load_texts("room_page")
KEY = "classroom-console"
ENDED_KEY = "classroom-ended"
FEW, LIST_HEIGHT = 10, 460  # pupils; pixels of the list of more than these
STYLE = f"<style>{Path(__file__).with_name('page.css').read_text(encoding='utf-8')}</style>"


def show_lead(member: Membership) -> None:
    """Draw the page of a class that this visitor has opened."""
    st.html(STYLE)
    choice = sidebar.choose(is_drawn=False)
    seen = observe.observe(choice)
    show_console(key=KEY, console=console_of(member, choice, seen), on_link=take_link)
    with st.container(horizontal=True, key="classroom-tools"):
        show_pupils(member.code)
        show_save(member.code)
        show_end(member.code)
    show_digits(member, choice)


def console_of(member: Membership, choice: Choice, seen: Observation) -> Console:
    """Return what the console hears."""
    titles = screen_titles(choice, seen)
    link = link_to_join(st.context.url or "", member.code)
    local = is_local(link)
    return Console(
        code=member.code,
        ticket=member.ticket,
        address=member.address,
        link=link_of_class(session.load()),
        where=link.partition("://")[2].partition("?")[0],
        square=qr_code(link),
        is_local=local,
        elsewhere=address_in_network(st.context.url or "") if local else "",
        story=f"{routes.address('story')}?{urlencode(session.link() | {'present': '1'})}",
        screens=list(titles.values()),
        names=titles,
        picture=Picture(image_address(seen.pixels), rendering(seen.pixels)),
        texts=TEXTS["console"],
    )


def screen_titles(choice: Choice, seen: Observation) -> dict[str, str]:
    """Return the titles of the story's screens for this model, by their names."""
    texts = texts_for(choice, seen, fits_browser(choice.config))
    titles = {name: str(texts["screens"][name]["title"]) for name in ORDER}
    width = f"{seen.config.embed_dim:,}"
    return {name: title.replace("{width}", width) for name, title in titles.items()}


def link_to_join(here: str, code: str) -> str:
    """Return the shortest link into a class, so that its QR code has few squares.

    Args:
        here: address of this page.
    """
    page = here.partition("?")[0].rstrip("/")
    return f"{page}?{urlencode({'room': code})}"


def show_pupils(code: str) -> None:
    """Draw the list of pupils, which nobody sees until the teacher asks for it."""
    texts = TEXTS["teacher"]
    opened = st.popover(texts["who"], key="classroom-who", on_change="rerun")
    if not opened.open:
        return
    with opened:
        pupils = the_classrooms().pupils(code, visitor.current())
        if not pupils:
            st.markdown(texts["who_none"])
            return
        with st.container(height=LIST_HEIGHT if len(pupils) > FEW else "content"):
            show_table(
                {
                    texts["number"]: [pupil.number for pupil in pupils],
                    texts["nickname"]: [strangers_word(pupil.nickname) for pupil in pupils],
                    texts["answered"]: [pupil.answered for pupil in pupils],
                    texts["present"]: [texts["yes"] * pupil.is_present for pupil in pupils],
                }
            )


def show_save(code: str) -> None:
    texts = TEXTS["teacher"]
    st.download_button(
        texts["save"],
        data=partial(answers_of, code, visitor.current()),
        file_name=texts["file"].format(code=code),
        mime="text/csv",
        key="classroom-save",
        on_click="ignore",
    )


def answers_of(code: str, secret: str) -> bytes:
    """Return all answers as a file that spreadsheets read with its letters."""
    return the_classrooms().csv(code, secret).encode("utf-8-sig")


def show_end(code: str) -> None:
    """Draw the button that ends the class, once its consequence was read."""
    texts = TEXTS["teacher"]
    with st.popover(texts["end"], key="classroom-end"):
        st.markdown(texts["end_text"])
        st.button(texts["end_now"], key="classroom-end-now", on_click=end, args=(code,))


def end(code: str) -> None:
    """End the class and delete its answers."""
    try:
        the_classrooms().end(code, visitor.current())
    except ClassroomError as error:
        session.refused().append(in_markdown(str(error)))
        return
    st.session_state.pop(JOINED_KEY, None)
    st.session_state[ENDED_KEY] = TEXTS["teacher"]["ended"].format(code=code)
    session.change(room="")
