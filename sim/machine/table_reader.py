"""Reads the table of a process or monitor from its class, and checks it when the class is made.

The vocabulary is that of the `transitions` library (states; rows of trigger, source, dest, conditions,
unless, before, after; callbacks `on_enter_<state>` and `on_exit_<state>`). The library would accept a
misspelt `dest`, a missing callback or a row that can never be taken; here each is one line of a
`TableError` that names the class and the row, and all of a class are reported at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from sim.base.errors import ModelError, TableError, listing, nearest, unknown
from sim.base.values import Emission, Fault, Message, Value, describe, freeze
from sim.machine.callbacks import arity, is_flag, is_verb, methods, required_arguments
from sim.machine.table import (
    DEFER,
    DOWN,
    FAILED,
    GONE,
    OFF,
    REQUIRED,
    Callbacks,
    Dest,
    Row,
    Table,
    Trigger,
    trigger_name,
)

_NO_STATES = ("", "*", "=", DOWN, GONE, OFF, FAILED)
_ROW_KEYS = ("trigger", "source", "dest", "conditions", "unless", "before", "after")
_GUARDS = ("conditions", "unless")
_CALLBACKS = (*_GUARDS, "before", "after")
_SPONTANEOUS = ("must", "may", "timers")
BOUND_MAX = 1_000_000
_TABLE_KEYS = ("states", "transitions", "initial", "hot", "owes", "must", "may", "timers", "durable")


def read_table(cls: type, inputs: tuple[type, ...], reserved: frozenset[str]) -> Table:
    """The table of `cls`; `inputs` are the record classes that may trigger a row, `reserved` the names
    a field may not take. Raises `TableError` with one line for each mistake."""
    return _Reader(cls, inputs, reserved).table()


class _Reader:
    def __init__(self, cls: type, inputs: tuple[type, ...], reserved: frozenset[str]) -> None:
        self.cls = cls
        self.inputs = inputs
        self.reserved = reserved
        self.mistakes: list[str] = []
        self.missing: list[str] = []
        self.is_monitor = Emission in inputs

    def wrong(self, text: str) -> None:
        self.mistakes.append(f"{self.cls.__name__}: {text}")

    def table(self) -> Table:
        self._look_for_strays()
        self.fields = self._fields()
        self.states, on_enter, on_exit = self._states()
        self.spontaneous = {kind: self._names(kind) for kind in _SPONTANEOUS}
        left = self._bounds()
        rows = self._rows()
        hot, durable = self._names("hot"), self._names("durable")
        self._members("hot", hot, self.states, "state")
        self._members("durable", durable, self.fields, "field")
        owes = str(getattr(self.cls, "owes", ""))
        self._members("owes", (owes,) * bool(owes), self.fields, "field")
        initial = getattr(self.cls, "initial", None) or (self.states[0] if self.states else "")
        if self.states:
            self._members("initial", (initial,), self.states, "state")
        self._check_used(rows)
        self._check_shadowed(rows)
        self._check_twins(rows)
        self._check_given(rows, on_enter, on_exit)
        self._hooks()
        if self.mistakes:
            raise TableError(*self.mistakes, *self.missing)
        return Table(
            states=self.states,
            initial=initial,
            rows=tuple(rows),
            hot=frozenset(hot),
            fields=self.fields,
            durable=frozenset(durable),
            owes=owes,
            on_enter=on_enter,
            on_exit=on_exit,
            left=left,
            missing=tuple(self.missing),
            **self.spontaneous,
        )

    def _look_for_strays(self) -> None:
        """`transition = (...)` would silently mean an empty table: unknown lower-case data is refused."""
        for cls in self._lineage():
            annotated = inspect.get_annotations(cls)
            for name, value in vars(cls).items():
                if name == "__init__":
                    self.wrong("__init__ cannot be replaced: annotate fields in the class body, and pass them by name")
                known = name in _TABLE_KEYS or name in annotated or name.startswith("_") or name.isupper()
                if name in self.reserved and name not in annotated and name not in _TABLE_KEYS:
                    if not isinstance(value, Table):  # set on a base class when it was made
                        self.wrong(f"{name!r} cannot be replaced: it belongs to the framework; rename it")
                    continue
                if known or callable(value) or isinstance(value, property | staticmethod | classmethod):
                    continue
                hint = nearest(name, _TABLE_KEYS)
                self.wrong(
                    f"{name} is neither part of a table{hint} nor annotated as a field: "
                    f"write `{name}: {type(value).__name__} = ...` for a field, {name.upper()} for a constant"
                )

    def _lineage(self) -> list[type]:
        """The user's classes, base first."""
        framework = {"sim.machine.process", "sim.base.values"}
        return [c for c in reversed(self.cls.__mro__) if c is not object and c.__module__ not in framework]

    def _fields(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for cls in self._lineage():
            for name, annotation in inspect.get_annotations(cls).items():
                if "ClassVar" in str(annotation):
                    continue
                if name in _TABLE_KEYS and any(name in vars(c) for c in self._lineage()):
                    continue
                if name.startswith("_") or name in self.reserved:
                    self.wrong(f"field {name!r} cannot have this name: it belongs to the framework; rename it")
                    continue
                found[name] = self._default(cls, name)
        return found

    def _default(self, cls: type, name: str) -> Value:
        if name not in vars(cls):
            return REQUIRED
        try:
            return freeze(vars(cls)[name])
        except ModelError as error:
            self.wrong(f"field {name}: {error}")
            return None

    def _names(self, kind: str) -> tuple[str, ...]:
        given = getattr(self.cls, kind, ())
        if isinstance(given, str) or not isinstance(given, Iterable):
            self.wrong(f"{kind} = {given!r} is not a collection of names; write {kind} = ({given!r},)")
            return ()
        if isinstance(given, Mapping) and kind != "may":
            self.wrong(
                f"{kind} = {given!r} has bounds, but only moves of may have one; write {kind} = {tuple(given)!r}"
            )
        names = tuple(given)
        if isinstance(given, set | frozenset):  # its order means nothing, so sort
            names = tuple(sorted(names, key=str))
        for name in names:
            if not isinstance(name, str):
                self.wrong(f"{kind} holds {name!r}, which is not a name")
            elif kind in _SPONTANEOUS and not name.isidentifier():
                self.wrong(f"{kind} holds {name!r}, which is not an identifier: schedules could not name it")
        names = tuple(name for name in names if isinstance(name, str))
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            self.wrong(f"{kind} holds {name!r} twice")
        if self.is_monitor and kind in _SPONTANEOUS and names:
            self.wrong(f"{kind} is not for monitors: a monitor only listens")
        return tuple(dict.fromkeys(names))

    def _bounds(self) -> dict[str, str]:
        """The moves of `may = {"push": 1}`, each with a field of its own, which counts down."""
        given = getattr(self.cls, "may", ())
        left: dict[str, str] = {}
        for move, most in given.items() if isinstance(given, Mapping) else ():
            if most is None:
                continue
            if type(most) is not int or not 1 <= most <= BOUND_MAX:
                self.wrong(
                    f"may bounds {move!r} by {describe(most)}; write how often it may be made, 1 to {BOUND_MAX:,}"
                )
            elif isinstance(move, str):
                left[move] = f"{move} left"
                self.fields[left[move]] = most
        return left

    def _members(self, what: str, names: Iterable[str], known: Iterable[str], kind: str) -> None:
        for name in names:
            if name not in known:
                self.wrong(f"{what}: {unknown(kind, name, known)}")

    def _states(self) -> tuple[tuple[str, ...], Callbacks, Callbacks]:
        names: list[str] = []
        callbacks: dict[str, Callbacks] = {"on_enter": {}, "on_exit": {}}
        given = getattr(self.cls, "states", ())
        if isinstance(given, str) or not isinstance(given, tuple | list):
            self.wrong(f"states = {given!r} is not a tuple of names (their order matters: the first is initial)")
            return (), {}, {}
        for state in given:
            spec = {"name": state} if isinstance(state, str) else state
            if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
                self.wrong(f"state {state!r} is neither a name nor a dict with one")
                continue
            for key in spec:
                if key not in ("name", *callbacks):
                    self.wrong(f"state {spec['name']!r}: {unknown('key', key, ('name', *callbacks))}")
            if spec["name"] in _NO_STATES:
                self.wrong(f"state {spec['name']!r} cannot have this name: it is reserved; rename it")
            if spec["name"] in names:
                self.wrong(f"state {spec['name']!r} is listed twice")
            names.append(spec["name"])
            for hook, found in callbacks.items():
                found[spec["name"]] = self._callbacks(f"state {spec['name']!r}", hook, spec.get(hook))
        if not names:
            self.wrong("states is empty; name at least the initial state")
        self._dynamic_hooks(tuple(names), callbacks)
        return tuple(names), callbacks["on_enter"], callbacks["on_exit"]

    def _dynamic_hooks(self, states: tuple[str, ...], callbacks: dict[str, Callbacks]) -> None:
        """Methods `on_enter_<state>` and `on_exit_<state>` are callbacks, as in the library."""
        for name in sorted(dir(self.cls)):
            for hook, found in callbacks.items():
                if not name.startswith(hook + "_") or any(name in names for names in found.values()):
                    continue
                state = name[len(hook) + 1 :]
                if state in states:
                    found[state] += self._callbacks(f"state {state!r}", hook, name)
                else:
                    self.wrong(f"{name}: {unknown('state', state, states)}")

    # --- rows ---------------------------------------------------------------------------------------

    def _rows(self) -> list[Row]:
        given = getattr(self.cls, "transitions", ())
        if not isinstance(given, tuple | list):
            one = "; a single row needs a comma after it" if isinstance(given, Mapping) else ""
            self.wrong(f"transitions is not a tuple of rows{one}")
            return []
        rows = [self._row(index, spec) for index, spec in enumerate(given, 1)]
        return [row for row in rows if row is not None]

    def _row(self, index: int, spec: object) -> Row | None:
        if not isinstance(spec, Mapping):
            self.wrong(f"row {index} is {spec!r}; write a dict with {listing(_ROW_KEYS[:3], 'and')}")
            return None
        where = f"row {index} ({_sketch(spec)})"
        before = len(self.mistakes)
        for key in spec:
            if key == "prepare":
                self.wrong(f"{where}: prepare would run even if the row is refused; use a condition, or before")
            elif key not in _ROW_KEYS:
                self.wrong(f"{where}: {unknown('key', key, _ROW_KEYS)}")
        missing = [key for key in _ROW_KEYS[:3] if key not in spec]
        if missing:
            self.wrong(f"{where}: {listing(missing, 'and')} {'is' if len(missing) == 1 else 'are'} missing")
        if len(self.mistakes) > before:
            return None
        sources = self._sources(where, spec["source"])
        self._trigger(where, spec["trigger"])
        self._dest(where, spec["dest"])
        callbacks = {key: self._callbacks(where, key, spec.get(key), spec["trigger"]) for key in _CALLBACKS}
        row = Row(index, spec["trigger"], sources, spec["dest"], **callbacks)
        self._quiet(where, row)
        return row if len(self.mistakes) == before else None

    def _sources(self, where: str, source: object) -> tuple[str, ...]:
        if source == "*":
            return self.states
        sources = (source,) if isinstance(source, str) else source
        if not isinstance(sources, tuple | list) or not sources:
            self.wrong(f"{where}: source {source!r} is neither a state, a list of states nor '*'")
            return ()
        for name in sources:
            if name not in self.states:
                self.wrong(f"{where}: source: {unknown('state', name, self.states)}")
        return tuple(sources)

    def _trigger(self, where: str, trigger: object) -> None:
        if isinstance(trigger, str):
            declared = [name for kind in _SPONTANEOUS for name in self.spontaneous[kind]]
            if trigger not in declared:
                hint = nearest(trigger, declared)
                self.wrong(
                    f"{where}: nothing can send trigger {trigger!r}{hint}: a string is a timer or a spontaneous "
                    "move, declared in timers, must or may; for a message name its class"
                )
        elif not isinstance(trigger, type) or not issubclass(trigger, self.inputs):
            kinds = listing([f"{kind.__name__} classes" for kind in self.inputs])
            self.wrong(f"{where}: nothing can send trigger {_name_of(trigger)}: triggers are {kinds}, or names")
        elif trigger in self.inputs:
            self.wrong(
                f"{where}: nothing can send trigger {_name_of(trigger)}: it is the base of its kind; subclass it"
            )

    def _dest(self, where: str, dest: object) -> None:
        if dest is None or isinstance(dest, Dest) or dest == "=":
            return
        if not isinstance(dest, str) or dest not in self.states:
            self.wrong(f"{where}: dest: {unknown('state', dest, self.states)}")

    def _quiet(self, where: str, row: Row) -> None:
        """IGNORE and DEFER do nothing, and only what stays in flight can be deferred."""
        if not isinstance(row.dest, Dest):
            return
        if row.before or row.after:
            self.wrong(f"{where}: {row.dest.name} does nothing; callbacks here would never be called")
        if row.dest is DEFER and self.is_monitor:
            self.wrong(f"{where}: a monitor cannot defer what has already happened")
        if row.trigger in self.spontaneous["must"] + self.spontaneous["may"]:
            self.wrong(f"{where}: a spontaneous move is taken or not; give it a condition instead of {row.dest.name}")

    def _callbacks(self, where: str, key: str, given: object, trigger: object = None) -> tuple[str, ...]:
        names = () if given is None else (given,) if isinstance(given, str) else given
        if not isinstance(names, tuple | list):
            self.wrong(f"{where}: {key} {describe(given)} is neither the name of a method nor a list of names")
            return ()
        for name in names:
            method = getattr(self.cls, name, None) if isinstance(name, str) else None
            if key in _GUARDS and isinstance(name, str) and not callable(method) and self._flag(where, name, trigger):
                continue
            if not isinstance(name, str):
                self.wrong(f"{where}: {key} names {describe(name)}; expected the name of a method")
            elif not callable(method) or is_verb(self.cls, name):
                known = [n for n in methods(self.cls) if n not in self.reserved and not is_verb(self.cls, n)]
                self.missing.append(f"{self.cls.__name__}: {where}: {key}: {unknown('method', name, known)}")
            elif arity(method) is None or isinstance(inspect.getattr_static(self.cls, name), staticmethod):
                self.wrong(f"{where}: {key} {name!r} must accept self and at most the input")
        return tuple(name for name in names if isinstance(name, str))

    def _flag(self, where: str, name: str, trigger: object) -> bool:
        """Whether a guard is a field, or an attribute of the input."""
        of_process, of_input = name in self.fields and is_flag(self.cls, name), is_flag(trigger, name)
        if of_process and of_input:
            both = f"a field of {self.cls.__name__} and of {_name_of(trigger)}"
            self.wrong(f"{where}: guard {name!r} is {both}; name a method that says which")
        return of_process or of_input

    # --- the whole ----------------------------------------------------------------------------------

    def _check_used(self, rows: list[Row]) -> None:
        triggers = {row.trigger for row in rows}
        for kind in _SPONTANEOUS:
            for name in self.spontaneous[kind]:
                if name not in triggers and not self.mistakes:
                    self.wrong(f"{kind} names {name!r}, but no row has this trigger")
        for name in dict.fromkeys(n for k in _SPONTANEOUS for n in self.spontaneous[k]):
            kinds = [kind for kind in _SPONTANEOUS if name in self.spontaneous[kind]]
            if len(kinds) > 1:
                self.wrong(f"{name!r} is in {listing(kinds, 'and')}: it can be only one of them")

    def _check_shadowed(self, rows: list[Row]) -> None:
        """A row after an unconditional one of the same state and trigger is never taken."""
        closed: dict[tuple[Trigger, str], Row] = {}
        for row in rows:
            before = [closed.get((row.trigger, source)) for source in row.sources]
            if before and all(before):
                first = before[0]
                assert first is not None
                self.wrong(f"row {row.index} ({row}) is never taken: row {first.index} comes first and always holds")
            if not row.guarded:
                for source in row.sources:
                    closed.setdefault((row.trigger, source), row)

    def _check_twins(self, rows: list[Row]) -> None:
        """Rows, addresses and digests identify a trigger by its bare name."""
        known: dict[str, Trigger] = {}
        for row in rows:
            name = trigger_name(row.trigger)
            if known.setdefault(name, row.trigger) is not row.trigger and known[name] != row.trigger:
                self.wrong(f"row {row.index} ({row}): two triggers are named {name}; rename one")

    def _check_given(self, rows: list[Row], on_enter: Callbacks, on_exit: Callbacks) -> None:
        """A timer or a spontaneous move has no input that a callback could take."""
        for row in rows:
            if not isinstance(row.trigger, str):
                continue
            named = [(key, name) for key in _CALLBACKS for name in getattr(row, key)]
            if isinstance(row.dest, str):
                named += [("on_exit", name) for source in row.sources for name in on_exit[source]]
                for state in row.sources if row.dest == "=" else (row.dest,):
                    named += [("on_enter", name) for name in on_enter[state]]
            for key, name in dict.fromkeys(named):
                method = getattr(self.cls, name, None)
                if callable(method) and required_arguments(method) > 1:
                    self.wrong(
                        f"row {row.index} ({row}): {key} {name!r} accepts an input, but a timer or a spontaneous move "
                        "has none"
                    )

    def _hooks(self) -> None:
        for name in ("on_start", "on_restart"):
            method = getattr(self.cls, name, None)
            if method is not None and required_arguments(method) != 1:
                self.wrong(f"{name} takes no argument but self")


def _sketch(spec: Mapping[Any, Any]) -> str:
    parts = [f"{key}: {_name_of(spec[key])}" for key in _ROW_KEYS[:3] if key in spec]
    return ", ".join(parts) or "empty"


def _name_of(thing: object) -> str:
    if isinstance(thing, Dest):
        return thing.name
    return thing.__name__ if isinstance(thing, type) else repr(thing)


PROCESS_INPUTS: tuple[type, ...] = (Message, Fault)
MONITOR_INPUTS: tuple[type, ...] = (Emission,)
