"""Minimised counterexamples: as short as the shortest that the check finds, of the same property, and told
in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container
from typing import Any

import pytest

import models.consensus
import sim.minimiser.minimise as minimising
from bench.bugs import livelock
from bench.races.completion import system as completed_twice
from bench.races.slot import system as lost_slot
from sim import IGNORE, Graph, Message, Process, Replay, Run, System, Uniform, always, check, fuzz, minimise, simulate
from sim.minimiser import fewest, guided
from sim.minimiser.counterexample import Counterexample, counterexample_of
from sim.minimiser.deviations import Unusual, counted, deviations
from sim.strategy import Canonical
from sim.world.world import world_of
from tests.fuzzed import deaf, factory, hasty, hopeless, hurried, relay, stubborn
from tests.saboteurs.consensus import SABOTEURS

FAULTY: dict[str, Callable[[], System]] = {
    "consensus": lambda: models.consensus.system(sequencing=False),
    "consensus of three, two rounds": lambda: models.consensus.system(agents=3, rounds=2, sequencing=False),
    "hasty commit": hasty,
    "unhandled message": deaf,
    "lost messages": hopeless,
    "stubborn proposer": stubborn,
    "acknowledged before stored": hurried,
    "relay": lambda: relay(6, 4),
}
SEEDS = range(2)
CHECKED_MAX = 15_000


@pytest.mark.parametrize("name", FAULTY)
def test_a_counterexample_is_as_short_as_the_shortest_that_the_check_finds(name: str) -> None:
    """Or it deviates less from the canonical schedule: that comes first. The check's path to an unhandled
    message, for one, is two steps long, but in it the environment makes a move; the canonical schedule
    itself comes to one after six. Where the check has no answer there is nothing to compare with."""
    for seed in SEEDS:
        (found,) = fuzz(FAULTY[name](), seed=seed, schedules=1500).found
        least = found.counterexample
        shortest = check(FAULTY[name]().judging(found.property), max_states=CHECKED_MAX)
        if shortest.verdict == "incomplete":
            assert name == "consensus of three, two rounds", "too large for the check of a test"
            continue
        assert shortest.graph is not None
        assert shortest.begin is not None
        unusual = counted(deviations(shortest.graph, shortest.begin, shortest.path))
        assert least.complete
        if least.deviations < len(unusual):
            assert name == "unhandled message", "nothing else is longer than the check's"
        else:
            assert least.cost == (len(unusual), len(shortest.path))


@pytest.mark.parametrize("name", FAULTY)
def test_a_counterexample_replays_in_the_plain_engine(name: str) -> None:
    result = fuzz(FAULTY[name](), schedules=1500)
    (found,) = result.found
    run = simulate(FAULTY[name](), Replay(found.schedule))
    assert run.finding == found.counterexample.finding
    assert run.steps == found.counterexample.steps
    raw = counterexample_of(result.world, *_rerun(FAULTY[name](), found.strategy, found.seed), complete=False)
    assert found.counterexample.cost <= raw.cost


def _rerun(system: System, strategy: str, seed: int) -> tuple:  # type: ignore[type-arg]
    from sim.strategy import make_strategy

    run = simulate(system, make_strategy(strategy, seed))
    assert run.finding is not None
    return run.trace.start, [action for _, action in run.trace.steps], run.finding


def test_another_propertys_violation_is_never_accepted() -> None:
    """Without sequencing two properties are violated as a rule, one of them by fewer steps: a minimiser that
    took any violation for its own would come to that one alone."""
    graph = Graph(models.consensus.system(sequencing=False))
    met: Counter[str] = Counter()
    for seed in range(40):
        run = simulate(graph, Uniform(seed))
        if run.finding is not None and met[run.finding.property] < 4:
            least = minimise(graph, run.trace.start, [action for _, action in run.trace.steps], run.finding)
            assert least.property == run.finding.property
            assert simulate(graph, Replay(least.schedule)).finding == least.finding
            met[run.finding.property] += 1
    assert len(met) == 2
    assert min(met.values()) == 4


def test_the_same_run_is_minimised_in_the_same_way_whatever_the_tables_hold() -> None:
    def minimised(graph: Graph) -> tuple[str, ...]:
        run = simulate(graph, Uniform(2))
        assert run.finding is not None
        return minimise(graph, run.trace.start, [a for _, a in run.trace.steps], run.finding).schedule

    cold, warm = (Graph(models.consensus.system(sequencing=False)) for _ in range(2))
    for seed in range(50, 80):
        simulate(warm, Uniform(seed))
    assert minimised(cold) == minimised(warm)


def test_a_bounded_effort_says_so_and_still_ends_in_the_violation() -> None:
    graph = Graph(models.consensus.system(sequencing=False))
    run = simulate(graph, Uniform(2))
    assert run.finding is not None
    actions = [action for _, action in run.trace.steps]
    hasty = minimise(graph, run.trace.start, actions, run.finding, effort=30)
    assert not hasty.complete
    assert simulate(graph, Replay(hasty.schedule)).finding == hasty.finding
    assert minimise(graph, run.trace.start, actions, run.finding).complete


@pytest.mark.parametrize(
    "system", [models.consensus.system(), models.consensus.system(stop=False), factory(""), relay(5, 9)]
)
def test_the_canonical_schedule_has_no_deviation(system: System) -> None:
    graph = Graph(system)
    run = simulate(graph, Canonical())
    assert run.steps > 4
    assert deviations(graph, run.trace.start, [action for _, action in run.trace.steps]) == []


def test_a_run_that_is_not_canonical_has_some() -> None:
    graph = Graph(models.consensus.system())
    usual = simulate(graph, Canonical()).trace.schedule()
    for seed in range(20):
        run = simulate(graph, Uniform(seed))
        unusual = deviations(graph, run.trace.start, [action for _, action in run.trace.steps])
        assert unusual or run.trace.schedule() == usual[: run.steps]


TOLD = {
    "consensus": [
        "As usual, except:",
        "- coordinator's timer patience fires before coordinator's Ask(attempt=1) to gemini arrives",
        "- coordinator's timer patience fires before coordinator's Ask(attempt=2) to claude arrives",
        "- claude's Response to coordinator arrives only after coordinator's timer patience fired (Accepted, Decided)",
        "Still to come when it happens: coordinator's Ask(attempt=1) to gemini arrives; coordinator's Ask(attempt=2) to "
        "gemini arrives; coordinator's Ask(attempt=2) to claude arrives; coordinator's Store(seq=1) to store arrives; and "
        "2 more.",
    ],
    "hasty commit": [
        "As usual, except:",
        "- rm2 does give_up, after rm1 did prepare",
        "Still to come when it happens: manager's Commit to rm2 arrives.",
    ],
    "unhandled message": [
        "As usual: first in, first out, no fault; the canonical schedule itself leads there.",
        "Still to come when it happens: manager's Commit to rm2 arrives.",
    ],
    "acknowledged before stored": ["As usual, except:", "- shelf crashes after Ok when client's Put to shelf arrives"],
    "relay": [
        "As usual, except:",
        "- poker's Poke to relay arrives only after relay's Token(n=4) to relay arrived",
        "Still to come when it happens: relay's Token(n=5) to relay arrives.",
    ],
}


@pytest.mark.parametrize("name", TOLD)
def test_a_counterexample_is_told_in_words(name: str) -> None:
    (found,) = fuzz(FAULTY[name](), schedules=1500).found
    assert found.counterexample.words == tuple(TOLD[name])


def told(system: System, *schedule: str) -> tuple[list[Unusual], list[str]]:
    graph = Graph(system)
    run = simulate(graph, Replay(schedule))
    actions = [action for _, action in run.trace.steps]
    unusual = deviations(graph, run.trace.start, actions)
    finding = run.finding or check(hasty()).finding
    assert finding is not None
    raw = counterexample_of(graph, run.trace.start, actions, finding, complete=False)
    return [one.kind for one in unusual], list(raw.words)


def test_every_kind_of_deviation_has_its_words() -> None:
    kinds, words = told(
        factory("crash:2@worker,drop:1,reorder:1,cut:1"),
        "start choosing 1",
        "deliver master->worker Job(n=0) reordered",
        "cut wire",
        "move master.hurry",
        "heal wire",
        "crash worker",
        "restart worker",
        "drop master->worker Job(n=1) #1",
        "fire master.late",
        "deliver master->worker Job(n=0) crashing at once",
    )
    assert words[1:9] == [
        "- at the start, 1 is chosen",
        "- master's Job(n=0) to worker overtakes what was sent before it",
        "- the cut wire takes effect, after master's Job(n=0) to worker arrived",
        "- master does hurry, after the cut wire took effect",
        "- worker crashes, after the cut wire healed",
        "- master's Job(n=1) to worker is lost",
        "- worker crashes at once when master's Job(n=0) to worker arrives",
        "Still to come when it happens: worker restarts.",
    ]
    assert kinds[:7] == [Unusual.START, *[Unusual.FAULT] * 2, Unusual.ENVIRONMENT, *[Unusual.FAULT] * 3]


def test_an_early_timer_and_a_late_message_are_told_apart() -> None:
    sane = models.consensus.system(agents=1, stop=False)
    boot, ask = (
        "move coordinator.boot",
        "deliver coordinator->gemini Ask(run='run-1', round=1, stage=validate, attempt=%d)",
    )
    answer = "deliver gemini->coordinator Response(run='run-1', round=1, stage=validate, agent=gemini, attempt=%d, answer=ok)"
    kinds, words = told(sane, boot, ask % 1, "fire coordinator.patience", answer % 1)
    assert kinds == [Unusual.LATE]
    assert words[1] == "- gemini's Response to coordinator arrives only after coordinator's timer patience fired"
    kinds, words = told(sane, boot, ask % 1, "fire coordinator.patience", ask % 2, answer % 2, answer % 1)
    assert kinds == [Unusual.LATE]
    assert words[1] == (
        "- gemini's Response(attempt=1) to coordinator arrives only after gemini's Response(attempt=2) to "
        "coordinator arrived (Counted, Accepted, Decided)"
    )
    kinds, words = told(sane, boot, "fire coordinator.patience", ask % 1)
    assert kinds == [Unusual.LATE]
    kinds, words = told(sane, boot, ask % 1, answer % 1)
    assert (kinds, words[0]) == (
        [],
        "As usual: first in, first out, no fault; the canonical schedule itself leads there.",
    )


LOCAL = {
    "queued updates lost in a crash": (minimising._Minimiser, "_elsewhere", lambda *_: iter(())),
    "a repeated order used up": (minimising, "following", lambda _, step: [step]),
    "a repeated decision used up": (guided, "is_alike", lambda *_: False),
}
"""Saboteurs of the consensus model, each with a means without which its counterexample ends in a local minimum."""


@pytest.mark.parametrize("name", LOCAL)
def test_a_minimiser_that_lacks_one_of_its_means_ends_in_a_local_minimum(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = next(saboteur for saboteur in SABOTEURS if saboteur.name == name)

    def costs() -> list[tuple[int, int]]:
        return [fuzz(planted.small(), schedules=1_000, seed=seed).found[0].counterexample.cost for seed in SEEDS]

    least = costs()
    monkeypatch.setattr(*LOCAL[name])
    assert max(costs()) > max(least)


def test_no_way_is_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    trial = minimising._Minimiser._trial

    def noted(self: Any, start: Any, items: Any, length: int, held: Any = frozenset()) -> Run:
        if held or items:
            tried.append((length, held, tuple((item.choice, item.plain) for item in items)))
        return trial(self, start, items, length, held)

    monkeypatch.setattr(minimising._Minimiser, "_trial", noted)
    (found,) = fuzz(livelock.system(), seed=0).found
    assert found.counterexample.complete
    assert len(tried) < 2 * len(set(tried))


class Bill(Message):
    pass


class Ping(Message):
    number: int


class Bank(Process):
    """Answers each bill."""

    states = ("open",)
    transitions = ({"trigger": Bill, "source": "open", "dest": None, "after": "pay"},)

    def pay(self) -> None:
        self.send("customer", Bill())


class Customer(Process):
    """Gives up when its patience ends, whatever is on its way."""

    states = ("waiting", "paid", "gone")
    timers = ("patience",)
    transitions = (
        {"trigger": Bill, "source": "waiting", "dest": "paid"},
        {"trigger": Bill, "source": "gone", "dest": IGNORE},
        {"trigger": "patience", "source": "waiting", "dest": "gone"},
        {"trigger": "patience", "source": "paid", "dest": IGNORE},
    )

    def on_start(self) -> None:
        self.send("bank", Bill())
        self.arm("patience", 1_000)


def test_a_timer_that_does_not_wait_for_what_is_on_its_way_is_told() -> None:
    system = System(
        {"customer": Customer(), "bank": Bank()},
        properties=(always("it stays", lambda customer: customer.state != "gone"),),
    )
    (found,) = fuzz(system, schedules=100).found
    assert found.counterexample.words == (
        "As usual, except:",
        "- customer's timer patience fires before customer's Bill to bank arrives",
        "Still to come when it happens: customer's Bill to bank arrives.",
    )
    assert found.counterexample.deviations == 0, "it is told, and not counted"


def test_what_the_canonical_schedule_does_not_lead_to_is_not_called_usual() -> None:
    """The second of two messages arrives while the first is still on its way."""

    class Sender(Process):
        states = ("open",)

        def on_start(self) -> None:
            self.send("ear", Ping(1))
            self.send("ear", Ping(2))

    class Ear(Process):
        states = ("open",)
        transitions = ({"trigger": Ping, "source": "open", "dest": None, "after": "hear"},)
        heard: tuple[int, ...] = ()

        def hear(self, ping: Ping) -> None:
            self.heard += (ping.number,)

    system = System(
        {"sender": Sender(), "ear": Ear()}, properties=(always("one first", lambda ear: ear.heard[:1] != (2,)),)
    )
    (found,) = fuzz(system, schedules=100).found
    assert found.counterexample.words[0] == (
        "As usual, without any fault, before everything has arrived that is on its way."
    )


def test_of_a_program_too_what_comes_to_a_known_shape_is_not_looked_into_any_further() -> None:
    world = world_of(lost_slot())
    with world.walking():
        run = next(run for run in (simulate(world, Uniform(seed)) for seed in range(50)) if run.finding is not None)
        start, choices, finding = run.trace.start, [choice for _, choice in run.trace.steps], run.finding
        assert finding is not None

        def calls(known: Container[tuple[str, ...]]) -> tuple[Counterexample, int]:
            before = world.handler_calls
            return minimise(world, start, choices, finding, known=known), world.handler_calls - before

        whole, took = calls(())
        again, took_less = calls([whole.shape])
        _, took_as_much = calls([("deliver elsewhere",)])
    assert again.shape == whole.shape
    assert took_less < took_as_much
    assert took_as_much == pytest.approx(took, rel=0.2)


def test_of_a_few_departures_one_is_left_out_where_another_elsewhere_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the planted fault: nobody looks elsewhere."""
    (found,) = fuzz(completed_twice(), schedules=50).found
    assert found.counterexample.deviations == 2
    monkeypatch.setattr(fewest._Search, "_elsewhere", lambda _, best: best)
    (as_it_was,) = fuzz(completed_twice(), schedules=50).found
    assert as_it_was.counterexample.deviations == 3
