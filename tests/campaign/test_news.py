"""A worker leaves out what was recorded, and nothing else: whatever it leaves out, the union is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.campaign.news import News
from sim.campaign.worker import ChunkRequest, run_chunk
from sim.fuzzer.coverage import CoverageData, union
from tests.campaign.toys import a_campaign, a_plan, inline, open_store, stored
from tests.counts import examples

CHUNKS = st.lists(st.dictionaries(st.integers(1, 6), st.booleans(), max_size=6), min_size=2, max_size=8)
"""Of each chunk: fingerprint -> whether just one of its schedules came by."""


def coverage(chunk: dict[int, bool]) -> CoverageData:
    prints = sorted(chunk)
    once = bytes(chunk[fingerprint] for fingerprint in prints)
    return CoverageData(np.array(prints, np.uint64).tobytes(), once, len(chunk), (), ())


def merged(coverages: list[CoverageData]) -> tuple[list[int], list[int]]:
    parts = [(np.frombuffer(one.prints, np.uint64), np.frombuffer(one.once, np.uint8)) for one in coverages]
    prints, once = union(parts)
    return prints.tolist(), once.tolist()


def campaign(chunks: list[dict[int, bool]], draw: list[int], workers: list[News]) -> list[CoverageData]:
    """What is recorded of these chunks, each run by one of the workers; some outcomes are lost, and their chunks run
    again, and some recorded ones too, by a worker that had been given them up. `draw` decides."""
    recorded: dict[int, CoverageData] = {}
    decisions = iter(draw)
    while len(recorded) < len(chunks):
        low = next(n for n in range(len(chunks)) if n not in recorded)
        open_chunks = [n for n in range(len(chunks)) if n not in recorded]
        first = open_chunks[next(decisions, 0) % min(3, len(open_chunks))]
        said = workers[next(decisions, 0) % len(workers)].of(first, low, coverage(chunks[first]))
        if next(decisions, 0) % 4 != 1:
            recorded[first] = said
        if next(decisions, 0) % 4 == 3:
            late = [*recorded][next(decisions, 0) % len(recorded)] if recorded else first
            workers[next(decisions, 0) % len(workers)].of(late, 0, coverage(chunks[late]))
    return [*recorded.values()]


@settings(max_examples=examples(1_000))
@given(CHUNKS, st.lists(st.integers(0, 11), min_size=30, max_size=60))
def test_what_is_left_out_was_recorded(chunks: list[dict[int, bool]], draw: list[int]) -> None:
    said = campaign(chunks, draw, [News("one"), News("one")])
    assert merged(said) == merged(list(map(coverage, chunks)))


class Rash(News):
    """Takes for recorded whatever it has said."""

    def _learn(self) -> None:
        low, self._low = self._low, 1_000
        super()._learn()
        self._low = low


def test_a_worker_that_takes_what_it_said_for_recorded_is_caught() -> None:
    chunks = [{1: False, 2: False}, {2: True, 3: True}]
    lost = [0, 0, 1]  # the outcome of the first chunk does not arrive
    assert merged(campaign(chunks, lost, [News("one")])) == merged(list(map(coverage, chunks)))
    assert merged(campaign(chunks, lost, [Rash("one")])) != merged(list(map(coverage, chunks)))


def test_a_chunk_that_is_run_twice_counts_once() -> None:
    chunks = [{1: True}, {1: True}]
    again = [0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert merged(campaign(chunks, again, [News("one")])) == ([1], [0])


def test_a_chunk_that_is_run_again_after_it_was_recorded_counts_once() -> None:
    chunks = [{1: True}, {2: True}, {3: True}, {1: True}]
    late = [0, 0, 0, 0, 0, 0, 0, 3, 0, 0]  # the first chunk, once more behind the second
    assert merged(campaign(chunks, late, [News("one")])) == ([1, 2, 3], [0, 1, 1])


def test_a_worker_says_less_and_less_and_everything_to_another_run(here: Path) -> None:
    with open_store(here) as store:
        code = a_campaign(store, here).code

    def said(first: int, low: int, run: str) -> int:
        return len(run_chunk(ChunkRequest(a_plan(), code, first, 10, run, low)).coverage.prints)

    whole = said(0, 0, "one")
    assert said(0, 0, "one") == whole, "nothing is recorded so far"
    assert said(10, 10, "one") < said(10, 0, "another")


@pytest.mark.parametrize("chunk", [10, 25])
def test_a_campaign_keeps_less_than_its_chunks_visited(here: Path, chunk: int) -> None:
    with open_store(here) as store:
        answer = a_campaign(store, here, chunk=chunk, schedules=200).run(inline())
        kept = [len(data) for (data,) in stored(here, "SELECT coverage FROM chunk ORDER BY first")]
    assert answer.schedules == 200
    assert kept[-1] < kept[0] / 2
