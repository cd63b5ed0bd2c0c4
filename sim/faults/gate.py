"""The gate: no fault is injected unless it is switched on twice, by an opt-in and by a plan.

The opt-in is `open_gate` in code (in tests, say) or `SIM_DEV_FAULTS=1`; the plan is an argument, or the
environment's. While the gate is closed the injector is not imported, and a fault variable alone only causes one line of
warning on standard error; an open gate says so in one line.

    fault = next_fault(Agent("gemini"))
    if fault is not None:
        raise fault
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING

from sim.base import printing
from sim.base.durations import EPOCH
from sim.base.errors import ConfigError
from sim.faults import environment
from sim.faults.plan import parse_plan

if TYPE_CHECKING:
    from sim.faults.injector import Injector
    from sim.faults.points import FaultScope
    from sim.faults.raised import InjectedFault

_injector: Injector | None = None
_looked = False
"""Whether the environment was read; a process does so once."""
_warned = False
"""Whether a plan that has no effect was reported."""
_looking = Lock()
"""Threads that reach the first injection point together must not each open a gate."""


def next_fault(
    scope: str | FaultScope, target: str | None = None, *, kinds: Iterable[str] | None = None
) -> InjectedFault | None:
    """The planned fault for this attempt, to be raised by the caller, or None. Call it at an injection point, before
    each attempt of an operation.

    `scope` says which call it is: `Agent("gemini")`, `CONSENSUS`, `SPEC_KIT`, or a scope of your own by name; `target` whom
    it is about to call, and `kinds` which faults can strike there, if the scope does not say so. Entries of other kinds wait
    for their own calls: `agent_timeout:3,consensus_fail:1` fails three calls of agents and one consensus step in any order
    of calls.

    Safe to call from threads and asyncio tasks. The first call reads the environment; it raises `ConfigError` if the gate is
    open and the plan there is malformed, or `kinds` has one that cannot strike ordinary code.
    """
    looked = _looked  # before the injector: once this is set, the injector is set too
    injector = _injector  # once: another thread may close the gate at any point
    if injector is not None:
        return injector.next_fault(scope, target, kinds)
    if looked:
        return None
    _look()
    return next_fault(scope, target, kinds=kinds)


class Faults:
    """An open gate, as `with open_gate(...):` binds it; it is closed at the end of the block."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    def left(self) -> dict[str, int | None]:
        """What remains of each entry of the plan, by its text; None is unlimited."""
        return self._injector.left()

    def struck(self) -> dict[str, int]:
        """How many faults of each kind were handed out."""
        return self._injector.struck()

    def __enter__(self) -> Faults:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        close_gate()


def open_gate(plan: str | None = None, *, scope: str | None = None, epoch: datetime = EPOCH) -> Faults:
    """Switch faults on in this process, in code: the explicit opt-in.

    - `plan`: in the syntax of plans; None uses the environment's
    - `scope`: the code that is struck, such as `consensus` or `agent(gemini)`; by default `spec_kit`, which is all of it, or
      what the environment says
    - `epoch`: what a reset hint counts from if it is an instant

    Raises `ConfigError` without a plan, or for each malformed entry.
    """
    global _injector, _looked
    source = "by code"
    if plan is None:
        found = environment.read_plan()
        if found is None:
            raise ConfigError("no plan: pass one, such as open_gate('agent_timeout:2@gemini'), or set SPEC_KIT_FAULTS")
        plan, scope, source = found.text, scope or found.scope, f"by {found.variable}"
    injector = _make(plan, scope or environment.SCOPE, epoch)
    _injector, _looked = injector, True
    say(f"faults are on: {plan} ({source}, scope {injector.scope})")
    return Faults(injector)


def close_gate() -> None:
    """Switch faults off in this process; the environment is not read again."""
    global _injector, _looked
    _injector, _looked = None, True


def faults_left() -> dict[str, int | None]:
    """What remains of each entry of the plan, by its text (None: unlimited); empty while the gate is closed."""
    injector = _injector
    return {} if injector is None else injector.left()


def faults_struck() -> dict[str, int]:
    """How many faults of each kind were handed out; empty while the gate is closed."""
    injector = _injector
    return {} if injector is None else injector.struck()


def _look() -> None:
    """Reads the environment, once: opens the gate if it has both opt-in and plan."""
    with _looking:
        if not _looked:
            _decide()


def _decide() -> None:
    global _looked
    if environment.opted_in() and environment.plans_set():
        open_gate()
    else:
        _looked = True
        if not _warned:
            warn_of_plans()


def warn_of_plans() -> None:
    """One line if the environment holds a plan that has no effect: the gate is closed."""
    global _warned
    if environment.plans_set():
        _warned = True
        say_idle(f" without {environment.OPT_IN}=1")


def say_idle(why: str) -> None:
    """One line if the environment holds a plan, and why it changes nothing."""
    named = environment.plans_set()
    if named:
        say(f"{' and '.join(named)} {'has' if len(named) == 1 else 'have'} no effect{why}")


def say(text: str) -> None:
    """One line on standard error."""
    printing.err(f"sim: {text}")


def _make(plan: str, scope: str, epoch: datetime) -> Injector:
    from sim.faults.injector import Injector  # the only place: a closed gate never gets here

    return Injector(parse_plan(plan, epoch=epoch), scope)
