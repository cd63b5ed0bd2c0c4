"""Every planted fault is caught by the check, by the fuzz and by the tests that Hypothesis drives; the sound
model by none of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from bench import saboteurs as bench
from sim import Graph, PropertyViolation, Run, System, check, fuzz, schedules
from sim.minimiser.deviations import counted, deviations
from tests.exactly_once.machine import machine
from tests.saboteurs.consensus import SABOTEURS
from tests.saboteurs.planted import Saboteur, wide

LINES = bench.DOCUMENT.read_text(encoding="utf-8").splitlines()

FIND = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
"""To find something is enough: what is found is shrunk elsewhere."""

LONGER = ("stopped while a decision is waited for", "countdown ids lost in a crash")
"""Faults whose most usual counterexample is not the shortest."""

RARE = ("attempts lost in a crash", "stage missing from the key of an answer", "a repeated order used up")
"""Faults that the stateful test meets in one of some hundred examples: the soak waits for them. All else catches them in the
gate too."""

each = pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda saboteur: saboteur.name)


def weaker(saboteur: Saboteur) -> Iterator[Saboteur]:
    """The saboteur with one of its bounds less."""
    if saboteur.faults != "none":
        yield Saboteur(saboteur.name, saboteur.fault, saboteur.prop, "none", saboteur.config)
    for key in saboteur.config:
        if key != "first_round":  # a run cannot begin behind its last round
            less = {k: v for k, v in saboteur.config.items() if k not in (key, "first_round")}
            yield Saboteur(saboteur.name, saboteur.fault, saboteur.prop, saboteur.faults, less)


def look_at(system: System, examples: int) -> None:
    """Draws whole schedules. Raises `PropertyViolation`."""

    @settings(FIND, max_examples=examples)
    @given(schedules(system))
    def holds(run: Run) -> None:
        if run.finding is not None:
            raise PropertyViolation(run)

    holds()


def live_through(system: System, examples: int) -> None:
    """Runs the stateful test of exactly-once. Raises `PropertyViolation`."""
    run_state_machine_as_test(machine(system), settings=settings(FIND, max_examples=examples))


def test_there_are_enough_of_them_and_each_is_one_small_change() -> None:
    assert len(SABOTEURS) >= 40
    assert len({saboteur.name for saboteur in SABOTEURS}) == len(SABOTEURS)
    for saboteur in SABOTEURS:
        own = [name for name in vars(saboteur.fault) if not name.startswith("__") and name != "table"]
        row_and_its_callback = len(own) == 2 and "transitions" in own
        assert len(own) == 1 or row_and_its_callback, f"{saboteur.name} changes {own}"


@each
def test_the_check_catches_it_and_nothing_else_there_as_the_page_says(saboteur: Saboteur) -> None:
    found, sound = check(saboteur.small()), check(saboteur.bounds())
    assert found.finding is not None
    assert found.finding.property == saboteur.prop
    assert sound.verdict == "ok", sound.finding
    assert bench.fault_row(saboteur, found, sound) in LINES


@each
def test_its_bounds_are_the_smallest(saboteur: Saboteur) -> None:
    """With one bound less the fault does not show, or the sound model is not sound any more."""
    for less in weaker(saboteur):
        shows, blameless = (check(system).finding for system in (less.small(), less.bounds()))
        assert shows is None or blameless is not None, (less.faults, less.config, shows)


@each
def test_the_fuzz_catches_it(saboteur: Saboteur) -> None:
    graph = Graph(saboteur.small())  # what the first seed has learnt, the others need not learn
    for seed in range(3):
        result = fuzz(graph, schedules=saboteur.schedules, seed=seed)
        assert result.found, f"not in {saboteur.schedules} schedules of seed {seed}"


@each
def test_its_counterexample_is_as_short_as_the_shortest_that_the_check_finds(saboteur: Saboteur) -> None:
    """Or it deviates less from the canonical schedule, which comes first: a longer way may be more usual."""
    graph = Graph(saboteur.small())
    for seed in range(2):
        least = fuzz(graph, schedules=saboteur.schedules, seed=seed).found[0].counterexample
        shortest = check(saboteur.small().judging(least.property))
        assert least.complete
        assert shortest.graph is not None
        assert shortest.begin is not None
        unusual = counted(deviations(shortest.graph, shortest.begin, shortest.path))
        assert least.cost <= (len(unusual), len(shortest.path))
        if least.steps > len(shortest.path):
            assert saboteur.name in LONGER, "nothing else is longer than the check's"


@pytest.mark.parametrize(
    "saboteur",
    [pytest.param(one, id=one.name, marks=[pytest.mark.soak] * (one.name in RARE)) for one in SABOTEURS],
)
def test_the_stateful_test_catches_it(saboteur: Saboteur) -> None:
    with pytest.raises(PropertyViolation):
        live_through(saboteur.small(), saboteur.examples)


@each
def test_drawn_schedules_catch_it(saboteur: Saboteur) -> None:
    with pytest.raises(PropertyViolation):
        look_at(saboteur.small(), saboteur.examples)


SOUND = [
    pytest.param(500, 100, id="quick"),
    pytest.param(20_000, 2_000, id="in 20,000 schedules and 2,000 examples", marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("runs", "examples"), SOUND)
def test_the_sound_model_is_caught_by_none(runs: int, examples: int) -> None:
    result = fuzz(wide(), schedules=runs)
    assert not result.found, result.found[0].schedule
    assert result.schedules == runs
    look_at(wide(), examples)
    live_through(wide(), examples)
