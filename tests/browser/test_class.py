"""A class with live answers: one teacher and two pupils, each in a browser of their own."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser_helpers import HOME
from class_helpers import CONSOLE, QUESTION, TEXTS, at, joined, opened, step
from playwright.sync_api import expect
from test_accessibility import findings

from explainer.content import load_texts
from explainer.shell.story_screens import ORDER

pytestmark = pytest.mark.browser

WINDOW = load_texts("teacher")["frame"]
PLACE = ORDER.index("attention") + 1


def test_a_class_from_the_door_to_the_revealed_answers(visit):
    teacher, code = opened(visit, width=1024, height=768)
    page = teacher.page
    expect(page.locator(".console .hint")).to_have_text(CONSOLE["wait_hint"])
    first = joined(visit, code.lower(), "Mia")
    expect(page.locator(".console .count")).to_have_text(CONSOLE["here_one"])
    second = joined(visit, f"{code[:3]}-{code[3:]}", "")
    expect(page.locator(".console .count")).to_have_text(CONSOLE["here"].format(count=2))
    with page.context.expect_page() as new:
        step(page).click()
    story = new.value
    expect(story.locator(".story[data-screen]")).to_be_visible()
    # the list turns the projector and all pupils
    page.locator(".console select").select_option(str(QUESTION))
    for one in (story, first, second):
        at(one, QUESTION)
    # the window beside it knows the class, and still fits
    window = page.context.new_page()
    window.set_viewport_size({"width": 1024, "height": 768})
    window.goto(f"{teacher.url}/teacher?room={code}&screen={QUESTION}")
    link = window.get_by_role("link", name=WINDOW["room"].format(code=code))
    expect(link).to_have_attribute("href", re.compile(f"room.*room={code}"))
    high = "(main) => main.scrollHeight - main.clientHeight"
    assert window.get_by_test_id("stMain").evaluate(high) == 0
    window.close()
    asked = page.locator(".console .told")
    expect(asked).to_have_text(CONSOLE["answered"].format(answered=0, present=2))
    expect(page.locator(".console .bars")).to_have_count(0)
    for one in (first, second):
        one.locator(".option").first.click()
    expect(asked).to_have_text(CONSOLE["answered"].format(answered=2, present=2))
    expect(page.locator(".console .bars")).to_have_count(0)
    expect(first.locator(".verdict")).to_have_count(0)
    expect(step(page)).to_have_text(CONSOLE["reveal"])
    expect(step(page)).to_be_in_viewport(ratio=1)
    step(page).click()
    bars = page.locator(".console .bars li")
    said = CONSOLE["of"].format(count=2, total=2)
    expect(bars.first).to_contain_text(said)
    expect(page.locator(".console .verdict")).to_contain_text("2 of 2 said")
    expect(first.locator(".poll")).to_be_visible()
    expect(step(page)).to_have_text(CONSOLE["next_screen"])
    expect(step(page)).to_be_in_viewport(ratio=1)
    # a place of the picture: nobody is right, and all of it is seen above the buttons
    page.locator(".console select").select_option(str(PLACE))
    # until the story has followed, nothing of the last question is there to be pressed
    expect(step(page)).to_have_text(CONSOLE["reveal"])
    for one in (first, second):
        at(one, PLACE)
        one.locator("button.patch").first.click()
    expect(asked).to_have_text(CONSOLE["answered"].format(answered=2, present=2))
    step(page).click()
    told = page.locator(".console .verdict")
    expect(told).to_have_text(re.compile("^Right is: row .* Nobody said it. .* 2 of 2 said: row 1"))
    expect(page.locator(".console .grid i").first).to_have_text("2")
    names = ("frame img", "grid", "guide")
    image, grid, guide = (page.locator(f".console .{name}").bounding_box() for name in names)
    assert grid["y"] + grid["height"] <= guide["y"]
    assert grid == pytest.approx(image, abs=1)  # a cell lies on its patch
    teacher.resize(390, 844)
    assert teacher.sideways() == [0, 0]
    expect(step(page)).to_be_in_viewport(ratio=1)
    teacher.resize(1024, 768)
    # nobody but the teacher has the list of names
    page.get_by_role("button", name=TEXTS["teacher"]["who"]).click()
    expect(page.get_by_role("cell", name="Mia")).to_be_visible()
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.get_by_role("button", name=TEXTS["teacher"]["save"]).click()
    lines = saved.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 5 and "Mia" in lines[1]
    story.close()
    page.get_by_role("button", name=TEXTS["teacher"]["end"], exact=True).click()
    page.get_by_role("button", name=TEXTS["teacher"]["end_now"]).click()
    expect(page.get_by_text(TEXTS["teacher"]["ended"].format(code=code))).to_be_visible()
    expect(first.locator(".room-bar")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_console_fits_a_telephone_and_axe_finds_nothing_serious(visit, scheme):
    teacher, _ = opened(visit, scheme=scheme, width=390, height=844)
    assert teacher.sideways() == [0, 0]
    assert findings(teacher, of_colours=scheme == "dark") == []
    teacher.resize(1440)
    assert findings(teacher, of_colours=scheme == "dark") == []
    teacher.page.get_by_role("button", name=TEXTS["teacher"]["end"], exact=True).click()
    teacher.page.get_by_role("button", name=TEXTS["teacher"]["end_now"]).click()
    expect(teacher.page.get_by_role("button", name=TEXTS["open"]["button"])).to_be_visible()


# the app on a computer with a network, whatever runs this test
AT_HOME = f"""
import sys

sys.path.insert(0, {str(HOME.parents[1])!r})
import streamlit as st
from explainer import server
from explainer.views.room import network

network.is_inside = lambda: False
network.host_in_network = lambda: "192.168.1.20"
server.check()
app = st.App({str(HOME)!r}, lifespan=server.lifespan, routes=server.routes())
"""


def test_a_class_at_localhost_is_told_where_it_can_be_reached(visit, serve, tmp_path: Path):
    script = tmp_path / "at_home.py"
    script.write_text(AT_HOME)
    url = serve(script, tmp_path, STREAMLIT_BROWSER_GATHER_USAGE_STATS="false")
    teacher = visit(url=url)
    teacher.open("room")
    teacher.page.get_by_role("button", name=TEXTS["open"]["button"]).click()
    told = teacher.page.locator(".console .local")
    there = f"192.168.1.20:{urlsplit(url).port}/room"
    expect(told).to_have_text(CONSOLE["local_here"].replace("{address}", there))
    expect(told.get_by_role("link", name=there)).to_have_attribute("href", f"http://{there}")
