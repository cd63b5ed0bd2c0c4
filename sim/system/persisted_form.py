"""What was persisted of a run as plain data, without loss: for scenario files and campaigns.

    persisted: {coordinator: {state: asking, fields: {round: 3, open: '["gemini"]'}, timers: {retry: 500ms}}}
    in_flight: [{from: coordinator, to: gemini, message: '{"@": "Ask", "round": 3}', again: true}]

A value is what `sim.machine.codec` makes of it, as a text of JSON; a number, true, false and null stand for themselves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sim.base.durations import show_range
from sim.base.values import Value
from sim.machine.codec import Codec

if TYPE_CHECKING:
    from sim.system.declaration import Declaration

PLAIN_MAX = 10**18
"""Larger numbers are texts as well: many readers of YAML and JSON have none that are so large."""


def codec_of(system: Declaration) -> Codec:
    """Writes and reads the values of a system."""
    machines = (*system.processes.values(), *system.monitors.values(), *system.updates.values())
    return Codec([*map(type, machines), *system.carriers])


def form_of(system: Declaration) -> dict[str, Any] | None:
    """Where this system begins, as data; None if it is at its start. Raises `ConfigError` for a value of a class that
    could not be found again."""
    begins = system.begins
    if begins is None:
        return None
    dump = codec_of(system).dump

    def written(value: Value) -> Any:
        if value is None or type(value) is bool or (type(value) is int and abs(value) < PLAIN_MAX):
            return value
        return json.dumps(dump(value), ensure_ascii=False)

    persisted = {}
    for name, one in begins.locals.items():
        found: dict[str, Any] = {"state": one.state, "fields": {key: written(v) for key, v in one.fields.items()}}
        if one.armed:
            found["timers"] = {timer: show_range(*due) for timer, due in one.armed.items()}
        persisted[name] = found if one.up else {**found, "up": False}
    flying = [
        {"from": source, "to": target, "message": written(message), **({"again": True} if again else {})}
        for source, target, message, again in begins.messages
    ]
    form: dict[str, Any] = {"persisted": persisted, "in_flight": flying, "notes": list(begins.notes)}
    return {key: value for key, value in form.items() if value}
