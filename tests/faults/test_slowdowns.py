"""Delays and pauses: they change when something happens on virtual time, and nothing else."""

from __future__ import annotations

import pytest

from models import consensus
from sim import ConfigError, Graph, ModelError, Run, System, Timing, Uniform, VirtualTime, check, fuzz, simulate

FLAT = Timing(latency_ms=(10, 10), links={"gemini->coordinator": (1_000, 1_000)})


def run(faults: str, **changes: object) -> Run:
    return simulate(slow(faults, **changes), VirtualTime(1))


def slow(faults: str, **changes: object) -> System:
    system = consensus.system(agents=1, stop=False, **changes)  # type: ignore[arg-type]
    return system.with_(faults=faults, timing=FLAT)


def arrivals(result: Run, name: str) -> list[int | None]:
    """When messages of this type arrived."""
    return [t for t, a in result.trace.steps if a.envelope and type(a.envelope.message).__name__ == name]


@pytest.mark.parametrize(
    ("plan", "arrives"),
    [
        ("none", {"Ask": 10, "Response": 1_010}),
        ("delay:1@gemini->coordinator(5s)", {"Ask": 10, "Response": 6_010}),
        ("delay:1@coordinator->gemini(5s)", {"Ask": 5_010, "Response": 6_010}),
        ("delay:1@Response(5s)", {"Ask": 10, "Response": 6_010}),
        ("delay:2@gemini(5s)", {"Ask": 5_010, "Response": 11_010}),
        ("delay:1(5s)", {"Ask": 5_010, "Response": 6_010}),
    ],
)
def test_a_delayed_message_takes_that_much_longer(plan: str, arrives: dict[str, int]) -> None:
    result = run(plan)
    assert {name: arrivals(result, name)[0] for name in arrives} == arrives
    count = int(plan.split(":")[1][0]) if ":" in plan else 0
    assert result.trace.struck() == ({"delay": count} if count else {})
    assert result.verdict == "ok"


def test_a_delay_beyond_patience_has_the_agent_asked_again_and_its_first_answer_late() -> None:
    result = run("delay:1@gemini->coordinator(60s)")
    assert arrivals(result, "Ask") == [10, 30_010]
    assert result.trace.emitted()["Rejected"] == 1


def test_a_process_that_pauses_takes_its_inputs_later_in_the_order_in_which_they_were_due() -> None:
    usual, paused = run("none"), run("pause:1@coordinator(5s)")
    assert usual.trace.steps[0][0] == 0
    assert paused.trace.steps[0][0] == 5_000, "the boot was the first thing due"
    assert [str(a.address) for _, a in paused.trace.steps] == [str(a.address) for _, a in usual.trace.steps]
    assert paused.trace.struck() == {"pause": 1}


def test_what_is_due_in_a_pause_waits_for_its_end_in_its_order() -> None:
    """The store pauses at its first request; the resent one (5 s later) and the first come together then."""
    result = run("pause:1@store(12s)")
    stores = arrivals(result, "Store")
    assert stores == [1_020 + 12_000, 1_020 + 12_000]
    times = [time for time, _ in result.trace.steps]
    assert times == sorted(times, key=lambda t: t or 0)
    assert result.verdict == "ok"
    assert result.trace.emitted()["Applied"] == 1


def test_two_pauses_follow_each_other() -> None:
    assert run("pause:2@coordinator(5s)").trace.steps[0][0] == 10_000


def test_a_slowed_run_is_a_path_of_the_same_graph() -> None:
    """What is slowed down is no part of a state: the run can be walked in a graph that knows of no fault."""
    result = run("delay:1@gemini(45s),pause:1@store(7s)")
    graph = Graph(slow("none"))
    state = graph.starts()[0].place
    assert state.budgets == result.place.budgets == ()
    assert not result.trace.world.may_strike(result.place)
    for _, action in result.trace.steps:
        found = [other for other in graph.enabled(state) if other.code == action.code]
        assert len(found) == 1
        state = graph.apply(state, found[0])


def test_the_same_seed_gives_the_same_slowed_run_and_the_digest_knows_of_it() -> None:
    assert run("pause:1@store(7s)").digest == run("pause:1@store(7s)").digest
    assert run("pause:1@store(7s)").digest != run("pause:1@store(8s)").digest


def test_a_clock_that_forgets_the_pause_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VirtualTime, "_holds", lambda self, event: bool(event[2] == 5 and self._paused.pop(event[3])))
    with pytest.raises((AssertionError, KeyError)):
        test_what_is_due_in_a_pause_waits_for_its_end_in_its_order()


@pytest.mark.parametrize("plan", ["delay:1(5s)", "pause:1@store(5s)"])
def test_what_knows_no_time_refuses_them_in_one_line(plan: str) -> None:
    for explore in (check, fuzz, lambda system: simulate(system, Uniform(1))):
        with pytest.raises(ConfigError, match="has no clock") as caught:
            explore(slow(plan))  # type: ignore[operator]
        assert len(caught.value.mistakes) == 1
        assert repr(plan) in caught.value.mistakes[0]


def test_every_message_may_be_delayed_but_nobody_pauses_for_ever() -> None:
    result = run("delay:unlimited@gemini->coordinator(1s)")
    assert arrivals(result, "Response") == [2_010]
    with pytest.raises(ModelError, match="pauses would follow each other forever"):
        slow("pause:unlimited@store(1s)")


@pytest.mark.parametrize("plan", ["pause:1@gemini->store(1s)", "pause:1@Response(1s)", "crash:1@gemini->store"])
def test_a_process_is_paused_and_not_a_message(plan: str) -> None:
    with pytest.raises(ModelError):
        slow(plan)
