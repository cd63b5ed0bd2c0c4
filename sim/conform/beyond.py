"""What a hosted machine did that its model does not allow, as a scenario file: the log up to there, explained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.base.errors import SimError
from sim.conform.conformance import Judging
from sim.conform.explanation_file import write_explanation
from sim.conform.logged import read_logs
from sim.minimiser.counterexample_file import file_name
from sim.scenario import load_target

NODES_MAX = 100_000


def leave_scenario(log: Path, model: str, config: Mapping[str, Any], faults: str) -> Path | None:
    """Write the scenario beside the log of a session that went beyond its model; None if it cannot be explained. It is left,
    not asked for: nothing is raised."""
    try:
        settings = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        target = load_target(model, settings, faults=faults or None)
        (run,) = read_logs([str(log)]).runs.values()
        answer = Judging(target.declaration, max_nodes=NODES_MAX, hints=False).judge(run)
        if answer.schedule is None:
            return None
        place = log.with_name(file_name(model, log.stem))
        write_explanation(str(place), target, answer)
    except (SimError, OSError):
        return None
    return place
