"""Picking a session: what is shown of a list at any size, and which key does what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.campaign.sessions import sessions
from sim.sessions.pick_list import PickList
from sim.sessions.picker import _application
from tests.campaign.conftest import here  # noqa: F401  a fixture
from tests.campaign.toys import a_campaign, inline, interrupt_at, open_store
from tests.terminals import Terminal, on_a_terminal

HEAD = ("id", "state", "target", "seed", "project")
SPARE = ("project", "seed", "state")


def a_list(rows: int = 40) -> PickList:
    found = [(str(n), "open" if n % 2 else "done", f"models.m{n:02}", str(n * 7), "here") for n in range(rows)]
    return PickList(HEAD, found, SPARE)


def lines(found: PickList, columns: int = 80, height: int = 12) -> list[str]:
    return [line for line, _ in found.lines(columns, height)]


# --- the list ---------------------------------------------------------------------------------------


def test_a_filter_that_matches_nothing_shows_nothing_and_takes_nothing() -> None:
    found = a_list()
    found.filter("no such")
    assert found.picked is None
    assert lines(found)[1:] == ["  no session has 'no such'"]
    found.move(3)
    assert found.picked is None
    found.filter("no suc"[:0])
    assert found.picked == 0


def test_a_filter_has_words_in_any_order_and_case_and_keeps_what_is_picked() -> None:
    found = a_list()
    found.move(31)
    found.filter("M31 OPEN")
    assert (found.shown, found.picked) == ([31], 31)
    found.filter("3")
    assert found.picked == 31
    found.filter("m05")
    assert found.picked == 5


def test_what_is_not_in_sight_is_counted() -> None:
    found = a_list()
    assert lines(found)[1] == ""
    assert lines(found)[-1] == "  31 more below"
    found.move(20)
    assert (lines(found)[1], lines(found)[-1]) == ("  12 more above", "  19 more below")
    found.move(1000)
    assert (lines(found)[1], lines(found)[-1]) == ("  31 more above", "")


@given(st.lists(st.integers(-50, 50), max_size=12), st.integers(0, 60), st.integers(4, 30), st.integers(20, 120))
def test_the_picked_row_is_always_in_sight_and_every_line_fits(
    moves: list[int], rows: int, height: int, columns: int
) -> None:
    found = a_list(rows)
    for by in moves:
        found.move(by)
        shown = found.lines(columns, height)
        assert len(shown) <= height
        assert all(len(line) <= columns for line, _ in shown)
        assert sum(picked for _, picked in shown) == (1 if rows else 0)


def test_a_narrow_terminal_drops_columns_not_letters() -> None:
    found = a_list(3)
    heads = [lines(found, columns)[0].split() for columns in (80, 32, 26, 20)]
    assert heads == [
        ["id", "state", "target", "seed", "project"],
        ["id", "state", "target", "seed"],
        ["id", "state", "target"],
        ["id", "target"],
    ]
    assert lines(found, 20)[1] == "> 0   models.m00"
    assert lines(found, 10)[1] == "> 0   mod…", "when nothing is left to drop"
    found.filter("14")
    assert found.picked == 2, "what is left out is still filtered by"


def test_columns_that_say_the_same_of_every_row_go_first() -> None:
    found = PickList(("a", "b"), [("1", "x"), ("2", "x")], ("a", "b"))
    assert lines(found, 4)[0].split() == ["a"]


def test_spare_columns_that_are_not_there_are_nothing_to_leave_out() -> None:
    found = PickList(("name", "thrice"), [("a", "aaa"), ("b", "bbb")], ("branch", "thrice", "thrice"))
    assert lines(found, 9)[0].split() == ["name"]


# --- keys -------------------------------------------------------------------------------------------

KEYS = {
    "down": "\x1b[B",
    "up": "\x1b[A",
    "pagedown": "\x1b[6~",
    "pageup": "\x1b[5~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "enter": "\r",
    "backspace": "\x7f",
}
PAGE = 40 - 3 - 3
"""Rows in sight of the toolkit's own make-believe terminal of 40 lines."""


