"""What a run may have around its stages: off, it is as if it were not there; on, it holds, and a planted fault is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import models.consensus as consensus
from models.consensus.guarded import CONFLICT, DUPLICATE, STALE, STARTED
from models.consensus.messages import Launch, Launched
from models.consensus.staged import Staged
from sim import ConfigError, System, check, simulate
from sim.machine.outputs import Emit
from sim.strategy import make_strategy

ONE: dict[str, Any] = {"agents": 1, "retries": 0, "resends": 0, "stop": False}
GUARDED: dict[str, Any] = {**ONE, "guardrail": True, "relaunches": 1}


class StartsTwice(Staged):
    """Takes a second launch of a stage that is in flight for a first one."""

    transitions = ({"trigger": Launch, "source": "asking", "dest": None, "after": "start"}, *Staged.transitions)


class ForgetsItsFlight(Staged):
    """What was launched does not survive a crash."""

    def on_restart(self) -> None:
        self.flight = ()


class AsksUnlaunched(Staged):
    """Takes a stage for launched that nobody has launched."""

    def is_launched(self) -> bool:
        return True


def planted(fault: type[Staged], faults: str, config: dict[str, Any]) -> System:
    """The system with this coordinator in place of ours."""
    sound = consensus.system(**config).with_(faults=faults)
    ours = sound.processes["coordinator"]
    fields = dict(zip(type(ours).table.fields, ours.field_values(), strict=True))
    return sound.with_(processes={**sound.processes, "coordinator": fault(**fields)})


PLANTED = [
    (StartsTwice, "none", GUARDED, "single_flight"),
    (ForgetsItsFlight, "crash:1@coordinator after Launched", GUARDED, "single_flight"),
    (AsksUnlaunched, "none", GUARDED, "single_flight"),
]


@pytest.mark.parametrize(
    ("fault", "faults", "config", "prop"), PLANTED, ids=lambda given: getattr(given, "__name__", "")
)
def test_a_planted_fault_is_caught_where_ours_holds(
    fault: type[Staged], faults: str, config: dict[str, Any], prop: str
) -> None:
    sound, found = check(consensus.system(**config).with_(faults=faults)), check(planted(fault, faults, config))
    assert sound.verdict == "ok", sound.finding
    assert prop in str(sound.proved)
    assert found.finding is not None
    assert found.finding.property == prop


def emitted(config: dict[str, Any], faults: str, what: Callable[[object], Any]) -> set[Any]:
    """What `what` makes of the emissions of 200 random runs."""
    system = consensus.system(**config).with_(faults=faults)
    found = set()
    for seed in range(200):
        run = simulate(system, make_strategy("pctcp", seed, number=seed))
        assert run.verdict == "ok"
        outputs = [output for _, action in run.trace.steps for output in action.outputs if isinstance(output, Emit)]
        found |= {what(output.emission) for output in outputs}
    return found - {None}


def test_a_launch_has_four_outcomes_and_each_comes_about() -> None:
    def outcome(emission: object) -> str | None:
        return emission.outcome if isinstance(emission, Launched) else None

    assert emitted({**GUARDED, "rounds": 2}, "none", outcome) == {STARTED, DUPLICATE, CONFLICT, STALE}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"relaunches": 1}, "relaunches is 1, and nothing is launched without guardrail; set it too"),
        ({"relaunches": -1, "guardrail": True}, "relaunches is -1; it is 0 or more"),
        ({"guardrail": True, "budget_usd": "1"}, "budget_usd is for the coordinator without guardrail"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        consensus.system(**given)


def test_what_is_off_is_not_there() -> None:
    plain = consensus.system()
    assert not isinstance(plain.processes["coordinator"], Staged)
    assert "guardrail" not in plain.processes
    assert "single_flight" not in plain.monitors
