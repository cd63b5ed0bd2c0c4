"""Digests of schedules, here and in other processes."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sim import Program, Uniform, simulate
from sim.fuzzer.fuzz import schedule_seed
from sim.live.around import around
from sim.strategy import make_strategy
from tests.live.by_chance import drawn

ROOT = Path(__file__).parents[2]
STEPS_MAX = 400


def of_schedules(program: Program, seeds: int) -> list[str]:
    """The digests of the first schedules of the default fuzz."""
    with around.walks():
        return [
            simulate(program, make_strategy("portfolio", schedule_seed(0, number), number=number)).digest
            for number in range(seeds)
        ]


def of_drawn(seeds: int) -> list[str]:
    """The digests of programs drawn at random, of each under one schedule."""
    with around.walks():
        return [simulate(drawn(seed), Uniform(seed), max_steps=STEPS_MAX).digest for seed in range(seeds)]


def made(module: str, function: str = "system", **given: object) -> Program:
    """The program that a function of a module makes."""
    return getattr(importlib.import_module(module), function)(**given)  # type: ignore[no-any-return]


def elsewhere(hash_seeds: Sequence[str], call: str) -> Iterator[list[str]]:
    """What a call of these functions gives in processes with these hash seeds; as many at once as there are."""
    code = f"import json; from tests.live.digests import *; print(json.dumps({call}))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim" / "beside")])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in hash_seeds
    ]
    for process in started:
        said, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{call} ended with {process.returncode} in another process")
        yield json.loads(said)
