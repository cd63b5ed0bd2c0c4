"""The matrix of `docs/saboteurs.md` shows what its script counts today; a part of it is counted again here."""

from __future__ import annotations

import pytest

from bench import saboteurs as bench
from sim import Graph, fuzz
from tests.saboteurs.consensus import SABOTEURS

LINES = bench.DOCUMENT.read_text(encoding="utf-8").splitlines()
QUICK = [s for s in SABOTEURS if s.name in ("a refused ack counted", "a second stop taken for a first")]


@pytest.mark.parametrize("saboteur", QUICK, ids=lambda saboteur: saboteur.name)
def test_the_matrix_is_current(saboteur: bench.Saboteur) -> None:
    assert bench.matrix_row(saboteur) in LINES


def test_a_matrix_that_counts_otherwise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "needed", lambda *_: 7)
    assert bench.matrix_row(QUICK[0]) not in LINES


@pytest.mark.parametrize("strategy", bench.STRATEGIES)
def test_the_matrix_counts_what_a_fuzz_runs(strategy: str) -> None:
    graph = Graph(QUICK[0].small())
    for seed in range(3):
        found = fuzz(graph, strategy=strategy, seed=seed, schedules=bench.SCHEDULES_MAX).found
        assert found[0].number + 1 == bench.needed(graph, strategy, seed)


@pytest.mark.soak
@pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda saboteur: saboteur.name)
def test_the_whole_matrix_is_current(saboteur: bench.Saboteur) -> None:
    assert bench.matrix_row(saboteur) in LINES
