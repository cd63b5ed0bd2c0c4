"""Worlds of both kinds, for one suite: graphs of systems, and programs that are run again by the path of their choices."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import models.consensus
import models.two_phase_commit
import tests.fuzzed
from sim import Graph, System
from sim.live.live_world import LiveWorld
from sim.run.trace import Run, Trace
from sim.strategy import STRATEGIES, Canonical, Drawn, Strategy, TwoPhase
from sim.world.choice import Start
from sim.world.world import AnyWorld
from tests.worlds import live_programs
from tests.worlds.execution import Program
from tests.worlds.path_world import PathWorld
from tests.worlds.programs import BROKEN as PROGRAMS
from tests.worlds.programs import Ticking

ROOT = Path(__file__).parents[2]
Make = Callable[[], AnyWorld]


def graph(system: Callable[[], System]) -> Make:
    return lambda: Graph(system())


def path(program: type[Program]) -> Make:
    return partial(PathWorld, program)


class Broken(NamedTuple):
    """A world with a bug, its mended twin, and the property that the bug violates."""

    world: Make
    twin: Make
    property: str


SOUND: dict[str, Make] = {
    **{name: graph(system) for name, system in tests.fuzzed.SOUND.items()},
    **{f"{name}, mended": path(mended) for name, (_, mended, _) in PROGRAMS.items()},
    "ticking": path(Ticking),
    "stock, mended": lambda: LiveWorld(live_programs.stock(mended=True)),
    "slot, mended": lambda: LiveWorld(live_programs.slot(mended=True)),
}
"""Worlds in which nothing is wrong. `again`, `restless` and `ticking` go on for ever."""

BROKEN: dict[str, Broken] = {
    "relay": Broken(graph(lambda: tests.fuzzed.relay(6, 4)), graph(lambda: tests.fuzzed.relay(6, 7)), "whole"),
    "hasty commit": Broken(graph(tests.fuzzed.hasty), graph(lambda: models.two_phase_commit.system(2)), "consistent"),
    "consensus": Broken(
        graph(lambda: models.consensus.system(sequencing=False).judging("first_usable")),
        graph(models.consensus.system),
        "first_usable",
    ),
    **{name: Broken(path(bad), path(mended), prop) for name, (bad, mended, prop) in PROGRAMS.items()},
    "stock": Broken(lambda: LiveWorld(live_programs.stock()), SOUND["stock, mended"], "never_below"),
    "slot": Broken(lambda: LiveWorld(live_programs.slot()), SOUND["slot, mended"], "deadlock"),
}

KINDS: dict[str, Make] = {
    "graph": SOUND["factory"],
    "path": SOUND["lost parcel, mended"],
    "program": SOUND["slot, mended"],
}
"""One of each kind, with faults."""

EVERY: dict[str, Callable[[int], Strategy]] = {
    **STRATEGIES,
    "two_phase": TwoPhase,
    "canonical": lambda _: Canonical(),
    "drawn": lambda seed: Drawn(sha256(str(seed).encode()).digest() * 2),
}
"""Every strategy but the replay of a schedule, by a seed."""


class Wrapped:
    """A world that does as another, but for what a subclass changes."""

    def __init__(self, world: AnyWorld) -> None:
        self.inner: Any = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def world(self) -> Any:
        return self


def untimed(run: Run) -> str:
    """The digest of a run as it were without a clock."""
    start: Start[Any] = run.trace.start
    return Trace(run.trace.world, start, [(None, choice) for _, choice in run.trace.steps]).digest


def elsewhere(hash_seed: str, module: str, call: str) -> subprocess.Popen[str]:
    """A process with another hash seed that prints, as JSON, what a call of this module gives."""
    code = f"import json; from sim.live.around import around; from {module} import *\nwith around.walks(): print(json.dumps({call}))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
