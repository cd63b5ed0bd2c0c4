"""The metrics of a run say what its emissions say, change nothing of it, and come out the same of a replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models.consensus as consensus
from models.consensus.coordinator import Coordinator
from models.consensus.messages import AckDecision, Ask, Decided, Response, Stopped
from sim import (
    IGNORE,
    Counted,
    Message,
    Process,
    Replay,
    Replayed,
    System,
    Timing,
    Uniform,
    Used,
    VirtualTime,
    simulate,
)
from sim.base.errors import ModelError
from sim.graph.action import Kind
from sim.machine.outputs import Emit
from sim.metrics import MetricsError, TokenUsage
from sim.metrics.of_run import RunMetrics
from sim.metrics.session import WINDOW_MAX
from sim.metrics.settings import MetricsSettings
from sim.metrics.turns import Observed, Turn
from sim.run.metering import meter, observe
from sim.run.trace import Run, Trace

PRICES = {"m": {"input": 3, "output": "15", "cached_input": 0.3}}
PRICED = MetricsSettings(models={"gemini": "m", "claude": "m"}, prices=PRICES, context_window=8000)


def run_of(seed: int, plan: str = "", *, timed: bool = True, system: System | None = None, **config: object) -> Run:
    made = system or consensus.system(**{"agents": 3, "rounds": 2, "stop": True, **config})  # type: ignore[arg-type]
    return simulate(made.with_(faults=plan), VirtualTime(seed) if timed else Uniform(seed), max_steps=400)


PLANS = st.sampled_from(["", "duplicate:3", "duplicate:2,drop:1", "agent_timeout:2,duplicate:1", "crash:1@coordinator"])
RUNS = st.builds(run_of, st.integers(0, 2**32), PLANS, timed=st.booleans())
FEW = settings(max_examples=40, deadline=None)


# --- what is observed -----------------------------------------------------------------------------


def test_a_late_answer_is_billed_to_the_attempt_that_used_it() -> None:
    """Claude's answers take longer than the coordinator waits: they arrive in a later round, if at all."""
    slow = replace(consensus.system().timing, links={"claude->coordinator": (70_000, 90_000)})
    run = run_of(7, system=consensus.system(agents=2, rounds=2, quorum=(1, 2), stop=False).with_(timing=slow))
    assert run.trace.rejected()["stale"] == 2
    billed = {(row.stage, row.agent, row.attempt): row.share for row in meter(run.trace).snapshot.billed}
    assert {key for key in billed if key[1] == "claude"} == {
        (stage, "claude", attempt) for stage in ("validate-1", "validate-2") for attempt in (1, 2)
    }
    assert all(share.turns == 1 for share in billed.values())
    assert billed["validate-2", "claude", 1].usage == TokenUsage(1500, 500, cached_input_tokens=500)
    late = [t for t in observe(run.trace).turns if (t.agent, t.stage) == ("claude", "validate-1")]
    assert all(t.latency_ms is not None and t.latency_ms > 70_000 for t in late)


def test_billing_to_whatever_is_current_would_be_caught() -> None:
    """The saboteur: turns filed where they are *answered* disagree with those who used them."""
    slow = replace(consensus.system().timing, links={"claude->coordinator": (70_000, 90_000)})
    run = run_of(7, system=consensus.system(agents=2, rounds=2, quorum=(1, 2), stop=False).with_(timing=slow))
    current, filed = 1, []
    for _, action in run.trace.steps:
        if action.envelope is not None and isinstance(action.envelope.message, Response):
            filed.append((f"validate-{current}", action.envelope.message.agent, action.envelope.message.attempt))
        current += sum(isinstance(o, Emit) and isinstance(o.emission, Decided) for o in action.outputs)
    assert sorted(filed) != sorted((t.stage, t.agent, t.attempt) for t in observe(run.trace).turns)


def test_the_latency_of_a_turn_is_from_the_question_sent_to_the_answer_delivered() -> None:
    system = consensus.system(agents=1, stop=False)
    timing = Timing(latency_ms=(5, 5), links={"coordinator->gemini": (30, 30), "gemini->coordinator": (400, 400)})
    run = run_of(0, system=system.with_(timing=timing))
    assert [turn.latency_ms for turn in observe(run.trace).turns] == [430]
    assert {t.latency_ms for t in observe(run_of(0, system=system, timed=False).trace).turns} == {None}