@pytest.mark.parametrize(
    ("typed", "picked"),
    [
        ("enter", 0),
        ("down down up enter", 1),
        ("up enter", 0),
        ("pagedown enter", PAGE),
        ("pagedown pageup enter", 0),
        ("end enter", 59),
        ("end up home down enter", 1),
        ("\x0e \x0e \x10 enter", 1),
        ("m17 enter", 17),
        ("m17 backspace backspace 2 3 enter", 23),
        ("zzz enter \x15 enter", 0),
        ("zzz enter \x03", None),
        ("down \x1b", None),
        ("\x1b[200~m\x0142\x1b[201~ enter", 42),
    ],
)
def test_each_key_does_what_it_says(typed: str, picked: int | None) -> None:
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    with create_pipe_input() as keys:
        keys.send_text("".join(KEYS.get(key, key) for key in typed.split(" ")))
        assert _application(a_list(60), input=keys, output=DummyOutput()).run() == picked


# --- on a terminal ----------------------------------------------------------------------------------


@pytest.fixture
def project(here: Path) -> Path:  # noqa: F811
    """A folder with three sessions, of which the last that was active is done."""
    with open_store(here) as store:
        for seed in (1, 2):
            a_campaign(store, here, seed=seed).run(inline(interrupt_at(20)))
        a_campaign(store, here, seed=3).run(inline())
        states = [one.state for one in sessions(store, None)]
    assert states == ["done", "open", "open"]
    return here


@contextmanager
def resuming(project: Path, **how: int) -> Iterator[Terminal]:
    with on_a_terminal("resume", "--all", folder=project, **how) as terminal:  # type: ignore[arg-type]
        terminal.until("Esc none")
        yield terminal


def test_on_a_terminal_open_sessions_come_first_and_esc_gives_up(project: Path) -> None:
    with resuming(project, columns=120) as terminal:
        shown = terminal.shown
        order = [shown.find(f"\x1b[0m  {number}  ") for number in (1, 3)]
        assert "> 2   open" in shown
        assert -1 not in order
        assert order == sorted(order)
        assert "seed" in shown
        terminal.type("\x1b")
        assert terminal.ended() == 130
        assert terminal.shown.rstrip().endswith("sim: interrupted")
        assert "\x1b[?1049l" in terminal.shown, "the screen of before is back"


def test_on_a_terminal_enter_on_nothing_does_nothing(project: Path) -> None:
    with resuming(project) as terminal:
        at = terminal.type("nothing at all")
        terminal.until("no session has", after=at)
        terminal.type("\r\r")
        at = terminal.type("\x15" + "done")
        terminal.until("> 3", after=at)
        terminal.type("\r")
        assert terminal.ended() == 0
        assert "session 3 is finished" in terminal.shown


def test_on_a_narrow_terminal_what_fits_is_whole(project: Path) -> None:
    with resuming(project, columns=30, lines=10) as terminal:
        assert "open" in terminal.shown
        assert "progress" not in terminal.shown
        assert "…" not in terminal.shown
        terminal.type("\x03")
        assert terminal.ended() == 130


def test_a_termination_gives_the_screen_back(project: Path) -> None:
    with resuming(project) as terminal:
        terminal.running.terminate()
        assert terminal.ended() == 130
        assert "\x1b[?1049l" in terminal.shown


def test_where_lines_cannot_be_written_anew_it_is_a_list(project: Path) -> None:
    with on_a_terminal("resume", "--all", folder=project, TERM="dumb") as terminal:
        assert terminal.ended() == 0
        assert "resume one of them: sim resume ID" in terminal.shown


def test_a_picker_that_takes_the_first_row_when_nothing_fits_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    found = a_list()
    found.filter("no such")
    monkeypatch.setattr(PickList, "shown", property(lambda self: [*range(40)]))
    assert found.picked == 0
