"""How browser tests open the story and find their way in it."""

from collections.abc import Callable

from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect

from explainer.shell.story_screens import ORDER

# by how many pixels what is shown is higher than the window
TOO_HIGH = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .map((element) => element.scrollHeight - element.clientHeight)"""
# what of a screen reaches out of the window
STAYS_INSIDE = """(root) => {
  const box = root.getBoundingClientRect();
  const parts = [...root.querySelectorAll(".words > *, .stage > *, .bottom > *")];
  return parts.filter((part) => {
    const { bottom, right } = part.getBoundingClientRect();
    return bottom > innerHeight + 1 || right > innerWidth + 1;
  }).map((part) => part.className);
}"""


def story(page: Page) -> Locator:
    return page.locator(".story[data-screen]")


def at(page: Page, name: str) -> None:
    """Wait until a screen is shown."""
    expect(story(page)).to_have_attribute("data-screen", name)


def button(page: Page, name: str) -> Locator:
    return story(page).get_by_role("button", name=name, exact=True)


def answer(page: Page, option: int) -> None:
    story(page).locator(".option").nth(option).click()
    expect(story(page).locator(".verdict")).to_be_visible()


def open_still(visit: Callable[..., Visit], screen: str, link: str = "", **window: int) -> Page:
    """Open a screen for a visitor who wants no motion."""
    visitor = visit(**({"width": 1024, "height": 768} | window))
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.open(f"story?{link}screen={ORDER.index(screen) + 1}")
    at(visitor.page, screen)
    return visitor.page
