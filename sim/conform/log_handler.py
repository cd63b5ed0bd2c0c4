"""A handler of `logging` that records: log records that say what a process was given, and what came of it, become the
lines of a log. Nothing of the simulation is imported.

    recorder = Recorder("run.jsonl", model="shop")
    logging.getLogger("shop").addHandler(RecordingHandler(recorder))

    log.info("asked", extra={"roundsim": {"process": "bank", "received": ("customer", "Pay", {"order": 1})}})
    log.info("paid", extra={"roundsim": {"process": "bank", "sent": ("customer", "Paid"), "became": "open"}})

The keys beside `process` are the methods of a recorded process, the values what they are called with: a tuple, a
mapping of names, or one value alone; True for none. A program whose records say the same in other words gives the
handler `read`, which makes such a mapping of a record, or None for one that says nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from sim.conform.recorder import RecordedProcess, Recorder

INPUTS = ("started", "received", "fired", "moved", "failed", "restarted")
OUTPUTS = ("sent", "emitted", "became")

Said = Mapping[str, Any]


def said_by(record: logging.LogRecord) -> Said | None:
    """What a record says in its `extra`, under `roundsim`."""
    said: Said | None = getattr(record, "roundsim", None)
    return said


class RecordingHandler(logging.Handler):
    """Records what log records say. A record that cannot be understood is reported as `logging` reports errors."""

    def __init__(
        self,
        recorder: Recorder,
        read: Callable[[logging.LogRecord], Said | None] = said_by,
        level: int = logging.NOTSET,
    ) -> None:
        super().__init__(level)
        self.recorder, self.read = recorder, read

    def emit(self, record: logging.LogRecord) -> None:
        try:
            said = self.read(record)
            if said is not None:
                record_said(self.recorder, said)
        except Exception:  # what is wrong with a record must not end the program
            self.handleError(record)

    def flush(self) -> None:
        self.recorder.flush()


def record_said(recorder: Recorder, said: Said) -> None:
    """Record what a mapping says: what the process was given first, then what came of it. Raises `ValueError`."""
    unknown = [key for key in said if key not in ("process", *INPUTS, *OUTPUTS)]
    if unknown:
        meant = "".join(f" (did you mean {key!r}?)" for key in get_close_matches(unknown[0], (*INPUTS, *OUTPUTS), n=1))
        raise ValueError(f"unknown key {unknown[0]!r}{meant}: use process, {', '.join((*INPUTS, *OUTPUTS))}")
    if not isinstance(said.get("process"), str):
        raise ValueError(f"process is {said.get('process')!r}; name a process of the model")
    if sum(key in said for key in INPUTS) > 1:
        raise ValueError(f"a process is given one thing at a time; give one of {', '.join(INPUTS)}")
    process = recorder.process(said["process"])
    for key in (*INPUTS, *OUTPUTS):
        if key in said:
            _call(process, key, said[key])


def _call(process: RecordedProcess, key: str, given: Any) -> None:
    method = getattr(process, key)
    if given is True:
        method()
    elif isinstance(given, Mapping):
        method(**given)
    elif isinstance(given, tuple | list):
        method(*given)
    else:
        method(given)
