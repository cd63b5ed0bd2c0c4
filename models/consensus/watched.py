"""What watches a consensus run: its monitors and properties, by what the run is configured with."""

from __future__ import annotations

from typing import Any

from sim import EffectLedger, Monitor, View, always, sometimes

from .aggregator import COMES_LAST
from .answers import AllDecided, FirstUsable, Verdicts
from .coordinator import Coordinator
from .gates import AllDecidedOrRefused, GateVerdicts, PersonRules
from .guarded import SingleFlight
from .monitors import (
    AckGate,
    DropsTold,
    FromTheNewest,
    Inputs,
    RunsOut,
    StopOnce,
    TakenInOrder,
    UpdatesOnce,
)
from .staged import Staged
from .thrift import WITHIN_BUDGET, Thrifty


def monitors(
    coordinator: Coordinator, done: int, quorum: tuple[int, int], *, updates: bool, countdown: bool
) -> dict[str, Monitor]:
    """The monitors of a run that `done` decisions came before; `quorum` is what its verdicts are held to."""
    run, stages, rounds = coordinator.run, coordinator.stages, range(1, coordinator.rounds + 1)
    steps = tuple((round_, stage.name) for round_ in rounds for stage in stages)[done:]
    last = coordinator.number()
    gated = isinstance(coordinator, Staged) and coordinator.gates
    return {
        "ack_gate": AckGate(run=run, decided=last, taken=last, released=last),
        "stop_once": StopOnce(),
        "exactly_once_inputs": Inputs(
            process="coordinator", types=("Response", "AckDecision", "Update"), redelivered=True
        ),
        "exactly_once_effects": EffectLedger(),
        "first_usable": FirstUsable(run=run, attempts_max=coordinator.retries + 1, steps=steps),
        "all_decided": (AllDecidedOrRefused if gated else AllDecided)(steps=steps),
        "verdicts": (GateVerdicts if gated else Verdicts)(run=run, stages=stages, quorum=quorum),
        "taken_in_order": TakenInOrder(run=run, stored=last, taken=last),
        **(_around(coordinator, steps) if isinstance(coordinator, Staged) else {}),
        **(_of_updates(coordinator.queue_max) if updates else {}),
        **({"runs_out": RunsOut()} if countdown else {}),
    }


def _around(coordinator: Staged, steps: tuple[tuple[int, str], ...]) -> dict[str, Monitor]:
    """What must hold of what is around the stages."""
    found: dict[str, Monitor] = {}
    if coordinator.guardrail:
        found["single_flight"] = SingleFlight(steps=steps)
    if coordinator.gates:
        found["person_rules"] = PersonRules(steps=steps)
    return found


def _of_updates(queue_max: int) -> dict[str, Monitor]:
    return {
        "updates_once": UpdatesOnce(),
        "from_the_newest": FromTheNewest(),
        "drops_told": DropsTold(queue_max=queue_max),
    }


def properties(coordinator: Coordinator, *, stop: bool) -> tuple[Any, ...]:
    """What holds in every state, and what must be possible at all."""
    budget_ms = coordinator.policy().budget_ms
    held = [sometimes("a run comes to its end", lambda coordinator: coordinator.state == "done")]
    if stop:
        held.append(sometimes("a run is stopped", lambda coordinator: coordinator.state == "stopped"))
    if any(stage.sequential for stage in coordinator.stages):
        held.append(always("one agent at a time", _in_turn))
    if budget_ms is not None:
        held.append(
            always(
                "no wait beyond the budget",
                lambda coordinator: all(spent_ms <= budget_ms for _, spent_ms in coordinator.journal.spent),
            )
        )
    if isinstance(coordinator, Staged) and coordinator.aggregator:
        held.append(COMES_LAST)
    if isinstance(coordinator, Thrifty):
        held.append(WITHIN_BUDGET)
    return tuple(held)


def _in_turn(coordinator: View) -> bool:
    """In a sequential stage at most one agent is waited for."""
    journal, stages = coordinator.journal, coordinator.stages
    key = journal.sequence[2]
    stage = stages[key[1] % len(stages) if key else 0]
    done = {*journal.given_up, *(agent for agent, _ in journal.answers)}
    asked = [agent for agent, attempt in zip(stage.roster, journal.attempts, strict=False) if attempt]
    return not stage.sequential or sum(agent not in done for agent in asked) <= 1
