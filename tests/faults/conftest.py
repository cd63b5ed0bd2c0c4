"""Every test here begins before the gate was ever looked at, with no fault variable set, and ends behind a
closed gate."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sim.faults import gate


@pytest.fixture(autouse=True)
def _pristine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("SPEC_KIT_FAULTS", "CODEX_FAULTS", "SIM_DEV_FAULTS")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(gate, "_injector", None)
    monkeypatch.setattr(gate, "_looked", False)
    monkeypatch.setattr(gate, "_warned", False)
    yield
    gate.close_gate()
