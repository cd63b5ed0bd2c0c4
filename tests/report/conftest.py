"""One browser for all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import Page, browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Page]:
    with browser() as page:
        page.size(1400, 900)
        yield page
