"""What is known of the check and of `eventually`, once more with the compiled walk from the first level on."""

from __future__ import annotations

import pytest

from tests.core.test_check import *  # noqa: F403
from tests.core.test_liveness import *  # noqa: F403


@pytest.fixture(autouse=True)
def compiled_from_the_first_level_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.checker.exhaustive.PAYS_AT", 0)


def test_an_interrupt_while_eventually_is_judged_proves_nothing() -> None:
    """Of the plain engine only; the compiled one has its own in `test_compiled`."""
