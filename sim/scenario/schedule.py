"""An explicit schedule: every item parsed, and checked against the system it is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sim.base.durations import parse_duration
from sim.base.errors import ConfigError, brief, listing, unknown
from sim.faults.catalogue import PROGRAM_KINDS
from sim.faults.plan import UNLIMITED, FaultEntry
from sim.scenario.mistakes import FilePlace, Mistakes
from sim.scenario.parsed import Opened, ScheduleItem
from sim.scenario.repeats import Written
from sim.scenario.vocabulary import Vocabulary
from sim.system.declaration import Declaration
from sim.world.address import (
    ARRIVING,
    AT_ONCE,
    FOR_GOOD,
    MESSAGE_VERBS,
    OF_MODELS,
    OF_PROGRAMS,
    PROCESS_VERBS,
    START,
    Address,
    parse_address,
)

_UNDER = re.compile(r"(?P<kind>[^()]+)(?:\((?P<hint>[^()]*)\))?")


def read_schedule(written: Iterable[Written], mistakes: Mistakes) -> tuple[ScheduleItem, ...]:
    """The items of a schedule that parse; what is wrong with the others goes to `mistakes`."""
    items = []
    for number, (text, place, rounds) in enumerate(written):
        try:
            item = ScheduleItem(text, parse_address(text), *place, rounds)
        except ConfigError as error:
            for mistake in error.mistakes:
                mistakes.add_once(place, before := f"{text!r}: ", mistake.removeprefix(before))
            continue
        if item.address.verb == START and number:
            wrong = "only the first item may say how the processes start; move it there"
            mistakes.add_once(place, f"{brief(text)}: ", wrong)
        items.append(item)
    return tuple(items)


def check_schedule(items: Iterable[ScheduleItem], system: Opened, words: Vocabulary, mistakes: Mistakes) -> None:
    """Checks every item against the system and the words of its model. What a program does is known when it runs."""
    for item in items:
        found = (
            _Fit(system, words).mistakes(item.address) if isinstance(system, Declaration) else _of_models(item.address)
        )
        for wrong in found:
            mistakes.add_once(FilePlace(item.line, item.column), f"{brief(item.text)}: ", wrong)


def _of_models(address: Address) -> list[str]:
    """What an item names that no program has."""
    if address.verb in OF_MODELS or (address.verb == START and address.choosing):
        return [f"only a system of machines can {address.verb}; this is a program"]
    if address.verb in MESSAGE_VERBS and address.type not in ARRIVING:
        return [unknown("type of what arrives at a program", address.type, ARRIVING)]
    return []


class _Fit:
    """What one item names that its system lacks."""

    def __init__(self, system: Declaration, words: Vocabulary) -> None:
        self.system = system
        self.words = words
        self.messages = words.messages

    def mistakes(self, address: Address) -> list[str]:
        verb = address.verb
        if verb == START:
            return []
        if verb in OF_PROGRAMS:
            return [f"only a program can {verb}; this is a system of machines"]
        if verb in MESSAGE_VERBS:
            found = [*self._process(address.source), *self._process(address.target), *self._message(address)]
        elif verb in ("cut", "heal"):
            found = self._named("cut", address.subject, tuple(self.system.cuts))
        else:
            machine = verb in PROCESS_VERBS and address.process in self.system.machines
            found = [] if machine else self._process(address.process)
            if not found and verb in ("fire", "move"):
                found = self._subject(address)
        return [*found, *self._under(address), *self._crashing(address), *self._network(address)]

    def _named(self, kind: str, name: str, known: Sequence[str]) -> list[str]:
        if name in known:
            return []
        return [unknown(kind, name, known)]

    def _process(self, name: str) -> list[str]:
        return self._named("process", name, tuple(self.system.processes))

    def _subject(self, address: Address) -> list[str]:
        versions = [
            versions[address.process]
            for versions in (self.system.processes, self.system.updates)
            if address.process in versions
        ]
        tables = [type(process).table for process in versions]
        known = [name for t in tables for name in (t.timers if address.verb == "fire" else (*t.must, *t.may))]
        what = "timer" if address.verb == "fire" else "move"
        return [f"{address.process}: {wrong}" for wrong in self._named(what, address.subject, known)]

    def _message(self, address: Address) -> list[str]:
        known = self.messages
        if address.type not in known:
            return self._named("message type", address.type, tuple(known))
        fields = tuple(vars(known[address.type]).get("__dataclass_fields__", ()))
        return [
            f"{address.type}: {wrong}" for name in address.fields or () for wrong in self._named("field", name, fields)
        ]

    def _under(self, address: Address) -> list[str]:
        if address.under is None:
            return []
        match = _UNDER.fullmatch(address.under)
        kind, hint = (match["kind"], match["hint"]) if match else (address.under, None)
        if address.verb != "deliver":
            return [f"only deliver can be `under` a fault; write deliver ... under {kind}"]
        if kind not in self.system.own_kinds:
            return self._named("fault", kind, self.system.own_kinds)
        if hint is not None:
            if kind != "rate_limited":
                return [f"only rate_limited takes a reset hint; write under {kind}"]
            try:
                parse_duration(hint)
            except ConfigError as error:
                return [str(error)]
        fault = next(fault for fault in self.system.carriers if fault.kind == kind)
        carriers = tuple(self.system.carriers[fault])
        carried = self.messages.get(address.type)
        if carried is not None and not issubclass(carried, carriers):
            names = listing([carrier.__name__ for carrier in carriers])
            return [f"{address.type} does not carry {kind}; its carriers are {names}"]
        return []

    def _crashing(self, address: Address) -> list[str]:
        if address.crashing is None:
            return []
        if address.verb not in ("deliver", "fire", "move", "restart", "update"):
            return [f"a {address.verb} runs no handler that could crash; write crash PROCESS"]
        window = re.sub(r"^with \S+ ", "", address.crashing).removeprefix(f"{FOR_GOOD} ")
        if window == AT_ONCE:
            return []
        output = re.sub(r" #\d+$", "", window.removeprefix("after "))
        known = self.words.outputs(self.system, address.target or address.process)
        return [wrong for part in _parts(output) for wrong in self._named("output", part, known)]

    def _network(self, address: Address) -> list[str]:
        kind = self.system.kind_of(address.source, address.target)
        if address.reordered and kind != "fifo":
            return [f"`reordered` requires a fifo network; this one is {kind!r}: leave the word out"]
        if address.reordered and address.verb != "deliver":
            return [f"only deliver can be `reordered`; leave the word out of {address.verb}"]
        if address.verb == "duplicate" and kind == "set":
            return ["in a `set` network a message stays in flight forever; remove the item"]
        if address.verb == "duplicate" and kind == "latest":
            return ["in a `latest` network a newer message replaces the older one; remove the item"]
        return []


def _parts(output: str) -> list[str]:
    """`writing a, b and sending Ask, Told`, which is one instant, as `writing a`, `writing b`, `Ask`, `Told`."""
    writing, _, sending = output.partition(" and sending ")
    if output.startswith("sending "):
        writing, sending = "", output.removeprefix("sending ")
    parts = [part for part in sending.split(", ") if part]
    if not writing.startswith("writing "):
        return [writing] * bool(writing) + parts
    return [f"writing {field}" for field in writing.removeprefix("writing ").split(", ")] + parts


def budget_of(items: Iterable[ScheduleItem], system: Opened) -> tuple[FaultEntry, ...]:
    """Every kind of fault that these items use, without limit: the schedule itself says what strikes."""
    entries: dict[FaultEntry, None] = {}
    for item in items:
        address = item.address
        kinds: list[tuple[str, int | None]] = []
        crashing = address.crashing or ""
        lasts = address.for_good or FOR_GOOD in crashing.partition("after ")[0]
        process = "" if crashing.startswith("with ") else address.target or address.process
        alone = process if any(process in names for names in system.machines.values()) else None
        if address.verb in ("drop", "duplicate", "crash", "update", "cut", *PROGRAM_KINDS):
            kinds.append((address.verb, None))
        if address.reordered:
            kinds.append(("reorder", None))
        if address.crashing:
            kinds.append(("crash", None))
        match = _UNDER.fullmatch(address.under) if address.under else None
        if match is not None:
            kinds.append((match["kind"], parse_duration(match["hint"]) if match["hint"] is not None else None))
        for kind, hint in kinds:
            target = alone if kind == "crash" else None
            good = lasts and kind in ("crash", "cut")
            entries[FaultEntry(kind, UNLIMITED, target, hint_ms=hint, for_good=good)] = None
    return tuple(entries)
