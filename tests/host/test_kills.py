"""What a host promises holds whenever it is killed, and a host that does not keep it is found out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.host.kills import kill_at_random
from tests.host.planted import EVIDENCE, PLANTS

SLICE = 20
PART = 10
STILL_S = 2.5
"""For how long nothing happens with a host that has lost something: its longest timer takes a fraction of it."""


def test_a_council_that_is_killed_again_and_again_decides_once_and_conforms(tmp_path: Path) -> None:
    found = kill_at_random(tmp_path, kills=SLICE, seed=1)
    assert found.wrong == []
    assert (found.kills, found.decisions) == (SLICE, 8)
    assert found.answers > 0


@pytest.mark.parametrize("plant", PLANTS)
def test_a_host_that_breaks_a_promise_is_found_out(plant: str, tmp_path: Path) -> None:
    for seed in range(SLICE // PART):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = kill_at_random(folder, kills=PART, seed=seed, plant=plant, still_s=STILL_S)
        if any(re.search(EVIDENCE[plant], wrong) for wrong in found.wrong):
            return
    pytest.fail(f"{plant}: nobody has noticed in {SLICE} kills")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_kills(seed: int, tmp_path: Path) -> None:
    assert kill_at_random(tmp_path, kills=SLICE, seed=seed + 100).wrong == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_fifty_kills_on_postgresql(seed: int, server: str, tmp_path: Path) -> None:
    def journals(part: str) -> str:
        return f"{server}&schema=kills_{seed}_{part}"

    assert kill_at_random(tmp_path, kills=PART, seed=seed + 200, journals=journals).wrong == []
