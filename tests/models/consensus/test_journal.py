"""The journal does the same whether Python checks assertions or not, and refuses what it does not allow."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from models.consensus import journal as module
from models.consensus.journal import Journal

SOURCE = Path(module.__file__).read_text(encoding="utf-8")
FRESH = ("run-1", 0, (), "none", "open")


def of(source: str, optimize: int, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as `python` (0) or `python -O` (1) makes it."""
    made = ModuleType("models.consensus.journal_again")
    made.__package__ = "models.consensus"
    monkeypatch.setitem(sys.modules, made.__name__, made)
    exec(compile(source, module.__file__, "exec", optimize=optimize), made.__dict__)
    return made


def life(made: ModuleType) -> list[Any]:
    """What a journal holds after each of its operations."""
    decided = made.Journal(sequence=FRESH).decided((1, 1), "ok")
    journals = [decided, decided.released(was_last=False), decided.withdrawing(), decided.stop()]
    return [journal.sequence for journal in journals]


def test_it_does_the_same_without_assertions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert life(of(SOURCE, 1, monkeypatch)) == life(of(SOURCE, 0, monkeypatch))


def test_a_change_inside_of_an_assertion_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "_accepted(sequence.acknowledge(AckDecision(run, seq)))"
    assert SOURCE.count(line) == 1
    planted = SOURCE.replace(line, "assert sequence.acknowledge(AckDecision(run, seq)).accepted")
    assert life(of(planted, 1, monkeypatch)) != life(of(planted, 0, monkeypatch))


def test_a_decision_of_a_run_that_has_stopped_is_refused() -> None:
    stopped = Journal(sequence=FRESH).stop()
    with pytest.raises(ValueError, match="the run is stopping or stopped; it takes no new decision"):
        stopped.decided((1, 1), "ok")
