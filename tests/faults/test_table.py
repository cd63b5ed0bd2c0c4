"""The table of faults: complete, consistent with the classes, and the docs page is made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models import consensus
from sim import ModelError, Process, Program, System, faults
from sim.faults.catalogue import OF_THE_GRAPH, PROGRAM_KINDS, ROWS, TABLE, TIMED_KINDS, Bites, FaultKind, markdown
from sim.graph.action import Kind
from sim.live.program_parts import STRIKING

PAGE = Path(__file__).parents[2] / "docs/faults.md"
SECTION = re.compile(r"<!-- table: python -m sim\.faults -->\n(.*?)<!-- end of table -->", re.DOTALL)


def test_the_docs_page_shows_the_table_of_today() -> None:
    section = SECTION.search(PAGE.read_text())
    assert section is not None
    assert section[1] == markdown(), "write the output of `python -m sim.faults` between the two comments"


def test_a_table_that_has_changed_is_noticed() -> None:
    section = SECTION.search(PAGE.read_text().replace("| yes, it arrives late |", "| no |"))
    assert section is not None
    assert section[1] != markdown()


def test_every_domain_fault_has_its_row_with_its_own_trigger_and_error() -> None:
    domain = {row.kind: row for row in TABLE if row.trigger is not None}
    assert [row.trigger for row in domain.values()] == list(faults.DOMAIN_FAULTS)
    for kind, row in domain.items():
        assert row.trigger is not None
        assert row.error is not None
        assert row.trigger.kind == row.error.kind == kind
        assert row.trigger.survives is row.survives.startswith("yes")
        assert issubclass(row.error, faults.InjectedFault)
        assert row.error.__name__ == f"{row.trigger.__name__}Error"


def test_the_kinds_are_those_of_the_issue_and_each_stands_once() -> None:
    assert [row.kind for row in TABLE] == list(ROWS)
    assert list(ROWS) == [
        *("agent_timeout", "rate_limited", "consensus_fail", "empty_response", "disconnect"),
        *("drop", "duplicate", "reorder", "crash", "cut", "update", "delay", "pause"),
        *("cancel", "stop", "refuse", "reset", "split"),
        *("server_error", "overloaded", "malformed", "contradiction", "repeated_id"),
    ]
    assert TIMED_KINDS == ("delay", "pause")


def test_what_is_no_domain_fault_and_needs_no_clock_is_an_action_of_the_graph() -> None:
    verbs = {kind.value for kind in Kind} | {"reorder"}
    assert set(OF_THE_GRAPH) <= verbs
    assert {row.ends for row in TABLE if row.ends} == {"restart", "heal", "resume"}


def test_the_carriers_of_the_consensus_model_are_what_the_table_says_they_strike() -> None:
    system = consensus.system()
    carried = {fault.kind: [c.__name__ for c in carriers] for fault, carriers in system.carriers.items()}
    names = {Bites.ANSWER: ["Response"], Bites.VERDICT: ["Store"]}
    assert carried == {row.kind: names[row.bites] for row in TABLE if row.trigger is not None}


class Newer(Process):
    states = ("idle",)


OF_MODELS = [row for row in TABLE if row.kind not in PROGRAM_KINDS]


def planned(row: FaultKind) -> str:
    return f"{row.kind}:1{'(5s)' if row.timed else ''}"


@pytest.mark.parametrize("row", OF_MODELS, ids=lambda row: row.kind)
def test_every_kind_of_models_can_be_planned_for_the_consensus_model(row: FaultKind) -> None:
    newer = {"gemini": Newer()} if row.kind == "update" else {}
    system = consensus.system().with_(network="fifo", updates=newer, faults=planned(row))
    assert isinstance(system, System)


@pytest.mark.parametrize("row", [row for row in TABLE if row not in OF_MODELS], ids=lambda row: row.kind)
def test_a_kind_of_programs_cannot_strike_a_model(row: FaultKind) -> None:
    with pytest.raises(
        ModelError, match=f"fault '{row.kind}:1': nothing carries {row.kind}; it strikes programs; use drop"
    ):
        consensus.system().with_(faults=planned(row))


async def main(world: object) -> None:
    """A program."""


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.kind)
def test_a_program_takes_the_kinds_that_can_strike_it_and_no_others(row: FaultKind) -> None:
    if row.kind in STRIKING:
        assert Program(main, faults=planned(row)).budget[0].kind == row.kind
    else:
        with pytest.raises(ModelError, match=f"unknown kind of fault that strikes a program '{row.kind}'"):
            Program(main, faults=planned(row))


def test_every_kind_strikes_a_model_or_a_program() -> None:
    assert {row.kind for row in OF_MODELS} | {*STRIKING} == {*ROWS}
    assert {*STRIKING} & {"reorder", "update", "pause", "consensus_fail"} == set()
