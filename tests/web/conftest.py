"""A page, and a browser to look at it with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser

from hearing.web import WebView


@pytest.fixture
def view() -> Iterator[WebView]:
    view = WebView()
    yield view
    view.stop()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium (apt install chromium): the page itself cannot be looked at without a browser")
    browser = Browser(program, tmp_path / "profile")
    yield browser
    browser.close()
