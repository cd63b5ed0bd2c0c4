"""Programs are walked here very often: what surrounds their runs is put in place once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.live.around import around


@pytest.fixture(autouse=True, scope="module")
def surrounded() -> Iterator[None]:
    with around.walks():
        yield