@given(st.integers(0, 2**32), PLANS)
@FEW
def test_every_latency_is_that_of_some_answer_to_that_very_question(seed: int, plan: str) -> None:
    """Recomputed from addresses alone: (asked, answered) pairs of each (agent, round, attempt)."""
    trace = run_of(seed, plan).trace
    sent: dict[tuple[str, int, int], list[int]] = {}
    answered: dict[tuple[str, int, int], list[int]] = {}
    for time_ms, action in trace.steps:
        assert time_ms is not None
        for envelope in map(trace.world.tables.envelopes.things.__getitem__, action.effect.sends):
            if isinstance(envelope.message, Ask):
                sent.setdefault((envelope.target, envelope.message.round, envelope.message.attempt), []).append(time_ms)
        if action.kind is Kind.DELIVER and action.fault is None and isinstance(action.envelope.message, Response):
            message = action.envelope.message
            answered.setdefault((message.agent, message.round, message.attempt), []).append(time_ms)
    for turn in observe(trace).turns:
        key = (turn.agent, int(turn.stage.removeprefix("validate-")), turn.attempt)
        possible = {a - s for a in answered.get(key, []) for s in sent[key]}
        assert (
            (turn.latency_ms in possible)
            if turn.latency_ms is not None
            else len(answered.get(key, [])) < len(sent[key]) + 1
        )


class Question(Message):
    number: int


class Answer(Message):
    number: int


class Client(Process):
    states = ("asking",)
    transitions = ({"trigger": Answer, "source": "asking", "dest": IGNORE},)

    def on_start(self) -> None:
        self.send("slow", Question(1))


class Slow(Process):
    """Answers in a step of its own, after a wait."""

    states = ("idle", "thinking")
    timers = ("thought",)
    transitions = (
        {"trigger": Question, "source": "idle", "dest": "thinking", "after": "think"},
        {"trigger": "thought", "source": "thinking", "dest": "idle", "after": "answer"},
    )
    reported: bool = True

    def think(self) -> None:
        self.arm("thought", 1000)

    def answer(self) -> None:
        tokens = 10 if self.reported else None
        self.emit(Used("r", "s", self.name, 1, tokens, tokens))
        self.send("client", Answer(1))
        self.emit(Replayed("again"))


def test_an_answer_in_a_later_step_is_measured_and_an_unreported_one_is_a_turn() -> None:
    timing = Timing(latency_ms=(7, 7))
    for reported in (True, False):
        system = System(processes={"client": Client(), "slow": Slow(reported=reported)}, timing=timing)
        metrics = meter(simulate(system, VirtualTime(0)).trace)
        (turn,) = metrics.observed.turns
        assert turn.latency_ms == 1014
        assert (turn.usage is None) is not reported
        assert metrics.snapshot.billed[0].share.unreported == (not reported)
        assert metrics.snapshot.replay_updates == 1
        assert metrics.metrics()


@pytest.mark.parametrize("network", ["any", "fifo", "set"])
def test_every_network_is_observed(network: str) -> None:
    system = consensus.system(agents=2, stop=False).with_(
        network=network, faults="duplicate:1" if network != "set" else ""
    )
    found = observe(simulate(system, VirtualTime(3), max_steps=200).trace)
    assert all(turn.latency_ms is not None for turn in found.turns[:2])


@pytest.mark.parametrize("tokens", [(1, None), (-1, 2), (1, 2, 3), ("1", 2)])
def test_usage_that_no_call_can_have_is_refused_where_it_is_emitted(tokens: tuple[int, ...]) -> None:
    with pytest.raises(MetricsError):
        Used("r", "s", "a", 1, *tokens)
    assert not issubclass(MetricsError, ModelError)  # in a handler it is a finding, with its schedule


# --- waste ----------------------------------------------------------------------------------------


