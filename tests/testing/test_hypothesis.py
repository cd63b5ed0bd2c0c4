"""`schedules` and `state_machine`: any system under Hypothesis."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.stateful import run_state_machine_as_test
from hypothesis.vendor.pretty import pretty

from models import consensus, two_phase_commit
from sim import (
    Action,
    Drawn,
    Graph,
    Message,
    Process,
    PropertyViolation,
    Replay,
    Run,
    System,
    always,
    cut,
    eventually,
    replay_text,
    schedules,
    simulate,
    state_machine,
)
from sim.run.of_scenario import simulate_scenario
from sim.run.simulation import Walk
from sim.scenario import parse_scenario
from sim.strategy import Canonical
from tests.counts import examples
from tests.fuzzed import restless
from tests.persisting import begun
from tests.systems import systems

QUIET = list(HealthCheck)
OURS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=100,
    phases=[Phase.generate],
    suppress_health_check=QUIET,
)
UNSEQUENCED: dict[str, Any] = {"agents": 1, "sequencing": False, "stop": False}


class Ping(Message):
    number: int


class Pair(Process):
    """Sends two numbered messages, chooses how it begins, and may be cut off."""

    states = ("waiting", "done")
    timers = ("again",)
    transitions = (
        {"trigger": Ping, "source": "waiting", "dest": "done", "after": "take"},
        {"trigger": Ping, "source": "done", "dest": None, "after": "take"},
        {"trigger": "again", "source": "*", "dest": None, "after": "start_again"},
    )
    other: str
    first: int = 0
    last: int = 0

    def on_start(self) -> None:
        self.first = self.choose(1, 2)
        self.start_again()

    def start_again(self) -> None:
        for number in (self.first, self.first + 1):
            self.send(self.other, Ping(number))
        if self.state == "waiting":
            self.arm("again", 10)

    def take(self, ping: Ping) -> None:
        self.last = ping.number


def pair(**changes: Any) -> System:
    """Two processes on a fifo network, with every built-in fault."""
    return System(
        processes={"left": Pair(other="right"), "right": Pair(other="left")},
        network="fifo",
        faults="reorder:1,drop:1,duplicate:1,crash:1@left,cut:1",
        cuts={"between": cut({"left"})},
        **changes,
    )


def find(system: System, **given_: Any) -> PropertyViolation:
    """A failure of the machine of `system`."""
    with pytest.raises(PropertyViolation) as caught:
        run_state_machine_as_test(state_machine(system, **given_), settings=OURS)
    return caught.value


# Whole schedules ----------------------------------------------------------------------------------------


@given(st.one_of(systems(("any", "fifo"), "drop:1,duplicate:1"), begun()), st.binary(max_size=60))
@settings(OURS, max_examples=50)
def test_every_string_of_bytes_is_a_schedule_that_replays(system: System, data: bytes) -> None:
    run = simulate(system, Drawn(data), max_steps=150)
    assume(run.verdict != "incomplete")
    again = simulate(system, Replay(run.trace.schedule()))
    assert (again.digest, again.finding) == (run.digest, run.finding)


@pytest.mark.parametrize("data", [b"", b"\0", bytes(100)])
def test_no_bytes_and_zeros_are_the_canonical_schedule(data: bytes) -> None:
    for system in (consensus.system(), two_phase_commit.system(2), pair()):
        usual = simulate(system, Canonical(), max_steps=500)
        assert simulate(system, Drawn(data), max_steps=500).trace.schedule() == usual.trace.schedule()


def test_a_schedule_is_one_draw() -> None:
    """However long: Hypothesis chooses once, and so shrinks one thing."""
    data = ConjectureData.for_choices((bytes(100),))
    run = data.draw(schedules(two_phase_commit.system(5), max_steps=100))
    assert (run.verdict, len(data.choices)) == ("ok", 1)
    assert run.steps > 10


def test_each_byte_that_is_not_zero_may_reach_every_enabled_action() -> None:
    graph = Graph(pair())
    starts = {simulate(graph, Drawn(bytes([n])), max_steps=0).trace.start.choices for n in range(4)}
    assert starts == {(1, 1), (1, 2), (2, 1), (2, 2)}
    state = graph.starts()[0].place
    firsts = {simulate(graph, Drawn(bytes([0, n])), max_steps=1).trace.steps[0][1] for n in range(1, 256)}
    assert firsts == set(graph.actions(state))


def test_a_drawn_schedule_shrinks_to_its_one_deviation() -> None:
    """Without sequencing an answer that comes twice counts twice: as usual, except that it is duplicated."""
    graph = Graph(consensus.system(**UNSEQUENCED).with_(faults="duplicate:1"))
    failed: list[Run] = []

    @settings(OURS, phases=[Phase.generate, Phase.shrink])
    @given(schedules(graph))
    def holds(run: Run) -> None:
        if run.finding is not None:
            failed.append(run)
            raise PropertyViolation(run)

    with pytest.raises(PropertyViolation):
        holds()
    usual = set(simulate(graph, Canonical()).trace.schedule())
    unusual = [step for step in failed[-1].trace.schedule() if step not in usual]
    assert len(unusual) == 1
    assert unusual[0].startswith("duplicate ")


def test_a_run_shows_itself_as_its_finding_and_schedule() -> None:
    run = simulate(consensus.system(agents=1, stop=False), Canonical())
    assert "\n" not in repr(run)
    lines = pretty(run).split("\n    ")
    assert lines[0] == f"<run of {run.steps} steps, ok: nothing more can happen by itself"
    assert lines[1:] == [*run.trace.schedule()[:-1], run.trace.schedule()[-1] + ">"]


# Rules --------------------------------------------------------------------------------------------------


def test_there_is_a_rule_for_each_family_of_actions_and_each_is_taken() -> None:
    taken: set[str] = set()

    class Noting(state_machine(pair(), drain_steps=30)):  # type: ignore[misc]
        def take(self, action: Action) -> None:
            taken.add(self.family(action))
            super().take(action)

    run_state_machine_as_test(Noting, settings=OURS)
    assert taken == {"deliver", "fire", "reorder", "drop", "duplicate", "crash", "restart", "cut", "heal"}
    assert all(hasattr(Noting, name) for name in taken)


def test_a_system_has_rules_for_what_it_can_do_and_for_nothing_else() -> None:
    quiet = state_machine(two_phase_commit.system(2).with_(faults="none"))
    for name in ("drop", "duplicate", "crash", "restart", "cut", "heal", "reorder", "under_agent_timeout"):
        assert not hasattr(quiet, name)
    assert hasattr(quiet, "deliver")
    assert hasattr(state_machine(consensus.system().with_(faults="agent_timeout:1")), "under_agent_timeout")


def test_a_failure_is_a_scenario_that_replays_to_the_same_finding() -> None:
    failure = find(consensus.system(**UNSEQUENCED), model="models.consensus", config=UNSEQUENCED)
    head, _, text = str(failure).partition("FILE being\n\n")
    assert head == f"{head.splitlines()[0]}\nreplay it with `sim run FILE`, "
    scenario = parse_scenario(text, "counterexample.yaml")
    again = simulate_scenario(scenario)
    assert again.finding == failure.run.finding
    assert again.trace.schedule() == failure.run.trace.schedule()


def test_a_failure_without_a_model_is_a_call_that_replays_to_the_same_finding() -> None:
    system = consensus.system(**UNSEQUENCED)
    failure = find(system)
    _, _, call = str(failure).partition("replay it with\n")
    again = eval(call, {"simulate": simulate, "Replay": Replay, "system": system})
    assert again.finding == failure.run.finding


def test_a_model_of_the_users_own_is_named_on_the_command_that_replays() -> None:
    run = simulate(consensus.system(agents=1, stop=False), Canonical())
    assert "replay it with `sim run FILE --model shop`" in replay_text(run, "shop")
    assert "verdict: ok" in replay_text(run, "shop")


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ((always("low", lambda left: left.last < 3),), "low"),
        ((eventually("reached", lambda left: left.last == 9),), "reached"),
    ],
)
def test_what_is_wrong_in_a_state_or_at_the_end_is_found(properties: Any, name: str) -> None:
    failure = find(pair(properties=properties).with_(faults="none"), drain_steps=30)
    assert failure.run.finding is not None
    assert failure.run.finding.property == name


def test_what_is_owed_at_rest_is_found_by_teardown_alone() -> None:
    """A request that is lost and not repeated leaves the coordinator stuck: no rule says so, the end does."""
    config = {"agents": 1, "resends": 0, "retries": 0, "stop": False}
    failure = find(consensus.system(**config).with_(faults="drop:1"))
    assert failure.run.finding is not None
    assert failure.run.finding.property == "stuck"


def test_what_goes_on_for_ever_and_changes_nothing_is_rest() -> None:
    rested: list[bool] = []

    class Resting(state_machine(restless())):  # type: ignore[misc]
        def at_rest(self) -> None:
            rested.append(self.world.quiescent(self.walk.at))

    run_state_machine_as_test(Resting, settings=settings(OURS, max_examples=20))
    assert len(rested) >= 20
    assert all(rested)


def test_a_sound_system_passes_and_a_test_may_observe_more() -> None:
    ends: list[str] = []

    class Observing(state_machine(consensus.system(agents=1))):  # type: ignore[misc]
        def observe(self, action: Action) -> None:
            if "Decided" in {type(o.emission).__name__ for o in action.outputs if hasattr(o, "emission")}:
                self.decided = True

        def at_rest(self) -> None:
            ends.append(self.world.view(self.walk.at, "coordinator").state)
            if getattr(self, "decided", False) and self.forbidden:
                self.violated("something was decided", "nothing_decided")

        forbidden = False

    run_state_machine_as_test(Observing, settings=OURS)
    assert set(ends) == {"done", "stopped"}
    Observing.forbidden = True
    with pytest.raises(PropertyViolation, match="nothing_decided is violated: something was decided"):
        run_state_machine_as_test(Observing, settings=OURS)


def test_settings_of_hypothesis_stay_as_they_are() -> None:
    before = settings.default
    profile = settings.get_current_profile_name()
    state_machine(consensus.system(agents=1))
    schedules(consensus.system(agents=1))
    assert settings.default is before
    assert settings.get_current_profile_name() == profile


# One judgement ------------------------------------------------------------------------------------------


@given(st.one_of(systems(), begun()), st.binary(max_size=40))
@settings(OURS, max_examples=examples(100))
def test_steps_taken_one_by_one_are_judged_as_a_simulated_run_is(system: System, data: bytes) -> None:
    graph = Graph(system)
    whole = simulate(graph, Drawn(data), max_steps=100)
    picking = Drawn(data)
    walk = Walk(graph, picking.begin(graph))
    for _, action in whole.trace.steps:
        if not walk.take(action):
            break
    assert [a for _, a in walk.trace.steps] == [a for _, a in whole.trace.steps]
    if whole.finding is None or walk.finding is not None:  # else the run ended by resting where it must not
        assert walk.finding == whole.finding
