"""Logs of runs conform; spoilt ones are refuted exactly when every path refutes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ModelError
from sim.conform import fitting
from sim.conform.conformance import Judging
from sim.conform.fitting import Fitting
from sim.conform.log_values import fits
from sim.conform.logged import LoggedRun
from sim.conform.search import Search
from sim.conform.spoiling import KINDS, Draws, spoil
from sim.graph.graph import Graph
from sim.scenario import load_target
from tests.conform.judged import WHOLE, brute_force, observed, run_of, system, trace_of, verdict
from tests.conform.small import SMALL
from tests.counts import SLICE, examples

MODELS = ("models.consensus", "models.device_login", "models.paxos", "models.two_phase_commit")


def conform(model: str, seeds: Iterable[int], folder: Path) -> int:
    """How many logs of runs of a model conform: observed whole, by one process, by two, with and without what they
    became; fails where one does not."""
    graph = Graph(load_target(model).system)
    known, names = Fitting(graph), graph.names[: graph.width]
    count = 0
    for seed in seeds:
        trace, at = trace_of(graph, seed), seed % len(names)
        pair = (names[at], names[at - 1 - seed // len(names) % (len(names) - 1)])
        for processes in (None, (names[at],), pair):
            for keys in (WHOLE, ()):
                run = run_of(folder / "a.jsonl", observed(trace, processes, keys))
                known.forget()
                found = Search(graph, run, known).result()
                assert found.explained == len(run.lines), (seed, processes, keys)
                assert found.verdict == "ok" or found.finding, (seed, processes, keys)
                count += 1
    return count


@pytest.mark.parametrize("model", MODELS)
def test_every_run_of_a_model_conforms_whoever_is_observed(model: str, tmp_path: Path) -> None:
    assert conform(model, range(SLICE // 5), tmp_path) == 6 * (SLICE // 5)


@pytest.mark.soak
@pytest.mark.parametrize("model", MODELS)
def test_a_thousand_runs_of_a_model_conform_whoever_is_observed(model: str, tmp_path: Path) -> None:
    assert conform(model, range(1000), tmp_path) == 6000


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


def thinned(said: Any, dice: Draws) -> Any:
    """The same, of which some is left out: fields of messages, emissions, records and processes."""
    if isinstance(said, list):
        return [thinned(one, dice) for one in said]
    if not isinstance(said, dict):
        return said
    kept = {key: thinned(value, dice) for key, value in said.items()}
    if isinstance(kept.get("fields"), dict):
        kept["fields"] = {key: value for key, value in kept["fields"].items() if dice.below(3)}
    if "name" in kept and "size" in kept and not dice.below(3):  # a record may be said in part too
        del kept["size"]
    return kept


def compared(graph: Graph, folder: Path, kind: str | None, seeds: Iterable[int]) -> Counter[bool]:
    """How often the search and a judge that tries every path say yes and no, to logs that are thinned, and spoilt in
    one way; fails where they differ."""
    answers: Counter[bool] = Counter()
    names = graph.names[: graph.width]
    for seed in seeds:
        dice = Draws(seed)
        processes = (None, names[:1], names[1:])[dice.below(3)]
        keys = (WHOLE, ("state", "fields"), ("outputs",), ())[dice.below(4)]
        lines = thinned(observed(trace_of(graph, seed, 12), processes, keys), dice)
        run = run_of(folder / "a.jsonl", lines) if lines else None
        spoilt = run and (run.lines if kind is None else spoil(run.lines, kind, dice))
        if spoilt:
            answer = brute_force(graph, LoggedRun("", spoilt))
            assert (verdict(graph, LoggedRun("", spoilt)) == "ok") is answer, (kind, seed)
            answers[answer] += 1
    return answers


@pytest.mark.parametrize("small", SMALL)
@pytest.mark.parametrize("kind", [None, *KINDS])
def test_a_judge_that_tries_every_path_says_the_same_of_patterns_and_faults(
    kind: str | None, small: str, tmp_path: Path
) -> None:
    answers = compared(Graph(SMALL[small]()), tmp_path, kind, range(examples(400)))
    assert answers[kind is None] > 3
    assert kind is not None or answers[False] == 0


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("fits", lambda pattern, value: isinstance(pattern, dict) or fits(pattern, value)),
        ("_arrivals", lambda given, action: iter(())),
        ("_puts", lambda given, outputs: iter(())),
    ],
)
def test_a_search_that_looks_less_closely_is_caught(
    name: str, broken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, name, broken)

    def compare_all() -> None:
        for small in SMALL.values():
            for kind in KINDS:
                compared(Graph(small()), tmp_path, kind, range(60))

    with pytest.raises(AssertionError):
        compare_all()


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


def test_a_search_tells_how_far_it_is(tmp_path: Path) -> None:
    graph, told = Graph(load_target("models.consensus").system), list[int]()
    run = run_of(tmp_path / "a.jsonl", observed(trace_of(graph, 3), ("consumer",), ()))
    found = Search(graph, run, tell=told.append, max_nodes=5000).result()
    assert told == sorted(told)
    assert (len(told) > 0) is (found.nodes > 1100)


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
