"""Runs that pages and exports are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim import Emission, Message, Monitor, Process, System
from sim.report.outcome import JudgedRun, compare
from sim.run.of_scenario import simulate_scenario
from sim.scenario import Scenario, load_scenario

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").rglob("*.yaml"))
LATE = ROOT / "scenarios/consensus/r8_late_original_unsequenced.yaml"
"""Ends with a violation in step 7."""


def outcome_of(path: Path, **changes: Any) -> JudgedRun:
    """A scenario file, run."""
    return finished(load_scenario(path, **changes))


def finished(scenario: Scenario) -> JudgedRun:
    run = simulate_scenario(scenario)
    return compare(scenario, run, f"sim run {scenario.path}")


def written(folder: Path, text: str, **changes: Any) -> JudgedRun:
    """A scenario of this text, run."""
    path = folder / "scenario.yaml"
    path.write_text(text)
    return outcome_of(path, **changes)


def faulty(folder: Path) -> JudgedRun:
    """A run with every kind of thing that can happen to a message."""
    return written(
        folder,
        """
model: tests.report.runs
expect: {verdict: ok}
schedule:
  - duplicate a->b Ping(n=1)
  - drop a->b Ping(n=2)
  - deliver a->b Ping(n=1)
  - cut wire
  - heal wire
  - deliver a->b Ping(n=1) crashing after Pong
  - restart b
  - deliver b->a Pong
  - fire a.again
  - move a.nudge
""",
        allow=("tests.report.runs",),
    )


class Ping(Message):
    n: int


class Pong(Message):
    n: int


class Heard(Emission):
    text: str


class Asker(Process):
    states = ("up", "glad")
    timers = ("again",)
    may = ("nudge",)
    transitions = (
        {"trigger": Pong, "source": "*", "dest": "glad"},
        {"trigger": "again", "source": "*", "dest": None, "after": "ask"},
        {"trigger": "nudge", "source": "*", "dest": None, "after": "note"},
    )

    nudged: bool = False

    def on_start(self) -> None:
        for n in (1, 2):
            self.send("b", Ping(n))
        self.arm("again", 50)

    def ask(self) -> None:
        self.send("b", Ping(3))

    def note(self) -> None:
        self.nudged = True
        self.send("a", Pong(9))


class Answerer(Process):
    states = ("open",)
    durable = ("count",)
    transitions = ({"trigger": Ping, "source": "open", "dest": None, "after": "answer"},)

    count: int = 0

    def answer(self, ping: Ping) -> None:
        self.send("a", Pong(ping.n))
        self.count += 1
        self.emit(Heard(f"ping {ping.n}"))


class Ear(Monitor):
    states = ("quiet", "heard")
    transitions = ({"trigger": Heard, "source": "*", "dest": "heard"},)


def system() -> System:
    from sim import cut

    return System(
        {"a": Asker(), "b": Answerer()},
        monitors={"ear": Ear()},
        faults="duplicate:1,drop:1,crash:1,cut:1",
        cuts={"wire": cut({"a"})},
    )
