"""Same seed, same digest: in every process, under every hash seed, with cold and warmed-up tables; and a
process that cheats is caught."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from models import consensus, paxos
from sim import Graph, System, Uniform, VirtualTime, check, simulate
from sim.cli import call
from tests.determinism import cheats

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


# --- python -O --------------------------------------------------------------------------------------


def digests(flag: str, files: Sequence[str], *more: str, path: Path = ROOT) -> list[str]:
    """The digests of scenario files, all run by one `python FLAG`; `path` is a folder that has modules."""
    places = [str(path), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, *filter(None, [flag]), "-m", "sim", "run", *files, *more, "--json"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stderr
    return [run["digest"] for run in json.loads(done.stdout)["runs"]]


def test_all_scenarios_have_the_same_digests_with_and_without_optimisation() -> None:
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "scenarios").rglob("*.yaml"))
    plain = digests("", files)
    assert len(plain) == len(files)
    assert digests("-OO", files) == plain  # which leaves out whatever -O does
    assert digests("-O", files[::10]) == plain[::10]


def test_an_effect_in_an_assert_would_be_caught(tmp_path: Path) -> None:
    source = (CHEATS / "cheats.py").read_text("utf-8")
    planted = source.replace(
        "self.seen = self.peek()", "assert isinstance(object.__setattr__(self, 'seen', 4), object)"
    )
    assert planted != source
    (tmp_path / "asserting.py").write_text(planted)
    file = tmp_path / "asserting.yaml"
    file.write_text("model: asserting\n")
    plain, optimised = (digests(flag, [str(file)] * 2, "--model", "asserting", path=tmp_path) for flag in ("", "-O"))
    assert plain != optimised


def test_what_a_model_asserts_is_not_left_out_in_silence(tmp_path: Path) -> None:
    source = (CHEATS / "cheats.py").read_text("utf-8")
    file = tmp_path / "claiming.yaml"
    file.write_text("model: claiming\n")
    said = {}
    for claim in ("self.seen == self.peek()", "isinstance(self.seen, int)", "self.seen is not None"):
        planted = source.replace("self.seen = self.peek()", f"assert {claim}")
        assert planted != source
        (tmp_path / "claiming.py").write_text(planted)
        done = subprocess.run(
            [sys.executable, "-O", "-m", "sim", "run", str(file), "--model", "claiming"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
            capture_output=True,
            text=True,
            check=False,
        )
        said[claim] = done.returncode, "asserts, which python -O leaves out (claiming.py:" in done.stderr
    assert list(said.values()) == [(2, True), (0, False), (0, False)]


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


@pytest.mark.parametrize("cheat", [name for name in cheats.CHEATS if name != "honest"])
def test_a_process_that_cheats_is_caught_with_the_place(
    cheat: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(CHEATS))
    monkeypatch.setenv("CHEATING", "yes")
    monkeypatch.setattr("sim.run.verify.MACHINES", (2,))  # what one machine shows, all of them show
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


def test_a_cheat_in_a_place_that_stays_the_same_would_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the processes are not elsewhere, what is read of the machine is not found."""
    monkeypatch.syspath_prepend(str(CHEATS))
    monkeypatch.setattr("sim.run.elsewhere._environment", lambda *_: {**os.environ, "PYTHONPATH": _here()})
    assert call(["run", scenario(tmp_path, "file"), "--model", "cheats", "--verify"]) == 0
    assert "verified" in capsys.readouterr().out


def _here() -> str:
    return os.pathsep.join(filter(None, sys.path))


def test_a_scenario_and_a_model_that_are_found_from_the_working_folder_are_found_elsewhere_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text((CHEATS / "cheats.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.roundsim]\nmodels = ["mine"]\n')
    (tmp_path / "my.yaml").write_text("model: mine\n")
    monkeypatch.chdir(tmp_path)
    assert call(["run", "my.yaml", "--verify"]) == 0
    assert "verified" in capsys.readouterr().out


# --- addresses --------------------------------------------------------------------------------------


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Runs the model that fails in one way, here and in fresh processes; the exit status."""
    monkeypatch.syspath_prepend(str(CHEATS))
    file = tmp_path / "failing.yaml"

    def run(how: str) -> int:
        file.write_text(f"model: failing\nconfig: {{how: {how}}}\nexpect: {{verdict: violated}}\n")
        return call(["run", str(file), "--model", "failing", "--verify"])

    return run


@pytest.mark.parametrize("how", ["process", "monitor"])
def test_a_failure_that_prints_an_address_has_one_digest_in_all_processes(
    how: str, failing: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(how) == 0
    said = capsys.readouterr().out
    assert "VIOLATED" in said
    assert " at 0x" not in said


@pytest.mark.parametrize("how", ["process", "monitor"])
def test_an_address_that_is_left_in_is_caught(
    how: str, failing: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.machine.handler._ADDRESS", re.compile("never"))
    assert failing(how) == 3


def test_a_process_is_printed_without_its_address() -> None:
    assert repr(consensus.system().processes["coordinator"]) == "<Coordinator>"
