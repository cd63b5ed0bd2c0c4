"""What a class makes of what an older version of it left: the fields and the state of a process or monitor, as they were
persisted.

A field that is new takes its default. A state or field that the class does not have is a mistake, unless its `migrate`
says what becomes of it:

    @staticmethod
    def migrate(state, fields):      # returns both as this class has them, and leaves its own as they are
        ...
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from sim.base.annotations import mismatches
from sim.base.errors import ModelError, failure, unknown
from sim.base.values import Value, describe, encode, freeze
from sim.machine.process import StateMachine
from sim.machine.table import REQUIRED

HOOK = "migrate"


def migrates(cls: type) -> bool:
    """Whether a class says what becomes of what an older one left. A plain method of that name is a callback."""
    return isinstance(inspect.getattr_static(cls, HOOK, None), staticmethod | classmethod)


def durable(machine: StateMachine) -> list[str]:
    """The names of the fields that survive a crash, those that count bounded moves among them."""
    table = type(machine).table
    lasting = table.durable.union(table.left.values())
    return [name for name in table.fields if name in lasting]


def migrated(
    machine: StateMachine, state: str, fields: Mapping[str, Value], wanted: Collection[str] | None = None
) -> tuple[str, dict[str, Value]]:
    """The state and fields that `machine`, which is as at the start, takes over: those of its class that are `wanted`
    (None: all), in their order.

    Raises `ModelError` with one line for each state and field that cannot be taken over.
    """
    cls = type(machine)
    table = cls.table
    if migrates(cls):
        state, fields = _asked(cls, state, fields)
        if not _same(_asked(cls, state, fields), (state, fields)):
            raise ModelError(
                f"{cls.__name__}.{HOOK} changes what it has made itself: it must leave a state and fields of its own "
                "class as they are, since it is asked at every start"
            )
    advice = f"; {cls.__name__}.{HOOK} may say what becomes of it"
    mistakes = [] if state in table.states else [unknown("state", state, table.states) + advice]
    mistakes += [unknown("field", name, table.fields) + advice for name in fields if name not in table.fields]
    found: dict[str, Value] = {}
    for name in table.fields if wanted is None else wanted:
        if name not in fields and table.fields[name] is REQUIRED:
            mistakes.append(f"nothing was persisted for the field {name!r}, which has no default: give it one{advice}")
            continue
        try:
            found[name] = freeze(fields[name]) if name in fields else getattr(machine, name)
        except ModelError as error:
            mistakes.append(f"field {name}: {error}")
            continue
        mistakes += mismatches(cls, name, found[name])
        if name in table.left.values() and (type(found[name]) is not int or found[name] < 0):
            mistakes.append(f"{name!r} is {describe(found[name])}; expected how often the move may still be made")
    if mistakes:
        raise ModelError(*mistakes)
    return state, found


Taken = tuple[str, Mapping[str, Value]]


def _same(one: Taken, other: Taken) -> bool:
    """Values are the same if their encodings are: 1 and True are two."""
    (state, fields), (other_state, others) = one, other
    return (
        state == other_state
        and fields.keys() == others.keys()
        and all(encode(fields[name]) == encode(others[name]) for name in fields)
    )


def _asked(cls: Any, state: str, fields: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """What the class itself makes of them."""
    try:
        made = getattr(cls, HOOK)(state, dict(fields))
    except BaseException as error:
        raise ModelError(f"{cls.__name__}.{HOOK} failed with {failure(error)}") from None
    if (
        not isinstance(made, tuple)
        or len(made) != 2
        or not isinstance(made[0], str)
        or not isinstance(made[1], Mapping)
    ):
        raise ModelError(
            f"{cls.__name__}.{HOOK} returns {describe(made)}; expected a state and its fields, (str, dict)"
        )
    found: dict[str, Value] = {}
    for name, value in made[1].items():
        try:
            found[name] = freeze(value)
        except ModelError as error:
            raise ModelError(f"{cls.__name__}.{HOOK}: field {name}: {error}") from None
    return made[0], found
