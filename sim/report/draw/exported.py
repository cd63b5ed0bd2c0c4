"""Machines as plain data, for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.report.draw.chart import Sketch

_NAMED = {"ignored": "IGNORE", "deferred": "DEFER"}


def machines_data(target: str, sketches: Sequence[Sketch]) -> dict[str, Any]:
    """The object of `sim draw --json`: the tables. `dest` is a state; `=`, and null for a row that stays;
    `IGNORE` or `DEFER`."""
    return {
        "target": target,
        "machines": [
            {
                "class": sketch.cls,
                "names": list(sketch.names),
                "monitor": sketch.monitor,
                "states": list(sketch.states),
                "initial": sketch.initial,
                "hot": sorted(sketch.hot),
                "rows": [
                    {
                        "trigger": row.trigger,
                        "sources": list(row.sources),
                        "dest": _NAMED.get(row.handling, row.dest),
                        "conditions": list(row.conditions),
                        "unless": list(row.unless),
                    }
                    for row in sketch.rows
                ],
            }
            for sketch in sketches
        ],
    }