def wasted(trace: Trace) -> list[tuple[str, int, str]]:
    """The turns whose answers did not count: agent, attempt, reason."""
    return sorted((t.agent, t.attempt, t.wasted) for t in observe(trace).turns if t.wasted is not None)


def test_a_late_answer_is_wasted_as_the_coordinator_says() -> None:
    slow = replace(consensus.system().timing, links={"claude->coordinator": (70_000, 90_000)})
    run = run_of(7, system=consensus.system(agents=2, rounds=2, quorum=(1, 2), stop=False).with_(timing=slow))
    assert [reason for _, _, reason in wasted(run.trace)].count("stale") == run.trace.rejected()["stale"]


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("drop:1@gemini->coordinator", "lost"),
        ("empty_response:1@gemini", "empty_response"),
        ("rate_limited:1@gemini", "rate_limited"),
        ("disconnect:1@gemini", "disconnect"),
    ],
)
def test_an_answer_that_never_came_is_wasted_by_what_took_it(plan: str, reason: str, timed: bool) -> None:
    runs = [run_of(seed, plan, timed=timed, stop=False, rounds=1) for seed in range(10)]
    assert any(("gemini", 1, reason) in wasted(run.trace) for run in runs)
    without = run_of(0, timed=timed, stop=False, rounds=1)
    assert reason not in {text for _, _, text in wasted(without.trace)}


def test_what_is_still_on_its_way_at_the_end_did_not_count() -> None:
    run = run_of(0, stop=False, rounds=1)
    used = next(
        n for n, (_, action) in enumerate(run.trace.steps) if any(isinstance(e, Used) for e in action.emissions)
    )
    cut = Trace(run.trace.world, run.trace.start, run.trace.steps[: used + 1])
    assert [reason for _, _, reason in wasted(cut)] == ["undelivered"]


@given(st.integers(0, 2**32), st.sampled_from(["", "duplicate:3", "duplicate:2,drop:1", "agent_timeout:2,drop:1"]))
@FEW
def test_every_answer_either_counted_or_was_wasted(seed: int, plan: str) -> None:
    trace = run_of(seed, plan).trace
    counted = [e for _, action in trace.steps for e in action.emissions if isinstance(e, Counted) and len(e.key) == 4]  # type: ignore[arg-type]
    found = observe(trace)
    assert len(found.turns) - len(wasted(trace)) == len(counted)
    metrics = meter(trace, PRICED)
    assert sum(row.share.turns for row, _ in metrics.wasted()) == len(wasted(trace))
    assert all(cost is not None for _, cost in metrics.wasted())


