"""What a planted fault of the consensus model is, and the worlds in which it is looked for.

All of them live in the same world: a former run has left its artifact in the store and some late messages in
the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.consensus import system
from models.consensus.consumer import Consumer
from models.consensus.coordinator import Coordinator
from models.consensus.countdown import Clock
from models.consensus.messages import AckDecision
from models.consensus.options import RUN
from models.consensus.peers import ArtifactStore, Former
from sim import Process, System

TWO: Mapping[str, Any] = {"stages": ("validate", "audit")}
INPUTS, EFFECTS, GATE = "exactly_once_inputs", "exactly_once_effects", "ack_gate"


def changed(base: type[Process], trigger: object, state: str, **row: Any) -> tuple[Mapping[str, Any], ...]:
    """The table of `base` with one row before all others: `trigger` in `state` does what `row` says."""
    return ({"trigger": trigger, "source": state, **row}, *base.transitions)


@dataclass(frozen=True)
class Saboteur:
    """One planted fault: the process that is a base of `fault` becomes a `fault`.

    - `faults`, `config`: the smallest bounds in which the fault can show (`config` beside `SMALL`)
    - `prop`: what the check says is violated there
    - `schedules`, `examples`: within how many of them the fuzz (seeds 0 to 2) and the stateful test find it there
    """

    name: str
    fault: type[Process]
    prop: str
    faults: str = "none"
    config: Mapping[str, Any] = field(default_factory=dict)
    schedules: int = 20
    examples: int = 2_000

    @property
    def process(self) -> str:
        """The process that is replaced."""
        bases = {Coordinator: "coordinator", ArtifactStore: "store", Consumer: "consumer", Clock: "clock"}
        return next(name for base, name in bases.items() if issubclass(self.fault, base))

    def small(self) -> System:
        """The smallest bounds that contain the fault, and the fault."""
        return sabotaged(self.bounds(), self.process, self.fault)

    def bounds(self) -> System:
        """The same bounds around the sound model."""
        return world({**SMALL, **self.config}, self.faults)


LATE = ("Response", "Stored", "AckDecision")
SMALL: Mapping[str, Any] = {"agents": 1, "retries": 0, "resends": 0, "stop": False, "former": LATE}
WIDE: Mapping[str, Any] = {
    "former": (*LATE, "Decision", "Tick"),
    "agents": 2,
    "rounds": 2,
    "stages": ("plan", "validate"),
    "retries": 1,
    "resends": 2,
    "stop": True,
    "cancel": True,
    "updates": 3,
    "queue": 2,
    "countdown": 1,
}
# Each request is sent again as often as its message or its answer may be lost: dropped, or in a crash of its receiver.
WIDE_FAULTS = "duplicate:1,drop:1,agent_timeout:1,disconnect:1,crash:1@coordinator,crash:1@store,crash:1@consumer"


def world(config: Mapping[str, Any], faults: str) -> System:
    """The sound model in the world that a former run has left. A run that begins later than in round 1 has
    a late acknowledgement of its own last decision besides."""
    sound = system(**config).with_(faults=faults)
    done = config.get("first_round", 1) - 1
    if not done:
        return sound
    former = sound.processes["former"]
    assert isinstance(former, Former)
    late = Former(late=(*former.late, ("OwnAckDecision", "coordinator", AckDecision(RUN, done))))
    return sound.with_(processes={**sound.processes, "former": late})


def wide() -> System:
    """Everything at once: two rounds of two stages, updates, countdowns, a stop, a cancellation, crashes."""
    return world(WIDE, WIDE_FAULTS)


def sabotaged(sound: System, process: str, fault: type[Process]) -> System:
    """The same system but for one process, which becomes a `fault` with the same fields; where nobody has that
    process (no clock without a countdown) there is nothing to become one."""
    if process not in sound.processes:
        return sound
    former = sound.processes[process]
    fields = dict(zip(type(former).table.fields, former.field_values(), strict=True))
    return sound.with_(processes={**sound.processes, process: fault(**fields)})
