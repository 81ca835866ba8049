"""A headless Chromium, and all that it said and asked while a page was open."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, sync_playwright

NEEDED = "the tests need Chromium: sudo apt-get install chromium"
# Whoever is root in a container has no sandbox to give.
AS_ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []
PATIENCE = 20_000  # ms


@dataclass(slots=True)
class Tab:
    """A tab with nothing kept from another, every URL it asked for, and its faults by URL."""

    page: Page
    faults: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)


@contextmanager
def opened(*, width: int = 1100) -> Iterator[Tab]:
    """A new browser with one tab."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail(NEEDED, pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=AS_ROOT)
        try:
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.set_default_timeout(PATIENCE)
            tab = Tab(page)
            # Violations of the page's policy are told on the console too.
            page.on(
                "console",
                lambda said: (
                    tab.faults.append(f"{said.location['url']}: {said.text}")
                    if said.type == "error"
                    else None
                ),
            )
            page.on("pageerror", lambda error: tab.faults.append(f"{page.url}: {error}"))
            page.on("request", lambda request: tab.urls.append(request.url))
            yield tab
        finally:
            browser.close()
