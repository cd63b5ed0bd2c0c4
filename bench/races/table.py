"""The shapes of races in one table, and what is found of each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from sim import Program


@dataclass(frozen=True)
class Race:
    """A shape of race.

    - `what`: what goes wrong, in a sentence
    - `prop`: the property that the fuzz says is violated
    - `seen`: where the same shape was reported in public
    - `racy`, `fixed`: make the program with the race, and its twin without
    - `target`: what to name on the command line
    """

    name: str
    what: str
    prop: str
    seen: str
    racy: Callable[[], Program]
    fixed: Callable[[], Program]
    target: str


def of_module(module: str, prop: str, seen: str) -> Race:
    """The race of a module of this package; the first paragraph of its docstring names it and says what goes wrong."""
    target = f"bench.races.{module}"
    made = importlib.import_module(target)
    name, _, what = (made.__doc__ or "").partition("\n\n")[0].replace("\n", " ").partition(": ")
    return Race(name, what, prop, seen, made.system, lambda: made.system(fixed=True), target)


RACES = (
    of_module("reply", "own_answer", "redis-py 4.5.1 (issue 2624) and aredis (issues 52 and 171)"),
    of_module("reply_stream", "own_answer", "redis-py up to 4.5.3 (issues 2624 and 2665)"),
    of_module("swallow", "stops_when_told", "`asyncio.wait_for` before Python 3.12 (CPython issues 86296 and 107547)"),
    of_module("notify", "deadlock", "`asyncio.Condition` before Python 3.13 (CPython issue 112202)"),
    of_module("item", "no item is lost", "anyio before its version 2 (issue 146)"),
    of_module("slot", "no_leak", "httpcore 1.0.9 (issue 1093, and before it 658 and 830)"),
    of_module("wake", "deadlock", "`asyncio.Semaphore` of 2015 (asyncio issue 270) and `asyncio.Lock` (bpo-27585)"),
    of_module("token", "no token is granted twice", "`CapacityLimiter` of anyio 4.13 (issue 1170)"),
    of_module("stampede", "one at a time computes", "`cached` of aiocache, without any cancellation (issue 1041)"),
    of_module("stop", "deadlock", "anycorn 0.20 (pull request 88) and gunicorn 20.0.4 (issue 2529)"),
    of_module("guardrail", "outlives", "openai-agents-python (pull requests 2416, 3239 and 3982)"),
    of_module("session", "there is one session", "viam-python-sdk (pull request 1001)"),
    of_module(
        "slow_reader", "all is read", "`asyncio.StreamReader`, where the end is an error (CPython issue 75044, open)"
    ),
    of_module("completion", "exception", "livekit agents (issue 3400) and pymodbus 3.8.3 (issue 2580)"),
    of_module("timeout", "deadlock", "aioapns (issue 42) and, with a cancellation, web3.py (issue 2693)"),
)