def test_a_coordinator_that_counts_without_saying_so_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The saboteur: it rejects what it counts, and all of its answers are wasted."""

    class Ungrateful(Coordinator):
        def count(self, response: Response) -> None:
            super().count(response)
            self.reject(response)

    monkeypatch.setattr("sim.run.metering.Counted", type("Nothing", (), {}))
    monkeypatch.setattr(consensus, "Coordinator", Ungrateful)
    trace = run_of(0, stop=False, rounds=1).trace
    assert len(wasted(trace)) == len(observe(trace).turns)


# --- properties -----------------------------------------------------------------------------------


def data_of(trace: Trace) -> str:
    return json.dumps(meter(trace, PRICED).as_dict())


@given(RUNS)
@FEW
def test_replaying_a_trace_gives_the_same_metrics(run: Run) -> None:
    """Addressed action by action. A replay has no virtual time, so it has no latencies."""
    again = simulate(run.trace.world.system, Replay(run.trace.schedule()), max_steps=400)
    theirs, ours = observe(again.trace), observe(run.trace)
    assert theirs == replace(ours, turns=tuple(replace(turn, latency_ms=None) for turn in ours.turns))
    assert data_of(run.trace) == data_of(run.trace)


def test_a_trace_that_lost_its_end_has_other_metrics() -> None:
    run = run_of(1)
    cut = Trace(run.trace.world, run.trace.start, run.trace.steps[:4])
    assert observe(cut) != observe(run.trace)


def duplicates_delivered(trace: Trace) -> int:
    """By messages and effects alone, whatever reasons the coordinator gives: inputs that it took to the end
    though the same input was counted before, while what it was counted for was still open."""
    counted: set[tuple[object, ...]] = set()
    found = 0
    for _, action in trace.steps:
        message = action.envelope.message if action.envelope is not None else None
        taken = action.effect.delivered and action.fault is None and action.process == "coordinator"
        whole = len(action.outputs) == len(action.all_outputs)
        if taken and whole and isinstance(message, Response | AckDecision):
            found += message.key in counted
        for output in action.outputs:
            emission = output.emission if isinstance(output, Emit) else None
            if isinstance(emission, Counted):
                counted.add(emission.key)
            elif isinstance(emission, Decided):
                counted.clear()
            elif isinstance(emission, Stopped):
                counted = {key for key in counted if key[0] == "ack"}
    return found


@given(RUNS)
@FEW
def test_duplicates_delivered_are_those_rejected_and_those_counted(run: Run) -> None:
    delivered = duplicates_delivered(run.trace)
    assert delivered == run.trace.rejected().get("duplicate", 0)
    assert delivered == meter(run.trace).session.duplicate_items


class Forgetful(Coordinator):
    """Calls every repetition late."""

    def reason(self, response: Response) -> str:
        return "late" if super().reason(response) == "duplicate" else super().reason(response)


def test_a_coordinator_that_miscalls_duplicates_and_one_that_is_right_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def disagreements() -> int:
        traces = [run_of(seed, "duplicate:3", timed=False, stop=False).trace for seed in range(20)]
        assert any(map(duplicates_delivered, traces))
        return sum(duplicates_delivered(t) != observe(t).duplicate_items for t in traces)

    assert disagreements() == 0
    monkeypatch.setattr(consensus, "Coordinator", Forgetful)
    assert disagreements() > 0


@given(RUNS)
@FEW
def test_totals_are_the_sums_of_the_breakdowns_and_of_the_turns(run: Run) -> None:
    assert adds_up(meter(run.trace, PRICED))


def adds_up(metrics: RunMetrics) -> bool:
    data = metrics.as_dict()
    cost = data["cost"]
    for key in ("input_tokens", "cached_input_tokens", "output_tokens", "total_tokens"):
        sums = [sum(row[key] for row in data[part].values()) for part in ("by_agent", "by_stage")]
        sums += [sum(row[key] for row in data["billed"]), sum(turn["usage"][key] for turn in data["turns"])]
        if sums != [data["running_total"][key]] * 4:
            return False
    parts = [metrics.cost.by_agent(), metrics.cost.by_stage(), metrics.cost.by_model()]  # type: ignore[union-attr]
    exact = all(sum(c.usd for c in part.values()) == metrics.cost.total.usd for part in parts)  # type: ignore[union-attr]
    return exact and cost["total"]["turns"] == data["turn_count"] == len(data["turns"])


def test_a_turn_that_is_not_in_the_sums_is_caught() -> None:
    metrics = meter(run_of(1).trace, PRICED)
    assert adds_up(metrics)
    metrics.observed = replace(metrics.observed, turns=metrics.observed.turns[1:])
    assert not adds_up(metrics)


def same_digest(look: Callable[[Trace], object], seed: int, plan: str) -> bool:
    plain, watched = run_of(seed, plan), run_of(seed, plan)
    look(watched.trace)
    return plain.trace.digest == watched.trace.digest


@given(st.integers(0, 2**32), PLANS)
@FEW
def test_measuring_changes_nothing_of_the_digest(seed: int, plan: str) -> None:
    assert same_digest(lambda trace: meter(trace, PRICED).as_dict(), seed, plan)


def test_an_observer_that_touches_the_trace_is_caught() -> None:
    assert not same_digest(lambda trace: trace.steps.pop(), 1, "")


# --- records --------------------------------------------------------------------------------------


@given(RUNS)
@FEW
def test_a_record_is_summed_again_to_the_same_numbers(run: Run) -> None:
    data = meter(run.trace, PRICED).as_dict()
    again = RunMetrics.from_dict(json.loads(json.dumps(data)))
    assert again.as_dict() == data


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda d: d["turns"].pop(), "the record was changed: its running_total is not what its turns add up to"),
        (lambda d: d["cost"]["total"].update(usd="0"), "the record was changed: its cost"),
        (lambda d: d.update(turn_count=1), "the record was changed: its turn_count"),
        (lambda d: d.update(duplicate_items=-1), "duplicate_items is -1"),
        (lambda d: d.pop("turns"), "these are not the metrics of a run"),
        (lambda d: d["turns"].append(3), "a turn must be a mapping of"),
        (lambda d: d["turns"][0].update(usage={"input_tokens": 1}), "a usage must be a mapping of"),
        (lambda d: d["turns"][0].update(agent=3), "agent is 3"),
        (lambda d: d["settings"].update(budget_usd=2), "budget_usd is 2"),
        (lambda d: d["settings"].update(as_of="soon"), "as_of is 'soon'"),
        (lambda d: d["settings"].update(window=10**30), "window is 1"),
        (lambda d: d["settings"].update(planned_turns=10**400), "these are not the metrics of a run"),
        (lambda d: d["settings"].update(models=[]), "these are not the metrics of a run"),
        (lambda d: d["cost"]["prices"]["m"].pop("source"), "these are not the metrics of a run"),
        (lambda d: d["cost"]["prices"]["m"].update(as_of="soon"), "as_of is 'soon'"),
    ],
)
def test_a_record_that_was_changed_or_is_none_is_told_in_one_line(change: Callable[[dict], object], line: str) -> None:
    data = json.loads(data_of(run_of(1).trace))
    change(data)
    with pytest.raises(MetricsError) as caught:
        RunMetrics.from_dict(data)
    assert caught.value.mistakes[0].startswith(line)
    assert len(caught.value.mistakes) == 1


# --- cost -----------------------------------------------------------------------------------------


def test_cost_budget_and_projection_of_known_turns() -> None:
    """A million tokens in are 3 USD, out 15: each turn of (1000, 500) is 0.0105 USD."""
    turns = tuple(Turn(TokenUsage(1000, 500), agent, "s", "r", 1) for agent in ("gemini", "claude") * 4)
    priced = replace(PRICED, budget_usd=MetricsSettings().budget_usd / 20, planned_turns=10)
    metrics = RunMetrics(priced, Observed(turns, 3, 2))
    data = metrics.as_dict()
    assert data["cost"]["total"]["usd"] == "0.084"
    assert [alert["percent"] for alert in data["cost"]["budget"]["alerts"]] == [80]
    assert data["cost"]["projected"] == {"turns": 2, "usd": "0.021", "known": True}
    assert data["context"] == {"window_tokens": 8000, "utilisation": 0.125}
    assert data["loop_warning"]["severity"] == "warning"
    assert data["cost"]["prices"]["m"]["source"] == "the scenario's own table"


def test_the_largest_window_is_taken_whatever_the_number_of_agents() -> None:
    settings = replace(PRICED, window=WINDOW_MAX, models={f"agent-{n}": "m" for n in range(9)})
    assert RunMetrics(settings, Observed()).session.window == WINDOW_MAX


def test_every_level_of_a_budget_alerts_once_and_an_unknown_model_is_said() -> None:
    turns = tuple(Turn(TokenUsage(1000, 500), agent) for agent in ("gemini", "nobody") * 12)
    metrics = RunMetrics(replace(PRICED, budget_usd=MetricsSettings().budget_usd / 20), Observed(turns))
    assert [alert.level.value for alert in metrics.cost.budget.alerts] == [80, 90, 100]  # type: ignore[union-attr]
    assert metrics.unpriced_agents() == ["nobody"]
    assert metrics.as_dict()["cost"]["total"]["unknown_turns"] == 12
    assert metrics.as_dict()["cost"]["prices"][""] is None


def test_without_models_nothing_is_priced_and_no_price_list_is_read() -> None:
    metrics = RunMetrics(MetricsSettings(), Observed((Turn(TokenUsage(1, 1), "a"),)))
    assert metrics.cost is None
    assert metrics.as_dict()["cost"] is None
    assert metrics.remaining_turns == 1
