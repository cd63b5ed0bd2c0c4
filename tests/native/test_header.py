"""The header is what the layouts say."""

from __future__ import annotations

import pytest

from sim.checker.compiled import layout
from tests.native.header import FILE, header


def test_the_header_says_what_the_layouts_say() -> None:
    assert FILE.read_text("utf-8") == header(), "write it anew: python -m tests.generated"


def test_a_number_that_changes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "HOT", 16)
    assert FILE.read_text("utf-8") != header()
