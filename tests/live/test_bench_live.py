"""What `make bench-live` measures is what it says: the same steps for every tool, and whether a tool makes choices."""

from __future__ import annotations

import asyncio
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.live.__main__ import elsewhere, measured
from bench.live.programs import COUNT, PROGRAMS, ROUNDS, SECTIONS, main_of
from bench.live.tools import TOOLS

ROOT = Path(__file__).parents[2]
STEPS = {"ping-pong": 4 * ROUNDS, "lock": 2 * 4 * SECTIONS}
RIVALS = ("simloom", "simloop", "detangle", "seedloop", "frontrun")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_takes_as_many_steps_on_the_stock_loop_as_on_ours(program: str) -> None:
    for tool in ("asyncio.run", "roundsim, fifo", "roundsim, any"):
        found = measured(tool, program, 0.0)
        assert COUNT.steps == COUNT.ended * STEPS[program]
        assert found["orders"] == 1 or tool == "roundsim, any"


@pytest.mark.parametrize("program", PROGRAMS)
def test_orders_tell_whether_choices_are_made(program: str) -> None:
    assert measured("roundsim, any", program, 0.0)["orders"] > 1
    COUNT.clear()
    for _ in range(2):
        asyncio.run(main_of(program)())
    assert (COUNT.ended, len(COUNT.orders)) == (2, 1)


@pytest.mark.parametrize("tool", RIVALS)
def test_a_tool_that_is_not_there_is_said_to_be_missing(tool: str) -> None:
    if find_spec(tool) is not None:
        pytest.skip(f"{tool} is installed here")
    assert elsewhere(tool, "lock", 0.0) == "missing: it is not installed"


def test_a_tool_that_fails_is_not_said_to_be_missing() -> None:
    said = elsewhere("no such tool", "lock", 0.0)
    assert isinstance(said, str)
    assert said.startswith("fails: KeyError")


def test_every_tool_is_pinned_and_none_is_named_by_a_host() -> None:
    lines = (ROOT / "bench" / "live" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert [re.fullmatch(r"(\w+)==[\d.]+", line)[1] for line in pinned] == list(RIVALS)  # type: ignore[index]
    assert set(RIVALS) < set(TOOLS)
