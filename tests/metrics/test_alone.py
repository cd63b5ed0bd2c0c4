"""`sim.metrics` is of use without a simulation: a program that imports it loads nothing else of `sim`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .provider_shapes import RECORDED

ALLOWED = ("sim", "sim.base", "sim.base.errors", "sim.base.marked", "sim.base.printing")
"""What `sim.metrics` stands on."""


def strangers(code: str, *rooms: str) -> list[str]:
    """The modules of `sim` and of others' packages that `code` loads in a fresh interpreter, but for these rooms."""
    told = f"{code}\nimport sys\nprint('loaded', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    loaded = done.stdout.partition("loaded ")[2].split()
    heavy = ("pydantic", "numpy", "transitions", "genai_prices", "click", "openai", "anthropic", "httpx")
    return [
        name
        for name in loaded
        if (name.partition(".")[0] == "sim" and name not in ALLOWED and not name.startswith(rooms)) or name in heavy
    ]


ORDINARY = f"""
from sim.metrics import SessionMetrics, TokenUsage
session = SessionMetrics()
session.record_turn(TokenUsage.from_openai({RECORDED["openai chat"].record!r}), agent="gemini")
assert SessionMetrics.from_dict(session.to_dict()) == session
from sim.metrics import Budget
assert Budget("1").allows("0.5")
"""


@pytest.mark.parametrize("code", ["import sim.metrics", ORDINARY, "from sim.metrics.export import collect"])
def test_metrics_load_nothing_of_the_simulation(code: str):
    assert strangers(code, "sim.metrics") == []


def test_a_metric_that_loads_the_simulation_is_caught():
    assert "sim.machine.process" in strangers("import sim.metrics\nfrom sim import Process", "sim.metrics")
    assert "genai_prices" in strangers("import sim.metrics\nimport genai_prices", "sim.metrics")
