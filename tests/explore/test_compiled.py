"""The compiled walk against the plain one, which defines what a check does: not only the same verdict, but
the same states in the same order, so the same counts wherever a walk ends."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import System, always, check, eventually, sometimes, within
from sim.explore.result import CheckResult
from sim.scenario import load_target
from tests.systems import systems

pytest.importorskip("numba")

STATES_MAX = 400


def summary(result: CheckResult) -> dict[str, Any]:
    """What the engines must agree on."""
    return {
        "states": result.states,
        "generated": result.generated,
        "depth": result.depth,
        "outside": result.outside,
        "verdict": result.verdict,
        "stopped": result.stopped,
        "finding": result.finding,
        "path": [str(action.address) for action in result.path],
        "begin": str(result.begin.address) if result.begin else None,
        "proved": result.proved,
        "handler_calls": result.handler_calls,
    }


def agree(system: System, **limits: Any) -> CheckResult:
    plain = check(system, engine="plain", **limits)
    for exact in (False, True):
        compiled = check(system, engine="compiled", exact=exact, **limits)
        assert summary(compiled) == summary(plain)
    return plain


@pytest.mark.parametrize(
    ("model", "config"),
    [
        *(("models.two_phase_commit", {"resource_managers": str(n)}) for n in range(1, 6)),
        *(("models.paxos", {"clients": str(n)}) for n in (1, 2)),
        ("models.consensus", {"agents": "1", "retries": "0", "resends": "0"}),
        ("models.consensus", {"agents": "1", "answers": "ok,conflict"}),
    ],
)
def test_both_engines_agree_on_every_model(model: str, config: dict[str, str]) -> None:
    importlib.import_module(model)
    agree(load_target(model, config).system, max_states=10_000)


@st.composite
def _judged(draw: Any) -> System:
    """A random system, some of them with properties and a bound of their own."""
    system: System = draw(systems())
    names = [*system.processes]
    one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    number = draw(st.integers(0, 2))
    properties = [
        sometimes("met", lambda p: p.state != "c", reads=[one]),
        always("fuel stays", lambda p, q: getattr(p, "fuel", 0) + getattr(q, "fuel", 0) >= number - 1, [one, other]),
        eventually("calm", lambda p: getattr(p, "x", 0) == 0, reads=[one]),
        eventually("burnt", lambda p, q: getattr(p, "fuel", 0) <= getattr(q, "fuel", 0), reads=[one, other]),
    ]
    chosen = draw(st.lists(st.sampled_from(range(4)), unique=True))
    bound = within("few", lambda p: getattr(p, "fuel", 0) >= number, reads=[other]) if draw(st.booleans()) else None
    return system.with_(properties=[properties[i] for i in chosen], within=bound)


@given(_judged(), st.sampled_from((STATES_MAX, STATES_MAX, STATES_MAX, 7)))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_both_engines_agree_on_random_systems(system: System, max_states: int) -> None:
    agree(system, max_states=max_states)
