"""What a process or monitor owes in one local value: hot states, and the keys that it says it owes."""

from __future__ import annotations

from sim.base.errors import ModelError
from sim.base.values import encode, show
from sim.machine.handler import Handler, Local
from sim.world.finding import Debt


def debts_of(handler: Handler, who: str, prop: str, local: Local) -> tuple[Debt, ...]:
    """What `who` owes under the name of the property `prop`: by key where its class says so, else by being hot. Raises
    `ModelError` if what holds the keys is not a collection of them."""
    if not handler.table.owes:
        return (Debt(prop, who),) if local.state in handler.table.hot else ()
    keys = local.fields[handler.fields.index(handler.table.owes)]
    if not isinstance(keys, tuple | frozenset):
        what = f"{handler.cls.__name__} owes by {handler.table.owes!r}, which is {show(keys)}"
        raise ModelError(f"{what}; expected a tuple or frozenset of keys")
    shown = dict.fromkeys(show(key) for key in sorted(keys, key=encode))
    return tuple(Debt(prop, who, key) for key in shown)
