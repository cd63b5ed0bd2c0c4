"""A run of no graph: two tasks and a server, told by hand, with as little as a story needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from sim import Process, System
from sim.report.outcome import JudgedRun
from sim.run.trace import Ending, Run
from sim.scenario import parse_scenario
from sim.world.finding import Finding
from sim.world.story import Actor, Fate, Happening, Journey, Look, Shown, Story

STORY = Story(
    network="streams",
    actors=(Actor("main"), Actor("client")),
    looks=(Look("running"), Look("waiting", (Shown("at", "Pool.acquire"),)), Look("done")),
    first=(0, 0),
    events=(
        Happening(0, None, "start", "", "start", "start", sent=(0,)),
        Happening(1, None, "resume", "client", "client  resumes", "resume client", changed=((1, 1),), sent=(1,)),
        Happening(2, None, "deliver", "main", "client -> main  2 bytes", "deliver client->main 2 bytes", journey=1),
        Happening(
            3,
            None,
            "cancel",
            "client",
            "client  is cancelled",
            "cancel client",
            faults=("cancel",),
            changed=((1, 2),),
            notes=("client: waiting -> done",),
            emitted=("Idle(count=1)",),
        ),
    ),
    journeys=(
        Journey("main", "client", "bytes", "5 bytes", 0),
        Journey("client", "main", "bytes", "2 bytes", 1, ended=2, fate=Fate.DELIVERED),
    ),
)


LEAK = Finding("no_leak", "a connection is never given back")


@dataclass
class Judged:
    """What was judged in the run."""

    judged: tuple[str, ...] = ()
    goals: tuple[()] = ()


@dataclass
class Trace:
    """The plain parts of a trace."""

    story: Story
    sent: int = 2
    delivered: int = 1
    handler_calls: int = 3
    time_ms: int | None = None
    world: Judged = field(default_factory=Judged)

    def tell(self) -> Story:
        return self.story

    def emitted(self) -> dict[str, int]:
        return {"Idle": 1}

    def rejected(self) -> dict[str, int]:
        return {}

    def struck(self) -> dict[str, int]:
        return {"cancel": 1}


@dataclass
class Told:
    """The plain parts of a run."""

    trace: Trace
    ending: Ending = Ending.VIOLATED
    finding: Finding | None = LEAK
    verdict: str = "violated"
    round: int = 0
    steps: int = 3
    digest: str = "0" * 64
    reached: dict[str, bool] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=lambda: {"main": "running", "client": "done"})


class Declared(Process):
    states = ("here",)
    transitions = ()


def system() -> System:
    """What a scenario file has to name. It never runs."""
    return System({"main": Declared(), "client": Declared()})


def reported(run: Run) -> JudgedRun:
    """A run of no graph, as it is reported."""
    scenario = parse_scenario("model: tests.report.by_hand\n", "pool.yaml", allow=("tests.report.by_hand",))
    return JudgedRun(scenario, run, replay="sim run pool.yaml")


def by_hand(story: Story = STORY) -> JudgedRun:
    """The run told by hand."""
    return reported(cast(Run, Told(Trace(story))))
