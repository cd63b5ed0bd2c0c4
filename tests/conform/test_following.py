"""A log that goes on is judged as it would be whole, at each line, and nothing is kept for long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.conform.conformance import Judging
from sim.conform.following import BACK, LATE, Follower
from sim.conform.logged import LoggedRun, LogLine
from sim.conform.spoiling import KINDS, Draws, spoil
from sim.scenario import load_target
from tests.conform.judged import WHOLE, observed, run_of, system, trace_of, verdict
from tests.conform.small import SMALL
from tests.counts import examples


def followed(judging: Judging, lines: Sequence[LogLine], **names: str) -> tuple[str, int]:
    """The verdict at the end, and after how many lines it was certain that it is bad."""
    follower = Follower(judging, "", names)
    for count, line in enumerate(lines, 1):
        if follower.add(line):
            return follower.answer(ended=True).verdict, count
    return follower.answer(ended=True).verdict, 0


def late(lines: list[LogLine], seed: int, most: int = 4) -> list[LogLine]:
    """These lines in another order; each process keeps its own."""
    dice, found = Draws(seed), list(lines)
    for _ in range(most * len(lines)):
        at = dice.below(len(found) - 1) if len(found) > 1 else 0
        if len(found) > 1 and found[at].process != found[at + 1].process:
            found[at], found[at + 1] = found[at + 1], found[at]
    return found


@pytest.mark.parametrize("model", ["models.two_phase_commit", "models.paxos"])
def test_a_run_of_the_model_conforms_at_every_line(model: str, tmp_path: Path) -> None:
    judging = Judging(load_target(model).system)
    for seed in range(examples(200) // 5):
        run = run_of(tmp_path / "a.jsonl", observed(trace_of(judging.graph, seed), None, (WHOLE, ())[seed % 2]))
        follower = Follower(judging, "")
        for line in run.lines:
            assert not follower.add(line), (seed, line.number)
        answer = follower.answer(ended=False)
        assert (answer.verdict, answer.explained) == ("ok", len(run.lines)), seed


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_spoilt_is_refuted_exactly_when_it_is_in_the_whole_log(kind: str, tmp_path: Path) -> None:
    judging = Judging(load_target("models.two_phase_commit", {"resource_managers": "2"}).system)
    answers = set()
    for seed in range(examples(200) // 2):
        processes = (None, ("manager",), ("rm1", "manager"))[seed % 3]
        lines = observed(trace_of(judging.graph, seed), processes, (WHOLE, ("state",), ())[seed % 4 % 3])
        spoilt = spoil(run_of(tmp_path / "a.jsonl", lines).lines, kind, Draws(seed))
        if spoilt is None:
            continue
        expected = verdict(judging.graph, LoggedRun("", spoilt))
        assert followed(judging, spoilt)[0] == expected, seed
        answers.add(expected)
    assert "violated" in answers


@pytest.mark.parametrize("small", SMALL)
def test_faults_timers_and_choices_are_followed_as_they_are_judged_whole(small: str, tmp_path: Path) -> None:
    judging = Judging(SMALL[small]())
    names, answers = judging.graph.names[: judging.graph.width], set()
    for seed in range(examples(400)):
        dice = Draws(seed)
        lines = observed(
            trace_of(judging.graph, seed, 12), (None, names[:1], names[1:])[seed % 3], (WHOLE, ())[seed % 2]
        )
        run = run_of(tmp_path / "a.jsonl", lines).lines
        assert followed(judging, late(run, seed)) == ("ok", 0), seed
        for kind in KINDS:
            spoilt = spoil(run, kind, dice)
            if spoilt:
                expected = verdict(judging.graph, LoggedRun("", spoilt))
                assert followed(judging, spoilt)[0] == expected, (seed, kind)
                answers.add(expected)
    assert answers == {"ok", "violated"}


def test_lines_that_come_late_are_waited_for(tmp_path: Path) -> None:
    judging = Judging(load_target("models.two_phase_commit", {"resource_managers": "2"}).system)
    for seed in range(examples(200) // 2):
        lines = run_of(tmp_path / "a.jsonl", observed(trace_of(judging.graph, seed), None, WHOLE)).lines
        shuffled = late(lines, seed)
        assert followed(judging, shuffled) == ("ok", 0), seed


def test_a_mismatch_is_certain_at_its_line_where_nobody_could_still_explain_it(tmp_path: Path) -> None:
    judging = Judging(system(asks=50))
    lines = observed(trace_of(judging.graph, 1, 300), None, WHOLE)
    bad = next(
        at for at, line in enumerate(lines) if at > 40 and line["process"] == "client" and line["state"] == "idle"
    )
    lines[bad]["state"] = "done"
    run = run_of(tmp_path / "a.jsonl", lines)
    assert followed(judging, run.lines) == ("violated", bad + 1)
    follower = Follower(judging, "")
    for line in run.lines:
        if follower.add(line):
            break
    answer = follower.answer(ended=True)
    assert (answer.number, answer.process, answer.explained) == (bad + 2, "client", bad)
    assert answer.differs[0]["what"] == "state"
    assert len(answer.schedule or ()) == bad - 2  # each process has a line for its start
    whole = judging.judge(run)
    assert (whole.number, whole.differs, whole.possible) == (answer.number, answer.differs, answer.possible)


def kept_over(judging: Judging, lines: Sequence[LogLine]) -> list[tuple[int, int]]:
    follower, kept = Follower(judging, ""), []
    for line in lines:
        assert not follower.add(line)
        kept.append((follower.kept, follower.remembered))
    assert follower.answer(ended=True).verdict == "ok"
    return kept


def grows(kept: list[tuple[int, int]]) -> bool:
    """Whether more is kept in the last quarter than there ever was in the second."""
    quarter = len(kept) // 4
    return any(
        max(one[what] for one in kept[-quarter:]) > max(one[what] for one in kept[quarter : 2 * quarter])
        for what in (0, 1)
    )


def test_what_is_kept_does_not_grow_with_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judging = Judging(system(asks=400))
    lines = run_of(tmp_path / "a.jsonl", observed(trace_of(judging.graph, 0, 1200), None, WHOLE)).lines
    assert len(lines) > 1000
    kept = kept_over(judging, lines)
    assert not grows(kept)
    assert max(nodes for nodes, _ in kept) < 10 * BACK
    assert max(lines for _, lines in kept) < 2 * LATE
    monkeypatch.setattr(Follower, "_settle", lambda _: None)
    assert grows(kept_over(judging, lines))


def test_the_path_is_whole_though_most_of_it_is_not_in_memory(tmp_path: Path) -> None:
    judging = Judging(system(asks=100), lanes=True)
    trace = trace_of(judging.graph, 3, 400)
    run = run_of(tmp_path / "a.jsonl", observed(trace, None, WHOLE))
    follower = Follower(judging, "")
    for line in run.lines:
        follower.add(line)
    answer = follower.answer(ended=False)
    assert list(answer.schedule or ()) == [str(action.address) for _, action in trace.steps]
    assert answer.lanes is not None
    assert [line.number for lines in answer.lanes.steps for line in lines] == [line.number for line in run.lines]


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_process_that_was_killed_needs_no_line(comes_back: bool, tmp_path: Path) -> None:
    judging = Judging(load_target("models.two_phase_commit", faults="crash:1@manager").system)
    seen, verdicts = 0, set()
    for seed in range(100):
        lines = observed(trace_of(judging.graph, seed, 40), None, WHOLE)
        killed = next((at for at, line in enumerate(lines) if "crash" in line["input"]), None)
        if killed is None:
            continue
        after = lines[killed + 1 :]
        lines = lines[:killed] + [line for line in after if comes_back or line["process"] != "manager"]
        run = run_of(tmp_path / "a.jsonl", lines)
        expected = judging.judge(run).verdict
        assert followed(judging, run.lines)[0] == expected, seed
        seen += 1
        verdicts.add(expected)
    assert seen > 20
    assert "ok" in verdicts


def test_a_start_that_does_not_fit_is_told_as_in_a_whole_log(tmp_path: Path) -> None:
    judging = Judging(system())
    lines = observed(trace_of(judging.graph, 1), None, WHOLE)
    lines[1]["state"] = "down"
    run = run_of(tmp_path / "a.jsonl", lines)
    assert followed(judging, run.lines) == ("violated", 3)  # the first line that is not a start
    follower = Follower(judging, "")
    for line in run.lines[:2]:
        assert not follower.add(line)
    answer, whole = follower.answer(ended=True), judging.judge(run)
    assert (answer.number, answer.process, answer.words) == (3, "server", whole.words)
    assert (whole.number, whole.explained) == (3, 0)


def ask(**more: Any) -> dict[str, Any]:
    return {"process": "client", "input": {"move": "ask"}, **more}


def served(**more: Any) -> dict[str, Any]:
    return {"process": "server", "input": {"deliver": {"from": "client", "message": "Ask"}}, **more}


def test_a_line_waits_for_its_cause_and_does_not_wait_forever(tmp_path: Path) -> None:
    judging = Judging(system())
    lines = run_of(tmp_path / "a.jsonl", [served(cause="a", id="b"), ask(id="a")]).lines
    assert followed(judging, lines) == ("ok", 0)
    follower = Follower(judging, "")
    follower.add(lines[0])
    assert follower.answer(ended=False).verdict == "incomplete"
    with pytest.raises(ConfigError, match="the cause 'a' is not an id of a line of this run"):
        follower.answer(ended=True)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([ask(at=9), ask(at=8)], "the clock of client goes back"),
        ([ask(id="a"), served(id="a")], "id 'a' stands in an earlier line too"),
        ([{"process": "clint", "input": {"start": True}}], "did you mean 'client'"),
    ],
)
def test_a_mistake_is_told_with_its_line(lines: list[dict[str, Any]], what: str, tmp_path: Path) -> None:
    said = [
        LogLine("a:2", at, one["process"], {"input": one["input"]}, one.get("at"), one.get("id"))
        for at, one in enumerate(lines)
    ]
    with pytest.raises(ConfigError, match=what):
        followed(Judging(system()), said)


def test_a_process_that_begins_late_is_named_in_the_header_or_refused(tmp_path: Path) -> None:
    judging = Judging(system(asks=80))
    lines = run_of(tmp_path / "a.jsonl", observed(trace_of(judging.graph, 0, 300), None, WHOLE)).lines
    alone = [line for line in lines if line.process == "client"]
    assert len(alone) > LATE
    extra = next(line for line in lines if line.process == "server")
    with pytest.raises(ConfigError, match=r"server writes for the first time after 100 lines.*name it in the header"):
        followed(judging, [*alone, extra])
    ((first, count),) = [followed(judging, alone, server="a.jsonl:1")]
    assert (first, count > 0) == ("violated", True)  # it is observed, and did nothing: nobody serves
