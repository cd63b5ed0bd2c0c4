"""Whatever a program draws from are the dice of its run, also where they were bound at import, the same in every process; the
real dice are where they were."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import numpy.random  # here, as what an import draws is drawn once
import pytest

from sim.live import draws
from sim.live.dice import Dice
from sim.live.draws import hidden_methods
from sim.live.surroundings import surroundings
from tests.live.surrounded import DRAWN, Nothing, entered, in_run

ROOT = Path(__file__).parents[2]

DRAWS: dict[str, Any] = {
    "random": lambda: random.random(),
    "getrandbits": lambda: random.getrandbits(99),
    "randbytes": lambda: random.randbytes(9),
    "choices": lambda: random.choices(range(10**9), k=3),
    "sample": lambda: random.sample(range(10**9), 3),
    "shuffle": lambda: shuffled(),
    "gauss": lambda: random.gauss(),
    "uniform": lambda: random.uniform(1, 2),
    "Random": lambda: random.Random().random(),
    "Random of None": lambda: random.Random(None).random(),
    "seed": lambda: (random.seed(), random.random()),
    "SystemRandom": lambda: random.SystemRandom().random(),
    "token_hex": lambda: secrets.token_hex(),
    "randbelow": lambda: secrets.randbelow(10**9),
    "secrets.choice": lambda: secrets.choice(range(10**9)),
    "os.urandom": lambda: os.urandom(11),
    "os.getrandom": lambda: os.getrandom(11, os.GRND_NONBLOCK),
    "default_rng": lambda: numpy.random.default_rng().random(),
    "a name of tempfile": lambda: tempfile.mktemp(dir="here"),
    "uuid1": lambda: uuid.uuid1(),
    "uuid4": lambda: uuid.uuid4(),
    **{name: getattr(uuid, name) for name in ("uuid6", "uuid7") if hasattr(uuid, name)},
    **{f"{name} as bound at import": draw for name, draw in DRAWN.items()},
}


def shuffled() -> list[int]:
    numbers = list(range(99))
    random.shuffle(numbers)
    return numbers


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_follows_from_the_seed_of_the_run_and_is_chance_afterwards(name: str) -> None:
    draw = DRAWS[name]
    first, again, other = in_run(draw, seed=1), in_run(draw, seed=1), in_run(draw, seed=2)
    assert first == again
    assert first != other
    assert draw() != draw()
    with surroundings.installed():
        assert draw() != draw()


@pytest.mark.parametrize("name", DRAWS)
def test_two_draws_of_a_run_differ(name: str) -> None:
    one, other = in_run(lambda: (DRAWS[name](), DRAWS[name]()))
    assert one != other


def test_what_is_made_of_numbers_is_the_standard_librarys() -> None:
    run = Nothing()
    with entered(run):
        random.seed(5)
        drawn = [random.random(), random.choice("abc"), random.gauss(0, 1)]
        own = random.Random(5)
        assert drawn == [own.random(), own.choice("abc"), own.gauss(0, 1)]


def test_the_real_generator_is_where_it_was() -> None:
    before = random.getstate()
    with entered(Nothing()):
        random.seed(3)
        random.gauss(0, 1)
        shuffled()
        inside = random.getstate()
    assert random.getstate() == before != inside
    with pytest.raises(ValueError, match="planted"), entered(Nothing()):
        fail(random.setstate(inside))
    assert random.getstate() == before


def fail(_: object) -> None:
    raise ValueError("planted")


def test_uuids_of_a_run_know_nothing_of_the_real_time() -> None:
    uuid.uuid1()
    inside = in_run(lambda: (uuid.uuid1(), uuid.uuid1(), uuid.getnode()))
    assert inside[0].time < inside[1].time < uuid.uuid1().time
    assert inside[0].node == inside[2] != uuid.getnode()
    assert inside[2] >> 40 & 1 == 1
    assert inside[2] < 1 << 48
    assert (inside[0].version, inside[0].variant) == (1, uuid.RFC_4122)


def test_bytes_of_every_length_go_on_where_the_last_ended() -> None:
    dice = Dice(3)
    taken = [dice.take_bytes(count) for count in (0, 1, 7, 8, 9, 64)]
    assert [len(one) for one in taken] == [0, 1, 7, 8, 9, 64]
    assert len({*taken}) == len(taken)
    with pytest.raises(ValueError, match="negative"):
        in_run(lambda: os.urandom(-1))


def unknown(module: Any) -> set[str]:
    """Public functions of the module `random` that are no methods of its hidden generator."""
    public = {name for name in module.__all__ if callable(vars(module)[name])}
    return public - {*hidden_methods(), "Random", "SystemRandom"}


def test_every_function_of_random_is_known_here() -> None:
    assert unknown(random) == set()
    assert {"random", "seed", "getstate", "setstate", "choice"} <= set(hidden_methods())


def test_a_function_of_random_that_is_new_is_noticed() -> None:
    class Newer:
        __all__ = ("choice", "roulette", "SystemRandom")
        choice, SystemRandom, roulette = random.choice, random.SystemRandom, print

    assert unknown(Newer) == {"roulette"}


def left_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    known = hidden_methods()
    monkeypatch.setattr(draws, "hidden_methods", lambda: {one: known[one] for one in known if one != name})


@pytest.mark.parametrize("name", ["random", "getrandbits", "choices", "gauss"])
def test_a_die_that_is_left_out_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out(monkeypatch, name)
    assert in_run(DRAWS[name]) != in_run(DRAWS[name])


PROGRAM = """
import json, sys
from tests.live.test_dice import DRAWS, entered, Nothing
with entered(Nothing(seed=7)):
    drawn = [str(draw()) for draw in DRAWS.values()]
print(json.dumps(drawn))
"""


def drawn_elsewhere(hash_seed: str) -> list[str]:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sim/beside'}"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return list(json.loads(done.stdout))


def test_a_seed_draws_the_same_in_every_process() -> None:
    here = in_run(lambda: [str(draw()) for draw in DRAWS.values()], seed=7)
    assert drawn_elsewhere("1") == drawn_elsewhere("2") == here
