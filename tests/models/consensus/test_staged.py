"""What a run may have around its stages: off, it is as if it were not there; on, it holds, and a planted fault is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import models.consensus as consensus
from models.consensus.aggregator import REQUIRED, is_whole
from models.consensus.gates import UNSETTLED, gate_verdict
from models.consensus.guarded import CONFLICT, DUPLICATE, STALE, STARTED
from models.consensus.messages import Decided, Launch, Launched, Response, Ruled, Ruling
from models.consensus.options import ANSWERS
from models.consensus.staged import Staged
from models.consensus.stages import STAGES
from sim import ConfigError, System, check, simulate
from sim.consensus import Round, Taken
from sim.machine.outputs import Emit
from sim.strategy import make_strategy

ONE: dict[str, Any] = {"agents": 1, "retries": 0, "resends": 0, "stop": False}
SUMMED_UP: dict[str, Any] = {**ONE, "agents": 3, "aggregator": True}
GATED: dict[str, Any] = {**ONE, "stages": ("plan",), "gates": True, "answers": ("ok", "conflict")}
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


class GoesOnUnsettled(Staged):
    """Takes no notice of a gate that its agents did not settle."""

    def is_unsettled(self) -> bool:
        return False


class ForgetsTheRefusal(Staged):
    """That a person has ended the run does not survive a crash."""

    def on_restart(self) -> None:
        self.gate = ""


class HeedsAnyRuling(Staged):
    """Takes a ruling for one about the gate in hand, whatever it is about."""

    def is_asked_for(self, ruling: Ruling) -> bool:
        return True


class SettlesConflicts(Staged):
    """Passes a gate whose agents disagree."""

    def verdict(self) -> str:
        found = super().verdict()
        return "degraded" if found == UNSETTLED else found


class AsksAllAtOnce(Staged):
    """Asks the aggregator with all the others."""

    def due(self) -> list[str]:
        return self.missing()


class ReadsNoRecord(Staged):
    """Takes a record without its keys for one that is whole."""

    def taken(self, response: Response) -> tuple[Round, Taken]:
        return self.round().take(*self.claim(response), "ok")


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
    (AsksAllAtOnce, "none", SUMMED_UP, "the aggregator comes last"),
    (ReadsNoRecord, "none", {**SUMMED_UP, "answers": ("keyless",)}, "first_usable"),
    (GoesOnUnsettled, "none", GATED, "person_rules"),
    (ForgetsTheRefusal, "crash:1@coordinator", GATED, "person_rules"),
    (HeedsAnyRuling, "duplicate:1@Ruling", {**GATED, "stages": ("plan", "tasks")}, "person_rules"),
    (SettlesConflicts, "none", GATED, "verdicts"),
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
    """What `what` makes of the emissions of random runs."""
    system = consensus.system(**config).with_(faults=faults)
    found = set()
    for seed in range(100):
        run = simulate(system, make_strategy("pctcp", seed, number=seed))
        assert run.verdict == "ok"
        outputs = [output for _, action in run.trace.steps for output in action.outputs if isinstance(output, Emit)]
        found |= {what(output.emission) for output in outputs}
    return found - {None}


def test_a_launch_has_four_outcomes_and_each_comes_about() -> None:
    def outcome(emission: object) -> str | None:
        return emission.outcome if isinstance(emission, Launched) else None

    assert emitted({**GUARDED, "rounds": 2}, "none", outcome) == {STARTED, DUPLICATE, CONFLICT, STALE}


def test_a_person_lets_a_run_go_on_and_ends_it() -> None:
    def ruling(emission: object) -> bool | None:
        return emission.goes_on if isinstance(emission, Ruled) else None

    assert emitted(GATED, "none", ruling) == {True, False}


@pytest.mark.parametrize("stage", STAGES)
def test_a_record_is_whole_with_the_keys_of_its_stage_and_with_none_less(stage: str) -> None:
    def whole(answer: str) -> bool:
        return is_whole(Response("run-1", 1, stage, "gpt_pro", 1, answer))

    assert REQUIRED[stage]
    assert [whole(answer) for answer in ANSWERS] == [True, True, False, False, False]


def test_without_the_aggregators_record_a_verdict_is_degraded_at_best() -> None:
    def verdict(emission: object) -> str | None:
        return emission.verdict if isinstance(emission, Decided) else None

    assert emitted(SUMMED_UP, "drop:1@gpt_pro->coordinator", verdict) == {"ok", "degraded", "no_consensus"}
    lost = {**SUMMED_UP, "agents": 2, "quorum": (1, 2), "retries": 0}
    assert "degraded" in emitted(lost, "drop:1@claude->coordinator", verdict)


THREE = ("gemini", "claude", "code")


@pytest.mark.parametrize(
    ("answers", "quorum", "says"),
    [
        ("ok ok ok", (2, 3), "ok"),
        ("ok ok conflict", (2, 3), "degraded"),
        ("ok ok -", (2, 3), "degraded"),
        ("ok ok -", (67, 100), UNSETTLED),
        ("ok conflict conflict", (2, 3), UNSETTLED),
        ("ok conflict -", (2, 3), UNSETTLED),
        ("conflict conflict conflict", (2, 3), UNSETTLED),
        ("- - -", (2, 3), UNSETTLED),
    ],
)
def test_a_gate_settles_itself_if_the_quorum_says_ok(answers: str, quorum: tuple[int, int], says: str) -> None:
    given = [(agent, word) for agent, word in zip(THREE, answers.split(), strict=True) if word != "-"]
    assert gate_verdict(given, THREE, quorum) == says


def test_gates_stand_ahead_of_their_stages_once() -> None:
    def names(stages: tuple[str, ...]) -> list[str]:
        coordinator = consensus.system(stages=stages, gates=True).processes["coordinator"]
        assert isinstance(coordinator, Staged)
        return [stage.name for stage in coordinator.stages]

    assert names(("plan", "validate")) == ["clarify", "plan", "validate"]
    assert names(("clarify", "plan")) == ["clarify", "plan"]
    assert names(("tasks", "implement")) == ["checklist", "tasks", "analyze", "implement"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"relaunches": 1}, "relaunches is 1, and nothing is launched without guardrail; set it too"),
        ({"relaunches": -1, "guardrail": True}, "relaunches is -1; it is 0 or more"),
        ({"gates": True}, "gates are ahead of plan, tasks or implement, and stages has none of them"),
        ({"aggregator": True, "agents": 1}, "an aggregator sums up what others say, and agents is 1; it is 2 or more"),
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
