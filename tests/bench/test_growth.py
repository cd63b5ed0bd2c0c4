"""The table of costs: a row counts what a check counts, in a process of its own."""

from __future__ import annotations

from bench import growth
from sim import check
from sim.scenario import load_target


def test_a_row_counts_what_a_check_of_that_configuration_counts() -> None:
    cost = growth.in_a_fresh_process({"agents": "2", "faults": "drop:1"})
    settings = {**growth.BASE, "agents": "2"}
    settings.pop("faults")
    ours = check(load_target(growth.MODEL, settings, faults="drop:1").system)
    assert (cost.states, cost.generated, cost.complete) == (ours.states, ours.generated, True)
    assert cost.states > check(load_target(growth.MODEL, {**settings, "agents": "1"}, faults="none").system).states


def test_each_row_differs_from_the_first_and_from_every_other() -> None:
    rows = [tuple({**growth.BASE, **row}.items()) for row in growth.rows()]
    assert len(set(rows)) == len(rows)
    assert dict(rows[0]) == growth.BASE
    assert all(dict(row).keys() == growth.BASE.keys() for row in rows), "a misspelt key would set nothing here"


def test_a_line_says_what_a_state_costs_and_whether_the_check_came_to_its_end() -> None:
    cost = growth.Cost(states=2_000, generated=5_000, seconds=0.5, peak_bytes=300_000, complete=True)
    assert growth.line({"faults": "drop:1"}, cost) == ("| 1 | 1 | 0 | drop:1 | 2,000 | 5,000 | 0.50 | 250.0 | 150 |")
    assert "| > 2,000 |" in growth.line({}, cost._replace(complete=False))
