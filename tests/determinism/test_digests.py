"""Same seed, same digest: in every process, under every hash seed, with cold and warmed-up tables; and a
process that cheats is caught."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models import consensus, paxos
from sim import Graph, System, Uniform, VirtualTime, check, simulate
from sim.cli import call

ROOT = Path(__file__).parents[2]
CHEATS = Path(__file__).parent
SCENARIO = "scenarios/consensus/round.yaml"


def elsewhere(hash_seed: str, *arguments: str) -> dict:  # type: ignore[type-arg]
    done = subprocess.run(
        [sys.executable, "-m", "sim", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_a_scenario_has_one_digest_in_all_processes_and_under_all_hash_seeds() -> None:
    answers = [elsewhere(seed, "run", SCENARIO) for seed in ("0", "1", "4242")]
    assert len({answer["digest"] for answer in answers}) == 1
    assert elsewhere("0", "run", SCENARIO, "--seed", "8")["digest"] != answers[0]["digest"]


@pytest.mark.parametrize("make", [VirtualTime, Uniform])
@pytest.mark.parametrize("system", [consensus.system(), paxos.system(2)], ids=["consensus", "paxos"])
def test_warmed_up_tables_change_nothing(system: System, make: type[VirtualTime] | type[Uniform]) -> None:
    cold = [simulate(system, make(seed)).digest for seed in range(6)]
    graph = Graph(system)
    for seed in range(50, 70):
        simulate(graph, make(seed))
    warm = [simulate(graph, make(seed)).digest for seed in reversed(range(6))]
    assert warm[::-1] == cold
    assert len(set(cold)) > 1


def test_a_pick_by_order_of_meeting_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.strategy.base.least", lambda actions, base: actions[base % len(actions)])
    with pytest.raises(AssertionError):
        test_warmed_up_tables_change_nothing(consensus.system(), Uniform)


def test_a_check_gives_the_same_counterexample_every_time() -> None:
    first, again = (check(consensus.system(sequencing=False)) for _ in range(2))
    assert [a.code for a in first.path] == [a.code for a in again.path]


def scenario(folder: Path, cheat: str) -> str:
    path = folder / f"{cheat}.yaml"
    path.write_text(f"model: cheats\nconfig: {{cheat: {cheat}}}\n")
    return str(path)


@pytest.mark.parametrize(
    "cheat", ["clock", "monotonic", "date", "now", "random", "coin", "hash", "set", "pid", "address"]
)
def test_a_process_that_cheats_is_caught_with_the_place(
    cheat: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(CHEATS))
    assert call(["run", scenario(tmp_path, cheat), "--model", "cheats", "--verify"]) == 3
    said = capsys.readouterr().err
    assert "Tick(number=3)" in said
    assert "first:" in said
    assert "second:" in said
    assert "usual cause" in said


def test_an_honest_process_is_not_accused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(CHEATS))
    assert call(["run", scenario(tmp_path, "honest"), "--model", "cheats", "--verify"]) == 0
    assert "verified" in capsys.readouterr().out
