"""The generator of every pick: splitmix64, against numbers published with other implementations."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from sim.base.mixer import GAMMA, MASK, between, derive, key64, mix, stream

WORDS = st.integers(0, MASK)


def test_the_streams_are_those_of_splitmix64() -> None:
    assert [stream(0, i) for i in range(3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [stream(1234567, i) for i in range(5)] == published


@given(WORDS, st.integers(0, 1_000))
def test_a_number_of_a_stream_depends_on_seed_and_index_alone(seed: int, index: int) -> None:
    state = seed
    for _ in range(index + 1):
        state = (state + GAMMA) & MASK
    assert stream(seed, index) == mix(state)


def _unmix(z: int) -> int:
    """The inverse of the finaliser, from the inverses of its multipliers modulo 2**64."""
    z ^= (z >> 31) ^ (z >> 62)
    z = (z * pow(0x94D049BB133111EB, -1, 2**64)) & MASK
    z ^= (z >> 27) ^ (z >> 54)
    z = (z * pow(0xBF58476D1CE4E5B9, -1, 2**64)) & MASK
    return z ^ (z >> 30) ^ (z >> 60)


@given(WORDS)
def test_mixing_loses_nothing(word: int) -> None:
    assert _unmix(mix(word)) == word


@given(WORDS, st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_a_draw_lands_within_its_ends(draw: int, low: int, width: int) -> None:
    assert low <= between(draw, low, low + width) <= low + width
    assert between(0, low, low + width) == low
    assert between(MASK, low, low + width) == low + width


def test_every_value_of_a_range_is_met_about_equally_often() -> None:
    # 6,000 draws of 6 values: 1,000 each, standard deviation 29; 5 of them on each side.
    counts = [0] * 6
    for index in range(6_000):
        counts[between(stream(7, index), 0, 5)] += 1
    assert all(855 <= count <= 1_145 for count in counts)


def test_purposes_have_unrelated_seeds_and_any_integer_is_a_seed() -> None:
    assert derive(1, "latency") != derive(1, "moves") != derive(2, "moves")
    assert derive(-1, "latency") == derive(MASK, "latency")
    assert 0 <= stream(-5, 0) <= MASK


def test_keys_are_the_same_in_every_process() -> None:
    code = "from sim.base.mixer import key64, derive; print(key64(b'abc'), derive(1, 'latency'))"
    here = f"{key64(b'abc')} {derive(1, 'latency')}\n"
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        assert done.stdout == here
