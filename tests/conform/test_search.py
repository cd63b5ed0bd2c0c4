"""Logs of runs conform; spoilt ones are refuted exactly when every path refutes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.base.errors import ModelError
from sim.conform.conformance import Judging
from sim.conform.fitting import Fitting
from sim.conform.logged import LoggedRun
from sim.conform.search import Search
from sim.conform.spoiling import KINDS, Draws, spoil
from sim.graph.graph import Graph
from sim.scenario import load_target
from tests.conform.judged import WHOLE, brute_force, observed, run_of, system, trace_of, verdict
from tests.counts import examples

MODELS = ("models.consensus", "models.device_login", "models.paxos", "models.two_phase_commit")


@pytest.mark.parametrize("model", MODELS)
def test_every_run_of_a_model_conforms_whoever_is_observed(model: str, tmp_path: Path) -> None:
    graph = Graph(load_target(model).system)
    fitting, names = Fitting(graph), graph.names[: graph.width]
    wholly = [(None, WHOLE), (None, ()), (names[:1], WHOLE), (names[:1], ())]
    for seed in range(examples(1000)):
        trace = trace_of(graph, seed)
        for processes, keys in [*wholly, (names[-2:], ())] if seed % 10 == 0 else wholly:
            run = run_of(tmp_path / "a.jsonl", observed(trace, processes, keys))
            fitting.forget()
            found = Search(graph, run, fitting).result()
            assert found.explained == len(run.lines), (seed, processes, keys)
            assert found.verdict == "ok" or found.finding, (seed, processes, keys)


@pytest.mark.parametrize("faults", [None, "crash:1@manager"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_spoilt_is_refuted_exactly_when_every_path_refutes_it(
    kind: str, faults: str | None, tmp_path: Path
) -> None:
    target = load_target("models.two_phase_commit", {"resource_managers": "1"}, faults=faults)
    graph = Graph(target.system)
    answers = set()
    for seed in range(examples(200) // 2):
        dice = Draws(seed)
        trace = trace_of(graph, seed)
        processes = (None, ("manager",), ("rm1",))[seed % 3]
        run = run_of(tmp_path / "a.jsonl", observed(trace, processes, (WHOLE, ("state",), ())[seed % 4 % 3]))
        lines = spoil(run.lines, kind, dice)
        if lines is not None:
            spoilt = LoggedRun("", lines)
            answer = brute_force(graph, spoilt)
            assert (verdict(graph, spoilt) == "ok") is answer, (kind, seed)
            answers.add(answer)
    assert False in answers


def test_a_search_that_forgets_a_line_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(system())
    lines = observed(trace_of(graph, 1), ("client",), WHOLE)
    spoilt = run_of(tmp_path / "a.jsonl", [*lines[:2], *lines[3:]])
    assert not brute_force(graph, spoilt)
    assert verdict(graph, spoilt) == "violated"
    monkeypatch.setattr(Fitting, "fits", lambda *_: True)
    assert verdict(graph, spoilt) == "ok"


def test_clocks_and_causes_order_what_different_processes_say(tmp_path: Path) -> None:
    graph = Graph(system(asks=1))
    ask = {"process": "client", "input": {"move": "ask"}, "at": 50, "id": "a"}
    served = {"process": "server", "input": {"deliver": {"from": "client", "message": "Ask"}}, "at": 10, "id": "b"}
    fine = run_of(tmp_path / "a.jsonl", [ask, served])
    assert Search(graph, fine).result().verdict == "ok"
    assert Search(graph, fine, skew_ms=100).result().verdict == "ok"
    assert Search(graph, fine, skew_ms=5).result().verdict == "violated"
    backwards = run_of(tmp_path / "a.jsonl", [{**ask, "cause": "b"}, served])
    assert Search(graph, backwards).result().verdict == "violated"


def test_a_bound_leaves_it_open(tmp_path: Path) -> None:
    graph = Graph(load_target("models.consensus").system)
    run = run_of(tmp_path / "a.jsonl", observed(trace_of(graph, 3), ("coordinator",), ()))
    assert Search(graph, run, max_nodes=2).result().verdict == "incomplete"
    assert Search(graph, run).result().verdict == "ok"


def test_values_may_be_partial(tmp_path: Path) -> None:
    graph = Graph(system())
    lines = observed(trace_of(graph, 1), ("client",), ("fields",))
    for line in lines:
        line["fields"] = {"asked": line["fields"]["asked"]}
    assert verdict(graph, run_of(tmp_path / "a.jsonl", lines)) == "ok"
    lines[-1]["fields"]["asked"] += 1
    assert verdict(graph, run_of(tmp_path / "a.jsonl", lines)) == "violated"


def test_what_no_line_of_a_log_says_is_refused() -> None:
    declared = replace(system(), machines={"host": ("client", "server")})
    with pytest.raises(ModelError, match="machines of a system have no lines in a log"):
        Judging(declared)
