"""Each known shape of race is found by the default fuzz, as what it is and in few deviations; no fixed twin is accused."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.races import __main__ as page
from bench.races.table import RACES, Race
from bench.races.token import system as token
from sim import Program, fuzz, simulate
from sim.fuzzer.fuzz import schedule_seed
from sim.strategy import Canonical, make_strategy

ROOT = Path(__file__).parents[2]
SCHEDULES = 500
"""Within which seed 0 of the default fuzz finds each of them: well under two seconds."""
DEVIATIONS_MAX = 3
SOUND_SCHEDULES = 300
"""Of each twin; the soak takes 2,000."""

each = pytest.mark.parametrize("race", RACES, ids=lambda race: race.target.rpartition(".")[2])


def test_no_module_of_a_race_is_left_out_of_the_table() -> None:
    modules = {path.stem for path in (ROOT / "bench" / "races").glob("*.py")} - {"__init__", "__main__", "table"}
    assert {race.target for race in RACES} == {f"bench.races.{module}" for module in modules}
    assert len({race.name for race in RACES}) == len(RACES)
    assert all(race.what.endswith(".") for race in RACES)


def test_the_page_says_of_each_what_goes_wrong_and_where_it_was_seen() -> None:
    written = page.DOCUMENT.read_text(encoding="utf-8")
    assert [race.name for race in RACES if page.head(race) not in written] == []
    assert page.head(replace(RACES[0], seen="nowhere")) not in written


@each
def test_a_race_is_written_with_public_names_alone(race: Race) -> None:
    source = (ROOT / f"{race.target.replace('.', '/')}.py").read_text(encoding="utf-8")
    imports = [line for line in source.splitlines() if line.startswith(("from ", "import "))]
    allowed = ("from sim import ", "from bench.races.")
    assert [line for line in imports if "sim" in line and not line.startswith(allowed)] == []


@each
def test_the_default_fuzz_finds_it_as_what_it_is_in_few_deviations(race: Race) -> None:
    result = fuzz(race.racy(), schedules=SCHEDULES)
    assert [found.property for found in result.found] == [race.prop], f"in {result.schedules} schedules"
    least = result.found[0].counterexample
    assert 1 <= least.deviations <= DEVIATIONS_MAX, least.schedule


def accused(race: Race, schedules: int, seed: int = 0) -> list[str]:
    """What a fuzz says of the fixed twin, in words."""
    result = fuzz(race.fixed(), schedules=schedules, seed=seed)
    assert result.found or (result.verdict, result.schedules) == ("ok", schedules)
    return [f"{found.property}: {found.message}: {found.schedule}" for found in result.found]


@each
def test_its_twin_is_not_accused(race: Race) -> None:
    assert accused(race, SOUND_SCHEDULES) == []


@pytest.mark.soak
@each
def test_its_twin_is_not_accused_in_many_schedules(race: Race) -> None:
    assert accused(race, 2_000, seed=1) == []


def test_a_twin_with_the_race_would_be_accused() -> None:
    assert accused(replace(RACES[0], fixed=RACES[0].racy), SCHEDULES) != []


@each
def test_it_does_not_show_in_the_usual_order(race: Race) -> None:
    """What a test on the stock loop would see."""
    assert simulate(race.racy(), Canonical()).finding is None


@each
def test_without_its_faults_it_does_not_show(race: Race) -> None:
    budget = race.racy().budget
    result = fuzz(race.racy().with_(faults="none"), schedules=100 if budget else SCHEDULES)
    assert bool(result.found) == (not budget)


def test_order_alone_grants_a_token_twice_and_never_in_the_order_of_the_standard_library() -> None:
    assert fuzz(token(order="any"), schedules=SCHEDULES).found
    assert not fuzz(token(order="fifo"), schedules=SCHEDULES).found


# --- one seed, one digest ---------------------------------------------------------------------------


def digests(program: Program, seeds: int) -> list[str]:
    """The digests of the first schedules of the default fuzz."""
    world = program.world()
    return [
        simulate(world, make_strategy("portfolio", schedule_seed(0, number), number=number)).digest
        for number in range(seeds)
    ]


def racy(module: str) -> Program:
    return importlib.import_module(f"bench.races.{module}").system()  # type: ignore[no-any-return]


def unordered() -> Program:
    """Does things in the order of a set of strings, which is another in every process."""

    async def main(world: Any) -> None:
        for name in set("abcdefgh"):
            await asyncio.wait([world.task(name, asyncio.sleep(1))])

    return Program(main)


def elsewhere(hash_seeds: tuple[str, ...], program: str, seeds: int) -> list[list[str]]:
    """The digests of a program in processes with these hash seeds, at once."""
    code = f"import json; from tests.live.test_races import *; print(json.dumps(digests({program}, {seeds})))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim" / "beside")])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in hash_seeds
    ]
    return [json.loads(process.communicate(timeout=600)[0]) for process in started]


@pytest.mark.parametrize("module", ["reply_stream", "swallow"])
def test_a_seed_has_one_digest_in_every_process(module: str) -> None:
    here = digests(racy(module), 20)
    assert len(set(here)) > 1
    assert digests(racy(module), 2) == here[:2]
    assert elsewhere(("0", "4242"), f"racy({module!r})", 20) == [here, here]


def test_a_program_that_does_things_in_another_order_in_every_process_is_caught() -> None:
    first, second = elsewhere(("0", "4242"), "unordered()", 1)
    assert first != second


@pytest.mark.soak
@each
def test_a_thousand_seeds_have_one_digest_each_in_every_process(race: Race) -> None:
    module = race.target.rpartition(".")[2]
    here = digests(racy(module), 1_000)
    for _ in range(3):
        assert elsewhere(("0", "1", "4242"), f"racy({module!r})", 1_000) == [here] * 3
