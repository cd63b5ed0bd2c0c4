"""A run is kept as a scenario file and replayed from it: nothing of it is refused, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import Graph, Replay, Uniform, simulate
from sim.base.errors import ScenarioError
from sim.scenario import load_scenario, load_target, write_scenario
from tests.counts import examples

RUNS = [
    ("toyshop", {}, "drop:1,duplicate:1,crash:1,cut:1,agent_timeout:1,rate_limited:1(30s)", "any"),
    ("toyshop", {}, "reorder:1,crash:2", "fifo"),
    ("models.paxos", {}, "drop:2,crash:1", "set"),
    ("toyrack", {}, "crash:1@rack, crash:1@front, crash:1@rack for good, update:1, drop:1@Put, drop:1@front", "any"),
    ("toyrack", {}, "crash:unlimited@rack after Copy, cut:1 for good, update:1@front, crash:1@client for good", "fifo"),
    ("models.consensus", {"answers": ["ok", "empty"]}, "drop:1,duplicate:1,crash:1,agent_timeout:1", "any"),
]


@settings(deadline=None, max_examples=examples(60))
@given(st.sampled_from(RUNS), st.integers(0, 2**64 - 1))
def test_any_run_is_kept_and_replayed(
    tmp_path_factory: pytest.TempPathFactory, run: tuple[str, dict[str, object], str, str], seed: int
) -> None:
    model, config, faults, network = run
    overrides = {key: ",".join(map(str, value)) for key, value in config.items() if isinstance(value, list)}
    target = load_target(model, {**overrides, "network": network, "faults": faults}, allow=("toyshop", "toyrack"))
    kept = simulate(target.system, Uniform(seed), max_steps=200)
    file = tmp_path_factory.getbasetemp() / "kept.yaml"
    write_scenario(file, model=model, config=config, network=network, schedule=kept.trace.schedule())
    scenario = load_scenario(file, allow=("toyshop", "toyrack"))
    assert scenario.schedule is not None
    assert [item.text for item in scenario.schedule] == kept.trace.schedule()
    again = simulate(
        scenario.system, Replay([item.address for item in scenario.schedule]), max_steps=scenario.max_steps
    )
    unpaid = [text.partition(" paid by ")[0] for text in kept.trace.schedule()]  # the file has a budget without limits
    assert again.trace.schedule() == unpaid
    assert again.trace.emitted() == kept.trace.emitted()


def test_a_run_with_every_kind_of_fault_is_among_them() -> None:
    """The saboteur: without faults in the runs, the budget that a schedule is given would not be tried."""
    struck: set[str] = set()
    for model, _, faults, network in RUNS:
        system = load_target(model, {"network": network, "faults": faults}, allow=("toyshop", "toyrack")).system
        for seed in range(60):
            struck |= set(simulate(system, Uniform(seed), max_steps=200).trace.struck())
    assert struck >= {"drop", "duplicate", "crash", "cut", "reorder", "agent_timeout", "rate_limited", "update"}


def test_every_form_of_an_address_is_among_them() -> None:
    said: set[str] = set()
    for model, _, faults, network in RUNS:
        system = load_target(model, {"network": network, "faults": faults}, allow=("toyshop", "toyrack")).system
        for seed in range(60):
            said |= set(simulate(system, Uniform(seed), max_steps=200).trace.schedule())
    forms = (
        "crash rack", "restart rack", "crash rack for good", "crashing with rack after", "crashing with rack for good after",
        "cut line for good", "crash client for good", "update front", "update front crashing", "move front.sweep",
        "paid by drop@Put", "writing kept, seen and sending Copy",
    )  # fmt: skip
    assert [form for form in forms if not any(form in text for text in said)] == []


def test_a_schedule_with_a_misspelt_item_is_refused_before_it_runs(tmp_path: Path) -> None:
    write_scenario(tmp_path / "r.yaml", model="models.paxos", schedule=["deliver c0->s0 Putt"])
    with pytest.raises(ScenarioError, match=r"r.yaml:3:5: .*unknown message type 'Putt' \(did you mean 'Put'\?\)"):
        load_scenario(tmp_path / "r.yaml")
    assert Graph(load_target("models.paxos").system).initial()
