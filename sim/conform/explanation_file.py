"""What explains a log, or the longest part of it, as a scenario file."""

from __future__ import annotations

from sim.base.printing import printable
from sim.conform.conformance import JudgedLog
from sim.minimiser.counterexample_file import CounterexampleFile
from sim.scenario import Target, scenario_text, write_text


def write_explanation(path: str, target: Target, answer: JudgedLog) -> CounterexampleFile:
    """Write the explained path into a file."""
    keys = {
        "model": target.model,
        "config": dict(target.config) or None,
        **target.system.scenario_keys,
        "expect": {"verdict": "violated"} if answer.finding else None,
        "schedule": list(answer.schedule or ()),
    }
    if answer.finding is not None:
        what = "What explains the log, up to what is wrong."
    elif answer.explained == answer.lines:
        what = "The path that explains the log."
    else:
        what = "The longest explained prefix of the log."
    file = CounterexampleFile.at(path, target.model)
    told = (*answer.words, what, f"Replay it with: {file.replay}")
    write_text(path, scenario_text(keys, list(map(printable, told))))
    return file
