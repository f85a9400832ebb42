"""The page in a real browser. Set HEARING_SCREENSHOTS to a folder to keep what it looks like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import Browser
from hall import HEALTH, TOKEN, hall, utterance

from hearing.types import HearingOutput
from hearing.web import WebView

NAMES = "[...document.querySelectorAll('#sources .name')].map((n) => n.textContent)"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_people_and_what_they_say_are_on_the_page(
    view: WebView, browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    view.show(hall(), HEALTH | {"faults": ["channel 3 clips"]})
    browser.open(view.start(port=0), width, height)
    browser.wait("document.querySelectorAll('#captions li').length === 3")
    assert browser.ask(NAMES) == ["Anna", "<b>Jonas</b>", "someone", "machine", "loudspeaker"]
    assert browser.ask("document.querySelectorAll('b').length") == 0, "names are text, never markup"
    assert browser.ask("document.querySelector('.partial .text').textContent") == "and could you …"
    assert browser.ask("document.querySelectorAll('.about .robot').length") == 1
    assert browser.ask("document.querySelector('#faces').textContent") == "Anna · 1.8 mspeaks, looks here"
    assert "channel 3 clips" in browser.ask("document.body.innerText")
    assert browser.ask("document.querySelector('#health .bad').textContent") == "load130 %"
    # Left of the robot is left on the screen, and nothing sticks out at the sides.
    assert browser.ask("document.querySelector('#sources .mark').getAttribute('cx')") < "0"
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.ask("document.querySelector('#latest').hidden"), "the newest caption is in sight"
    file = Path(os.environ.get("HEARING_SCREENSHOTS", tmp_path)) / f"page_{width}.png"
    browser.screenshot(file)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_caption_is_written_on_withdrawn_and_hidden_with_its_person(view: WebView, browser: Browser) -> None:
    view.show(hall(), HEALTH)
    browser.open(view.start(port=0), 1280, 800)
    browser.wait("document.querySelectorAll('#captions .partial').length === 1")
    finished = utterance("u3", "Anna", "and could you help me", 10, 13)
    view.show(HearingOutput(utterances=(finished, utterance("u2", "unknown", "", 6, 8))), HEALTH)
    browser.wait("document.querySelector('#captions').lastChild.innerText.endsWith('and could you help me')")
    assert browser.ask("document.querySelectorAll('#captions li').length") == 2
    assert browser.ask("document.querySelectorAll('#captions .partial').length") == 0
    browser.ask("document.querySelector('#people button').click()")
    assert browser.ask("document.querySelectorAll('#captions li:not([hidden])').length") == 0


def test_the_page_comes_back_by_itself_with_the_robot(view: WebView, browser: Browser) -> None:
    view.show(hall(), HEALTH)
    address = view.start(port=0)
    browser.open(address, 390, 844)
    browser.wait("document.querySelectorAll('#captions li').length === 3")
    view.stop()
    browser.wait("document.querySelector('#notice').textContent.startsWith('no connection')")
    view.reset()
    view.show(HearingOutput(utterances=(utterance("u1", "Eva", "Hello again.", 0, 1),)), {})
    view.start(port=int(address.rstrip("/").rpartition(":")[2]))
    browser.wait("document.querySelector('#captions').innerText.includes('Hello again.')")
    assert browser.ask("document.querySelectorAll('#captions li').length") == 1


def test_who_has_the_token_can_ask_for_phrases(browser: Browser) -> None:
    view = WebView(lambda phrases: None)
    try:
        browser.open(view.start(port=0, token=TOKEN), 1280, 800)
        browser.wait("!document.querySelector('#control').hidden")
        assert TOKEN not in browser.ask("location.href + document.cookie"), "the token shows no longer"
        browser.ask("document.querySelector('#phrases').value = 'torque wrench, bay four'")
        browser.ask("document.querySelector('#control').requestSubmit()")
        browser.wait("document.querySelector('#answer').textContent === 'expecting 2 phrases'")
        assert view.asked() == ("torque wrench", "bay four")
        assert view.asked() is None
    finally:
        view.stop()
