"""How browser tests lead a class, and take part in one."""

import re
from collections.abc import Callable

from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect

from explainer.content import load_texts
from explainer.shell.story_screens import ORDER

TEXTS = load_texts("room_page")
CONSOLE = TEXTS["console"]
QUESTION = ORDER.index("loss") + 1  # the first screen whose question has options for any model


def opened(visit: Callable[..., Visit], **size) -> tuple[Visit, str]:
    """Return a teacher who has opened a class, and its letters."""
    teacher = visit(**size)
    teacher.open("room")
    teacher.page.get_by_role("button", name=TEXTS["open"]["button"]).click()
    letters = teacher.page.locator(".console .letters")
    expect(letters).to_have_text(re.compile("^[A-Z]{6}$"))
    expect(teacher.page.locator(".console .count")).to_have_text(CONSOLE["here_none"])
    return teacher, letters.inner_text()


def joined(visit: Callable[..., Visit], typed: str, nickname: str) -> Page:
    """Return the story of a pupil who has typed the letters."""
    pupil = visit(width=1024, height=768)
    pupil.open("room")
    page = pupil.page
    page.get_by_role("textbox", name=TEXTS["join"]["code"]).fill(typed)
    page.get_by_role("textbox", name=TEXTS["join"]["nickname"]).fill(nickname)
    page.get_by_role("button", name=TEXTS["join"]["button"], exact=True).click()
    expect(page.locator(".story[data-screen]")).to_be_visible()
    return page


def at(story: Page, number: int) -> None:
    expect(story.locator(".story[data-screen]")).to_have_attribute("data-screen", ORDER[number - 1])


def step(page: Page) -> Locator:
    return page.locator(".console .step > *")
