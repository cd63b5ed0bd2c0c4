"""What a scenario expects, and how long things take in it, checked against the system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sim.base.errors import brief, unknown
from sim.machine.ledgers import REASONS
from sim.machine.table import DOWN, FAILED, GONE, OFF
from sim.scenario.mistakes import Mistakes
from sim.scenario.parsed import Expectation, Opened
from sim.scenario.tree import Node
from sim.system.declaration import Declaration
from sim.world.timing import Range, Timing

if TYPE_CHECKING:
    from sim.scenario.schema import ExpectShape, TimingShape


def read_expectation(root: Node, shape: ExpectShape) -> Expectation:
    """The expectation of a file; one that names a violation expects `violated`."""
    named = [(kind, name) for kind in ("emitted", "rejected", "states") for name in getattr(shape, kind)]
    said = [(key,) for key in ("verdict", "violation") if getattr(shape, key) is not None]
    return Expectation(
        verdict=shape.verdict or ("violated" if shape.violation is not None else "ok"),
        violation=shape.violation,
        emitted=shape.emitted,
        rejected=shape.rejected,
        states=shape.states,
        lines={path: root.key_place("expect", *path).line for path in ((), *said, *named)},
    )


def check_expectation(
    root: Node, expect: Expectation, system: Opened, emissions: Mapping[str, type], mistakes: Mistakes
) -> None:
    """What this system can never fulfil; `emissions` are the emission classes of the model by name."""
    if expect.violation is not None:
        known = [*system.monitors, *(prop.name for prop in system.properties), *system.built_in]
        if expect.violation not in known:
            mistakes.add(
                root.place_of("expect", "violation"),
                unknown("property", expect.violation, known),
            )
    for name in expect.emitted:
        if name not in emissions:
            mistakes.add(
                root.key_place("expect", "emitted", name),
                unknown("emission class", name, sorted(emissions)),
            )
    for name, state in expect.states.items():
        _check_state(root, name, state, system, mistakes)


def check_expectation_alone(root: Node, expect: Expectation, mistakes: Mistakes) -> None:
    """What no system can fulfil."""
    if expect.verdict == "ok" and expect.violation is not None:
        mistakes.add(
            root.place_of("expect", "verdict"),
            "verdict ok contradicts the violation; write verdict: violated, or leave the violation out",
        )
    for reason in expect.rejected:
        if reason not in REASONS:
            mistakes.add(
                root.key_place("expect", "rejected", reason),
                unknown("reason", reason, REASONS),
            )
    total, limit = sum(expect.rejected.values()), expect.emitted.get("Rejected")
    if limit is not None and total > limit:
        mistakes.add(
            root.key_place("expect", "rejected"),
            f"{total} rejected in all, but emitted says Rejected: {limit}; make the two agree",
        )


def _check_state(root: Node, name: str, state: str, system: Opened, mistakes: Mistakes) -> None:
    machine = system.processes.get(name) or system.monitors.get(name)
    if machine is None:
        mistakes.add(
            root.key_place("expect", "states", name),
            unknown("process or monitor", name, system.names),
        )
        return
    newer = [system.updates[name]] if name in system.updates else []
    known = [state for version in (machine, *newer) for state in type(version).table.states]
    if state not in (*known, DOWN, GONE, OFF, FAILED):
        mistakes.add(
            root.place_of("expect", "states", name),
            f"{name}: {unknown('state', state, known)}",
        )


def read_timing(root: Node, shape: TimingShape, system: Opened, mistakes: Mistakes) -> Timing:
    """The model's timing, with what the file says instead."""
    before = len(mistakes)
    for link in shape.links:
        source, arrow, target = (part.strip() for part in link.partition("->"))
        place = root.key_place("timing", "links", link)
        if not arrow or not source or not target:
            mistakes.add(place, f"{brief(link)} is not a link; write source->target, either side may be *")
            continue
        known = [*system.processes, "*"]
        for name in (source, target):
            if name not in known and isinstance(system, Declaration):  # a program's are known when it runs
                mistakes.add(place, unknown("process", name, known))
    for move in shape.moves:
        _check_move(root, move, system, mistakes)
    own = system.timing
    if len(mistakes) > before:
        return own  # unknown names make no timing; the rest of the file is still checked
    links = {"->".join(part.strip() for part in link.split("->")): range_ for link, range_ in shape.links.items()}
    return Timing(
        latency_ms=_or(shape.latency, own.latency_ms),
        links={**own.links, **links},
        moves={**own.moves, **shape.moves},
        may_ms=_or(shape.may, own.may_ms),
        restart_ms=_or(shape.restart, own.restart_ms),
        heal_ms=_or(shape.heal, own.heal_ms),
        late_ms=_or(shape.late, own.late_ms),
    )


def _check_move(root: Node, move: str, system: Opened, mistakes: Mistakes) -> None:
    place = root.key_place("timing", "moves", move)
    process, dot, name = move.rpartition(".")
    if not isinstance(system, Declaration):
        mistakes.add(place, f"{brief(move)}: a program has no moves; leave it out")
    elif not dot:
        mistakes.add(place, f"{brief(move)} is not a move; write process.move, such as user.stop")
    elif process not in system.processes:
        mistakes.add(place, unknown("process", process, system.processes))
    else:
        table = type(system.processes[process]).table
        known = [*table.must, *table.may]
        if name not in known:
            mistakes.add(place, f"{process}: {unknown('move', name, known)}")


def _or(given: Range | None, own: Any) -> Range:
    return given if given is not None else own
