"""What Python offers to threads works in a run, as it stands, and the same in every process."""

from __future__ import annotations

import threading

import pytest

from sim import check, fuzz
from tests.live.digests import elsewhere, of_schedules
from tests.live.small import installed_once  # noqa: F401
from tests.live.threads.parts import PARTS, made

SCHEDULES = 40


@pytest.mark.parametrize("name", PARTS)
def test_it_is_right_in_every_schedule(name: str) -> None:
    before = threading.active_count()
    found = fuzz(made(name), schedules=SCHEDULES).found
    assert not found, found[0].counterexample
    assert threading.active_count() == before, "nothing is left of a run"


def test_all_of_it_has_one_digest_in_every_process() -> None:
    call = "[of_schedules(__import__('tests.live.threads.parts', fromlist=['made']).made(name), 3) for name in %r]"
    call %= (list(PARTS),)
    here = [of_schedules(made(name), 3) for name in PARTS]
    assert list(elsewhere(("0", "4242"), call)) == [here, here]


@pytest.mark.parametrize("name", ["lock", "condition", "executor", "executor_made_before"])
def test_a_check_runs_it_again_and_again_as_it_was(name: str) -> None:
    result = check(made(name), deviations=1)
    assert result.finding is None
    assert result.schedules > 5
