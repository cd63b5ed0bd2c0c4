"""What the page about campaigns computes from what was measured."""

from __future__ import annotations

from bench.test_campaign_speed import Costs, limit, scaled, table

SMALL, LARGE = Costs(0.001, 0.03, 0, 1_000), Costs(0.01, 1.0, 0, 100_000)


def test_more_workers_bring_more_until_the_campaign_is_busy() -> None:
    assert (limit(SMALL), limit(LARGE)) == (30, 100)
    assert [round(scaled(SMALL, workers)) for workers in (1, 30, 31, 500)] == [33_333, 1_000_000, 1_000_000, 1_000_000]


def test_the_table_says_where_it_stops() -> None:
    assert [*table([SMALL, LARGE])] == [
        "| workers | machines of 16 cores | chunks of 1,000 | chunks of 100,000 |",
        "|---|---|---|---|",
        "| 1 | 1 | 0.03 million schedules/s | 0.10 million schedules/s |",
        "| 16 | 1 | 0.53 million schedules/s | 1.60 million schedules/s |",
        "| 30 | 2 | 1.00 million schedules/s: here it stops | 3.00 million schedules/s |",
        "| 100 | 7 | 1.00 million schedules/s | 10.00 million schedules/s: here it stops |",
        "| 160 | 10 | 1.00 million schedules/s | 10.00 million schedules/s |",
    ]
