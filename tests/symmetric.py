"""Random small systems with processes that may be swapped, and orbits found without the engine.

`symmetric_systems()` is a Hypothesis strategy: a hub and two or three clones that know each other by name, in
fields, messages and emissions. Some are declared interchangeable and are not: an act that looks at a name,
a fault or a cut for one of them, a crash between two sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from itertools import permutations, product
from typing import Any

from hypothesis import strategies as st

from sim import (
    DEFER,
    IGNORE,
    AgentTimeout,
    Crashed,
    Emission,
    Graph,
    Message,
    Monitor,
    Process,
    Received,
    State,
    System,
    always,
    cut,
    sometimes,
    within,
)
from sim.base.values import encode
from sim.system.properties import Property


class Ping(Message):
    n: int
    who: str | None = None


class Pong(Message):
    n: int
    who: str | None = None


class Seen(Emission):
    who: str
    n: int


def _send(target: str, kind: type[Any]) -> Callable[..., None]:
    def act(self: Any, *given: Any) -> None:
        known = {"hub": "h", "me": self.name, "sender": self.sender or None, "friend": self.friend}
        to = sorted(self.peers) if target == "all" else [known[target]]
        for name in to:
            if self.fuel and name:
                self.fuel -= 1
                self.send(name, kind(self.x, self.friend or self.sender or self.name))

    return act


def _flip(self: Any, *given: Any) -> None:
    self.x = 1 - self.x


def _befriend(self: Any, *given: Any) -> None:
    who = getattr(given[0], "who", None) if given else None
    self.friend = who or self.sender or self.friend


def _meet(self: Any, *given: Any) -> None:
    self.met |= {self.sender or self.name}


def _choose(self: Any, *given: Any) -> None:
    self.x = self.choose(0, 1)


def _choose_friend(self: Any, *given: Any) -> None:
    if self.peers:
        self.friend = self.choose(*self.peers)


def _emit(self: Any, *given: Any) -> None:
    self.emit(Seen(self.friend or self.name, self.x))


def _arm(self: Any, *given: Any) -> None:
    self.arm("t", 5)


def _first(self: Any, *given: Any) -> None:
    self.friend = min(self.met, default=None)  # a name that sorts first is told apart


def _favour(self: Any, *given: Any) -> None:
    if self.name == "c1" or self.friend == "c1":
        self.x = 1 - self.x


def _break(self: Any, *given: Any) -> None:
    if self.x and self.friend:
        raise ValueError("broken")


FAIR = (
    *(_send(target, kind) for target in ("hub", "me", "sender", "friend", "all") for kind in (Ping, Pong)),
    *(_flip, _befriend, _befriend, _meet, _choose, _choose_friend, _emit, _emit, _arm),
)
UNFAIR = (_first, _favour)
GUARDS: tuple[Callable[..., Any], ...] = (
    lambda self, *given: self.x,
    lambda self, *given: self.friend is not None,
    lambda self, *given: self.sender == self.friend,
)


def _pick(draw: Any, options: Sequence[Any]) -> Any:
    return options[draw(st.integers(0, len(options) - 1))]


def _sequence(acts: Sequence[Callable[..., None]]) -> Callable[..., None]:
    def act(self: Any, *given: Any) -> None:
        for each in acts:
            each(self, *given)

    return act


def _acts(draw: Any, unfair: bool) -> Callable[..., None]:
    acts = [_pick(draw, FAIR) for _ in range(_pick(draw, (1, 2, 3)))]
    acts += [_pick(draw, UNFAIR)] if unfair and _pick(draw, (False, False, True)) else []
    return _sequence([*acts, *_pick(draw, ((),) * 11 + ((_break,),))])


def _process_class(draw: Any, name: str, unfair: bool) -> type[Process]:
    rows: list[dict[str, Any]] = []
    for trigger in (Ping, Pong, AgentTimeout, "t", "go", "stop"):
        spontaneous = trigger in ("go", "stop")
        if trigger in (AgentTimeout, "go", "stop") and _pick(draw, (False, True)):
            continue
        for source in ("a", "b"):
            row = {"trigger": trigger, "source": source}
            shape = _pick(draw, range(6))
            act = {"after": _pick(draw, ("act0", "act1"))}
            dest = _pick(draw, ("a", "b", None, "="))
            if shape == 0:
                rows.append({**row, "dest": dest, **act, "conditions": _pick(draw, ("guard0", "guard1", "guard2"))})
            if shape <= 1 and not spontaneous:
                rows.append({**row, "dest": _pick(draw, (IGNORE, DEFER))})
            elif shape > 1 and (shape < 5 or not spontaneous):
                rows.append({**row, "dest": dest, **act})
    triggers = {row["trigger"] for row in rows}
    body: dict[str, Any] = {
        "states": ("a", "b"),
        "transitions": tuple(rows),
        "timers": ("t",),
        "must": tuple({"go"} & triggers),
        "may": tuple({"stop"} & triggers),
        "hot": _pick(draw, ((), (), ("b",))),
        "durable": ("fuel", "met"),
        "act0": _acts(draw, unfair),
        "act1": _acts(draw, unfair),
        **{f"guard{i}": guard for i, guard in enumerate(GUARDS)},
        "x": 0,
        "friend": None,
        "met": frozenset(),
        "fuel": _pick(draw, (1, 2, 0, 3)),
        "peers": frozenset(),
        "__annotations__": {
            "x": "int",
            "friend": "str | None",
            "met": "frozenset[str]",
            "fuel": "int",
            "peers": "frozenset[str]",
        },
        "__module__": __name__,
    }
    if "t" not in triggers:
        body["transitions"] += ({"trigger": "t", "source": "*", "dest": IGNORE},)
    start = _acts(draw, unfair)
    body["on_start"] = lambda self: start(self)
    if _pick(draw, (False, True)):
        restart = _acts(draw, unfair)
        body["on_restart"] = lambda self: restart(self)
    return type(f"Process_{name}", (Process,), body)


def _monitor(draw: Any) -> Monitor:
    def note(self: Any, given: Any) -> None:
        self.met |= {getattr(given, "who", None) or getattr(given, "process", None)}
        if self.limit and len(self.met) > self.limit:
            self.violate("too many of them")

    triggers = [kind for kind in (Seen, Crashed, Received) if _pick(draw, (True, False))] or [Seen]
    body = {
        "states": ("calm", "alert"),
        "hot": _pick(draw, ((), (), ("alert",))),
        "transitions": tuple(
            {"trigger": kind, "source": "*", "dest": _pick(draw, ("calm", "alert", None)), "after": "note"}
            for kind in triggers
        ),
        "note": note,
        "limit": _pick(draw, (0, 0, 2)),
        "met": frozenset(),
        "__annotations__": {"limit": "int", "met": "frozenset[str]"},
        "__module__": __name__,
    }
    return type("Watch", (Monitor,), body)()


def _properties(draw: Any, clones: tuple[str, ...]) -> list[Property]:
    number = _pick(draw, (0, 1, 2))
    found = [
        always("few", lambda *ps: sum(getattr(p, "x", 0) for p in ps) <= number, reads=clones),
        always("of one", lambda p: getattr(p, "x", 0) <= number, reads=clones[1:2]),
        always("the hub", lambda p: "c1" not in getattr(p, "met", ()), reads=["h"]),
        sometimes("of another", lambda p: getattr(p, "friend", None) == "c1", reads=clones[:1]),
    ]
    return [prop for prop in found if _pick(draw, (False, False, True))]


@st.composite
def symmetric_systems(draw: Any) -> System:
    """A small finite system with clones that are declared interchangeable."""
    clones = ("c0", "c1", "c2")[: _pick(draw, (2, 3))]
    network = _pick(draw, ("any", "fifo", "set"))
    unfair = _pick(draw, (False, False, False, True))
    hub, clone = _process_class(draw, "h", unfair), _process_class(draw, "c", unfair)
    faults = [_pick(draw, (None,) * 5 + ("crash:1@h", "crash:1", "crash:1@c1"))]
    faults += [_pick(draw, (None,) * 4 + ("drop:1", "drop:1@h->c0", "drop:unlimited@Ping"))]
    faults += [_pick(draw, (None,) * 3 + ("agent_timeout:1",))]
    faults += [_pick(draw, (None,) * 3 + ("cut:1", "cut:1@all"))]
    if network != "set":
        faults += [_pick(draw, (None,) * 3 + ("duplicate:1", "duplicate:1@c0"))]
    if network == "fifo":
        faults += [_pick(draw, (None, None, "reorder:1"))]
    return System(
        processes={
            "h": hub(peers=frozenset(clones)),
            **{name: clone(peers=frozenset(clones) - {name}) for name in clones},
        },
        network=network,
        monitors={"watch": _monitor(draw)} if _pick(draw, (False, True)) else {},
        faults=", ".join(fault for fault in faults if fault),
        carriers={AgentTimeout: (Ping,)},
        cuts={"all": cut({"h"}), **({"one": cut({"c1"})} if _pick(draw, (False, False, True)) else {})},
        properties=_properties(draw, clones),
        within=within("spent", lambda p: getattr(p, "fuel", 0) > 0, reads=["h"]) if _pick(draw, (0, 0, 1)) else None,
        interchangeable=(clones,),
    )


# --- orbits without the engine ------------------------------------------------------------------------------


def _turned(value: Any, names: dict[str, str]) -> Any:
    if type(value) is str:
        return names.get(value, value)
    if type(value) is tuple:
        return tuple(_turned(item, names) for item in value)
    if isinstance(value, frozenset):
        return frozenset(_turned(item, names) for item in value)
    if is_dataclass(value):
        return type(value)(**{f.name: _turned(getattr(value, f.name), names) for f in fields(value)})
    return value


def permutations_of(classes: Iterable[tuple[str, ...]]) -> list[dict[str, str]]:
    """Every renaming that permutes names inside of their classes."""
    parts = [[dict(zip(names, order, strict=True)) for order in permutations(names)] for names in classes]
    return [{name: to for part in parts_ for name, to in part.items()} for parts_ in product(*parts)]


def turn(graph: Graph, state: State, names: dict[str, str]) -> bytes:
    """The canonical encoding of what a renaming makes of a state, from its value alone."""
    locals_, flying, budgets, cuts = graph.value(state)
    place = {name: i for i, name in enumerate(graph.names)}
    moved = list(locals_)
    for name, (mode, values, timers) in zip(graph.names, locals_, strict=True):
        moved[place[names.get(name, name)]] = (mode, _turned(values, names), timers)
    net = tuple(sorted((_turned(one, names) for one in flying), key=encode))
    return encode((tuple(moved), net, budgets, cuts))


def orbits(graph: Graph, states: Iterable[State], classes: Iterable[tuple[str, ...]]) -> dict[bytes, int]:
    """The orbits among these states: the least of each, and how many states are in it."""
    renamings = permutations_of(classes)
    found: dict[bytes, int] = {}
    for state in states:
        least = min(turn(graph, state, names) for names in renamings)
        found[least] = found.get(least, 0) + 1
    return found
