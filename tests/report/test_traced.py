"""The text of a run has columns, folds at the width of the terminal, and has colours only where somebody sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.base.folded import LINES_MAX, folded
from sim.base.marked import Meaning, marked, parts_of
from sim.cli.terminal import width_of_output
from sim.report.traced import run_lines
from tests.report.by_hand import by_hand
from tests.terminals import on_a_terminal

ROOT = Path(__file__).parents[2]
ROUND = "scenarios/consensus/round.yaml"
WORDS = st.lists(st.text("ab,;()='", max_size=30), max_size=60).map(" ".join)


@given(WORDS, st.integers(30, 200), st.integers(0, 8))
def test_a_folded_line_fits_and_loses_nothing(line: str, width: int, indent: int) -> None:
    lines = [*folded(line, width, indent)]
    assert all(len(one) <= width for one in lines)
    if len(lines) < LINES_MAX:
        told = "".join([lines[0], *(one[indent:] for one in lines[1:])]) if lines else ""
        assert told.replace(" ", "") == line.replace(" ", "")


def test_what_is_much_too_long_leaves_out_its_middle_and_says_how_much() -> None:
    line = ", ".join(f"item-{number}" for number in range(1_000))
    lines = [*folded(line, 60, 2)]
    assert len(lines) == LINES_MAX
    assert (lines[0][:6], lines[-1][-8:]) == ("item-0", "item-999")
    assert lines[LINES_MAX - 2].startswith("  [... 9,")
    assert [*folded(line, None)] == [line]


def test_a_fold_keeps_what_its_parts_mean() -> None:
    line = marked("a" * 30 + ", ", ("b" * 20 + ", " + "c" * 20, Meaning.BAD))
    assert [parts_of(one)[-1] for one in folded(line, 40, 2)] == [
        ("a" * 30 + ",", None),
        ("b" * 20 + ",", Meaning.BAD),
        ("c" * 20, Meaning.BAD),
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_run_fits_into_any_terminal_but_for_what_is_copied(width: int) -> None:
    outcome = by_hand()
    lines = [*run_lines(outcome, width)]
    assert [line for line in lines if len(line) > width and not line.startswith(("digest", "replay"))] == []
    assert "digest      " + "0" * 64 in lines


def test_a_run_that_is_not_folded_is_caught() -> None:
    assert [line for line in run_lines(by_hand(), None) if len(line) > 60 and "network streams" in line]


@pytest.mark.parametrize(("given", "width"), [("72", 72), ("0", None), ("-5", None), ("wide", None), ("", None)])
def test_a_pipe_folds_only_where_it_is_told(given: str, width: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", given)
    assert width_of_output() == width


# --- colours ----------------------------------------------------------------------------------------


def shown(**variables: str) -> str:
    """What `sim run` shows on a terminal of 90 columns."""
    with on_a_terminal("run", ROUND, columns=90, **variables) as terminal:
        assert terminal.ended() == 0
        return terminal.shown


def piped() -> str:
    """The same in a pipe that is told to be as wide."""
    command = [sys.executable, "-m", "sim", "run", ROUND]
    environment = {**os.environ, "COLUMNS": "90"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def plain(text: str) -> str:
    for meaning in Meaning:
        text = text.replace(f"\x1b[{meaning.value}m", "")
    return text.replace("\x1b[0m", "")


def test_a_terminal_has_colours_and_they_say_nothing_that_the_words_do_not() -> None:
    coloured, colourless = shown(), shown(NO_COLOR="1")
    assert "\x1b[32mas expected\x1b[0m" in coloured
    assert "\x1b" not in colourless
    assert plain(coloured) == colourless
    assert piped() == colourless == shown(TERM="dumb")


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("VIOLATED  lock: two hold it", [("VIOLATED", Meaning.BAD), ("  lock: two hold it", None)]),
        ("ok: proved", [("ok", Meaning.GOOD), (": proved", None)]),
        ("ok", [("ok", Meaning.GOOD)]),
        ("okay", [("okay", None)]),
        ("", [("", None)]),
        ("  VIOLATED", [("  VIOLATED", None)]),
    ],
)
def test_an_answer_has_its_colour_wherever_it_is_said(line: str, parts: list[tuple[str, Meaning | None]]) -> None:
    assert [part for part in parts_of(line) if part[0] or not line] == parts
    assert "".join(text for text, _ in parts_of(line)) == line


def test_a_check_on_a_terminal_has_colours_too() -> None:
    with on_a_terminal("check", "models.two_phase_commit") as terminal:
        assert terminal.ended() == 0
        assert "\x1b[32mok\x1b[0m: proved" in terminal.shown


def test_a_colour_steers_nothing_else(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from sim.base import printing

    line = marked(("evil\x1b[2J", Meaning.BAD), " rest")
    monkeypatch.setattr(printing.LOOK, "coloured", True)
    printing.out(line)
    assert capsys.readouterr().out == "evil\\x1b[2J rest\n", "a pipe has no colours, whatever is wanted"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    printing.out(line)
    assert capsys.readouterr().out == "\x1b[1;31mevil\\x1b[2J\x1b[0m rest\n"
