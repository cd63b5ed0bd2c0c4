"""How long `sim conform` takes: run it as `python -m bench.conform`."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from sim.base import printing
from sim.cli import call
from sim.conform.conformance import Judging
from sim.conform.following import Follower
from sim.conform.log_of_run import log_text
from sim.conform.logged import read_logs
from sim.conform.recorder import Recorder
from sim.run.simulation import simulate
from sim.scenario import load_target
from sim.strategy import Uniform
from tests.conform.judged import system

RUNS = 10_000


def many_runs(path: Path) -> None:
    """Ten thousand runs of 16 lines in one file, judged by two processes, from the command line."""
    graph = Judging(load_target("models.consensus").system).graph
    with path.open("w") as file:
        for seed in range(RUNS):
            head, *lines = log_text(
                simulate(graph, Uniform(seed), max_steps=16).trace, None, {}, str(seed)
            ).splitlines()
            file.write("\n".join(([head] if seed == 0 else []) + lines[:16]) + "\n")
    command = ["conform", str(path), "--model", "models.consensus", "--workers", "2", "--out", str(path.parent)]
    start = time.perf_counter()
    status = call(command)
    printing.out(f"{RUNS:,} runs of 16 lines by two processes, exit {status}: {time.perf_counter() - start:.1f} s")


def followed(judging: Judging, path: Path) -> None:
    """The same long run, line by line."""
    (run,) = read_logs([str(path)]).runs.values()
    follower, kept = Follower(judging, ""), 0
    start = time.perf_counter()
    for line in run.lines:
        follower.add(line)
        kept = max(kept, follower.kept)
    spent = time.perf_counter() - start
    verdict = follower.answer(ended=True).verdict
    printing.out(f"{len(run.lines):,} lines followed, {verdict}: {spent:.2f} s, at most {kept} nodes kept")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        judging = Judging(load_target("models.consensus").system, hints=False)
        spent = 0.0
        for seed in range(100):
            path.write_text(log_text(simulate(judging.graph, Uniform(seed), max_steps=16).trace, None, {}))
            start = time.perf_counter()
            for run in read_logs([str(path)]).runs.values():
                judging.judge(run)
            spent += time.perf_counter() - start
        printing.out(f"a run of 16 steps of models.consensus: {spent * 10:.1f} ms")
        judging = Judging(system(5000), hints=False)
        trace = simulate(judging.graph, Uniform(0), max_steps=10_000).trace
        for observed in (("client", "server"), ("client",)):
            lines = log_text(trace, None, {}).splitlines()
            kept = [lines[0], *(line for line in lines[1:] if json.loads(line)["process"] in observed)]
            path.write_text("\n".join(kept) + "\n")
            start = time.perf_counter()
            (answer,) = map(judging.judge, read_logs([str(path)]).runs.values())
            printing.out(f"{answer.lines} lines, {answer.verdict}: {time.perf_counter() - start:.2f} s")
            if len(observed) > 1:
                followed(judging, path)
        with Recorder(path) as recorder:
            log = recorder.process("server")
            start = time.perf_counter()
            for number in range(20_000):
                log.received("client", "Ask", {"number": number})
                log.sent("client", "Reply", {"number": number})
            printing.out(f"a line recorded: {(time.perf_counter() - start) / 20_000 * 1e6:.1f} us")
        many_runs(path)


if __name__ == "__main__":
    main()
