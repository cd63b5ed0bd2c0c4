"""`sim check` of a program: how far it is ok, the counterexample, what makes no sense, and what ends it early."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from sim.checker.bounded import BoundedWalk
from sim.cli import call

PROGRAM = """
import asyncio
from sim import Program


def system(leaks: bool = False, sections: int = 2, order: str = "any"):
    async def main(world):
        lock = asyncio.Lock()

        async def use():
            for _ in range(sections):
                await lock.acquire()
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    if not leaks:
                        lock.release()
                    raise
                lock.release()

        await asyncio.gather(*(world.task("user", use()) for _ in range(3)), return_exceptions=True)

    return Program(main, order=order)
"""
UNSTEADY = PROGRAM.replace(
    "    async def main", "    import itertools\n    turns = itertools.count()\n\n    async def main"
).replace(
    "lock = asyncio.Lock()",
    "lock = asyncio.Lock()\n        for _ in range(next(turns) % 3):\n            await asyncio.sleep(0)",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "locked_program.py").write_text(PROGRAM, "utf-8")
    (tmp_path / "unsteady_program.py").write_text(UNSTEADY, "utf-8")
    return tmp_path


def check(capsys: pytest.CaptureFixture[str], *arguments: str, target: str = "locked_program") -> tuple[int, str, str]:
    status = call(["check", target, *arguments])
    return status, *capsys.readouterr()


def test_ok_within_the_bound_is_as_expected_and_not_complete(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(capsys)
    assert (status, err) == (0, "")
    assert (
        out.splitlines()[0]
        == "locked_program: every schedule with at most 2 deviations from the usual within these bounds"
    )
    assert out.splitlines()[-1] == "ok within 2 deviations (46 schedules)"
    status, out, _ = check(capsys, "--deviations", "1", "--json")
    data = json.loads(out)
    assert (status, data["verdict"], data["complete"], data["as_expected"]) == (0, "ok", False, True)
    assert (data["deviations"], data["bound_by"], data["schedules"], data["proved"]) == (1, "deviations", 10, [])


def test_ok_where_nothing_is_left_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--set", "sections=1", "--deviations", "99")
    status, out, _ = check(capsys, *given)
    assert (status, out.splitlines()[-1]) == (0, "ok: all 486 schedules")
    data = json.loads(check(capsys, *given, "--json")[1])
    assert (data["complete"], data["bound_by"], data["counterexample"]) == (True, None, None)
    assert "deadlock" in data["proved"]


def test_a_counterexample_is_kept_and_runs_again(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = check(capsys, "--set", "leaks=true", "--set", "faults=cancel:1@user", "--set", "order=fifo")
    assert status == 1
    assert "VIOLATED  deadlock: nothing can happen any more" in out
    replay = out.splitlines()[-1].partition("replay it with: ")[2]
    assert replay.startswith("sim run ")
    assert call(replay.split()[1:]) == 0
    assert "violated, as expected" in capsys.readouterr().out


def test_what_makes_no_sense_for_a_program_is_refused_in_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--reduce", "--exact", "--engine", "compiled", "--cycles", "on", "--max-states", "5")
    status, out, err = check(capsys, *options)
    assert (status, out) == (2, "")
    said = [line.partition(": ")[2].partition(":")[0] for line in err.splitlines()]
    assert said == ["--max-states", "--engine compiled", "--exact", "--reduce", "--cycles"]


def test_a_fault_that_strikes_nothing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    plan = "faults=cancel:1@user,crash:1@nobody"
    assert call(["fuzz", "locked_program", "--schedules", "100", "--set", plan]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("never struck")]
    assert said == ["never struck crash:1@nobody: what it names never came by"]


def test_there_is_no_machine_to_draw_in_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["draw", "locked_program"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is a program without monitors, so there is no machine to draw" in line


def test_deviations_of_a_model_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(capsys, "--deviations", "1", target="models.two_phase_commit")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("sim: --deviations bounds the check of a program; a model is checked whole")


@pytest.mark.parametrize(
    ("limit", "by", "why"),
    [(("--for", "0.001s"), "time", "the time was up"), (("--max-memory", "1"), "memory", "the memory bound")],
)
def test_what_a_limit_ends_is_incomplete(
    limit: tuple[str, ...], by: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = check(capsys, "--deviations", "99", *limit)
    assert status == 4
    assert out.splitlines()[-1].startswith(f"INCOMPLETE  {why}")
    data = json.loads(check(capsys, "--deviations", "99", *limit, "--json")[1])
    assert (data["verdict"], data["complete"], data["bound_by"]) == ("incomplete", False, by)


def test_a_program_that_differs_when_it_is_run_again_has_an_exit_status_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, _, err = check(capsys, target="unsteady_program")
    assert status == 3
    assert "the program did something else" in err
    assert err.count("\n") == 1


def test_an_interrupt_keeps_what_was_covered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, schedule = itertools.count(1), BoundedWalk._schedule

    def interrupted(walk: BoundedWalk, one: Any) -> None:
        if next(ran) == 21:
            raise KeyboardInterrupt
        schedule(walk, one)

    monkeypatch.setattr(BoundedWalk, "_schedule", interrupted)
    status, out, _ = check(capsys, "--deviations", "99")
    assert status == 130
    said = "INCOMPLETE  interrupted; nothing wrong in the schedules with up to 1 deviation, or run so far"
    assert out.splitlines()[-2].startswith("20 schedules, ")
    assert out.splitlines()[-1] == said
